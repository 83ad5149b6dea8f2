//! `evaluate --continuations`: how a model plays on from real music, at the plugin's default settings, and how like
//! that music it is.
//!
//! What to expect on MAESTRO's validation split: of the true continuation, which sets the marks, 0.72 for pitch classes
//! and 0.74 for intervals; of antiphon 0.68 and 0.73; of a stretch of another piece 0.53 and 0.52; of a classic 0.64 and
//! less than 0.3. With 200 prompts, another seed moves a likeness by 0.01 and a density by 0.03.

mod likeness;
mod played;
mod prompt;
pub mod repertoire;
mod row;
mod trial;

use std::sync::Arc;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use antiphon::{model::Model, music::note::RelativeNote, params::AntiphonParams};

use super::{Arguments, music, progress, training};
use crate::{
    corpus::{self, Convention},
    models,
};
use likeness::Likeness;
use prompt::Prompt;
use repertoire::Repertoire;
use row::Row;
pub use trial::Tries;
use trial::Try;

/// So many prompts, unless more or fewer are asked for.
const PROMPTS: u32 = 200;

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
        let repertoire = training(arguments, |files| corpus::read(files, convention))?
            .map(|train| Repertoire::of(&train.pieces));
        let trial = Trial { prompts, repertoire, convention };
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
        false => print!("{}", row::table(&rows)),
    }
    Ok(())
}

/// What all models go through.
struct Trial {
    prompts: Vec<Prompt>,
    /// What the models may have learnt by heart, if that is known.
    repertoire: Option<Repertoire>,
    convention: Convention,
}

impl Trial {
    fn of_model(&self, model: &Arc<dyn Model>, how: &Try) -> Result<Row> {
        let name = format!("{}{}", model.name(), how.name);
        let bar = progress(&format!("{name} {}", self.convention), self.prompts.len());
        let defaults = AntiphonParams::default().snapshot();
        // Each prompt is a turn of one take: chance moves on as it does for a player.
        let one = |(turn, prompt): (usize, &Prompt)| {
            let seed = defaults.seed(u32::try_from(turn).unwrap_or(u32::MAX), 0);
            let next = played::on(model, how.manner, seed, &prompt.heard);
            bar.inc(1);
            ensure!(!next.is_empty(), "{} has no answer to what it has heard", model.name());
            Ok(self.likeness(prompt, &next))
        };
        let all = self.prompts.par_iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        Ok(Row::mean(&name, self.convention, &all))
    }

    fn of_music(&self, name: &str, next: impl Fn(&Prompt) -> Option<&[RelativeNote]> + Sync) -> Row {
        let one = |prompt| next(prompt).map(|next| self.likeness(prompt, next));
        let all: Vec<_> = self.prompts.par_iter().filter_map(one).collect();
        Row::mean(name, self.convention, &all)
    }

    fn likeness(&self, prompt: &Prompt, next: &[RelativeNote]) -> Likeness {
        Likeness::new(&prompt.call, next, self.repertoire.as_ref())
    }
}
