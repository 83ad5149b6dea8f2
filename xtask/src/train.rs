//! `train`: from MIDI files to a model file and its card.
//!
//! What to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram 4.02, the key before
//! 3.77; `classic-150` passes that within minutes and comes to 3.52 in 40. `antiphon` comes to 11.2 nats a note in all after
//! 1.2 million notes, to 8.8 after 27 million in 94 minutes, and to 8.64 after 58 million in 216, on two busy cores.

mod antiphon;
mod augmentation;
mod card;
mod classic;
mod config;
mod curves;
mod data_set;
mod initialisation;
mod loader;
pub mod optimiser;
mod output;
mod progress;
mod run;
#[cfg(test)]
mod tests;

use std::{
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use rand::{RngExt, SeedableRng};

use ::antiphon::model::{Chance, weights::Architecture};

use crate::{
    corpus::{Cache, GridNote},
    score::{Metric, Score},
};
use antiphon::TrainableAntiphon;
use augmentation::Augmentation;
use card::Origin;
use classic::{Classic, WindowLoader};
pub use config::Arguments;
use config::{Hyperparameters, Processor, TrainingConfig};
use data_set::DataSet;
pub use initialisation::Variables;
use loader::PassageLoader;
use output::{Checkpoint, Output};
use progress::Progress;
use run::{Setup, TrainingRun};

/// A network with what it learns from.
pub trait TrainableModel {
    /// Learns from its next batch at a rate. Fails, with the weights as they were, when the loss is not a number.
    fn learn(&mut self, rate: f64) -> Result<StepResult>;

    /// Scores every note of every piece.
    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score>;

    /// Keeps all that it is between two steps, but for its weights.
    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()>;

    /// The way back from [`TrainableModel::keep`].
    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()>;
}

/// What came of a batch.
#[derive(Debug, Clone)]
pub struct StepResult {
    pub notes: usize,
    /// The parts of the loss, means over the notes.
    pub loss: Vec<Metric>,
}

/// Trains until all has passed, or until Ctrl-C. Fails where it cannot begin, and where it cannot go on; what was saved before
/// is still there then.
pub fn run(arguments: &Arguments) -> Result<()> {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    let interrupt = move || {
        if stop.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        eprintln!("stopping after this step; press Ctrl-C again to stop at once");
    };
    ctrlc::set_handler(interrupt).context("Ctrl-C cannot be caught")?;
    begin(arguments, &Cache::of_user())?.run(|_| stopped.load(Ordering::Relaxed))
}

/// Everything up to the first step.
fn begin<'a>(arguments: &'a Arguments, cache: &Cache) -> Result<TrainingRun<'a>> {
    let Some(preset) = Architecture::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose one of {}", arguments.preset, Architecture::known());
    };
    let (hyperparameters, length) = (Hyperparameters::new(preset, arguments), arguments.length());
    if hyperparameters.batch < 2 || arguments.window == Some(0) {
        bail!("`--batch` must be at least 2 and `--window` at least 1");
    }
    let output = Output::new(&arguments.output)?;
    let checkpoint = arguments.resume.then(|| Checkpoint::read(&output.checkpoint())).transpose()?;
    if checkpoint.is_none() {
        keep_unfinished(&output.checkpoint())?;
    }
    let mut chance = Chance::seed_from_u64(arguments.seed);
    let data_set = DataSet::read(arguments, hyperparameters.shortest, cache, &mut chance)?;
    data_set.tell();
    let config = TrainingConfig::new(preset, &hyperparameters, arguments, data_set.digest());
    if let Some(checkpoint) = &checkpoint {
        config.check(&checkpoint.fact("terms")?, &output.checkpoint())?;
    }
    let variables = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => checkpoint.weights(preset)?,
        (None, Some(path)) => initialisation::read(path, preset)?,
        (None, None) => initialisation::drawn(preset, &mut chance)?,
    };
    let device = arguments.device.device(preset)?;
    let variables = initialisation::moved(variables, &device)?;
    let mut model = trainable_model(preset, &hyperparameters, arguments, &data_set, &variables, chance)?;
    let (origin, progress) = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => {
            model.recall(checkpoint)?;
            (checkpoint.fact("origin")?, checkpoint.fact("progress")?)
        }
        (None, Some(path)) => (Origin::model(path), Progress::default()),
        (None, None) => (Origin::chance(), Progress::default()),
    };
    let setup = Setup { arguments, preset, hyperparameters, length, data_set, output, origin, config };
    Ok(TrainingRun::new(setup, variables, model, progress))
}

/// The network with what it learns from. Our own learns on as many threads as there are pairs of rows for, each with rows of
/// its own.
fn trainable_model(
    preset: Architecture,
    hyperparameters: &Hyperparameters,
    arguments: &Arguments,
    data_set: &DataSet,
    variables: &Variables,
    mut chance: Chance,
) -> Result<Box<dyn TrainableModel>> {
    let &Hyperparameters { batch, window, .. } = hyperparameters;
    let training = || Arc::clone(&data_set.training);
    Ok(match preset {
        Architecture::Antiphon => {
            let threads = match arguments.device {
                Processor::Cpu => rayon::current_num_threads().min(batch / 2),
                Processor::Cuda => 1,
            };
            let loader = |thread| {
                let rows = (batch * (thread + 1)) / threads - batch * thread / threads;
                let chance = Chance::seed_from_u64(chance.random());
                let augmentation = Augmentation { varied: arguments.varied, slipped: arguments.slipped };
                PassageLoader::new(training(), (rows, window), augmentation, chance)
            };
            let loaders = (0..threads).map(loader).collect::<Result<_>>()?;
            Box::new(TrainableAntiphon::new(variables, hyperparameters, loaders, chance)?)
        }
        Architecture::Classic(preset) => {
            let windows = WindowLoader::new(training(), batch, window, chance)?;
            Box::new(Classic::new(preset, variables, windows)?)
        }
    })
}

/// Fails when a new training would replace the checkpoint of one that was interrupted.
fn keep_unfinished(path: &Path) -> Result<()> {
    let passed = Checkpoint::read(path).and_then(|checkpoint| checkpoint.fact::<f64>("passed"));
    match passed {
        Ok(passed) if passed < 1.0 => bail!(
            "{} is of a training of which {:.0} % are done: add `--resume` to go on with it, or remove it to begin \
             anew",
            path.display(),
            passed * 100.0
        ),
        _ => Ok(()),
    }
}
