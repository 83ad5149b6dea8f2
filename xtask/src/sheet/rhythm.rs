//! What a hand plays, on the lines between the beats.

use super::{Chord, DIVISIONS, beats::Beats};
use crate::corpus::Note;

/// Parts of a beat, and what each costs before it is worth it; the simpler, the better.
const GRIDS: [(u32, f64); 6] = [(1, 0.0), (2, 0.004), (4, 0.010), (3, 0.012), (8, 0.03), (6, 0.03)];
/// Strikes within this part of a beat are one chord.
const CHORD: f64 = 0.06;
/// A rest that is shorter than this, in divisions, is no rest but an articulation: an eighth.
const SHORTEST_REST: u32 = DIVISIONS / 2;

/// One chord after the other: where the next one begins, the one before ends. `pickup` beats come before the first one.
pub fn chords(notes: &[Note], beats: &Beats, pickup: u32) -> Vec<Chord> {
    let strikes = strikes(notes, beats);
    let mut chords: Vec<Chord> = Vec::new();
    for of_beat in strikes.chunk_by(|one, other| one.beat() == other.beat()) {
        let grid = best_grid(of_beat);
        for strike in of_beat {
            add(&mut chords, strike, grid, pickup);
        }
    }
    let next: Vec<u32> = chords.iter().skip(1).map(|chord| chord.at).collect();
    for (n, chord) in chords.iter_mut().enumerate() {
        chord.length = articulated(chord, next.get(n).copied());
    }
    chords
}

/// Notes that are struck together.
struct Strike {
    /// In beats.
    at: f64,
    end: f64,
    notes: Vec<Note>,
}

impl Strike {
    /// The beat that it belongs to: just before the next one is on it.
    fn beat(&self) -> u32 {
        (self.at + CHORD).floor() as u32
    }

    fn within(&self) -> f64 {
        self.at - f64::from(self.beat())
    }
}

fn strikes(notes: &[Note], beats: &Beats) -> Vec<Strike> {
    let mut strikes: Vec<Strike> = Vec::new();
    for note in notes {
        let (at, end) = (beats.at(note.onset), beats.at(note.end));
        match strikes.last_mut().filter(|strike| at - strike.at < CHORD) {
            Some(strike) => {
                strike.end = strike.end.max(end);
                strike.notes.push(*note);
            }
            None => strikes.push(Strike { at, end, notes: vec![*note] }),
        }
    }
    strikes
}

/// Into how many parts the strikes of one beat divide it.
fn best_grid(strikes: &[Strike]) -> u32 {
    let off = |parts: u32| -> f64 {
        let parts = f64::from(parts);
        let off = |strike: &Strike| (strike.within() - (strike.within() * parts).round() / parts).powi(2);
        strikes.iter().map(off).sum::<f64>() / strikes.len() as f64
    };
    // Two strikes on one line are one too few.
    let lost = |parts: u32| {
        let mut lines: Vec<i64> =
            strikes.iter().map(|strike| (strike.within() * f64::from(parts)).round() as i64).collect();
        lines.dedup();
        (strikes.len() - lines.len()) as f64 * 0.02
    };
    let cost = |&(parts, price): &(u32, f64)| off(parts) + lost(parts) + price;
    let best = GRIDS.iter().min_by(|one, other| cost(one).total_cmp(&cost(other)));
    best.map_or(1, |(parts, _)| *parts)
}

/// Takes a strike to its line; what stands there already is joined.
fn add(chords: &mut Vec<Chord>, strike: &Strike, grid: u32, pickup: u32) {
    let line = (strike.within() * f64::from(grid)).round().max(0.0) as u32;
    let at = (pickup + strike.beat()) * DIVISIONS + line * DIVISIONS / grid;
    let end = (strike.end.max(0.0) * f64::from(DIVISIONS)).round() as u32 + pickup * DIVISIONS;
    let mut keys: Vec<_> = strike.notes.iter().map(|note| note.key).collect();
    let velocity = strike.notes.iter().map(|note| note.velocity).max().expect("a strike has a note");
    let length = end.saturating_sub(at).max(1);
    match chords.last_mut().filter(|chord| chord.at >= at) {
        Some(chord) => {
            chord.keys.append(&mut keys);
            chord.length = chord.length.max(length);
        }
        None => chords.push(Chord { at, length, keys, velocity }),
    }
    let chord = chords.last_mut().expect("one was just added");
    chord.keys.sort_unstable();
    chord.keys.dedup();
}

/// To the next chord, or to its end on an eighth where a rest is left.
fn articulated(chord: &Chord, next: Option<u32>) -> u32 {
    let end = chord.at + chord.length;
    let end = end.div_ceil(SHORTEST_REST).max(chord.at / SHORTEST_REST + 1) * SHORTEST_REST;
    let end = match next {
        Some(next) if next < end + SHORTEST_REST => next,
        _ => end,
    };
    end - chord.at
}
