//! `bench`: how long a model's step takes, how many notes a second the fused LSTM learns from, beside its peers, and how
//! soon an answer is there.

mod training;
mod turns;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use rand::SeedableRng;
use serde::Serialize;

use antiphon::{
    model::{Chance, Limits, Model, Taste, weights},
    music::{
        grid::GridNote,
        note::{Key, Velocity},
    },
};

use self::{training::Training, turns::Turns};

const STEPS: usize = 5000;

/// Measure a model's step and the speed of training, or how soon answers are there.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Measure the model of a file besides the embedded ones; repeatable
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,
    /// Print one object that a machine may read
    #[arg(long)]
    json: bool,
    /// Also train in PyTorch and in candle-nn, which are installed under target/ the first time
    #[arg(long)]
    peers: bool,
    /// Measure instead how soon the first notes of so many answers are there, and how many notes are late, in eight plugins
    /// that play in real time: 1,000 turns take six minutes
    #[arg(long, value_name = "N", conflicts_with_all = ["model", "peers"],
          value_parser = clap::value_parser!(u32).range(1..=8_000))]
    turns: Option<u32>,
}

#[derive(Serialize)]
struct Report {
    /// One note heard and the next one drawn, by the slowest model.
    step_us: Spread,
    #[serde(flatten)]
    training: Training,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    p99: f64,
}

impl Spread {
    /// Of at least one number, in order of size.
    fn of(sorted: &[f64]) -> Self {
        let within = |share: usize| sorted[(sorted.len() * share).div_ceil(100) - 1];
        Self { median: within(50), p99: within(99) }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match arguments.turns {
        Some(turns) => answers(turns, arguments),
        None => steps(arguments),
    }
}

fn answers(turns: u32, arguments: &Arguments) -> Result<()> {
    let progress = if arguments.json { ProgressBar::hidden() } else { ProgressBar::new(turns.into()) };
    let turns: Turns = turns::measure(turns, &progress)?;
    progress.finish_and_clear();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "turns": turns }))?);
    } else {
        turns.tell();
    }
    Ok(())
}

fn steps(arguments: &Arguments) -> Result<()> {
    let mut models = weights::embedded().to_vec();
    for path in &arguments.model {
        let named = || format!("cannot play {}", path.display());
        models.push(weights::load(&fs::read(path).with_context(named)?).with_context(named)?);
    }
    let steps: Vec<_> = models.iter().map(|model| (model.name().to_owned(), step(&**model))).collect();
    let slowest = steps.iter().map(|&(_, spread)| spread).max_by(|a, b| a.median.total_cmp(&b.median));
    let report = Report {
        step_us: slowest.expect("there are embedded models"),
        training: training::measure(arguments.peers)?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    for (name, Spread { median, p99 }) in steps {
        println!("{name}: one note heard and one drawn in {median:.1} µs, 99 % within {p99:.1} µs");
    }
    let Training { train_notes_per_s, peers } = &report.training;
    for (size, speed) in train_notes_per_s {
        print!("LSTMs {size} learn from {speed:.0} notes/s");
        for (peer, speeds) in [("candle-nn", &peers.candle_nn), ("PyTorch", &peers.pytorch)] {
            if let Some(theirs) = speeds.get(size) {
                print!(", {peer}'s from {theirs:.0} ({:.1} times as fast)", speed / theirs);
            }
        }
        println!();
    }
    Ok(())
}

fn step(model: &dyn Model) -> Spread {
    let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
    let mut note = GridNote {
        step: 10,
        duration: 30,
        key: Key::saturating(60),
        velocity: Velocity::saturating(64),
        conditions: Default::default(),
    };
    let mut times: Vec<f64> = (0..STEPS)
        .map(|_| {
            let begun = Instant::now();
            model.hear(&mut state, note);
            note = model.draw(&mut state, &Taste::PLAIN, &Limits::NONE, &mut chance).into();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Spread::of(&times)
}
