//! The turns of an excerpt: when the player plays and when the plugin does, and what the plugin plays then in
//! a host.

use std::ops::Range;

use anyhow::Result;
use test_host::{Blocks, Clap, Event, Kind, Mode, Pace, Part, Setup, Transport};

use super::{
    excerpt::Excerpt,
    passage::{HeardNote, played},
};
use crate::{
    corpus::messages::SUSTAIN,
    demo::{call::PlayMode, settings::Setting},
    models::Choice,
};

/// Sample rate, in samples a second.
pub const RATE: f64 = 48_000.0;
const BLOCKS: Blocks = Blocks::Fixed(512);
/// The tempo of a host in which no tempo was set, in quarter notes per minute.
pub const PLAIN_TEMPO: f64 = 120.0;
/// How long the plugin plays in *Endless*, in lengths of the call.
const ENDLESS: usize = 3;

/// The turns of an excerpt.
#[derive(Debug, Clone, PartialEq)]
pub struct Turns(Vec<Turn>);

/// When the player plays and when the plugin does, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub call: Range<f64>,
    /// In *Together*, the same time as the call.
    pub answer: Range<f64>,
}

impl Turns {
    /// As many whole turns as there are bars for, at least one.
    pub fn new(mode: PlayMode, excerpt: &Excerpt, call_bars: u32) -> Self {
        let all = excerpt.bars.len() - 1;
        let turn = |(call, answer): (Range<usize>, Range<usize>)| Turn {
            call: excerpt.bar(call.start)..excerpt.bar(call.end),
            answer: excerpt.bar(answer.start)..excerpt.bar(answer.end),
        };
        Self(shares(mode, all, call_bars as usize).into_iter().map(turn).collect())
    }

    pub fn all(&self) -> &[Turn] {
        &self.0
    }

    /// The end of the last turn, in seconds.
    pub fn end(&self) -> f64 {
        self.0.last().map_or(0.0, |turn| turn.answer.end)
    }

    /// What the player plays: the notes within the calls. Keys that are held at the end of a call are
    /// released there.
    pub fn score(&self, excerpt: &Excerpt, sample_rate: f64) -> Vec<Event> {
        let sample = |second: f64| (second * sample_rate).round() as u64;
        let mut events = Vec::new();
        for Turn { call, .. } in &self.0 {
            for note in excerpt.keys.iter().filter(|note| call.contains(&note.onset)) {
                let on = sample(note.onset);
                let off = sample(note.end.min(call.end)).max(on + 1);
                events.extend(Event::note(on, off - on, note.key, note.velocity));
            }
            let pedal = excerpt.pedal.iter().filter(|down| down.start < call.end && down.end > call.start);
            for down in pedal {
                let foot = |second, value| Event {
                    at: sample(second),
                    kind: Kind::Controller { channel: 0, number: SUSTAIN, value },
                };
                events.extend([foot(down.start.max(call.start), 127), foot(down.end.min(call.end), 0)]);
            }
        }
        test_host::score::sort(&mut events);
        events
    }
}

/// Whether the host's transport runs where the beats are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Song {
    Runs,
    Stands,
}

/// The notes that `clap`, a fresh instance of the plugin, plays with the player of these turns, by onset.
///
/// # Errors
/// When the plugin fails, or refuses a setting; the message says which values it takes.
pub fn play(
    mut clap: Clap,
    excerpt: &Excerpt,
    turns: &Turns,
    mode: PlayMode,
    model: &Choice,
    settings: &[Setting],
    song: Song,
) -> Result<Vec<HeardNote>> {
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
    let performance = test_host::play(&mut clap, setup, &part)?;
    let mut notes = played(&performance.events, RATE, turns.end());
    for note in &mut notes {
        note.beat = excerpt.beat(note.onset);
        note.off_eighth = excerpt.off_eighth(note.onset);
    }
    Ok(notes)
}

/// A transport with the song's own beats, one section for each. Where they are not known, the transport
/// stands still unless the mode needs bars.
pub fn transport(excerpt: &Excerpt, mode: PlayMode, song: Song) -> Transport {
    if !excerpt.has_beats || song == Song::Stands {
        return match mode {
            PlayMode::Trade => Transport::playing(PLAIN_TEMPO),
            PlayMode::Answer | PlayMode::Together | PlayMode::Endless => Transport::stopped(PLAIN_TEMPO),
        };
    }
    let samples: Vec<u64> =
        excerpt.beat_map.beats().iter().map(|second| (second * RATE).round() as u64).collect();
    let mut transport = Transport::playing(PLAIN_TEMPO);
    for (beat, pair) in samples.windows(2).enumerate() {
        let number = excerpt.bars.partition_point(|&start| start <= beat).saturating_sub(1);
        let (bar, next) = (excerpt.bars[number], excerpt.bars[number + 1]);
        let beats_per_bar = u8::try_from(next - bar).unwrap_or(u8::MAX);
        let section = |section: &mut test_host::transport::Section| {
            // The beat is then a whole number of samples long, so that the next one begins exactly.
            section.tempo = RATE * 60.0 / (pair[1] - pair[0]) as f64;
            section.signature = if excerpt.is_compound { (2 * beats_per_bar, 8) } else { (beats_per_bar, 4) };
            section.bar_line = (bar as f64, i32::try_from(number).unwrap_or(i32::MAX));
        };
        transport = if beat == 0 { transport.changed(section) } else { transport.then(pair[0], section) };
    }
    transport
}

/// The bars of the call and of the answer, for each turn.
fn shares(mode: PlayMode, all: usize, call: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let answer = match mode {
        PlayMode::Together => return vec![(0..all, 0..all)],
        PlayMode::Answer | PlayMode::Trade => call,
        PlayMode::Endless => ENDLESS * call,
    };
    // Where there is room for no turn, call and answer share what there is.
    let call = call.min((all / 2).max(1));
    let turn = (call + answer).min(all);
    (0..all / turn).map(|n| (n * turn..n * turn + call, n * turn + call..(n + 1) * turn)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_answers_take_turns_but_together_they_play_at_once() {
        assert_eq!(shares(PlayMode::Answer, 16, 4), [(0..4, 4..8), (8..12, 12..16)]);
        assert_eq!(shares(PlayMode::Endless, 33, 4), [(0..4, 4..16), (16..20, 20..32)]);
        assert_eq!(shares(PlayMode::Together, 16, 4), [(0..16, 0..16)]);
        assert_eq!(shares(PlayMode::Trade, 6, 4), [(0..3, 3..6)]);
    }
}
