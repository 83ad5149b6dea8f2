//! Tables for the terminal: notes as lines, and cells in columns.

use serde::Serialize;

use crate::corpus::{self, Note};

/// The names of the columns of [`row`].
pub const HEAD: &str = "key\tname\tonset_s\tend_s\tduration_s\tstep_s\tvelocity";

/// A note's columns, with tabs between them.
pub fn row(note: &Note) -> String {
    format!(
        "{}\t{}\t{:.4}\t{:.4}\t{:.4}\t{:.4}\t{}",
        note.key.number(),
        corpus::key_name(note.key),
        note.onset,
        note.end,
        note.duration(),
        note.step,
        note.velocity.value(),
    )
}

/// A note for other programs. Times are in seconds, to the microsecond.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    key: u8,
    name: String,
    onset_s: f64,
    end_s: f64,
    duration_s: f64,
    step_s: f64,
    velocity: u8,
}

impl Record {
    pub fn of(note: &Note) -> Self {
        Self {
            key: note.key.number(),
            name: corpus::key_name(note.key),
            onset_s: microseconds(note.onset),
            end_s: microseconds(note.end),
            duration_s: microseconds(note.duration()),
            step_s: microseconds(note.step),
            velocity: note.velocity.value(),
        }
    }
}

/// Seconds to the microsecond: further digits are noise.
pub fn microseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// Lines of cells, each column as wide as its widest cell.
pub fn columns(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    lines.iter().map(padded).collect()
}

/// A cell of three decimals, or a dash where nothing is known.
pub fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}
