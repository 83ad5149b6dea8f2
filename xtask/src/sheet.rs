//! Notes as sheet music: MusicXML on two staves, from music without known beats.
//!
//! Beats are found in the onsets ([`beats`]). Each note goes to a hand, and its onset and length are moved to
//! the grid between the beats (here). What a hand plays is cut into note values at beats and bars
//! ([`notation`]).

pub mod beats;
mod notation;
#[cfg(test)]
mod tests;
mod xml;

use antiphon::music::note::{Key, Velocity};

use self::beats::Beats;
use crate::{
    corpus::{Note, Signature, TempoMap},
    tonality,
};

/// Number of divisions of a quarter note: enough for thirty-seconds and their triplets.
const DIVISIONS: u32 = 24;
/// Strikes that are closer than this, in beats, are one chord.
const CHORD: f64 = 0.06;
/// Numbers of parts into which a beat is divided, and the cost of each: simpler ones are cheaper.
const GRIDS: [(u32, f64); 6] = [(1, 0.0), (2, 0.004), (4, 0.010), (3, 0.012), (8, 0.03), (6, 0.03)];
/// Shortest rest, in divisions: an eighth. A shorter gap is articulation and not written.
const SHORTEST_REST: u32 = DIVISIONS / 2;

/// Key at which the left hand is before the first note: D3.
const LEFT_REST: f64 = 50.0;
/// Key at which the right hand is before the first note: A4.
const RIGHT_REST: f64 = 69.0;
/// Largest span of a hand in semitones: a tenth.
const SPAN: f64 = 16.0;
/// Cost of each semitone beyond that span.
const STRETCH: f64 = 4.0;
/// How far a hand moves towards the notes that it plays, as a share of the distance.
const FOLLOW: f64 = 0.4;
/// How far a hand moves back towards its own region, as a share of the distance.
const RETURN: f64 = 0.04;

/// What the sheet says besides the notes.
pub struct Heading<'a> {
    pub title: &'a str,
    pub signature: Signature,
    pub pulse: Pulse<'a>,
}

/// How the beats are known.
#[derive(Debug, Clone, Copy)]
pub enum Pulse<'a> {
    /// A steady tempo in quarter notes per minute, from the first note on.
    Steady(f64),
    /// Beats and bars of the file that the notes continue.
    Written(&'a TempoMap),
    /// Beats where a listener would tap, found from the onsets.
    Found,
}

/// What a hand plays from a point on, in divisions from the first bar line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chord {
    pub at: u32,
    pub length: u32,
    /// At least one key, in rising order.
    pub keys: Vec<Key>,
    pub velocity: Velocity,
}

/// The bytes of a MusicXML file of notes in the order of their onsets, at least one.
pub fn of(notes: &[Note], heading: &Heading) -> std::io::Result<Vec<u8>> {
    let beats = match heading.pulse {
        Pulse::Steady(tempo) => Beats::steady(notes, tempo),
        Pulse::Written(map) => Beats::written(notes, map, heading.signature),
        Pulse::Found => Beats::found(notes),
    };
    // Even where bars are counted in eighths, beats are quarter notes.
    let bar = (heading.signature.bar() * f64::from(DIVISIONS)).round() as u32;
    let pickup = match heading.pulse {
        Pulse::Written(_) => 0,
        _ => beats.pickup(notes, bar.div_ceil(DIVISIONS)),
    };
    let Hands { right, left } = Hands::of(notes, &beats);
    let mut staves = [right, left].map(|notes| chords(&notes, &beats, pickup));
    begin_in_the_first_bar(&mut staves, bar);
    let tonality = tonality::fits(notes.iter().map(Note::key_and_duration)).first().map(|fit| fit.tonality);
    xml::write(heading, beats.tempo(), bar, tonality, &staves)
}

