//! One player's figures, as a table and as JSON, and how much a personal model copies from the player's
//! files.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use antiphon::{
    adaptation::Outcome,
    model::Model,
    music::{note::Note, time::Moment},
    params::AntiphonParams,
};

use crate::{
    continuation::continued,
    corpus::{GridNote, collection::Corpus},
    evaluate::suffix_array::{SuffixArray, Token},
    table::columns,
};

/// Number of places from which the model goes on.
const PLACES: usize = 10;
/// Number of the player's notes that it hears before each.
const HEARD: usize = 100;
/// Number of notes that it plays at each.
const PLAYED: usize = 200;

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    player: String,
    corpus: String,
    /// Number of files to learn from, and below of their notes; some of these are held out.
    files: usize,
    notes: usize,
    scored_files: usize,
    scored_notes: usize,
    seconds: f64,
    /// Number of notes learnt from, each counted as often as it was seen.
    notes_seen: usize,
    /// Gain in nats a note on what was held out of the files to learn from.
    held_out_gain: f64,
    /// Nats a note on the files to score, before learning and below after it.
    pub before: f64,
    pub after: f64,
    /// Rise in nats a note on MAESTRO; `None` where there is no MAESTRO.
    pub maestro: Option<f64>,
    pub copies: Option<Copies>,
}

impl Row {
    /// A row with the figures of the learning. What is measured afterwards is filled in by the caller.
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

    /// The row in one line.
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

/// The rows in columns, the players that are not measured, and a summary of the others.
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

/// The longest runs of notes that are copied and repeated.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Copies {
    /// Length in notes of the longest run that the model played and that stands in the files it has learnt
    /// from.
    pub copied: usize,
    /// Length in notes of the longest run that stands at two places in these files.
    pub repeated: usize,
    pub played: usize,
}

/// Lets `model` go on from the beginnings of `others`, and measures what it copies from `learnt`.
pub fn copies(model: &Arc<dyn Model>, learnt: &[Vec<GridNote>], others: &[Vec<GridNote>]) -> Copies {
    let suffix_array = SuffixArray::of_grid(learnt);
    let played: Vec<Vec<Token>> =
        (0..PLACES).into_par_iter().map(|n| played(model, &others[n % others.len()], n)).collect();
    Copies {
        copied: played.iter().map(|tokens| suffix_array.longest_run(tokens)).max().unwrap_or(0),
        repeated: suffix_array.longest_repeat(),
        played: played.iter().map(Vec::len).sum(),
    }
}

/// What the model plays after the beginning of a piece; each place is a turn of its own.
fn played(model: &Arc<dyn Model>, piece: &[GridNote], turn: usize) -> Vec<Token> {
    let defaults = AntiphonParams::default().snapshot();
    let from = turn / PLACES * HEARD;
    let heard = in_time(&piece[from.min(piece.len())..piece.len().min(from + HEARD)]);
    let seed = defaults.seed(u32::try_from(turn).unwrap_or(u32::MAX), 0);
    continued(model, defaults.generation, seed, &heard, PLAYED).iter().map(Token::of).collect()
}

fn in_time(notes: &[GridNote]) -> Vec<Note> {
    let mut onset = Moment(0.0);
    let note = |note: &GridNote| {
        onset = onset + note.step_seconds();
        Note { onset, duration: note.duration_seconds(), key: note.key, velocity: note.velocity }
    };
    notes.iter().map(note).collect()
}
