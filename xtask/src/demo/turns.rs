//! The plan of a take: the mode, whose turn it is, and the score that the host plays.

use std::fmt;

use anyhow::{Result, ensure};
use test_host::{Event, Sounded, score};

use super::{
    Arguments, BEATS_PER_BAR,
    call::{PlayMode, Song, SongNote},
};

/// Number of bars after the last turn in which everything must fall silent; in half of them the transport is
/// stopped.
const BARS_TO_FALL_SILENT: u32 = 2;

/// The plan of a whole take, in samples of the host's clock.
#[derive(Debug)]
pub struct Turns {
    pub mode: PlayMode,
    pub all: Vec<Turn>,
    pub score: Vec<Event>,
    pub sample_rate: f64,
    /// In quarter notes per minute.
    pub tempo: f64,
    /// Bars of one call, and of the shortest answer to it.
    pub call_bars: u32,
    /// The sample at which the transport stops.
    pub stop: u64,
    pub end: u64,
}

/// A call and the room for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub start: u64,
    /// Where the call's last key is released.
    pub last_release: u64,
    /// The player has the floor from the start until here.
    pub player_until: u64,
    /// The plugin has the floor from here to the end; in mode together it shares it with the player.
    pub plugin_from: u64,
    /// Where the next turn starts, or where an answer without an end of its own is stopped.
    pub end: u64,
}

/// How the bars are divided between player and plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shares {
    /// Bars from one turn to the next.
    turn: u32,
    /// Bars of each turn in which the player plays.
    player: u32,
    turns: u32,
}

impl Turns {
    /// # Errors
    /// When there are not enough bars for one turn.
    pub fn new(arguments: &Arguments, song: &Song) -> Result<Self> {
        let call_bars = arguments.call_bars.unwrap_or(if arguments.midi.is_some() { 4 } else { 2 });
        let shares = shares(arguments, call_bars)?;
        let sample_rate = f64::from(arguments.sample_rate);
        let bar_seconds = f64::from(BEATS_PER_BAR) * 60.0 / arguments.tempo;
        let bar = |bars: u32| (f64::from(bars) * bar_seconds * sample_rate).round() as u64;
        let phrase_seconds = f64::from(call_bars) * bar_seconds;
        let calls = calls(song, phrase_seconds, shares.player / call_bars, shares.turns);
        let mode = arguments.controls.mode;
        let mut score = Vec::new();
        let mut all = Vec::new();
        for (call, turn) in calls.iter().zip(0..) {
            let start = bar(turn * shares.turn);
            let events = events(call, start, bar(shares.player), sample_rate);
            let last_release = events.last().map_or(start, |last| last.at);
            let player_until = if mode == PlayMode::Trade { start + bar(call_bars) } else { last_release };
            let plugin_from = if mode == PlayMode::Together { start } else { player_until };
            let end = bar((turn + 1) * shares.turn);
            all.push(Turn { start, last_release, player_until, plugin_from, end });
            score.extend(events);
        }
        let last = all.last().map_or(0, |turn: &Turn| turn.end);
        let tail = bar(BARS_TO_FALL_SILENT);
        let stop = last + tail / 2;
        if let Some(turn) = all.last_mut().filter(|_| mode == PlayMode::Endless) {
            turn.end = stop;
        }
        Ok(Self { mode, all, score, sample_rate, tempo: arguments.tempo, call_bars, stop, end: last + tail })
    }

    /// The notes that the plugin hears.
    pub fn heard(&self) -> Vec<Sounded> {
        score::notes(&self.score)
    }

    /// How long the take lasts.
    pub fn seconds(&self) -> f64 {
        self.end as f64 / self.sample_rate
    }
}

impl PlayMode {
    /// The division for calls of `call` bars, after which the plugin may wait for `wait` bars; no turns if
    /// there is no room.
    fn shares(self, bars: u32, call: u32, wait: u32) -> Shares {
        let turn = match self {
            Self::Answer => 2 * call + wait,
            Self::Trade => 2 * call,
            Self::Together => (bars / call).max(2) * call,
            Self::Endless => 3 * call + wait,
        };
        let player = if self == Self::Together { turn - call } else { call };
        Shares { turn, player, turns: bars / turn }
    }

