//! Which hand plays which note.

use super::beats::Beats;
use crate::corpus::Note;

/// Where the hands are before the first note: a fifth below and above middle C.
const LEFT_REST: f64 = 50.0;
const RIGHT_REST: f64 = 69.0;
/// A hand spans so many semitones, a tenth; what goes beyond costs so much a semitone.
const SPAN: f64 = 16.0;
const STRETCH: f64 = 4.0;
/// How far a hand follows what it plays.
const FOLLOW: f64 = 0.4;
/// And how far it goes back towards its own region.
const RETURN: f64 = 0.04;
/// Strikes within this part of a beat are one chord.
const CHORD: f64 = 0.06;

/// The notes of both hands, each in the order of its onsets.
#[derive(Debug, Default)]
pub struct Hands {
    pub right: Vec<Note>,
    pub left: Vec<Note>,
}

impl Hands {
    /// Chord by chord, each split where its notes lie nearest to the hands.
    pub fn of(notes: &[Note], beats: &Beats) -> Self {
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
