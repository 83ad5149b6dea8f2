//! `cargo xtask window`: opens the plugin's window in a host, on an existing or a virtual display, while the
//! demo's phrase is played into the plugin. It shows what the window looks like, and what it costs the audio.

mod openings;
#[cfg(feature = "jack")]
mod play;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    thread,
    time::{Duration, Instant},
};

use antiphon::{
    learner::{Learner, LearnerStatus, Material},
    music::time::SampleRate,
    plugin::NoteEffect,
    take::Take,
};
use anyhow::{Context, Result, bail, ensure};
use image::{ColorType, ImageFormat};
use serde_json::json;
use test_host::{
    Blocks, Clap, Event, Host, Mode, Pace, Part, Performance, Setup, Transport,
    clap::Pixels,
    score,
    screen::{DisplayConnection, Picture, Screen},
};

use crate::{
    bundle,
    demo::{
        call::{self, PlayMode, Song},
        late,
    },
};

/// Size of the virtual screen in pixels, and its bits of colour: room for the window at twice its size.
const SCREEN: &str = "2600x1800x24";
/// Sample rate in samples a second; below, the size of a block in samples.
const SAMPLE_RATE: f64 = 48_000.0;
const BLOCK: u32 = 512;
/// Tempo in beats per minute.
const TEMPO: f64 = 120.0;
/// Seconds from one phrase to the next: four bars and a half, so that answers begin at different places of
/// the bar.
const TURN_S: f64 = 9.0;
/// Time after which a window that still shows the same has come to rest.
const BETWEEN_PICTURES: Duration = Duration::from_millis(700);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Time until a tooltip is shown.
const TOOLTIP: Duration = Duration::from_millis(1500);

/// Open the plugin's window in a host: keep a picture of it, open it again and again, measure what it costs
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Compare(CompareArguments),
    Openings(openings::Arguments),
    Picture(PictureArguments),
    #[cfg(feature = "jack")]
    Play(play::Arguments),
}

/// A display that is named in the environment, for as long as this lives.
struct Display {
    /// A virtual display ends with its last connection, which is held here until the process ends. If the
    /// display were gone before, a library that still uses it at the end of the program would end the program
    /// with an error.
    _connection: DisplayConnection,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Compare(arguments) => run_compare(arguments),
        Command::Openings(arguments) => openings::run(arguments),
        Command::Picture(arguments) => run_picture(arguments),
        #[cfg(feature = "jack")]
        Command::Play(arguments) => play::run(arguments),
    }
}

impl Display {
    /// Uses the display of the environment, or starts `Xvfb`.
    ///
    /// # Errors
    /// When neither is there.
    fn open() -> Result<Self> {
        if std::env::var_os("DISPLAY").is_some() {
            return Ok(Self { _connection: DisplayConnection::open()? });
        }
        let mut server = Process::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-terminate"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("there is no display: set DISPLAY, or install Xvfb (Debian: xvfb libgl1-mesa-dri libglx-mesa0)")?;
        let mut number = String::new();
        let told = server.stdout.take().context("its output was asked for")?;
        BufReader::new(told).read_line(&mut number).context("Xvfb tells no display")?;
        // SAFETY: this is called before any other thread is started.
        unsafe { std::env::set_var("DISPLAY", format!(":{}", number.trim())) };
        Ok(Self { _connection: DisplayConnection::open()? })
    }
}

/// A fresh instance of the plugin that is linked into this process.
fn instance() -> Result<Clap> {
    bundle::linked::<NoteEffect>()
}

/// Plays for `seconds` seconds, in real time or as fast as possible. The plugin stays active.
///
/// # Errors
/// When the plugin fails.
fn play_phrases(host: &mut dyn Host, seconds: f64, mode: Mode) -> Result<Performance> {
    let part = Part {
        score: &phrases(seconds),
        transport: &Transport::playing(TEMPO),
        until: (seconds * SAMPLE_RATE) as u64,
        blocks: Blocks::Fixed(BLOCK),
        pace: if mode == Mode::Realtime { Pace::RealTime } else { Pace::Free },
    };
    test_host::play(host, Setup { sample_rate: SAMPLE_RATE, largest_block: BLOCK, mode }, &part)
}

/// The events of `seconds` seconds of phrases, in samples of [`SAMPLE_RATE`].
fn phrases(seconds: f64) -> Vec<Event> {
    let at = |seconds: f64| (seconds * SAMPLE_RATE) as u64;
    let (Song::Phrase(notes) | Song::Piece(notes)) = call::phrase(TEMPO, PlayMode::Answer);
    let turns = (0..).map(|turn| f64::from(turn) * TURN_S).take_while(|start| *start < seconds);
    let phrase = |start: f64| {
        let notes = notes.iter();
        notes.flat_map(move |note| {
            Event::note(at(start + note.onset), at(note.duration), note.key, note.velocity)
        })
    };
    let mut events: Vec<Event> = turns.flat_map(phrase).collect();
    score::sort(&mut events);
    events
}

