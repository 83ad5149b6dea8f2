//! `evaluate --continuations`: how a model plays on from real music, at the plugin's default settings, and
//! how similar to that music the result is.
//!
//! Similarities to expect on MAESTRO's validation split, for pitch classes and for intervals: the true
//! continuation, which is the reference, 0.72 and 0.74; antiphon 0.68 and 0.73; a stretch of another piece
//! 0.53 and 0.52; a classic 0.64 and less than 0.3. With 200 prompts, another seed moves a similarity by 0.01
//! and a density by 0.03.

mod prompt;
mod similarity;

use std::sync::Arc;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;

use antiphon::{
    model::Model,
    music::{
        generation::{GenerationSettings, Thousandths},
        note::RelativeNote,
    },
    params::AntiphonParams,
};

use super::{Arguments, music, progress, suffix_array::SuffixArray, training};
use crate::{
    continuation::{continued, up_to_one, up_to_two},
    corpus::{self, Convention},
    models,
    table::{columns, number},
};
use prompt::{NEXT, Prompt};
use similarity::Similarity;

/// Default number of prompts.
const PROMPTS: u32 = 200;

/// Settings to try instead of the plugin's defaults, in every combination of their values.
#[derive(Debug, clap::Args)]
pub struct Tries {
    /// The temperature of all choices, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    temperature: Vec<Thousandths>,
    /// Multiplies the temperature of the keys, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    pitch_temperature: Vec<Thousandths>,
    /// Multiplies the temperature of steps and durations, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    timing_temperature: Vec<Thousandths>,
    /// How likely a choice must be beside the likeliest one, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    focus: Vec<Thousandths>,
    /// How far dynamics are drawn towards the prompt's last ones, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    velocity_follow: Vec<Thousandths>,
    /// How far the notes are drawn towards the prompt's pace, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    pace_follow: Vec<Thousandths>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let models = models::load(&arguments.model)?;
    let conventions = match &arguments.convention[..] {
        [] => &[Convention::Sustained],
        chosen => chosen,
    };
    let count = arguments.prompts.unwrap_or(PROMPTS);
    let mut rows = Vec::new();
    for &convention in conventions {
        let pieces = music(arguments, |files| corpus::read(files, convention))?.pieces;
        let prompts = prompt::drawn(&pieces, count, arguments.seed.unwrap_or(0))?;
        let learnt = training(arguments, |files| corpus::read(files, convention))?
            .map(|train| SuffixArray::of(&train.pieces));
        let trial = Trial { prompts, learnt, convention };
        for model in &models {
            for one in arguments.tries.all() {
                rows.push(trial.of_model(model, &one)?);
            }
        }
        rows.push(trial.of_music("true continuation", |prompt| Some(&prompt.next)));
        rows.push(trial.of_music("another piece", |prompt| prompt.elsewhere.as_deref()));
    }
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&rows)?),
        false => print!("{}", table(&rows)),
    }
    Ok(())
}

/// The trial that all models go through.
struct Trial {
    prompts: Vec<Prompt>,
    /// The notes that the models may have learnt by heart, if they are known.
    learnt: Option<SuffixArray>,
    convention: Convention,
}

impl Trial {
    fn of_model(&self, model: &Arc<dyn Model>, how: &Try) -> Result<Row> {
        let name = format!("{}{}", model.name(), how.name);
        let bar = progress(&format!("{name} {}", self.convention), self.prompts.len());
        let defaults = AntiphonParams::default().snapshot();
        // Each prompt is a turn of one take: the seed moves on as it does for a player.
        let one = |(turn, prompt): (usize, &Prompt)| {
            let seed = defaults.seed(u32::try_from(turn).unwrap_or(u32::MAX), 0);
            let next = continued(model, how.generation, seed, &prompt.heard, NEXT);
            bar.inc(1);
            ensure!(!next.is_empty(), "{} has no answer to what it has heard", model.name());
            Ok(self.similarity(prompt, &next))
        };
        let all = self.prompts.par_iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        Ok(Row::mean(&name, self.convention, &all))
    }

    fn of_music(&self, name: &str, next: impl Fn(&Prompt) -> Option<&[RelativeNote]> + Sync) -> Row {
        let one = |prompt| next(prompt).map(|next| self.similarity(prompt, next));
        let all: Vec<_> = self.prompts.par_iter().filter_map(one).collect();
        Row::mean(name, self.convention, &all)
    }

    fn similarity(&self, prompt: &Prompt, next: &[RelativeNote]) -> Similarity {
        Similarity::new(&prompt.call, next, self.learnt.as_ref())
    }
}

/// The settings of one try, and a name for what differs from the plugin's defaults.
#[derive(Debug, Clone, PartialEq)]
struct Try {
    generation: GenerationSettings,
    name: String,
}

impl Tries {
    /// All combinations of settings; only the defaults where nothing else is asked for.
    fn all(&self) -> Vec<Try> {
        let defaults = AntiphonParams::default().snapshot().generation;
        let mut tries = vec![Try { generation: defaults, name: String::new() }];
        let fields: [Field; 6] = [
            ("temperature", &self.temperature, |generation| &mut generation.temperature),
            ("pitch", &self.pitch_temperature, |generation| &mut generation.pitch_temperature),
            ("timing", &self.timing_temperature, |generation| &mut generation.timing_temperature),
            ("focus", &self.focus, |generation| &mut generation.focus),
            ("follow", &self.velocity_follow, |generation| &mut generation.velocity_follow),
            ("pace", &self.pace_follow, |generation| &mut generation.pace_follow),
        ];
        for (name, numbers, field) in fields {
            if !numbers.is_empty() {
                tries = tries.iter().flat_map(|before| varied(before, name, numbers, field)).collect();
            }
        }
        tries
    }
}

