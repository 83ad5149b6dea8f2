//! `bench`: how long a model's step takes, and how many notes a second the fused LSTM learns from, beside its peers.

mod training;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use rand::SeedableRng;
use serde::Serialize;

use antiphon::{
    model::{Chance, Limits, Model, Taste, weights},
    music::{
        grid::GridNote,
        note::{Key, Velocity},
    },
};

use training::Training;

const STEPS: usize = 5000;

/// Measure a model's step and the speed of training.
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
}

#[derive(Serialize)]
struct Report {
    /// One note heard and the next one drawn, by the slowest model.
    step_us: Spread,
    #[serde(flatten)]
    training: Training,
}

#[derive(Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    p99: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
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
    let mut note =
        GridNote { step: 10, duration: 30, key: Key::saturating(60), velocity: Velocity::saturating(64) };
    let mut times: Vec<f64> = (0..STEPS)
        .map(|_| {
            let begun = Instant::now();
            model.hear(&mut state, note);
            note = model.draw(&mut state, &Taste::PLAIN, &Limits::NONE, &mut chance).into();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Spread { median: times[STEPS / 2], p99: times[STEPS * 99 / 100] }
}
