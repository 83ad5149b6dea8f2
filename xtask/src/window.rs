//! `cargo xtask window`: the plugin's window in a host, played into, as a picture.

mod display;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use image::{ColorType, ImageFormat};
use stage::{
    Blocks, Clap, Event, Mode, Pace, Part, Setup, Transport,
    clap::Pixels,
    score,
    screen::{Picture, Screen},
};

use self::display::Display;
use crate::demo::{
    call::{self, Song},
    game::Game,
};

const PLUGIN: &str = "audio.antiphon.midi";
const SAMPLE_RATE: f64 = 48_000.0;
const BLOCK: u32 = 512;
/// In beats per minute.
const TEMPO: f64 = 120.0;
/// The phrase is played once in so many seconds.
const TURN_S: f64 = 9.0;
const TURNS: u32 = 100;

/// Open the plugin's window in a host, play into it, and keep a picture
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the picture goes
    #[arg(long, value_name = "FILE", default_value = "docs/window.png")]
    picture: PathBuf,
    /// Seconds of music before the picture is taken
    #[arg(long, default_value = "9.5")]
    seconds: f64,
    /// Pixels a point
    #[arg(long, default_value = "1")]
    scale: f64,
    /// The window's size in points, as WIDTHxHEIGHT
    #[arg(long, value_parser = size)]
    size: Option<Pixels>,
    /// A parameter by its name and text, such as "Mode=Trade"; may be given more than once
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Click at these points of the window before the picture is taken, one after the other, as X,Y
    #[arg(long, value_parser = point)]
    click: Vec<(i16, i16)>,
    /// Leave the pointer at this point, as X,Y
    #[arg(long, value_parser = point)]
    point: Option<(i16, i16)>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let _display = Display::open()?;
    // SAFETY: the framework's entry is a valid one.
    let mut clap = unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), PLUGIN) }?;
    for (name, text) in &arguments.settings {
        clap.set_text(name, text)?;
    }
    let usual = clap.make_window(arguments.scale)?;
    let in_pixels = |points: u32| (f64::from(points) * arguments.scale).round() as u32;
    let size = match arguments.size {
        Some(Pixels { width, height }) => Pixels { width: in_pixels(width), height: in_pixels(height) },
        None => usual,
    };
    let screen = Screen::open(size)?;
    // SAFETY: the screen's window goes after the plugin's has been closed.
    unsafe { clap.show_window(screen.window()) }?;
    if size != usual {
        clap.resize_window(size)?;
    }
    let picture = play(&mut clap, &screen, arguments)?;
    clap.close_window()?;
    write(&picture, arguments)
}

/// Plays into the window in real time, and takes a picture when it is time.
fn play(clap: &mut Clap, screen: &Screen, arguments: &Arguments) -> Result<Picture> {
    let score = score();
    let transport = Transport::playing(TEMPO);
    let until = ((arguments.seconds + 1.0) * SAMPLE_RATE) as u64;
    let part = Part {
        score: &score,
        transport: &transport,
        until,
        blocks: Blocks::Fixed(BLOCK),
        pace: Pace::RealTime,
    };
    let setup = Setup { sample_rate: SAMPLE_RATE, largest_block: BLOCK, mode: Mode::Realtime };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let taken = scope.spawn(|| take(screen, arguments));
        let played = stage::play(clap, setup, &part);
        is_over.store(true, Ordering::Relaxed);
        played?;
        taken.join().map_err(|_| anyhow!("the picture was not taken"))?
    })
}

fn take(screen: &Screen, arguments: &Arguments) -> Result<Picture> {
    thread::park_timeout(Duration::from_secs_f64(arguments.seconds));
    for (x, y) in &arguments.click {
        screen.click(*x, *y)?;
        thread::park_timeout(Duration::from_millis(400));
    }
    if let Some((x, y)) = arguments.point {
        screen.point(x, y)?;
        thread::park_timeout(Duration::from_millis(1000));
    }
    screen.picture()
}

/// The demo's phrase, again and again.
fn score() -> Vec<Event> {
    let at = |seconds: f64| (seconds * SAMPLE_RATE) as u64;
    let (Song::Phrase(notes) | Song::Piece(notes)) = call::phrase(TEMPO, Game::Answer);
    let turns = (0..TURNS).map(|turn| f64::from(turn) * TURN_S);
    let mut events: Vec<Event> = turns
        .flat_map(|start| {
            notes.iter().flat_map(move |note| {
                Event::note(at(start + note.onset), at(note.duration), note.key, note.velocity)
            })
        })
        .collect();
    score::sort(&mut events);
    events
}

fn setting(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("write NAME=VALUE, such as \"Mode=Trade\"")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn write(picture: &Picture, arguments: &Arguments) -> Result<()> {
    let Pixels { width, height } = picture.size;
    let path = &arguments.picture;
    image::save_buffer_with_format(path, &picture.rgb, width, height, ColorType::Rgb8, ImageFormat::Png)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written         {}, {width} x {height}", path.display());
    Ok(())
}

fn size(text: &str) -> Result<Pixels> {
    let (width, height) = text.split_once('x').context("a size is WIDTHxHEIGHT, such as 1120x740")?;
    Ok(Pixels { width: width.trim().parse()?, height: height.trim().parse()? })
}

fn point(text: &str) -> Result<(i16, i16)> {
    let (x, y) = text.split_once(',').context("a point is X,Y, such as 100,20")?;
    Ok((x.trim().parse()?, y.trim().parse()?))
}