/// Removes empty bars at the beginning: the first beat may come before the first strike, and a pickup before
/// that.
fn begin_in_the_first_bar(staves: &mut [Vec<Chord>; 2], bar: u32) {
    let silent = staves.iter().flatten().map(|chord| chord.at / bar * bar).min().unwrap_or(0);
    staves.iter_mut().flatten().for_each(|chord| chord.at -= silent);
}

/// The notes of both hands, each in the order of its onsets.
#[derive(Debug, Default)]
struct Hands {
    right: Vec<Note>,
    left: Vec<Note>,
}

impl Hands {
    /// Divides the notes chord by chord, each where its notes are nearest to the hands.
    fn of(notes: &[Note], beats: &Beats) -> Self {
        let mut hands = Self::default();
        let (mut left, mut right) = (LEFT_REST, RIGHT_REST);
        let together = |one: &Note, other: &Note| beats.at(other.onset) - beats.at(one.onset) < CHORD;
        for chord in notes.chunk_by(together) {
            let mut chord = chord.to_vec();
            chord.sort_by_key(|note| note.key);
            let split = best_split(&chord, left, right);
            let (low, high) = chord.split_at(split);
            left = moved(left, low, LEFT_REST);
            right = moved(right, high, RIGHT_REST);
            hands.left.extend_from_slice(low);
            hands.right.extend_from_slice(high);
        }
        for notes in [&mut hands.left, &mut hands.right] {
            notes.sort_by(|one, other| one.onset.total_cmp(&other.onset).then(one.key.cmp(&other.key)));
        }
        hands
    }
}

/// How many of the lowest notes the left hand takes.
fn best_split(chord: &[Note], left: f64, right: f64) -> usize {
    let cost = |split: &usize| {
        let (low, high) = chord.split_at(*split);
        reach(low, left) + reach(high, right)
    };
    (0..=chord.len()).min_by(|one, other| cost(one).total_cmp(&cost(other))).unwrap_or(0)
}

fn reach(notes: &[Note], hand: f64) -> f64 {
    let keys = || notes.iter().map(|note| f64::from(note.key.number()));
    let (Some(low), Some(high)) = (keys().reduce(f64::min), keys().reduce(f64::max)) else { return 0.0 };
    let way: f64 = keys().map(|key| (key - hand).abs()).sum();
    way + STRETCH * (high - low - SPAN).max(0.0) * notes.len() as f64
}

fn moved(hand: f64, notes: &[Note], rest: f64) -> f64 {
    let mean = notes.iter().map(|note| f64::from(note.key.number())).sum::<f64>() / notes.len().max(1) as f64;
    let followed = if notes.is_empty() { hand } else { hand + FOLLOW * (mean - hand) };
    followed + RETURN * (rest - followed)
}

/// The chords of a hand: each ends where the next one begins. `pickup` beats come before the first beat.
fn chords(notes: &[Note], beats: &Beats, pickup: u32) -> Vec<Chord> {
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
    /// The time in beats.
    at: f64,
    end: f64,
    notes: Vec<Note>,
}

impl Strike {
    /// The beat that it belongs to. A strike just before the next beat belongs to the next beat.
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

/// The number of parts into which the strikes of one beat divide it.
fn best_grid(strikes: &[Strike]) -> u32 {
    let off = |parts: u32| -> f64 {
        let parts = f64::from(parts);
        let off = |strike: &Strike| (strike.within() - (strike.within() * parts).round() / parts).powi(2);
        strikes.iter().map(off).sum::<f64>() / strikes.len() as f64
    };
    // Two strikes on one line lose one of them.
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

/// Moves a strike to its line, and joins it with a chord that is already there.
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

/// The written end of a chord: the next chord, or its own end rounded to an eighth if that leaves a rest.
fn articulated(chord: &Chord, next: Option<u32>) -> u32 {
    let end = chord.at + chord.length;
    let end = end.div_ceil(SHORTEST_REST).max(chord.at / SHORTEST_REST + 1) * SHORTEST_REST;
    let end = match next {
        Some(next) if next < end + SHORTEST_REST => next,
        _ => end,
    };
    end - chord.at
}
