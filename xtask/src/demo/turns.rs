//! The take's plan: whose turn it is, and the score that the host plays.

use anyhow::{Result, ensure};
use stage::{Event, Sounded, performance};

use super::{
    Args, BEATS_PER_BAR,
    call::{Song, SongNote},
};

/// Bars after the last turn in which everything must fall silent, half of them with the transport stopped.
const BARS_TO_FALL_SILENT: u32 = 2;

/// The whole take's plan, in samples of the host's clock.
#[derive(Debug)]
pub struct Turns {
    pub all: Vec<Turn>,
    pub score: Vec<Event>,
    pub sample_rate: f64,
    /// In quarter notes per minute.
    pub tempo: f64,
    /// Bars of one call, and of the answer to it.
    pub call_bars: u32,
    /// Where the transport stops.
    pub stop: u64,
    pub end: u64,
}

/// A call and the room for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub start: u64,
    /// Where the call's last key is released.
    pub last_release: u64,
    /// Where the next turn starts.
    pub end: u64,
}

impl Turns {
    /// # Errors
    /// When there are not enough bars for one turn.
    pub fn new(args: &Args, song: &Song) -> Result<Self> {
        let call_bars = args.call_bars.unwrap_or(if args.midi.is_some() { 4 } else { 2 });
        let wait = (args.silence / f64::from(BEATS_PER_BAR)).ceil() as u32;
        let turn_bars = 2 * call_bars + wait;
        ensure!(
            args.bars >= turn_bars,
            "{} bars leave no room for a turn: a call of {call_bars} bars, {wait} of silence and the answer \
             make {turn_bars}; lower --call-bars or raise --bars",
            args.bars
        );
        let sample_rate = f64::from(args.sample_rate);
        let bar_seconds = f64::from(BEATS_PER_BAR) * 60.0 / args.tempo;
        let bar = |bars: u32| (f64::from(bars) * bar_seconds * sample_rate).round() as u64;
        let calls = calls(song, f64::from(call_bars) * bar_seconds, args.bars / turn_bars);
        let mut score = Vec::new();
        let mut all = Vec::new();
        for (call, turn) in calls.iter().zip(0..) {
            let start = bar(turn * turn_bars);
            let events = events(call, start, bar(call_bars), sample_rate);
            let last_release = events.last().map_or(start, |last| last.at);
            all.push(Turn { start, last_release, end: bar((turn + 1) * turn_bars) });
            score.extend(events);
        }
        let last = all.last().map_or(0, |turn| turn.end);
        let tail = bar(BARS_TO_FALL_SILENT);
        Ok(Self {
            all,
            score,
            sample_rate,
            tempo: args.tempo,
            call_bars,
            stop: last + tail / 2,
            end: last + tail,
        })
    }

    /// The notes that the plugin hears.
    pub fn heard(&self) -> Vec<Sounded> {
        performance::notes(&self.score)
    }

    /// How long the take lasts.
    pub fn seconds(&self) -> f64 {
        self.end as f64 / self.sample_rate
    }
}

/// What is played in each turn, with onsets from the turn's start. A piece is skipped forward to its next note
/// wherever a turn would begin in silence.
fn calls(song: &Song, length: f64, count: u32) -> Vec<Vec<SongNote>> {
    let piece = match song {
        Song::Phrase(phrase) => {
            let within = phrase.iter().filter(|note| note.onset < length).copied().collect();
            return vec![within; count as usize];
        }
        Song::Piece(piece) => piece,
    };
    let mut rest = piece.as_slice();
    let mut calls = Vec::new();
    while let Some(first) = rest.first().filter(|_| calls.len() < count as usize) {
        let (call, later) = rest.split_at(rest.partition_point(|note| note.onset < first.onset + length));
        let from_start = |note: &SongNote| SongNote { onset: note.onset - first.onset, ..*note };
        calls.push(call.iter().map(from_start).collect());
        rest = later;
    }
    calls
}

/// The events of one call. Keys still held at its end are released there, and a key that is struck again is
/// released first.
fn events(call: &[SongNote], start: u64, length: u64, sample_rate: f64) -> Vec<Event> {
    let sample = |seconds: f64| ((seconds * sample_rate).round() as u64).min(length);
    let mut events = Vec::new();
    for (index, note) in call.iter().enumerate() {
        let again = call[index + 1..].iter().find(|later| later.key == note.key);
        let release = sample(note.onset + note.duration).max(sample(note.onset) + 1);
        let off = again.map_or(release, |again| release.min(sample(again.onset)));
        if off > sample(note.onset) {
            events.push(Event::note_on(start + sample(note.onset), note.key, note.velocity));
            events.push(Event::note_off(start + off, note.key));
        }
    }
    stage::score::sort(&mut events);
    events
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn turns(line: &str, song: &Song) -> Result<Turns> {
        let line = Line::parse_from(format!("demo {line}").split_whitespace());
        Turns::new(&line.args, song)
    }

    fn note(onset: f64, duration: f64, key: u8) -> SongNote {
        SongNote { onset, duration, key, velocity: 80 }
    }

    #[test]
    fn a_key_held_at_the_cut_is_released_there() -> Result<()> {
        let piece = Song::Piece(vec![note(0.0, 60.0, 60)]);
        let turns = turns("--midi x --call-bars 1 --bars 4", &piece)?;
        assert_eq!(turns.score, Event::note(0, 96_000, 60, 80));
        assert_eq!(turns.all[0].last_release, 96_000);
        Ok(())
    }

    #[test]
    fn a_phrase_longer_than_its_call_is_cut() -> Result<()> {
        let phrase = Song::Phrase(vec![note(0.0, 0.5, 60), note(2.5, 0.5, 62)]);
        assert_eq!(turns("--call-bars 1 --bars 3", &phrase)?.score, Event::note(0, 24_000, 60, 80));
        Ok(())
    }

    #[test]
    fn a_key_struck_again_is_released_first() -> Result<()> {
        let piece = Song::Piece(vec![note(0.0, 1.0, 60), note(0.5, 0.25, 60)]);
        let turns = turns("--midi x --call-bars 1 --bars 4", &piece)?;
        let notes = turns.heard();
        assert_eq!(notes.iter().map(|note| note.off).collect::<Vec<_>>(), [Some(24_000), Some(36_000)]);
        Ok(())
    }

    #[test]
    fn a_piece_goes_on_from_turn_to_turn_and_skips_its_silences() -> Result<()> {
        let piece = Song::Piece(vec![note(7.0, 0.5, 60), note(8.0, 0.5, 62), note(100.0, 0.5, 64)]);
        let turns = turns("--midi x --call-bars 1 --bars 9", &piece)?;
        let onsets: Vec<(u8, u64)> = turns.heard().iter().map(|note| (note.key, note.on)).collect();
        let turn = 3 * 96_000;
        assert_eq!(onsets, [(60, 0), (62, 48_000), (64, turn)]);
        assert_eq!(turns.all.len(), 2);
        Ok(())
    }

    #[test]
    fn too_few_bars_are_refused() {
        let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
        assert!(turns("--bars 4", &phrase).is_err());
        assert_eq!(turns("--bars 14", &phrase).map(|turns| turns.all.len()).ok(), Some(2));
    }
}
