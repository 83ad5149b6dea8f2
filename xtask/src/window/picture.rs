//! `cargo xtask window picture`: the window as it looks when music was played into it.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use image::{ColorType, ImageFormat};
use test_host::{
    Clap, Mode,
    clap::Pixels,
    screen::{Picture, Screen},
};

use super::{Display, instance, play_phrases};

/// A window that shows the same after so long has come to rest.
const BETWEEN_PICTURES: Duration = Duration::from_millis(700);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A tooltip comes after so long.
const TOOLTIP: Duration = Duration::from_millis(1500);

/// Open the window, play into it, and keep a picture of it
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
    let mut clap = instance()?;
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

/// Plays into the window in real time. When the music has stopped the window stands still, which makes the picture the
/// same on every machine.
fn play(clap: &mut Clap, screen: &Screen, arguments: &Arguments) -> Result<Picture> {
    play_phrases(clap, arguments.seconds, Mode::Realtime)?;
    let mut picture = settled(screen)?;
    for (x, y) in &arguments.click {
        screen.click(*x, *y)?;
        picture = settled(screen)?;
    }
    if let Some((x, y)) = arguments.point {
        screen.point(x, y)?;
        thread::park_timeout(TOOLTIP);
        picture = settled(screen)?;
    }
    Ok(picture)
}

/// What the window shows when it shows the same for a while.
fn settled(screen: &Screen) -> Result<Picture> {
    let mut before = screen.picture()?;
    let deadline = Instant::now() + LONGEST_WAIT;
    loop {
        thread::park_timeout(BETWEEN_PICTURES);
        let picture = screen.picture()?;
        let is_drawn = picture.rgb.iter().any(|byte| *byte != 0);
        if is_drawn && picture == before {
            return Ok(picture);
        }
        ensure!(Instant::now() < deadline, "the window has not come to rest within {LONGEST_WAIT:?}");
        before = picture;
    }
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
