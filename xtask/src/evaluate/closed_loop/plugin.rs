//! The plugin in its host, and the host's song.

use anyhow::Result;
use stage::{Blocks, Clap, Mode, Pace, Part, Setup, Transport};

use super::{
    excerpt::Excerpt,
    sounded::{self, Sounded},
    turns::Turns,
};
use crate::{
    demo::{settings::Setting, turns::Game},
    models::Choice,
};

const PLUGIN: &str = "audio.antiphon.midi";
const RATE: f64 = 48_000.0;
const BLOCKS: Blocks = Blocks::Fixed(512);
/// What a host shows where nobody has set a tempo, in quarter notes per minute.
const PLAIN_TEMPO: f64 = 120.0;

/// What the host does with the beats that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Song {
    Runs,
    Stands,
}

/// What a fresh instance of the plugin plays with the player of these turns, by onset.
///
/// # Errors
/// When the plugin fails, or refuses a setting; the sentence says what it takes.
pub fn play(
    excerpt: &Excerpt,
    turns: &Turns,
    mode: Game,
    model: &Choice,
    settings: &[Setting],
    song: Song,
) -> Result<Vec<Sounded>> {
    // SAFETY: the framework's entry is a valid one.
    let mut clap = unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), PLUGIN) }?;
    model.set(&mut clap)?;
    clap.set_text("Mode", &mode.to_string())?;
    for Setting { name, text } in settings {
        clap.set_text(name, text)?;
    }
    let score = turns.score(excerpt, RATE);
    let transport = transport(excerpt, mode, song);
    let until = (turns.end() * RATE).round() as u64;
    let part = Part { score: &score, transport: &transport, until, blocks: BLOCKS, pace: Pace::Free };
    let setup = Setup { sample_rate: RATE, largest_block: BLOCKS.largest(), mode: Mode::Offline };
    let performance = stage::play(&mut clap, setup, &part)?;
    let mut notes = sounded::played(&performance.events, RATE, turns.end());
    for note in &mut notes {
        note.beat = excerpt.beat(note.onset);
        note.off_eighth = excerpt.off_eighth(note.onset);
    }
    Ok(notes)
}

/// The song's own beats, one section for each. Where they are not known, nobody presses play unless the game needs bars.
pub fn transport(excerpt: &Excerpt, mode: Game, song: Song) -> Transport {
    if !excerpt.has_beats || song == Song::Stands {
        return match mode {
            Game::Trade => Transport::playing(PLAIN_TEMPO),
            Game::Answer | Game::Together | Game::Endless => Transport::stopped(PLAIN_TEMPO),
        };
    }
    let samples: Vec<u64> =
        excerpt.clock.beats().iter().map(|second| (second * RATE).round() as u64).collect();
    let mut transport = Transport::playing(PLAIN_TEMPO);
    for (beat, pair) in samples.windows(2).enumerate() {
        let number = excerpt.bars.partition_point(|&start| start <= beat).saturating_sub(1);
        let (bar, next) = (excerpt.bars[number], excerpt.bars[number + 1]);
        let beats_per_bar = u8::try_from(next - bar).unwrap_or(u8::MAX);
        let section = |section: &mut stage::transport::Section| {
            // The beat is then a whole number of samples long, so that the next one is met exactly.
            section.tempo = RATE * 60.0 / (pair[1] - pair[0]) as f64;
            section.signature = if excerpt.is_compound { (2 * beats_per_bar, 8) } else { (beats_per_bar, 4) };
            section.bar_line = (bar as f64, i32::try_from(number).unwrap_or(i32::MAX));
        };
        transport = if beat == 0 { transport.changed(section) } else { transport.then(pair[0], section) };
    }
    transport
}
