//! The card beside a model file: where its weights come from, and how well they score.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::optimiser::Method;
use crate::score::Score;

#[derive(Debug, Serialize)]
pub struct Card {
    pub name: String,
    pub preset: &'static str,
    pub representation: &'static str,
    pub parameters: usize,
    pub license: String,
    /// Whether the training is finished.
    pub status: String,
    /// Minutes of training in all runs.
    pub minutes: f64,
    /// Number of notes learnt from in all runs.
    pub notes_seen: i64,
    pub corpus: Corpus,
    /// The training runs of the model, each a table; the newest last.
    pub training: Vec<Table>,
    pub scores: Scores,
}

/// The corpus of the newest run.
#[derive(Debug, Serialize)]
pub struct Corpus {
    pub name: String,
    pub split: String,
    /// Number of files learnt from.
    pub files: usize,
    /// Number of notes in these files.
    pub notes: usize,
    pub convention: String,
    /// For a classic, the longest time in seconds; longer ones are heard and learnt as this.
    pub longest_s: Option<f32>,
}

/// One training run, however often it was interrupted.
#[derive(Debug, Serialize)]
pub struct Run {
    pub begins_with: String,
    pub command: String,
    pub corpus: String,
    pub seed: u64,
    pub minutes: f64,
    pub notes_seen: usize,
    pub steps: usize,
    pub batch: usize,
    pub window: usize,
    pub rate: f64,
    /// For our own network, the part of the passages that are played differently each time.
    pub varied: Option<f64>,
    /// For our own network, the part of the passages with mistakes.
    pub slipped: Option<f64>,
    /// For our own network, the part of the activations that dropout sets to 0.
    pub dropout: Option<f32>,
    pub method: Method,
    pub decay: f64,
    pub longest_gradient: f32,
}

/// Where the weights came from before a training.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Origin {
    /// A description for people.
    pub name: String,
    runs: Vec<Table>,
}

impl Origin {
    pub fn rng() -> Self {
        Self { name: "chance".into(), runs: Vec::new() }
    }

    /// A model file, with the runs that its card lists.
    pub fn model(path: &Path) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let card = fs::read_to_string(card_of(path)).ok().and_then(|text| text.parse().ok());
        let runs = card.map(|card: Table| runs(&card)).unwrap_or_default();
        let name = match runs.is_empty() {
            true => format!("{name}, of which no card tells how it was made"),
            false => format!("{name}, {:.1} minutes and {} notes old", minutes(&runs), notes_seen(&runs)),
        };
        Self { name, runs }
    }

    /// All earlier runs, followed by a new one.
    pub fn and(&self, run: &Run) -> Result<Vec<Table>> {
        let mut runs = self.runs.clone();
        runs.push(Table::try_from(run)?);
        Ok(runs)
    }
}

/// Where the card of a model lies.
pub fn card_of(model: &Path) -> PathBuf {
    model.with_extension("toml")
}

/// The runs in a card, which are a list. The first cards had a single run, and its command and corpus in
/// other places.
fn runs(card: &Table) -> Vec<Table> {
    let command = card.get("command").cloned();
    let corpus = card.get("corpus").and_then(|corpus| corpus.get("name")).cloned();
    let with = |mut run: Table| {
        for (key, value) in [("command", &command), ("corpus", &corpus)] {
            if let Some(value) = value {
                run.entry(key).or_insert_with(|| value.clone());
            }
        }
        run
    };
    match card.get("training") {
        Some(Value::Table(run)) => vec![with(run.clone())],
        Some(Value::Array(runs)) => runs.iter().filter_map(Value::as_table).cloned().map(with).collect(),
        _ => Vec::new(),
    }
}

pub fn minutes(runs: &[Table]) -> f64 {
    let sum: f64 = runs.iter().filter_map(|run| run.get("minutes")?.as_float()).sum();
    (sum * 10.0).round() / 10.0
}

pub fn notes_seen(runs: &[Table]) -> i64 {
    runs.iter().filter_map(|run| run.get("notes_seen")?.as_integer()).sum()
}

/// Scores on the validation files, with the state carried on from the first note of each file.
#[derive(Debug, Serialize)]
pub struct Scores {
    pub files: usize,
    pub notes: usize,
    pub step_nats: Option<f64>,
    pub pitch_nats: Option<f64>,
    pub velocity_nats: Option<f64>,
    pub duration_nats: Option<f64>,
    pub total_nats: Option<f64>,
    pub step_mae_s: Option<f64>,
    pub duration_mae_s: Option<f64>,
}

impl Scores {
    pub fn new(files: usize, score: &Score) -> Self {
        let rounded = |number: Option<f64>| number.map(|number| (number * 1e4).round() / 1e4);
        let [step_nats, pitch_nats, velocity_nats, duration_nats] = score.nats_per_note().map(rounded);
        let [step_mae_s, duration_mae_s] = score.mae_s().map(rounded);
        let (notes, total_nats) = (score.notes, rounded(score.total()));
        Self {
            files,
            notes,
            step_nats,
            pitch_nats,
            velocity_nats,
            duration_nats,
            total_nats,
            step_mae_s,
            duration_mae_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    fn run(notes_seen: usize, minutes: f64) -> Run {
        Run {
            begins_with: "chance".into(),
            command: "cargo xtask train".into(),
            corpus: "mine".into(),
            seed: 1,
            minutes,
            notes_seen,
            steps: 10,
            batch: 16,
            window: 128,
            rate: 1e-3,
            dropout: None,
            method: Method::Adam,
            decay: 0.0,
            varied: None,
            slipped: None,
            longest_gradient: 1.0,
        }
    }

    #[test]
    fn the_runs_of_a_model_add_up() {
        let folder = Folder::new("card-runs");
        let card = "command = \"first\"\n[corpus]\nname = \"theirs\"\n[training]\nminutes = 40.0\nnotes_seen = 100\nlast_rate = 0.1\n";
        folder.write("a.toml", card.as_bytes());
        let origin = Origin::model(&folder.join("a.safetensors"));
        assert_eq!(origin.name, "a, 40.0 minutes and 100 notes old");
        let runs = origin.and(&run(23, 2.0)).expect("a table");
        assert_eq!(runs[0]["command"].as_str(), Some("first"));
        assert_eq!(runs[0]["corpus"].as_str(), Some("theirs"));
        assert_eq!(runs[0]["last_rate"].as_float(), Some(0.1));
        let list = toml::to_string(&Table::from_iter([("training".to_owned(), runs.into())]));
        folder.write("b.toml", list.expect("a list of tables").as_bytes());
        let origin = Origin::model(&folder.join("b.safetensors"));
        assert_eq!(origin.name, "b, 42.0 minutes and 123 notes old");
        assert_eq!(origin.and(&run(1, 1.0)).expect("a table").len(), 3);
    }

    #[test]
    fn a_model_without_a_card_is_known_by_name_alone() {
        let folder = Folder::new("card-none");
        folder.write("b.toml", b"no table");
        for model in ["a.safetensors", "b.safetensors"] {
            let origin = Origin::model(&folder.join(model));
            assert_eq!(origin.name[1..], *", of which no card tells how it was made");
        }
    }
}
