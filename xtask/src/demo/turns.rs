//! The take's plan: whose turn it is, and the score that the host plays.

#[cfg(test)]
mod tests;

use anyhow::{Result, ensure};
use stage::{Event, Sounded, score};

use super::{
    Arguments, BEATS_PER_BAR,
    call::{Song, SongNote},
    game::{Game, Shares},
};

/// Bars after the last turn in which everything must fall silent, half of them with the transport stopped.
const BARS_TO_FALL_SILENT: u32 = 2;

/// The whole take's plan, in samples of the host's clock.
#[derive(Debug)]
pub struct Turns {
    pub game: Game,
    pub all: Vec<Turn>,
    pub score: Vec<Event>,
    pub sample_rate: f64,
    /// In quarter notes per minute.
    pub tempo: f64,
    /// Bars of one call, and of the shortest answer to it.
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
    /// The player has the floor from the start until here.
    pub player_until: u64,
    /// The plugin has it from here to the end; together with the player in that game.
    pub plugin_from: u64,
    /// Where the next turn starts, or what has no end of its own is stopped.
    pub end: u64,
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
        let game = arguments.controls.mode;
        let mut score = Vec::new();
        let mut all = Vec::new();
        for (call, turn) in calls.iter().zip(0..) {
            let start = bar(turn * shares.turn);
            let events = events(call, start, bar(shares.player), sample_rate);
            let last_release = events.last().map_or(start, |last| last.at);
            let player_until = if game == Game::Trade { start + bar(call_bars) } else { last_release };
            let plugin_from = if game == Game::Together { start } else { player_until };
            let end = bar((turn + 1) * shares.turn);
            all.push(Turn { start, last_release, player_until, plugin_from, end });
            score.extend(events);
        }
        let last = all.last().map_or(0, |turn: &Turn| turn.end);
        let tail = bar(BARS_TO_FALL_SILENT);
        let stop = last + tail / 2;
        if let Some(turn) = all.last_mut().filter(|_| game == Game::Endless) {
            turn.end = stop;
        }
        Ok(Self { game, all, score, sample_rate, tempo: arguments.tempo, call_bars, stop, end: last + tail })
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

/// # Errors
/// When there are not enough bars for one turn.
fn shares(arguments: &Arguments, call_bars: u32) -> Result<Shares> {
    let wait = (arguments.controls.silence / f64::from(BEATS_PER_BAR)).ceil() as u32;
    let game = arguments.controls.mode;
    let shares = game.shares(arguments.bars, call_bars, wait);
    ensure!(
        shares.turns > 0,
        "{} bars leave no room for a turn: with calls of {call_bars} bars and {} beats of silence, mode {game} needs \
         {}; lower --call-bars or raise --bars",
        arguments.bars,
        arguments.controls.silence,
        shares.turn
    );
    Ok(shares)
}

/// What is played in each turn, with onsets from the turn's start: so many phrases of `length` seconds on end. A piece
/// is skipped forward to its next note wherever a turn would begin in silence.
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
    score::sort(&mut events);
    events
}
