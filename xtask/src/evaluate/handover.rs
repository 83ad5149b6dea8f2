//! `evaluate --handover`: how well a model tells the end of a call from a breath, by the plugin's own rule and at its
//! default settings, beside fixed silences.
//!
//! Silence is counted as in the fixed rules: from the last onset, with no key held. A phrase ends where it comes to two
//! seconds. A player who never stops is disturbed by every take-over, at the end of a phrase too; one who stops at the end
//! of a phrase waits from the last release of a key, whatever the pedal does then, until the plugin takes the floor.

mod fit;
mod listening;
mod performance;
mod picture;
mod worth;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail, ensure};

use antiphon::{
    model::{Model, weights},
    music::{patience::Patience, time::Seconds},
};

use super::{Arguments, progress};
use crate::{
    corpus::{self, Split},
    desk::shared_out,
};
use listening::Listened;
use performance::{Lull, Played};
use worth::{Fixed, Report, Worth};

/// Silences that a rule without a model may wait for, in seconds.
const SILENCES: [f32; 7] = [0.25, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0];
/// Patiences of the curve: from 0 to 1 in so many steps.
const STEPS: u16 = 20;
/// What *Silence* is by default, at 120 beats a minute: then the plugin takes the floor in any case.
const LONGEST: Seconds = Seconds(2.0);

pub fn run(arguments: &Arguments) -> Result<()> {
    let models = match &arguments.model[..] {
        [] => vec![weights::embedded()[0].clone()],
        chosen => crate::models::load(chosen)?,
    };
    let [model] = &models[..] else { bail!("one model takes the floor: give a single `--model`") };
    if arguments.fit {
        return fit::run(arguments, model);
    }
    let heard = hear(model, &files(arguments, Split::Validation)?)?;
    let minutes = heard.iter().map(|heard| heard.minutes).sum();
    let listened: Vec<&Listened> = heard.iter().flat_map(|heard| &heard.listened).collect();
    let worth = |patience| {
        let take_over = |listened: &&Listened| {
            let expected = listened.take_over(patience).unwrap_or(LONGEST);
            (listened.lull, Some(expected.min(LONGEST)))
        };
        Worth::of(minutes, listened.iter().map(take_over))
    };
    let all: Vec<Lull> = heard.iter().flat_map(|heard| heard.lulls.iter().copied()).collect();
    let fixed = SILENCES
        .map(|silence_s| Fixed { silence_s, worth: Worth::of_silence(minutes, &all, Seconds(silence_s)) });
    let default = Patience::DEFAULT;
    let patiences = (0..=STEPS).map(|step| Patience::saturating(f32::from(step) / f32::from(STEPS)));
    let curve: Vec<(f32, Worth)> = patiences.map(|patience| (patience.part(), worth(patience))).collect();
    if let Some(path) = &arguments.picture {
        let title = format!(
            "{}: wrong take-overs and waiting, {minutes:.0} minutes of real performances",
            model.name()
        );
        picture::draw(path, &title, &curve, default.part(), &fixed)?;
    }
    match arguments.json {
        true => {
            let report =
                Report { worth: worth(default), patience: default.part(), fixed_rules: fixed.to_vec() };
            println!("{}", serde_json::to_string_pretty(&report)?);
        }
        false => print!("{}", worth::table(&curve, default.part(), &fixed)),
    }
    Ok(())
}

/// A performance, and what the model made of it.
struct Heard {
    minutes: f64,
    /// All of them, even the shortest.
    lulls: Vec<Lull>,
    /// Those in which the plugin could take the floor.
    listened: Vec<Listened>,
}

/// The files that are asked for, evenly spaced if not all are.
fn files(arguments: &Arguments, split: Split) -> Result<Vec<PathBuf>> {
    let split = arguments.split.or(corpus::has_list(&arguments.data).then_some(split));
    let all = corpus::find(&arguments.data, split)?;
    let count = arguments.files.map_or(all.len(), |count| count as usize).min(all.len());
    Ok((0..count).map(|n| all[n * all.len() / count].clone()).collect())
}

fn hear(model: &Arc<dyn Model>, files: &[PathBuf]) -> Result<Vec<Heard>> {
    let bar = progress(model.name(), files.len());
    let heard = shared_out(files, |file: &PathBuf| {
        let heard = hear_file(model, file)?;
        bar.inc(1);
        Ok(heard)
    })?;
    bar.finish_and_clear();
    ensure!(heard.iter().any(|heard| heard.minutes > 0.0), "there are no notes: give MIDI files with notes");
    Ok(heard)
}

fn hear_file(model: &Arc<dyn Model>, file: &Path) -> Result<Heard> {
    let notes = performance::read(file)?;
    let end = notes.iter().map(|played: &Played| played.key_up.0).fold(0.0, f64::max);
    let lulls = performance::lulls(&notes);
    let mattering: Vec<Lull> = lulls.iter().copied().filter(Lull::matters).collect();
    let listened = listening::listen(model, &notes, &mattering);
    Ok(Heard { minutes: end / 60.0, lulls, listened })
}
