//! Compares the lengths and beginnings of whole pieces with those of a corpus.

use std::{fmt::Write, path::Path};

use anyhow::{Result, ensure};
use serde::Serialize;

use super::{Made, take::MOST_NOTES};
use crate::corpus::{self, Convention, Note};

/// Length of the beginning of a piece, in seconds.
const BEGINNING_S: f64 = 10.0;

/// The figures of one piece.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measures {
    notes: f64,
    minutes: f64,
    /// Notes per second in the whole piece.
    density: f64,
    /// Notes per second in its beginning.
    first_density: f64,
    /// Mean velocity of the beginning.
    first_velocity: f64,
}

/// Quantiles of a figure: a tenth, half and nine tenths of the pieces have no more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    p10: f64,
    median: f64,
    p90: f64,
}

/// The figures of all pieces of one origin.
#[derive(Debug, Serialize)]
struct Row {
    pieces: &'static str,
    count: usize,
    /// How many of them the model has ended by itself; `None` for the corpus.
    over: Option<usize>,
    notes: Spread,
    minutes: Spread,
    notes_per_s: Spread,
    notes_per_s_of_beginning: Spread,
    velocity_of_beginning: Spread,
}

/// The lengths and beginnings of generated pieces beside those of the files of a corpus.
#[derive(Debug, Serialize)]
pub struct Lengths([Row; 2]);

impl Lengths {
    /// # Errors
    /// When the corpus cannot be read.
    pub fn of(made: &[Made], corpus: &Path) -> Result<Self> {
        let files = corpus::read(&corpus::find(corpus, None)?, Convention::Sustained)?;
        files.warn();
        let theirs: Vec<_> = files.pieces.iter().filter_map(|piece| Measures::of(&piece.notes)).collect();
        ensure!(!theirs.is_empty(), "{} has no notes to compare with", corpus.display());
        let ours: Vec<_> = made.iter().filter_map(|(take, _)| Measures::of(&take.notes)).collect();
        ensure!(!ours.is_empty(), "no piece has a note");
        let over = made.iter().filter(|(take, _)| take.is_over).count();
        Ok(Self([Row::of("generated", &ours, Some(over)), Row::of("corpus", &theirs, None)]))
    }

    /// The figures as a table.
    pub fn table(&self) -> String {
        let mut text = String::from("tenth, half and nine tenths of the pieces have no more than\n");
        for row in &self.0 {
            let over = match row.over {
                Some(over) if over == row.count => ", all over by themselves".to_owned(),
                Some(over) => format!(", {over} over by themselves, the others cut at {MOST_NOTES} notes"),
                None => String::new(),
            };
            writeln!(text, "{}: {} pieces{over}", row.pieces, row.count).expect("memory takes all");
            for (name, spread, digits) in row.spreads() {
                let Spread { p10, median, p90 } = spread;
                writeln!(text, "  {name:<32}{p10:>8.digits$}{median:>8.digits$}{p90:>8.digits$}")
                    .expect("memory takes all");
            }
        }
        text
    }
}

impl Row {
    fn of(pieces: &'static str, all: &[Measures], over: Option<usize>) -> Self {
        let spread = |of: fn(&Measures) -> f64| Spread::of(all.iter().map(of).collect());
        Self {
            pieces,
            count: all.len(),
            over,
            notes: spread(|one| one.notes),
            minutes: spread(|one| one.minutes),
            notes_per_s: spread(|one| one.density),
            notes_per_s_of_beginning: spread(|one| one.first_density),
            velocity_of_beginning: spread(|one| one.first_velocity),
        }
    }

    fn spreads(&self) -> [(&'static str, Spread, usize); 5] {
        [
            ("notes", self.notes, 0),
            ("minutes", self.minutes, 1),
            ("notes/s", self.notes_per_s, 1),
            ("notes/s, first 10 s", self.notes_per_s_of_beginning, 1),
            ("velocity, first 10 s", self.velocity_of_beginning, 0),
        ]
    }
}

impl Measures {
    /// The figures of a piece; `None` if it has no note.
    fn of(notes: &[Note]) -> Option<Self> {
        let first = notes.first()?.onset;
        let length = (notes.iter().map(|note| note.end).fold(first, f64::max) - first).max(0.01);
        let beginning: Vec<&Note> = notes.iter().filter(|note| note.onset < first + BEGINNING_S).collect();
        let velocity: f64 = beginning.iter().map(|note| f64::from(note.velocity.value())).sum();
        Some(Self {
            notes: notes.len() as f64,
            minutes: length / 60.0,
            density: notes.len() as f64 / length,
            first_density: beginning.len() as f64 / BEGINNING_S.min(length),
            first_velocity: velocity / beginning.len() as f64,
        })
    }
}

impl Spread {
    /// The quantiles of some values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |tenths: usize| {
            let rank = (values.len() * tenths).div_ceil(10).max(1);
            (values[rank - 1] * 1e3).round() / 1e3
        };
        Self { p10: at(1), median: at(5), p90: at(9) }
    }
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;

    #[test]
    fn a_spread_is_of_values_that_are_there() {
        let spread = Spread::of((1..=10).rev().map(f64::from).collect());
        assert_eq!(spread, Spread { p10: 1.0, median: 5.0, p90: 9.0 });
        assert_eq!(Spread::of(vec![3.0]), Spread { p10: 3.0, median: 3.0, p90: 3.0 });
    }

    #[test]
    fn the_beginning_is_measured_from_the_first_note_on() {
        let note = |n: u32| {
            let onset = 5.0 + f64::from(n);
            let velocity = Velocity::saturating(if n < 10 { 40 } else { 80 });
            Note { key: Key::saturating(60), onset, end: onset + 1.0, step: 1.0, velocity, instrument: 0 }
        };
        let notes: Vec<Note> = (0..20).map(note).collect();
        let measures = Measures::of(&notes).expect("notes");
        assert_eq!((measures.notes, measures.minutes), (20.0, 20.0 / 60.0));
        assert_eq!((measures.density, measures.first_density, measures.first_velocity), (1.0, 1.0, 40.0));
        assert_eq!(Measures::of(&[]), None);
    }
}
