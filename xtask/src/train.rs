//! `train`: from MIDI files to a model file and its card.
//!
//! What to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram 4.02, the key
//! before 3.77; `classic-150` passes that within minutes and comes to 3.52 in 40. `antiphon` stood at 13.2 nats a note in
//! all after its first 260,000 notes, and has not been trained for longer yet.

mod antiphon;
mod beginning;
mod checkpoint;
mod chunks;
mod classic;
mod course;
pub mod descent;
mod material;
mod pupil;
mod windows;

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail};
use rand::{RngExt, SeedableRng};

use ::antiphon::model::{Chance, Preset, weights};

use crate::corpus::{Cache, Convention};
pub use beginning::Variables;
use chunks::Chunks;
use course::Course;
use material::Material;
use pupil::Pupil;
use windows::Windows;

/// Train a model on MIDI files and write its weights with a card.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// antiphon, classic-25 or classic-150
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
    /// Windows side by side [default: 64, or 16 for antiphon]
    #[arg(long)]
    batch: Option<usize>,
    /// Notes in a window [default: the preset's]
    #[arg(long)]
    window: Option<usize>,
    /// The highest learning rate; it falls to nothing at the end [default: 0.003, or 0.002 for antiphon]
    #[arg(long)]
    rate: Option<f64>,
    /// The part of the passages that antiphon hears in another key, tempo and loudness, 0 to 1; the others as written
    #[arg(long, default_value = "0.5", value_parser = share)]
    varied: f64,
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

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".into()),
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let Some(preset) = Preset::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose one of {}", arguments.preset, Preset::known());
    };
    let plan = Plan::new(preset, arguments);
    if plan.batch < 2 || arguments.window == Some(0) || arguments.minutes.is_nan() {
        bail!("`--batch` must be at least 2, `--window` at least 1 and `--minutes` a number");
    }
    checkpoint::try_path(&arguments.output)?;
    let mut chance = Chance::seed_from_u64(arguments.seed);
    let material = Material::read(arguments, plan.shortest, &Cache::of_user(), &mut chance)?;
    material.tell();
    let variables = match &arguments.init {
        None => beginning::drawn(preset, &mut chance)?,
        Some(path) => begin_with(path, preset)?,
    };
    let pupil: Box<dyn Pupil> = match preset {
        Preset::Antiphon => {
            let threads = rayon::current_num_threads().min(plan.batch / 2);
            let stream = |thread| {
                let rows = (plan.batch * (thread + 1)) / threads - plan.batch * thread / threads;
                let chance = Chance::seed_from_u64(chance.random());
                Chunks::new(Arc::clone(&material.training), (rows, plan.window), arguments.varied, chance)
            };
            let streams = (0..threads).map(stream).collect::<Result<_>>()?;
            Box::new(antiphon::Antiphon::new(&variables, streams)?)
        }
        Preset::Classic(preset) => {
            let windows = Windows::new(Arc::clone(&material.training), plan.batch, plan.window, chance)?;
            Box::new(classic::Classic::new(preset, &variables, windows)?)
        }
    };
    Course { arguments, preset, material: &material, variables, pupil, plan, steps: 0, notes: 0 }.run()
}

/// How a preset is trained.
#[derive(Debug, Clone, Copy)]
struct Plan {
    batch: usize,
    /// Notes in a row.
    window: usize,
    /// Files of fewer notes are not learnt from.
    shortest: usize,
    /// The highest learning rate.
    rate: f64,
}

impl Plan {
    fn new(preset: Preset, arguments: &Arguments) -> Self {
        let (batch, window, rate) = match preset {
            Preset::Antiphon => (32, 128, 2e-3),
            Preset::Classic(preset) => (64, preset.window, 3e-3),
        };
        let window = arguments.window.unwrap_or(window);
        Self {
            batch: arguments.batch.unwrap_or(batch),
            window,
            shortest: if preset == Preset::Antiphon { 1 } else { window },
            rate: arguments.rate.unwrap_or(rate),
        }
    }
}

fn begin_with(path: &PathBuf, preset: Preset) -> Result<Variables> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let weights = weights::read(&bytes).with_context(|| path.display().to_string())?;
    if weights.preset != preset {
        bail!(
            "{} is a {}, not a {}: choose the same `--preset`",
            path.display(),
            weights.preset.name(),
            preset.name()
        );
    }
    beginning::of(&weights)
}
