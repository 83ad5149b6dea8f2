//! One player's figures, for a person or for a machine.

use serde::Serialize;

use antiphon::adaptation::Outcome;

use super::copies::Copies;
use crate::{
    corpus::{GridNote, collection::Corpus},
    evaluate::row::columns,
};

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    player: String,
    corpus: String,
    /// Files and notes to learn from, some of which are held out.
    files: usize,
    notes: usize,
    scored_files: usize,
    scored_notes: usize,
    seconds: f64,
    /// Each as often as it was heard.
    notes_seen: usize,
    /// Nats a note on what was held out of the files to learn from.
    held_out_gain: f64,
    /// Nats a note on the files to score.
    pub before: f64,
    pub after: f64,
    /// Nats a note that MAESTRO costs more.
    pub maestro: Option<f64>,
    pub copies: Option<Copies>,
}

impl Row {
    /// What is measured afterwards is missing.
    pub fn new(
        player: &str,
        corpus: Corpus,
        (learnt, scored): (&[Vec<GridNote>], &[Vec<GridNote>]),
        outcome: &Outcome,
    ) -> Self {
        let notes = |pieces: &[Vec<GridNote>]| pieces.iter().map(Vec::len).sum();
        Self {
            player: player.to_owned(),
            corpus: corpus.to_string(),
            files: learnt.len(),
            notes: notes(learnt),
            scored_files: scored.len(),
            scored_notes: notes(scored),
            seconds: outcome.time.as_secs_f64(),
            notes_seen: outcome.notes,
            held_out_gain: outcome.gain(),
            before: 0.0,
            after: 0.0,
            maestro: None,
            copies: None,
        }
    }

    fn gain(&self) -> f64 {
        self.before - self.after
    }

    /// In one line.
    pub fn line(&self) -> String {
        self.cells().join("  ")
    }

    fn cells(&self) -> Vec<String> {
        let copies = |count: fn(&Copies) -> usize| {
            self.copies.as_ref().map_or("-".to_owned(), |it| count(it).to_string())
        };
        vec![
            self.corpus.clone(),
            self.player.clone(),
            self.files.to_string(),
            self.notes.to_string(),
            self.notes_seen.to_string(),
            format!("{:.0}", self.seconds),
            format!("{:.3}", self.held_out_gain),
            self.scored_notes.to_string(),
            format!("{:.3}", self.before),
            format!("{:.3}", self.after),
            format!("{:.3}", self.gain()),
            self.maestro.map_or("-".to_owned(), |cost| format!("{cost:.3}")),
            copies(|it| it.copied),
            copies(|it| it.repeated),
        ]
    }
}

/// The rows in columns, who is not measured, and the means of the others.
pub fn table(rows: &[Row], unmeasured: &[String]) -> String {
    let missing: String = unmeasured.iter().map(|who| format!("{who}\n")).collect();
    if rows.is_empty() {
        return missing;
    }
    let head = [
        "corpus", "player", "files", "notes", "seen", "seconds", "held out", "scored", "before", "after",
        "gain", "MAESTRO", "copied", "repeated",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(Row::cells));
    let gains = rows.iter().map(Row::gain);
    let (mean, least) = (gains.clone().sum::<f64>() / rows.len() as f64, gains.fold(f64::INFINITY, f64::min));
    let price = rows.iter().filter_map(|row| row.maestro).fold(f64::NEG_INFINITY, f64::max);
    let longer = |row: &&Row| row.copies.is_some_and(|copies| copies.copied > copies.repeated);
    format!(
        "{}{missing}mean gain {mean:.3}, least {least:.3}, highest price on MAESTRO {price:.3}, players copied beyond their own repetitions: {}\n",
        columns(&lines),
        rows.iter().filter(longer).count()
    )
}
