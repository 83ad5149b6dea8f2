//! One line of the result, for a person or for a machine.

use serde::Serialize;

use antiphon::{model::weights::Weights, music::note::Key};

use crate::{
    corpus::{Convention, GridNote},
    score::Score,
};

/// What one model reached in one convention with one memory.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    model: String,
    /// Where a folder holds several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corpus: Option<String>,
    parameters: usize,
    convention: String,
    files: usize,
    notes: usize,
    /// Notes; `None` carries the state through a file.
    memory: Option<usize>,
    nats_per_note: Nats,
    mae_s: Errors,
}

/// Nats per note; `None` where a model has no likelihood.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Nats {
    pub step: Option<f64>,
    pub pitch: Option<f64>,
    pub velocity: Option<f64>,
    pub duration: Option<f64>,
    pub total: Option<f64>,
}

/// Seconds; `None` where a model names no time.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Errors {
    step: Option<f64>,
    duration: Option<f64>,
}

impl Row {
    pub fn of_model(
        weights: &Weights,
        convention: Convention,
        files: usize,
        memory: Option<usize>,
        score: &Score,
    ) -> Self {
        let ([step, pitch, velocity, duration], error) = (score.nats_per_note(), score.mae_s());
        Self {
            model: weights.name.clone(),
            corpus: None,
            parameters: weights.preset.parameters(),
            convention: convention.to_string(),
            files,
            notes: score.notes,
            memory,
            nats_per_note: Nats { step, pitch, velocity, duration, total: score.total() },
            mae_s: Errors { step: error[0], duration: error[1] },
        }
    }

    pub fn of_baseline(
        model: &str,
        convention: Convention,
        pieces: &[Vec<GridNote>],
        parameters: usize,
        nats_per_note: Nats,
    ) -> Self {
        Self {
            model: model.to_owned(),
            corpus: None,
            parameters,
            convention: convention.to_string(),
            files: pieces.len(),
            notes: pieces.iter().map(Vec::len).sum(),
            memory: None,
            nats_per_note,
            mae_s: Errors::default(),
        }
    }

    /// Every key is as likely as any other.
    pub fn uniform(convention: Convention, pieces: &[Vec<GridNote>]) -> Self {
        let nats = Nats { pitch: Some((Key::COUNT as f64).ln()), ..Nats::default() };
        Self::of_baseline("uniform", convention, pieces, 0, nats)
    }
}

/// The rows in columns.
pub fn table(rows: &[Row]) -> String {
    let number = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
    let head = [
        "corpus",
        "model",
        "convention",
        "memory",
        "files",
        "notes",
        "step",
        "pitch",
        "velocity",
        "duration",
        "total",
    ];
    let head = head.into_iter().chain(["step ±s", "duration ±s"]).map(str::to_owned).collect::<Vec<_>>();
    let mut lines = vec![head];
    for row in rows {
        let nats = row.nats_per_note;
        let corpus = row.corpus.clone().unwrap_or_else(|| "-".to_owned());
        let mut line = vec![corpus, row.model.clone(), row.convention.clone()];
        line.push(row.memory.map_or("-".to_owned(), |memory| memory.to_string()));
        line.extend([row.files.to_string(), row.notes.to_string()]);
        line.extend([nats.step, nats.pitch, nats.velocity, nats.duration, nats.total].map(number));
        line.extend([row.mae_s.step, row.mae_s.duration].map(number));
        lines.push(line);
    }
    columns(&lines)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documented::assert_documented;

    #[test]
    fn programs_are_told_what_they_read() {
        let row = Row { corpus: Some("pop909".to_owned()), ..Row::uniform(Convention::KeyUp, &[]) };
        assert_documented("evaluate", &serde_json::to_value(row).expect("a row is plain numbers"));
    }
}
