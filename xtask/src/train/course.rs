//! A training from its first step to its card.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use antiphon::model::{Preset, classic, weights};

use super::{
    Arguments, Plan,
    beginning::Variables,
    checkpoint, descent,
    material::Material,
    pupil::{Lesson, Pupil},
};
use crate::{corpus::GridNote, score::Score};

const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(120);
/// What is scored between checkpoints: enough to see the trend, and quick.
const GLANCE_PIECES: usize = 16;
const GLANCE_NOTES: usize = 1500;

/// One training: what learns, from what, and how far it is.
pub struct Course<'a> {
    pub arguments: &'a Arguments,
    pub preset: Preset,
    pub material: &'a Material,
    pub variables: Variables,
    pub pupil: Box<dyn Pupil>,
    pub plan: Plan,
    pub steps: usize,
    pub notes: usize,
}

impl Course<'_> {
    /// Learns until time is over or Ctrl-C, then scores and writes the card.
    pub fn run(&mut self) -> Result<()> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).context("Ctrl-C cannot be caught")?;
        let apart = self.material.validation.len().div_ceil(GLANCE_PIECES);
        let glance: Vec<Vec<GridNote>> = self.material.validation.iter().step_by(apart).cloned().collect();
        let glance: Vec<_> = glance
            .into_iter()
            .map(|mut piece| {
                piece.truncate(GLANCE_NOTES);
                piece
            })
            .collect();
        let limit = Duration::from_secs_f64(self.arguments.minutes.clamp(0.0, 1e6) * 60.0);
        let (begun, mut saved) = (Instant::now(), Instant::now());
        let bar = progress(limit);
        while begun.elapsed() < limit && !stopped.load(Ordering::Relaxed) {
            let rate = self.rate(begun.elapsed().div_duration_f64(limit));
            let lesson = self.pupil.learn(rate)?;
            self.steps += 1;
            self.notes += lesson.notes;
            let told = told(&lesson, self.speed(begun.elapsed()));
            bar.set_position(begun.elapsed().as_secs());
            bar.set_message(told.clone());
            if saved.elapsed() > BETWEEN_CHECKPOINTS {
                saved = Instant::now();
                self.save()?;
                println!("{told}  rate {rate:.1e}, validation: {}", self.pupil.score(&glance)?);
            }
        }
        bar.finish_and_clear();
        self.save()?;
        self.finish(begun.elapsed())?;
        if stopped.load(Ordering::Relaxed) {
            println!("stopped early: go on with `--init {}`", self.arguments.output.display());
        }
        Ok(())
    }

    /// A short warm-up, then the highest rate, and at the end down to nothing in a line: what has been learnt at the
    /// highest rate can be learnt further another time (Hägele et al., 2024). `passed` is the part of the time that is
    /// over.
    fn rate(&self, passed: f64) -> f64 {
        const WARM_UP_STEPS: f64 = 200.0;
        const DESCENT_FROM: f64 = 0.65;
        let warmth = ((self.steps + 1) as f64 / WARM_UP_STEPS).min(1.0);
        let left = ((1.0 - passed) / (1.0 - DESCENT_FROM)).clamp(0.0, 1.0);
        self.plan.rate * warmth.min(left)
    }

    fn save(&self) -> Result<()> {
        checkpoint::write_weights(&self.arguments.output, &self.name(), self.preset, &self.variables)
    }

    /// The file's own name: what the plugin shows.
    fn name(&self) -> String {
        self.arguments
            .output
            .file_stem()
            .map_or(self.preset.name().into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Notes seen so far, and notes a second.
    fn speed(&self, elapsed: Duration) -> (usize, f64) {
        (self.notes, self.notes as f64 / elapsed.as_secs_f64())
    }

    fn finish(&self, elapsed: Duration) -> Result<()> {
        let score = self.pupil.score(&self.material.validation)?;
        println!("validation: {score} on all {} notes to score on", score.notes);
        let card = self.card(elapsed, &score);
        checkpoint::write_card(&self.arguments.output, &card)?;
        println!("wrote {} and its card", self.arguments.output.display());
        Ok(())
    }

    fn card(&self, elapsed: Duration, score: &Score) -> checkpoint::Card {
        let arguments = self.arguments;
        let given: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
        checkpoint::Card {
            name: self.name(),
            preset: self.preset.name(),
            representation: weights::REPRESENTATION,
            parameters: self.preset.parameters(),
            license: arguments.license.clone(),
            command: format!("cargo xtask {}", given.join(" ")),
            corpus: checkpoint::Corpus {
                name: arguments.corpus.clone(),
                split: self.material.scored_on.to_string(),
                files: self.material.training.len(),
                notes: self.material.notes(),
                convention: arguments.convention.to_string(),
                longest_s: matches!(self.preset, Preset::Classic(_)).then_some(classic::LONGEST.0),
            },
            training: checkpoint::Training {
                seed: arguments.seed,
                begins_with: arguments
                    .init
                    .as_ref()
                    .map_or("chance".into(), |path| path.display().to_string()),
                minutes: (elapsed.as_secs_f64() / 6.0).round() / 10.0,
                notes_seen: self.notes,
                steps: self.steps,
                batch: self.plan.batch,
                window: self.plan.window,
                rate: self.plan.rate,
                longest_gradient: descent::LONGEST_GRADIENT,
            },
            scores: checkpoint::Scores::new(self.material.validation.len(), score),
        }
    }
}

fn told(lesson: &Lesson, (seen, speed): (usize, f64)) -> String {
    format!("{seen} notes, {speed:.0}/s, {}", lesson.loss)
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

fn progress(limit: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {elapsed} of {len} s, {eta} left  {msg}");
    ProgressBar::new(limit.as_secs()).with_style(style.expect("the template is well formed"))
}
