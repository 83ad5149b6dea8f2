//! The notes of one turn, and what is measured of it as a whole.

use std::collections::HashSet;

use super::sounded::Sounded;

/// Onsets closer than this are a chord.
pub const CHORD_S: f64 = 0.03;
/// A longer silence is held.
const SILENCE_S: f64 = 1.0;
/// Notes of a motive.
const MOTIVE: usize = 4;

/// Notes of one turn, by onset.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub notes: Vec<Sounded>,
    /// What was heard before.
    pub call: Vec<Sounded>,
    /// Who plays has the floor from here on, in seconds.
    pub from: f64,
    pub until: f64,
}

impl Passage {
    /// `None` where nothing was heard before.
    fn heard(&self) -> Option<&[Sounded]> {
        (!self.call.is_empty()).then_some(&self.call[..])
    }

    /// Notes per second, from the first onset to the last.
    pub fn density(&self) -> Option<f64> {
        let (first, last) = (self.notes.first()?, self.notes.last()?);
        let seconds = last.onset - first.onset;
        (seconds > 0.0).then(|| (self.notes.len() - 1) as f64 / seconds)
    }

    /// The share of its motives that stand in the call.
    pub fn motives(&self) -> Option<f64> {
        let heard: HashSet<Vec<i16>> = motives(self.heard()?).collect();
        mean(motives(&self.notes).map(|motive| if heard.contains(&motive) { 1.0 } else { 0.0 }))
    }

    /// While it had the floor, between its own notes.
    pub fn silences(&self) -> Option<f64> {
        let notes: Vec<&Sounded> = self.notes.iter().filter(|note| note.onset >= self.from).collect();
        let (first, last) = (notes.first()?, notes.last()?);
        let (mut silent_from, mut count) = (first.end, 0.0);
        for note in &notes {
            count += f64::from(u8::from(note.onset - silent_from > SILENCE_S));
            silent_from = silent_from.max(note.end);
        }
        let minutes = (silent_from.max(last.end) - first.onset) / 60.0;
        (minutes > 0.0).then(|| count / minutes)
    }

    /// How far its mean key lies from that of the call, in semitones.
    pub fn drift(&self) -> Option<f64> {
        let register = |notes: &[Sounded]| mean(notes.iter().map(|note| f64::from(note.key)));
        Some((register(&self.notes)? - register(&self.call)?).abs())
    }

    /// The longest note of the last chord.
    pub fn last_note(&self) -> Option<f64> {
        self.heard()?;
        let last = chords(&self.notes).last()?.iter().map(Sounded::duration).fold(0.0, f64::max);
        Some(last / median(self.notes.iter().map(Sounded::duration))?)
    }

    /// Seconds of silence before the next turn.
    pub fn rest(&self) -> Option<f64> {
        self.heard()?;
        let end = self.notes.iter().map(|note| note.end).reduce(f64::max)?;
        Some((self.until - end).max(0.0))
    }
}

/// Notes whose onsets follow each other so closely that they are struck at once.
pub fn chords(notes: &[Sounded]) -> impl Iterator<Item = &[Sounded]> {
    notes.chunk_by(|one, next| next.onset - one.onset <= CHORD_S)
}

/// The steps between the upper notes of chords that follow each other, in semitones.
fn motives(notes: &[Sounded]) -> impl Iterator<Item = Vec<i16>> {
    let upper = |chord: &[Sounded]| chord.iter().map(|note| i16::from(note.key)).max().unwrap_or(0);
    let line: Vec<i16> = chords(notes).map(upper).collect();
    let steps: Vec<i16> = line.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.windows(MOTIVE - 1).map(<[i16]>::to_vec).collect::<Vec<_>>().into_iter()
}

/// `None` of nothing.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
