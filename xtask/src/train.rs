//! `train`: from MIDI files to a model file and its card.
//!
//! What to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram 4.02, the key
//! before 3.75; `classic-150` passes 3.75 within minutes.

mod beginning;
mod checkpoint;
mod course;
mod material;
mod step;
mod windows;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use rand::SeedableRng;

use antiphon::model::{
    Chance,
    classic::{Network, Preset},
    weights,
};

use crate::corpus::{Convention, GridNote};
use beginning::Variables;
use course::Course;
use material::Material;
use step::Learner;
use windows::Windows;

/// Train a model on MIDI files and write its weights with a card.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// classic-25 or classic-150
    #[arg(long)]
    preset: String,
    /// MIDI file, folder of them, or MAESTRO csv or folder (only its train split is used); repeatable
    #[arg(long, required = true)]
    data: Vec<PathBuf>,
    /// What to score on [default: MAESTRO's validation split, or a tenth of the files]
    #[arg(long)]
    validation: Vec<PathBuf>,
    /// Where to write the weights; the card goes beside them
    #[arg(long)]
    output: PathBuf,
    /// How long to train
    #[arg(long, default_value = "30", value_parser = minutes)]
    minutes: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A model file to begin with
    #[arg(long)]
    init: Option<PathBuf>,
    /// Windows side by side
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Notes in a window [default: the preset's]
    #[arg(long)]
    window: Option<usize>,
    /// The highest learning rate; it falls along a cosine
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
    /// The corpus as the card names it
    #[arg(long, default_value = "private MIDI files")]
    corpus: String,
    /// The license of the weights: the strictest of the corpus
    #[arg(long, default_value = "not stated")]
    license: String,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if minutes > 0.0 => Ok(minutes),
        _ => Err("give a number of minutes above 0".into()),
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let Some(preset) = Preset::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose classic-25 or classic-150", arguments.preset);
    };
    if arguments.batch < 2 || arguments.window == Some(0) || arguments.minutes.is_nan() {
        bail!("`--batch` must be at least 2, `--window` at least 1 and `--minutes` a number");
    }
    checkpoint::try_path(&arguments.output)?;
    let mut chance = Chance::seed_from_u64(arguments.seed);
    let material = Material::read(arguments, &mut chance)?;
    let told = |pieces: &[Vec<GridNote>]| {
        format!("{} files and {} notes", pieces.len(), pieces.iter().map(Vec::len).sum::<usize>())
    };
    println!("{} to learn from, {} to score on", told(&material.training), told(&material.validation));
    let variables = match &arguments.init {
        None => beginning::drawn(preset, &mut chance)?,
        Some(path) => begin_with(path, preset)?,
    };
    let network = Network::new(preset, |name| Ok(variables[name].as_tensor().clone()))?;
    let learner = Learner::new(network, &variables, arguments.batch)?;
    let window = arguments.window.unwrap_or(preset.window);
    let windows = Windows::new(material.training.clone(), arguments.batch, window, chance)?;
    Course { arguments, preset, material: &material, variables, learner, windows, window, steps: 0 }.run()
}

fn begin_with(path: &PathBuf, preset: Preset) -> Result<Variables> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let weights = weights::read(&bytes).with_context(|| path.display().to_string())?;
    if weights.preset != preset {
        bail!(
            "{} is a {}, not a {}: choose the same `--preset`",
            path.display(),
            weights.preset.name,
            preset.name
        );
    }
    beginning::of(&weights)
}
