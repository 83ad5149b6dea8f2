//! Model files and their cards, written whole or not at all.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;

use antiphon::model::{Preset, weights::REPRESENTATION};

use super::beginning::Variables;
use crate::score::Score;

/// What stands beside a model file: where its weights come from and what they are worth.
#[derive(Debug, Serialize)]
pub struct Card {
    pub name: String,
    pub preset: &'static str,
    pub representation: &'static str,
    pub parameters: usize,
    pub license: String,
    pub command: String,
    pub corpus: Corpus,
    pub training: Training,
    pub scores: Scores,
}

#[derive(Debug, Serialize)]
pub struct Corpus {
    pub name: String,
    pub split: String,
    pub files: usize,
    pub notes: usize,
    pub convention: String,
    /// Of a classic: longer times are heard and learnt as this.
    pub longest_s: Option<f32>,
}

#[derive(Debug, Serialize)]
pub struct Training {
    pub seed: u64,
    pub begins_with: String,
    pub minutes: f64,
    pub notes_seen: usize,
    pub steps: usize,
    pub batch: usize,
    pub window: usize,
    pub rate: f64,
    pub longest_gradient: f32,
}

/// On the validation files, state carried from the first note.
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

/// Fails early when a model file and the card beside it could not be written later, or would replace something else.
pub fn try_path(output: &Path) -> Result<()> {
    if output.extension().is_none_or(|extension| extension != "safetensors") || output.is_dir() {
        bail!("{} is no name for a model: give an `--output` that ends in .safetensors", output.display());
    }
    let temporary = temporary(output);
    fs::write(&temporary, [])
        .and_then(|()| fs::remove_file(&temporary))
        .with_context(|| format!("{} cannot be written: choose another `--output`", output.display()))
}

pub fn write_weights(output: &Path, name: &str, preset: Preset, variables: &Variables) -> Result<()> {
    let mut bytes = Vec::new();
    for (name, shape) in preset.tensors() {
        let numbers: Vec<f32> = variables[&name].flatten_all()?.to_vec1()?;
        bytes.push((name, shape, numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()));
    }
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    let pairs = [("preset", preset.name()), ("representation", REPRESENTATION), ("name", name)];
    let metadata: HashMap<_, _> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    write(output, &safetensors::serialize(views, Some(metadata))?)
}

pub fn write_card(output: &Path, card: &Card) -> Result<()> {
    write(&output.with_extension("toml"), toml::to_string_pretty(card)?.as_bytes())
}

/// A reader meets the old file or the new one, never half of it.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary(path);
    let attempt = || -> std::io::Result<()> {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    attempt().with_context(|| format!("{} cannot be written", path.display()))
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
