//! What is played into the window: the demo's phrase, again and again, with room for an answer.

use anyhow::Result;
use stage::{Blocks, Clap, Event, Host, Mode, Pace, Part, Performance, Setup, Transport, score};

use crate::demo::{
    call::{self, Song},
    game::Game,
};

pub const SAMPLE_RATE: f64 = 48_000.0;
const PLUGIN: &str = "audio.antiphon.midi";
const BLOCK: u32 = 512;
/// In beats per minute.
const TEMPO: f64 = 120.0;
/// From one phrase to the next: four bars and a half, so that the answers begin at different places of the bar.
pub const TURN_S: f64 = 9.0;

/// A fresh instance, linked into this process.
///
/// # Errors
/// When it cannot be made.
pub fn instance() -> Result<Clap> {
    // SAFETY: the entry of the plugin is a valid one.
    unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), PLUGIN) }
}

/// Plays for so many seconds, in real time or as fast as it goes. The plugin stays active.
///
/// # Errors
/// When the plugin fails.
pub fn play(host: &mut dyn Host, seconds: f64, mode: Mode) -> Result<Performance> {
    let part = Part {
        score: &phrases(seconds),
        transport: &Transport::playing(TEMPO),
        until: (seconds * SAMPLE_RATE) as u64,
        blocks: Blocks::Fixed(BLOCK),
        pace: if mode == Mode::Realtime { Pace::RealTime } else { Pace::Free },
    };
    stage::play(host, Setup { sample_rate: SAMPLE_RATE, largest_block: BLOCK, mode }, &part)
}

/// What is played in so many seconds, in samples of [`SAMPLE_RATE`].
pub fn phrases(seconds: f64) -> Vec<Event> {
    let at = |seconds: f64| (seconds * SAMPLE_RATE) as u64;
    let (Song::Phrase(notes) | Song::Piece(notes)) = call::phrase(TEMPO, Game::Answer);
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
