//! What a training has come to, row by row.

use std::{fmt::Write, time::Instant};

use serde::{Deserialize, Serialize};

use super::pupil::Lesson;
use crate::score::Figure;

/// How far it was, and how good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub steps: usize,
    pub notes: usize,
    pub seconds: f64,
    pub rate: f64,
    /// Means over the notes since the row before.
    pub train: Vec<Figure>,
    /// On some of the notes to score on.
    pub validation: Vec<Figure>,
}

/// Sums over the lessons since the last row.
pub struct Tally {
    pub notes: usize,
    /// Of the last lesson.
    pub rate: f64,
    begun: Instant,
    sums: Vec<Figure>,
}

impl Tally {
    pub fn new() -> Self {
        Self { notes: 0, rate: 0.0, begun: Instant::now(), sums: Vec::new() }
    }

    pub fn add(&mut self, lesson: &Lesson, rate: f64) {
        self.notes += lesson.notes;
        self.rate = rate;
        if self.sums.is_empty() {
            self.sums = lesson.loss.iter().map(|figure| Figure { value: 0.0, ..figure.clone() }).collect();
        }
        for (sum, mean) in self.sums.iter_mut().zip(&lesson.loss) {
            sum.value += mean.value * lesson.notes as f64;
        }
    }

    pub fn means(&self) -> Vec<Figure> {
        let mean = |sum: &Figure| Figure { value: sum.value / self.notes as f64, ..sum.clone() };
        self.sums.iter().map(mean).collect()
    }

    pub fn notes_per_second(&self) -> f64 {
        self.notes as f64 / self.begun.elapsed().as_secs_f64()
    }
}

/// A table for other programs.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("step,notes,seconds,rate");
    if let Some(row) = rows.first() {
        let columns = |kind, figures: &[Figure]| {
            figures.iter().map(|figure| format!(",{kind}_{}", column(figure))).collect::<String>()
        };
        text += &columns("train", &row.train);
        text += &columns("validation", &row.validation);
    }
    text.push('\n');
    for row in rows {
        let Row { steps, notes, seconds, rate, train, validation } = row;
        let numbers: String =
            train.iter().chain(validation).map(|figure| format!(",{:.5}", figure.value)).collect();
        writeln!(text, "{steps},{notes},{seconds:.1},{rate:.3e}{numbers}").expect("memory takes all");
    }
    text
}

/// Such as `step_error_s`.
fn column(figure: &Figure) -> String {
    format!("{}_{}", figure.name, figure.unit).replace(' ', "_").replace('²', "2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_means_over_notes() {
        let mut tally = Tally::new();
        for (notes, pitch) in [(1, 4.0), (3, 2.0)] {
            tally.add(&Lesson { notes, loss: vec![Figure::new("pitch", "nats", pitch)] }, 0.1);
        }
        assert_eq!(tally.means(), [Figure::new("pitch", "nats", 2.5)]);
    }

    #[test]
    fn every_figure_has_a_column_with_its_unit() {
        let train = vec![Figure::new("pitch", "nats", 2.5), Figure::new("step", "s²", 0.25)];
        let validation = vec![Figure::new("step error", "s", 0.125)];
        let row = Row { steps: 3, notes: 40, seconds: 1.25, rate: 2e-3, train, validation };
        assert_eq!(
            csv(&[row]),
            "step,notes,seconds,rate,train_pitch_nats,train_step_s2,validation_step_error_s\n\
             3,40,1.2,2.000e-3,2.50000,0.25000,0.12500\n"
        );
    }
}