    /// Whether the plugin chooses the moment at which it takes the floor.
    pub fn has_hand_over(self) -> bool {
        matches!(self, Self::Answer | Self::Endless)
    }
}

impl fmt::Display for PlayMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// # Errors
/// When there are not enough bars for one turn.
fn shares(arguments: &Arguments, call_bars: u32) -> Result<Shares> {
    let wait = (arguments.controls.silence / f64::from(BEATS_PER_BAR)).ceil() as u32;
    let mode = arguments.controls.mode;
    let shares = mode.shares(arguments.bars, call_bars, wait);
    ensure!(
        shares.turns > 0,
        "{} bars leave no room for a turn: with calls of {call_bars} bars and {} beats of silence, mode {mode} needs \
         {}; lower --call-bars or raise --bars",
        arguments.bars,
        arguments.controls.silence,
        shares.turn
    );
    Ok(shares)
}

/// The notes of each of `count` turns, with onsets from the turn's start: `phrases` phrases of `length`
/// seconds in a row. Where a turn would begin in silence, a piece is skipped forward to its next note.
fn calls(song: &Song, length: f64, phrases: u32, count: u32) -> Vec<Vec<SongNote>> {
    let piece = match song {
        Song::Phrase(phrase) => {
            let within = || phrase.iter().filter(|note| note.onset < length);
            let later = |by: f64| within().map(move |note| SongNote { onset: note.onset + by, ..*note });
            let call = (0..phrases).flat_map(|phrase| later(f64::from(phrase) * length)).collect();
            return vec![call; count as usize];
        }
        Song::Piece(piece) => piece,
    };
    let length = f64::from(phrases) * length;
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

/// The events of one call. Keys that are still held at its end are released there. A key that is struck again
/// is released first.
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
    score::sort(&mut events);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::tests::arguments;

    /// Length of a bar at the default tempo, in samples.
    const BAR: u64 = 96_000;

    fn turns(line: &str, song: &Song) -> Result<Turns> {
        Turns::new(&arguments(&line.split_whitespace().collect::<Vec<_>>()), song)
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

    #[test]
    fn in_trade_the_bars_are_shared_out_whenever_the_player_ends() -> Result<()> {
        let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
        let turns = turns("--mode trade --call-bars 2 --bars 9", &phrase)?;
        let floors: Vec<[u64; 4]> = turns
            .all
            .iter()
            .map(|turn| [turn.start, turn.player_until, turn.plugin_from, turn.end].map(|at| at / BAR))
            .collect();
        assert_eq!(floors, [[0, 2, 2, 4], [4, 6, 6, 8]]);
        Ok(())
    }

    #[test]
    fn in_together_the_player_keeps_playing_and_leaves_the_end_to_the_plugin() -> Result<()> {
        let phrase = Song::Phrase(vec![note(0.0, 0.5, 60), note(3.0, 1.0, 62)]);
        let turns = turns("--mode together --call-bars 2 --bars 7", &phrase)?;
        let onsets: Vec<u64> = turns.heard().iter().map(|note| note.on).collect();
        assert_eq!(onsets, [0, 144_000, 2 * BAR, 2 * BAR + 144_000]);
        let turn = turns.all[0];
        assert_eq!(
            (turns.all.len(), turn.player_until, turn.plugin_from, turn.end),
            (1, 4 * BAR, 0, 6 * BAR)
        );
        Ok(())
    }

    #[test]
    fn in_endless_there_is_room_for_more_than_the_call_up_to_the_host_s_stop() -> Result<()> {
        let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
        let turns = turns("--mode endless --call-bars 2 --bars 14", &phrase)?;
        let ends: Vec<u64> = turns.all.iter().map(|turn| turn.end / BAR).collect();
        assert_eq!(ends, [7, 15]);
        assert_eq!(turns.stop, 15 * BAR);
        Ok(())
    }
}
