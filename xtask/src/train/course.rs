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

use antiphon::model::{classic, classic::Preset, weights};

use super::{
    Arguments,
    beginning::Variables,
    checkpoint,
    material::Material,
    step::{self, Learner, Loss},
    windows::Windows,
};
use crate::{
    corpus::GridNote,
    score::{self, Score},
};

const LAST_RATE: f64 = 1e-4;
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
    pub learner: Learner,
    pub windows: Windows,
    pub window: usize,
    pub steps: usize,
}

impl Course<'_> {
    /// Learns until time is over or Ctrl-C, then scores and writes the card.
    pub fn run(&mut self) -> Result<()> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).context("Ctrl-C cannot be caught")?;
        let glance: Vec<Vec<GridNote>> =
            self.material.validation.iter().take(GLANCE_PIECES).cloned().collect();
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
            let loss = self.learner.learn(&self.windows.next()?, rate)?;
            self.steps += 1;
            self.show(&bar, loss, begun.elapsed());
            if saved.elapsed() > BETWEEN_CHECKPOINTS {
                saved = Instant::now();
                self.save()?;
                let score = score::unbounded(&self.learner.network, &glance, |_| ())?;
                println!("{}  rate {rate:.1e}, {}", told(loss, self.speed(begun.elapsed())), scored(&score));
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

    /// A short warm-up, then down along a cosine. `passed` is the part of the time that is over.
    fn rate(&self, passed: f64) -> f64 {
        const WARM_UP_STEPS: f64 = 100.0;
        let highest = self.arguments.rate;
        let warmth = ((self.steps + 1) as f64 / WARM_UP_STEPS).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * passed.min(1.0)).cos());
        let lowest = LAST_RATE.min(highest);
        warmth * (lowest + (highest - lowest) * cosine)
    }

    fn save(&self) -> Result<()> {
        checkpoint::write_weights(&self.arguments.output, &self.name(), self.preset, &self.variables)
    }

    /// The file's own name: what the plugin shows.
    fn name(&self) -> String {
        self.arguments
            .output
            .file_stem()
            .map_or(self.preset.name.into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Notes seen so far, and notes a second.
    fn speed(&self, elapsed: Duration) -> (usize, f64) {
        let seen = self.steps * self.arguments.batch * self.window;
        (seen, seen as f64 / elapsed.as_secs_f64())
    }

    fn show(&self, bar: &ProgressBar, loss: Loss, elapsed: Duration) {
        bar.set_position(elapsed.as_secs());
        bar.set_message(told(loss, self.speed(elapsed)));
    }

    fn finish(&self, elapsed: Duration) -> Result<()> {
        let score = score::unbounded(&self.learner.network, &self.material.validation, |_| ())?;
        println!("{} on all {} notes to score on", scored(&score), score.notes);
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
            preset: self.preset.name,
            representation: weights::REPRESENTATION,
            parameters: self.preset.parameters(),
            license: arguments.license.clone(),
            command: format!("cargo xtask {}", given.join(" ")),
            corpus: checkpoint::Corpus {
                name: arguments.corpus.clone(),
                split: self.material.split.into(),
                files: self.material.training.len(),
                notes: self.material.training.iter().map(Vec::len).sum(),
                convention: arguments.convention.to_string(),
                longest_s: classic::LONGEST.0,
            },
            training: checkpoint::Training {
                seed: arguments.seed,
                begins_with: arguments
                    .init
                    .as_ref()
                    .map_or("chance".into(), |path| path.display().to_string()),
                minutes: (elapsed.as_secs_f64() / 6.0).round() / 10.0,
                notes_seen: self.speed(elapsed).0,
                steps: self.steps,
                batch: arguments.batch,
                window: self.window,
                rate: arguments.rate,
                last_rate: LAST_RATE,
                longest_gradient: step::LONGEST_GRADIENT,
            },
            scores: checkpoint::Scores {
                files: self.material.validation.len(),
                notes: score.notes,
                pitch_nats: rounded(score.pitch()),
                step_mae_s: rounded(score.step_mae()),
                duration_mae_s: rounded(score.duration_mae()),
            },
        }
    }
}

fn told(loss: Loss, (seen, speed): (usize, f64)) -> String {
    let Loss { pitch, step, duration } = loss;
    format!("{seen} notes, {speed:.0}/s, pitch {pitch:.3}, step {step:.4}, duration {duration:.4}")
}

fn scored(score: &Score) -> String {
    let (pitch, step, duration) = (score.pitch(), score.step_mae(), score.duration_mae());
    format!("validation: pitch {pitch:.4} nats, step ±{step:.4} s, duration ±{duration:.4} s")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn progress(limit: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {elapsed} of {len} s, {eta} left  {msg}");
    ProgressBar::new(limit.as_secs()).with_style(style.expect("the template is well formed"))
}
