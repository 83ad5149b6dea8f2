//! What stays the same in a training.

use anyhow::Result;

use antiphon::model::{Preset, classic, weights};

use super::{
    Arguments, Plan,
    card::{self, Card, Corpus, Origin, Run, Scores},
    command, descent,
    material::Material,
    output::Output,
    progress::{Length, Progress},
    terms::Terms,
};
use crate::score::Score;

pub struct Task<'a> {
    pub arguments: &'a Arguments,
    pub preset: Preset,
    pub plan: Plan,
    pub length: Length,
    pub material: Material,
    pub output: Output,
    pub origin: Origin,
    pub terms: Terms,
}

impl Task<'_> {
    /// The card of the weights at some point, with a score on so many files.
    pub fn card(&self, status: String, progress: &Progress, files: usize, score: &Score) -> Result<Card> {
        let Self { arguments, preset, .. } = self;
        let runs = self.origin.and(&self.run(progress))?;
        Ok(Card {
            name: self.output.name(),
            preset: preset.name(),
            representation: weights::REPRESENTATION,
            parameters: preset.parameters(),
            license: arguments.license.clone(),
            status,
            minutes: card::minutes(&runs),
            notes_seen: card::notes_seen(&runs),
            corpus: self.corpus(),
            scores: Scores::new(files, score),
            training: runs,
        })
    }

    fn corpus(&self) -> Corpus {
        let Self { arguments, material, .. } = self;
        Corpus {
            name: arguments.corpus.clone(),
            split: material.scored_on.to_string(),
            files: material.training.pieces.len(),
            notes: material.notes(),
            convention: arguments.convention.to_string(),
            longest_s: matches!(self.preset, Preset::Classic(_)).then_some(classic::LONGEST.0),
        }
    }

    fn run(&self, progress: &Progress) -> Run {
        let Self { arguments, plan, .. } = self;
        let ours = self.preset == Preset::Antiphon;
        Run {
            begins_with: self.origin.name.clone(),
            command: command::to_begin(),
            corpus: arguments.corpus.clone(),
            seed: arguments.seed,
            minutes: (progress.minutes() * 10.0).round() / 10.0,
            notes_seen: progress.notes,
            steps: progress.steps,
            batch: plan.batch,
            window: plan.window,
            rate: plan.rate,
            varied: ours.then_some(arguments.varied),
            slipped: ours.then_some(arguments.slipped),
            dropout: ours.then_some(plan.dropout),
            method: plan.method,
            decay: plan.decay,
            longest_gradient: descent::LONGEST_GRADIENT,
        }
    }
}
