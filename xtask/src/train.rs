//! `train`: from MIDI files to a model file and its card.
//!
//! What to expect on MAESTRO's validation split: a uniform guess costs 4.85 nats a pitch, the histogram 4.02, the key
//! before 3.75; `classic-150` passes 3.75 within minutes.

mod beginning;
mod checkpoint;
mod step;
mod windows;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rand::{SeedableRng, seq::SliceRandom};

use antiphon::model::{
    Chance,
    classic::{Network, Preset},
    weights,
};

use crate::{
    corpus::{self, Convention, GridNote, Split},
    score::{self, Score},
};
use beginning::Variables;
use step::{Learner, Loss};
use windows::Windows;

const LAST_RATE: f64 = 1e-4;
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(120);
/// What is scored between checkpoints: enough to see the trend, and quick.
const GLANCE_PIECES: usize = 16;
const GLANCE_NOTES: usize = 1500;

/// Train a model on MIDI files and write its weights with a card.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// classic-25 or classic-150
    #[arg(long)]
    preset: String,
    /// MIDI file, folder of them, or MAESTRO csv or folder (its train split is used); repeatable
    #[arg(long, required = true)]
    data: Vec<PathBuf>,
    /// What to score on [default: MAESTRO's validation split, or a tenth of the files]
    #[arg(long)]
    validation: Vec<PathBuf>,
    /// Where to write the weights; the card goes beside them
    #[arg(long)]
    output: PathBuf,
    /// How long to train
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A model file to begin with
    #[arg(long)]
    init: Option<PathBuf>,
    /// Windows side by side
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Notes in a window [default: the preset's]
    #[arg(long)]
    window: Option<usize>,
    /// The highest learning rate; it falls along a cosine
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
    /// The corpus as the card names it
    #[arg(long, default_value = "private MIDI files")]
    corpus: String,
    /// The license of the weights: the strictest of the corpus
    #[arg(long, default_value = "not stated")]
    license: String,
}

pub fn run(arguments: Arguments) -> Result<()> {
    let Some(preset) = Preset::named(&arguments.preset) else {
        bail!("the preset `{}` is unknown: choose classic-25 or classic-150", arguments.preset);
    };
    if arguments.batch < 2 || arguments.window == Some(0) || arguments.minutes.is_nan() {
        bail!("`--batch` must be at least 2, `--window` at least 1 and `--minutes` a number");
    }
    checkpoint::try_path(&arguments.output)?;
    let mut chance = Chance::seed_from_u64(arguments.seed);
    let data = Data::read(&arguments, &mut chance)?;
    println!(
        "{} files and {} notes to learn from, {} files and {} notes to score on",
        data.training.len(),
        count(&data.training),
        data.validation.len(),
        count(&data.validation)
    );
    let variables = match &arguments.init {
        None => beginning::drawn(preset, &mut chance)?,
        Some(path) => begin_with(path, preset)?,
    };
    let network = Network::new(preset, |name| Ok(variables[name].as_tensor().clone()))?;
    let learner = Learner::new(network, &variables, arguments.batch)?;
    let window = arguments.window.unwrap_or(preset.window);
    let windows = Windows::new(data.training.clone(), arguments.batch, window, chance)?;
    let mut run =
        Run { arguments: &arguments, preset, data: &data, variables, learner, windows, window, steps: 0 };
    run.learn()
}

/// Notes on the grid, file by file.
struct Data {
    training: Vec<Vec<GridNote>>,
    validation: Vec<Vec<GridNote>>,
    split: &'static str,
}

impl Data {
    fn read(arguments: &Arguments, chance: &mut Chance) -> Result<Self> {
        let read = |sources: &[PathBuf], split| -> Result<Vec<Vec<GridNote>>> {
            let mut files = Vec::new();
            for source in sources {
                files.extend(corpus::find(source, split)?);
            }
            let corpus = corpus::read(&files, arguments.convention)?;
            corpus.warn();
            if corpus.notes() == 0 {
                bail!("there are no notes in {}: give MIDI files with notes", sources[0].display());
            }
            Ok(corpus.pieces.iter().map(corpus::Piece::on_grid).collect())
        };
        let listed = arguments.data.iter().all(|source| corpus::has_list(source));
        if !arguments.validation.is_empty() {
            let training = read(&arguments.data, listed.then_some(Split::Train))?;
            return Ok(Self {
                training,
                validation: read(&arguments.validation, None)?,
                split: "given files",
            });
        }
        if listed {
            let training = read(&arguments.data, Some(Split::Train))?;
            let validation = read(&arguments.data, Some(Split::Validation))?;
            return Ok(Self { training, validation, split: "MAESTRO's train and validation" });
        }
        let mut training = read(&arguments.data, None)?;
        training.shuffle(chance);
        let held_out = (training.len() / 10).max(1);
        // A single file must serve for both.
        let validation =
            if training.len() > 1 { training.split_off(training.len() - held_out) } else { training.clone() };
        Ok(Self { training, validation, split: "a tenth of the files held out" })
    }
}

fn begin_with(path: &PathBuf, preset: Preset) -> Result<Variables> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let weights = weights::read(&bytes).with_context(|| path.display().to_string())?;
    if weights.preset != preset {
        bail!(
            "{} is a {}, not a {}: choose the same `--preset`",
            path.display(),
            weights.preset.name,
            preset.name
        );
    }
    beginning::of(&weights)
}

fn count(pieces: &[Vec<GridNote>]) -> usize {
    pieces.iter().map(Vec::len).sum()
}

struct Run<'a> {
    arguments: &'a Arguments,
    preset: Preset,
    data: &'a Data,
    variables: Variables,
    learner: Learner,
    windows: Windows,
    window: usize,
    steps: usize,
}

impl Run<'_> {
    fn learn(&mut self) -> Result<()> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).context("Ctrl-C cannot be caught")?;
        let glance: Vec<Vec<GridNote>> = self.data.validation.iter().take(GLANCE_PIECES).cloned().collect();
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
        let score = score::unbounded(&self.learner.network, &self.data.validation, |_| ())?;
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
                split: self.data.split.into(),
                files: self.data.training.len(),
                notes: count(&self.data.training),
                convention: arguments.convention.to_string(),
                longest_s: antiphon::model::classic::LONGEST.0,
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
                files: self.data.validation.len(),
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
