//! `train`: from MIDI files to a model file and its card.
//!
//! Losses to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram
//! 4.02, the key before 3.77. `classic-150` is better than that within minutes, and reaches 3.52 in 40.
//! `antiphon` reaches 11.2 nats a note in all after 1.2 million notes, 8.8 after 27 million in 94 minutes,
//! and 8.64 after 58 million in 216, on two busy cores.

mod antiphon;
mod augmentation;
mod card;
mod classic;
mod config;
mod curves;
pub mod data_set;
mod initialisation;
mod loader;
pub mod optimiser;
mod output;
pub mod packed;
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

use ::antiphon::model::{Rng, weights::Architecture};

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

/// A network in training, with its optimiser and its data loader.
pub trait TrainableModel {
    /// Learns from its next minibatch at a learning rate. Fails, and leaves the weights as they were, when
    /// the loss is not finite.
    fn learn(&mut self, rate: f64) -> Result<StepResult>;

    /// Scores every note of every piece.
    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score>;

    /// Saves the whole state between two steps in a checkpoint, except for the weights.
    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()>;

    /// Reverses [`TrainableModel::keep`].
    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()>;
}

/// The result of one training step.
#[derive(Debug, Clone)]
pub struct StepResult {
    pub notes: usize,
    /// The parts of the loss, means over the notes.
    pub loss: Vec<Metric>,
}

/// Trains until the training is over, or until Ctrl-C. Fails where it cannot begin or cannot go on; what was
/// saved before is kept then.
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

/// Prepares everything up to the first step.
fn begin<'a>(arguments: &'a Arguments, cache: &Cache) -> Result<TrainingRun<'a>> {
    let Some(architecture) = Architecture::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose one of {}", arguments.preset, Architecture::known());
    };
    let (hyperparameters, length) = (Hyperparameters::new(architecture, arguments), arguments.length());
    if hyperparameters.batch < 2 || arguments.window == Some(0) {
        bail!("`--batch` must be at least 2 and `--window` at least 1");
    }
    let output = Output::new(&arguments.output)?;
    let checkpoint = arguments.resume.then(|| Checkpoint::read(&output.checkpoint())).transpose()?;
    if checkpoint.is_none() {
        keep_unfinished(&output.checkpoint())?;
    }
    let mut rng = Rng::seed_from_u64(arguments.seed);
    let data_set = DataSet::read(arguments, hyperparameters.shortest, cache, &mut rng)?;
    data_set.tell();
    let config = TrainingConfig::new(architecture, &hyperparameters, arguments, data_set.digest());
    if let Some(checkpoint) = &checkpoint {
        config.check(&checkpoint.fact("terms")?, &output.checkpoint())?;
    }
    let variables = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => checkpoint.weights(architecture)?,
        (None, Some(path)) => initialisation::read(path, architecture)?,
        (None, None) => initialisation::drawn(architecture, &mut rng)?,
    };
    let device = arguments.device.device(architecture)?;
    let variables = initialisation::moved(variables, &device)?;
    let mut model = trainable_model(architecture, &hyperparameters, arguments, &data_set, &variables, rng)?;
    let (origin, progress) = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => {
            model.recall(checkpoint)?;
            (checkpoint.fact("origin")?, checkpoint.fact("progress")?)
        }
        (None, Some(path)) => (Origin::model(path), Progress::default()),
        (None, None) => (Origin::rng(), Progress::default()),
    };
    let setup = Setup { arguments, architecture, hyperparameters, length, data_set, output, origin, config };
    Ok(TrainingRun::new(setup, variables, model, progress))
}

/// The network with its data loader. Our own network learns on all threads, or on fewer where a thread would
/// have less than two rows of its own; on a GPU, on one.
fn trainable_model(
    architecture: Architecture,
    hyperparameters: &Hyperparameters,
    arguments: &Arguments,
    data_set: &DataSet,
    variables: &Variables,
    mut rng: Rng,
) -> Result<Box<dyn TrainableModel>> {
    let &Hyperparameters { batch, window, .. } = hyperparameters;
    let training = || Arc::clone(&data_set.training);
    Ok(match architecture {
        Architecture::Antiphon => {
            let threads = match arguments.device {
                Processor::Cpu => rayon::current_num_threads().min(batch / 2),
                Processor::Cuda => 1,
            };
            let loader = |thread| {
                let rows = (batch * (thread + 1)) / threads - batch * thread / threads;
                let rng = Rng::seed_from_u64(rng.random());
                let augmentation = Augmentation { varied: arguments.varied, slipped: arguments.slipped };
                PassageLoader::new(training(), (rows, window), augmentation, rng)
            };
            let loaders = (0..threads).map(loader).collect::<Result<_>>()?;
            Box::new(TrainableAntiphon::new(variables, hyperparameters, loaders, rng)?)
        }
        Architecture::Classic(architecture) => {
            let windows = WindowLoader::new(training(), batch, window, rng)?;
            Box::new(Classic::new(architecture, variables, windows)?)
        }
    })
}

/// Fails when a new training would replace the checkpoint of an interrupted one.
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