/// Open the window, play into it, and keep a picture of it
#[derive(clap::Args)]
struct PictureArguments {
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

fn run_picture(arguments: &PictureArguments) -> Result<()> {
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
    let picture = play_into(&mut clap, &screen, arguments)?;
    clap.close_window()?;
    write(&picture, arguments)
}

/// Plays into the plugin in real time, and takes the picture once the music has stopped. The window stands
/// still then, so that the picture is the same on every machine.
fn play_into(clap: &mut Clap, screen: &Screen, arguments: &PictureArguments) -> Result<Picture> {
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

/// The picture of the window once it stays the same for a while.
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

fn write(picture: &Picture, arguments: &PictureArguments) -> Result<()> {
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

/// Play with the window closed, with it open, and while the plugin learns, in turn, and tell what a process call costs and how
/// many notes are late
#[derive(clap::Args)]
struct CompareArguments {
    /// Seconds of music for each playing, in real time
    #[arg(long, default_value = "30")]
    seconds: f64,
    /// How often each is played; the figures are the medians
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Play a third time beside the open window, while the plugin learns from the MIDI files of this folder, as *Learn from me* does
    #[arg(long, value_name = "FOLDER")]
    learn: Option<PathBuf>,
    /// Print one JSON object only
    #[arg(long)]
    json: bool,
}

/// The cost of one playing, or of several rounds.
struct Cost {
    median_us: f64,
    p99_us: f64,
    worst_us: f64,
    late: usize,
}

fn run_compare(arguments: &CompareArguments) -> Result<()> {
    let _display = Display::open()?;
    let reference = play_phrases(&mut instance()?, arguments.seconds, Mode::Offline)?;
    let (mut closed, mut open, mut learning) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        closed.push(Cost::of(&play_closed(arguments.seconds)?, &reference));
        open.push(Cost::of(&play_open(arguments.seconds)?, &reference));
        if let Some(folder) = &arguments.learn {
            learning.push(Cost::of(&play_learning(arguments.seconds, folder)?, &reference));
        }
    }
    let (closed, open) = (Cost::of_rounds(&closed), Cost::of_rounds(&open));
    let learning = (!learning.is_empty()).then(|| Cost::of_rounds(&learning));
    if arguments.json {
        let learning = learning.map(|cost| cost.json());
        println!("{}", json!({"closed": closed.json(), "open": open.json(), "learning": learning}));
        return Ok(());
    }
    println!("window closed   {}", closed.line());
    println!("window open     {}", open.line());
    if let Some(cost) = learning {
        println!("and learning    {}", cost.line());
    }
    Ok(())
}

fn play_closed(seconds: f64) -> Result<Performance> {
    play_phrases(&mut instance()?, seconds, Mode::Realtime)
}

fn play_open(seconds: f64) -> Result<Performance> {
    let mut clap = instance()?;
    let screen = Screen::open(clap.make_window(1.0)?)?;
    // SAFETY: the screen's window goes after the plugin's has been closed.
    unsafe { clap.show_window(screen.window()) }?;
    let take = play_phrases(&mut clap, seconds, Mode::Realtime)?;
    clap.close_window()?;
    Ok(take)
}

/// Plays with the window open, beside a learner that is at work from before the first note until after the
/// last one.
fn play_learning(seconds: f64, files: &Path) -> Result<Performance> {
    let learner = Learner::default();
    let take = Take::new(SampleRate(SAMPLE_RATE));
    learner.begin(Material { folder: files.to_owned(), take, style: None });
    let take = play_open(seconds)?;
    match learner.status() {
        LearnerStatus::Running { .. } => Ok(take),
        LearnerStatus::Failed { sentence } => bail!(sentence),
        LearnerStatus::Idle | LearnerStatus::Finished { .. } => {
            bail!(
                "it had learnt before the music was over: give a folder with more files, or fewer --seconds"
            )
        }
    }
}

impl Cost {
    fn of(take: &Performance, reference: &Performance) -> Self {
        let mut costs: Vec<f64> =
            take.process.iter().map(Duration::as_secs_f64).map(|cost| cost * 1e6).collect();
        costs.sort_by(f64::total_cmp);
        let at =
            |share: f64| costs.get(((costs.len() as f64 * share) as usize).min(costs.len() - 1)).copied();
        Self {
            median_us: at(0.5).unwrap_or(0.0),
            p99_us: at(0.99).unwrap_or(0.0),
            worst_us: at(1.0).unwrap_or(0.0),
            late: late(&take.notes(), &reference.notes()),
        }
    }

    /// The median of each figure over the rounds, and the sum of their late notes.
    fn of_rounds(rounds: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            median_us: median(|cost| cost.median_us),
            p99_us: median(|cost| cost.p99_us),
            worst_us: median(|cost| cost.worst_us),
            late: rounds.iter().map(|cost| cost.late).sum(),
        }
    }

    fn line(&self) -> String {
        let Self { median_us, p99_us, worst_us, late } = self;
        format!(
            "process median {median_us:.0} µs, p99 {p99_us:.0} µs, worst {worst_us:.0} µs; late notes {late}"
        )
    }

    fn json(&self) -> serde_json::Value {
        let Self { median_us, p99_us, worst_us, late } = self;
        json!({"process_us": {"median": median_us, "p99": p99_us, "worst": worst_us}, "late": late})
    }
}
