//! `cargo xtask window`: the plugin's window in a host, on a display that is there or on one that nobody sees, while the
//! demo's phrase is played into it.

mod compare;
mod openings;
mod picture;
#[cfg(feature = "jack")]
mod play;

use std::{
    io::{BufRead, BufReader},
    process::{Command as Process, Stdio},
};

use antiphon::plugin::NoteEffect;
use anyhow::{Context, Result};
use test_host::{
    Blocks, Clap, Event, Host, Mode, Pace, Part, Performance, Setup, Transport, score,
    screen::DisplayConnection,
};

use crate::{
    bundle,
    demo::call::{self, PlayMode, Song},
};

/// The screen of our own, in pixels and bits of colour: room for the window at twice its size.
const SCREEN: &str = "2600x1800x24";
/// Of what is played, in samples a second and in samples.
const SAMPLE_RATE: f64 = 48_000.0;
const BLOCK: u32 = 512;
/// In beats per minute.
const TEMPO: f64 = 120.0;
/// From one phrase to the next: four bars and a half, so that the answers begin at different places of the bar.
const TURN_S: f64 = 9.0;

/// Open the plugin's window in a host: keep a picture of it, open it again and again, tell what it costs
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Compare(compare::Arguments),
    Openings(openings::Arguments),
    Picture(picture::Arguments),
    #[cfg(feature = "jack")]
    Play(play::Arguments),
}

/// Names a display in the environment.
struct Display {
    /// One of our own ends with its last connection, which is this process: a library that still asks it something when the
    /// program ends would end the program with an error, were it gone before.
    _connection: DisplayConnection,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Compare(arguments) => compare::run(arguments),
        Command::Openings(arguments) => openings::run(arguments),
        Command::Picture(arguments) => picture::run(arguments),
        #[cfg(feature = "jack")]
        Command::Play(arguments) => play::run(arguments),
    }
}

impl Display {
    /// Takes the display of the environment, or starts `Xvfb`.
    ///
    /// # Errors
    /// When there is neither.
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

/// A fresh instance, linked into this process.
fn instance() -> Result<Clap> {
    bundle::linked::<NoteEffect>()
}

/// Plays for so many seconds, in real time or as fast as it goes. The plugin stays active.
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

/// What is played in so many seconds, in samples of [`SAMPLE_RATE`].
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