type Field<'a> = (&'a str, &'a [Thousandths], fn(&mut GenerationSettings) -> &mut Thousandths);

fn varied(
    before: &Try,
    name: &str,
    numbers: &[Thousandths],
    field: fn(&mut GenerationSettings) -> &mut Thousandths,
) -> Vec<Try> {
    let one = |&number: &Thousandths| {
        let mut generation = before.generation;
        *field(&mut generation) = number;
        Try { generation, name: format!("{} {name} {}", before.name, number.value()) }
    };
    numbers.iter().map(one).collect()
}

/// Means over all prompts; `None` where there is nothing to compare with.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    model: String,
    convention: String,
    pitch_class: Option<f64>,
    register: Option<f64>,
    interval: Option<f64>,
    velocity: Option<f64>,
    density: Option<f64>,
    /// The share of continuations that have a loop.
    loops: Option<f64>,
    /// Length in notes of the longest run of all continuations that stands in the training data.
    longest_train_run: Option<usize>,
    /// The share of continuations that are far denser or sparser than their prompt.
    off_density: Option<f64>,
    /// The mean number of long silences in a continuation.
    long_silences: Option<f64>,
    prompts: usize,
    notes: usize,
}

impl Row {
    fn mean(model: &str, convention: Convention, all: &[Similarity]) -> Self {
        let mean = |of: &dyn Fn(&Similarity) -> f64| {
            (!all.is_empty()).then(|| all.iter().map(of).sum::<f64>() / all.len() as f64)
        };
        Self {
            model: model.to_owned(),
            convention: convention.to_string(),
            pitch_class: mean(&|one| one.pitch_class),
            register: mean(&|one| one.register),
            interval: mean(&|one| one.interval),
            velocity: mean(&|one| one.velocity),
            density: mean(&|one| one.density),
            loops: mean(&|one| f64::from(one.has_loop)),
            longest_train_run: all.iter().filter_map(|one| one.train_run).max(),
            off_density: mean(&|one| f64::from(one.is_off_density)),
            long_silences: mean(&|one| one.long_silences as f64),
            prompts: all.len(),
            notes: all.iter().map(|one| one.notes).sum(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.model.clone(), self.convention.clone()];
        cells.extend([self.pitch_class, self.register, self.interval, self.velocity].map(number));
        cells.extend([self.density, self.loops].map(number));
        cells.push(self.longest_train_run.map_or("-".to_owned(), |notes| notes.to_string()));
        cells.extend([self.off_density, self.long_silences].map(number));
        cells.extend([self.prompts, self.notes].map(|count| count.to_string()));
        cells
    }
}

/// The rows in columns.
fn table(rows: &[Row]) -> String {
    let head = ["model", "convention", "pitch class", "register", "interval", "velocity", "density", "loops"];
    let head = head.into_iter().chain(["train run", "off density", "long silences", "prompts", "notes"]);
    let head = head.map(str::to_owned).collect();
    columns(&[vec![head], rows.iter().map(Row::cells).collect()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::assert_documented;

    const NONE: Tries = Tries {
        temperature: Vec::new(),
        pitch_temperature: Vec::new(),
        timing_temperature: Vec::new(),
        focus: Vec::new(),
        velocity_follow: Vec::new(),
        pace_follow: Vec::new(),
    };

    #[test]
    fn without_a_wish_the_plugins_defaults_are_played() {
        let all = NONE.all();
        assert_eq!(
            all,
            [Try { generation: AntiphonParams::default().snapshot().generation, name: String::new() }]
        );
    }

    #[test]
    fn each_number_is_tried_with_each_of_the_others() {
        let numbers = |numbers: &[f32]| numbers.iter().map(|&number| Thousandths::of(number)).collect();
        let all =
            Tries { focus: numbers(&[0.0, 0.1]), timing_temperature: numbers(&[0.9, 1.0, 1.1]), ..NONE }
                .all();
        assert_eq!(all.len(), 6);
        assert_eq!(all[5].name, " timing 1.1 focus 0.1");
        assert_eq!(
            (all[5].generation.timing_temperature.value(), all[5].generation.focus.value()),
            (1.1, 0.1)
        );
    }

    fn row(all: &[Similarity]) -> serde_json::Value {
        serde_json::to_value(Row::mean("mine", Convention::Sustained, all)).expect("a row is plain numbers")
    }

    fn similarity(share: f64, has_loop: bool, train_run: Option<usize>) -> Similarity {
        Similarity {
            pitch_class: share,
            register: share,
            interval: share,
            velocity: share,
            density: 2.0 * share,
            is_off_density: false,
            has_loop,
            long_silences: 1,
            train_run,
            notes: 100,
        }
    }

    #[test]
    fn shares_are_means_and_the_longest_run_is_the_longest() {
        let row = row(&[similarity(0.25, false, Some(7)), similarity(0.75, true, Some(3))]);
        for share in ["pitch_class", "register", "interval", "velocity", "loops"] {
            assert_eq!(row[share], 0.5, "{share}");
        }
        assert_eq!((&row["density"], &row["long_silences"]), (&1.0.into(), &1.0.into()));
        assert_eq!((&row["longest_train_run"], &row["off_density"]), (&7.into(), &0.0.into()));
        assert_eq!((&row["prompts"], &row["notes"]), (&2.into(), &200.into()));
    }

    #[test]
    fn programs_are_told_what_they_read() {
        assert_documented("evaluate --continuations", &row(&[similarity(0.5, false, None)]));
    }

    #[test]
    fn what_cannot_be_known_is_null() {
        assert!(row(&[similarity(0.5, false, None)])["longest_train_run"].is_null());
        assert!(row(&[])["pitch_class"].is_null());
    }
}
