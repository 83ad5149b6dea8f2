//! `train`: from MIDI files to a model file and its card.
//!
//! What to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram 4.02, the key before
//! 3.77; `classic-150` passes that within minutes and comes to 3.52 in 40. `antiphon` comes to 11.2 nats a note in all after
//! 1.2 million notes, to 8.8 after 27 million in 94 minutes, and to 8.64 after 58 million in 216, on two busy cores.

mod antiphon;
mod arguments;
mod beginning;
mod card;
mod checkpoint;
mod chunks;
mod classic;
mod command;
mod course;
mod curves;
pub mod descent;
mod device;
mod material;
mod muon;
mod output;
mod picture;
mod plan;
mod played;
mod progress;
mod pupil;
mod task;
mod telling;
mod terms;
#[cfg(test)]
mod tests;
mod windows;

use std::{
    fs,
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use rand::{RngExt, SeedableRng};

use ::antiphon::model::{Chance, Preset, weights};

use crate::corpus::Cache;
pub use arguments::Arguments;
pub use beginning::Variables;
use card::Origin;
use checkpoint::Checkpoint;
use chunks::Chunks;
use course::Course;
use device::Processor;
use material::Material;
use output::Output;
use plan::Plan;
use played::Variety;
use progress::Progress;
use pupil::Pupil;
use task::Task;
use terms::Terms;
use windows::Windows;

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
fn begin<'a>(arguments: &'a Arguments, cache: &Cache) -> Result<Course<'a>> {
    let Some(preset) = Preset::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose one of {}", arguments.preset, Preset::known());
    };
    let (plan, length) = (Plan::new(preset, arguments), arguments.length());
    if plan.batch < 2 || arguments.window == Some(0) {
        bail!("`--batch` must be at least 2 and `--window` at least 1");
    }
    let output = Output::new(&arguments.output)?;
    let checkpoint = arguments.resume.then(|| Checkpoint::read(&output.checkpoint())).transpose()?;
    if checkpoint.is_none() {
        keep_unfinished(&output.checkpoint())?;
    }
    let mut chance = Chance::seed_from_u64(arguments.seed);
    let material = Material::read(arguments, plan.shortest, cache, &mut chance)?;
    material.tell();
    let terms = Terms::new(preset, &plan, arguments, &material);
    if let Some(checkpoint) = &checkpoint {
        terms.check(&checkpoint.fact("terms")?, &output.checkpoint())?;
    }
    let variables = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => checkpoint.weights(preset)?,
        (None, Some(path)) => begin_with(path, preset)?,
        (None, None) => beginning::drawn(preset, &mut chance)?,
    };
    let device = arguments.device.device(preset)?;
    let variables = device::moved(variables, &device)?;
    let mut pupil = pupil(preset, &plan, arguments, &material, &variables, chance)?;
    let (origin, progress) = match (&checkpoint, &arguments.init) {
        (Some(checkpoint), _) => {
            pupil.recall(checkpoint)?;
            (checkpoint.fact("origin")?, checkpoint.fact("progress")?)
        }
        (None, Some(path)) => (Origin::model(path), Progress::default()),
        (None, None) => (Origin::chance(), Progress::default()),
    };
    let task = Task { arguments, preset, plan, length, material, output, origin, terms };
    Ok(Course::new(task, variables, pupil, progress))
}

/// The network with what it learns from. Our own learns on as many threads as there are pairs of rows for, each with rows of
/// its own.
fn pupil(
    preset: Preset,
    plan: &Plan,
    arguments: &Arguments,
    material: &Material,
    variables: &Variables,
    mut chance: Chance,
) -> Result<Box<dyn Pupil>> {
    let training = || Arc::clone(&material.training);
    Ok(match preset {
        Preset::Antiphon => {
            let threads = match arguments.device {
                Processor::Cpu => rayon::current_num_threads().min(plan.batch / 2),
                Processor::Cuda => 1,
            };
            let stream = |thread| {
                let rows = (plan.batch * (thread + 1)) / threads - plan.batch * thread / threads;
                let chance = Chance::seed_from_u64(chance.random());
                let variety = Variety { varied: arguments.varied, slipped: arguments.slipped };
                Chunks::new(training(), (rows, plan.window), variety, chance)
            };
            let streams = (0..threads).map(stream).collect::<Result<_>>()?;
            Box::new(antiphon::Antiphon::new(variables, plan, streams, chance)?)
        }
        Preset::Classic(preset) => {
            let windows = Windows::new(training(), plan.batch, plan.window, chance)?;
            Box::new(classic::Classic::new(preset, variables, windows)?)
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

/// The weights of a model file to begin with, which must be of the same preset.
fn begin_with(path: &Path, preset: Preset) -> Result<Variables> {
    let bytes = fs::read(path)
        .with_context(|| format!("{} cannot be read: give a model file to `--init`", path.display()))?;
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
