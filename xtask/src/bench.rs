//! `bench`: how long a model's step takes, how many notes a second the fused LSTM learns from, beside its
//! peers, and how soon an answer is ready.

mod turns;

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, time::Instant};

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor, Var};
use indicatif::ProgressBar;
use rand::SeedableRng;
use serde::Serialize;

use antiphon::{
    model::{Limits, Model, Rng, SamplingSettings, lstm::Lstm, product::Precision, registry},
    music::note::{GridNote, Key, Velocity},
    thread_pool::{PoolThread, run_each},
};

use crate::train::{
    Variables,
    optimiser::{Method, Optimiser},
};

/// Number of steps to measure of each model. In each, one note is heard and one is drawn.
const MODEL_STEPS: usize = 5000;
/// The minibatch that every contestant learns: 64 sequences of 128 notes with 128 numbers each, through two
/// layers of 128, 256 or 512 units. The loss is the mean square of the output. The peers in `benches/peers`
/// use the same numbers.
const BATCH: usize = 64;
const TIME: usize = 128;
const INPUTS: usize = 128;
const LAYERS: usize = 2;
const HIDDEN: [usize; 3] = [128, 256, 512];
const RATE: f64 = 1e-3;
/// Number of rounds of each contestant. They take turns, so that other load of the machine affects all alike.
const ROUNDS: usize = 3;
const TRAINING_STEPS: usize = 4;

/// Measure a model's step and the speed of training, or how soon answers are there.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Measure the model of a file besides the embedded ones; repeatable
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Also train in PyTorch and in candle-nn, which are installed under target/ the first time
    #[arg(long)]
    peers: bool,
    /// Measure instead how soon the first notes of N answers are ready, and how many notes are late, in eight
    /// plugins that play in real time: 1,000 turns take six minutes
    #[arg(long, value_name = "N", conflicts_with_all = ["model", "peers"],
          value_parser = clap::value_parser!(u32).range(1..=8_000))]
    turns: Option<u32>,
}

#[derive(Serialize)]
struct Report {
    /// Time in µs to hear one note and draw the next, of the slowest model.
    step_us: Spread,
    #[serde(flatten)]
    training: TrainingSpeed,
}

/// Notes a second by the size of the network, such as `2x128`.
type Speeds = BTreeMap<String, f64>;

#[derive(Serialize)]
struct TrainingSpeed {
    /// Training speed of our LSTM in notes a second, with gradients and a step of Adam.
    train_notes_per_s: Speeds,
    peers: Peers,
}

/// Training speeds of the peers; empty unless asked for.
#[derive(Default, Serialize)]
struct Peers {
    candle_nn: Speeds,
    pytorch: Speeds,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    p99: f64,
}

impl Spread {
    /// The spread of at least one number; the numbers are sorted.
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
    let turns = turns::measure(turns, &progress)?;
    progress.finish_and_clear();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "turns": turns }))?);
    } else {
        turns.tell();
    }
    Ok(())
}

fn steps(arguments: &Arguments) -> Result<()> {
    let mut models = registry::embedded().to_vec();
    for path in &arguments.model {
        let named = || format!("cannot play {}", path.display());
        models.push(registry::load(&fs::read(path).with_context(named)?).with_context(named)?);
    }
    let steps: Vec<_> = models.iter().map(|model| (model.name().to_owned(), step(&**model))).collect();
    let slowest = steps.iter().map(|&(_, spread)| spread).max_by(|a, b| a.median.total_cmp(&b.median));
    let report = Report {
        step_us: slowest.expect("there are embedded models"),
        training: training_speed(arguments.peers)?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    for (name, Spread { median, p99 }) in steps {
        println!("{name}: one note heard and one drawn in {median:.1} µs, 99 % within {p99:.1} µs");
    }
    let TrainingSpeed { train_notes_per_s, peers } = &report.training;
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
    let (mut state, mut rng) = (model.initial_state(), Rng::seed_from_u64(1));
    let mut note = GridNote {
        step: 10,
        duration: 30,
        key: Key::saturating(60),
        velocity: Velocity::saturating(64),
        conditions: Default::default(),
    };
    let mut times: Vec<f64> = (0..MODEL_STEPS)
        .map(|_| {
            let begun = Instant::now();
            model.hear(&mut state, note);
            note = model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng).into();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Spread::of(&times)
}

/// The median speed of each contestant over some rounds. `with_peers` first installs the peers under
/// `target/`.
fn training_speed(with_peers: bool) -> Result<TrainingSpeed> {
    let (mut ours, mut candle, mut torch) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(each(fused)?);
        if with_peers {
            candle.push(by_peer("candle")?);
            torch.push(by_peer("torch")?);
        }
    }
    let peers = Peers { candle_nn: median(&candle), pytorch: median(&torch) };
    Ok(TrainingSpeed { train_notes_per_s: median(&ours), peers })
}

fn each(speed: impl Fn(usize) -> Result<f64>) -> Result<Speeds> {
    HIDDEN.iter().map(|&hidden| Ok((format!("{LAYERS}x{hidden}"), speed(hidden)?))).collect()
}

fn median(rounds: &[Speeds]) -> Speeds {
    let Some(first) = rounds.first() else { return Speeds::new() };
    let of = |name: &String| {
        let mut speeds: Vec<f64> = rounds.iter().map(|round| round[name]).collect();
        speeds.sort_by(f64::total_cmp);
        (name.clone(), speeds[speeds.len() / 2])
    };
    first.keys().map(of).collect()
}

/// The training speed of our fused LSTM, as a training uses it: one shard of the minibatch for each thread.
fn fused(hidden: usize) -> Result<f64> {
    let mut variables = Variables::new();
    for layer in 0..LAYERS {
        let inputs = if layer == 0 { INPUTS } else { hidden };
        for (name, columns) in [("w_ih", inputs), ("w_hh", hidden), ("bias", 1)] {
            let var = Var::rand(-0.1f32, 0.1, (4 * hidden, columns), &Device::Cpu)?;
            variables.insert(format!("{layer}.{name}"), var);
        }
    }
    let part = |layer: usize, name: &str| variables[&format!("{layer}.{name}")].as_tensor().clone();
    let lstm = |layer| -> Result<Lstm> {
        Ok(Lstm {
            w_ih: part(layer, "w_ih"),
            w_hh: part(layer, "w_hh"),
            bias: part(layer, "bias").squeeze(1)?,
        })
    };
    let lstms = (0..LAYERS).map(lstm).collect::<Result<Vec<_>>>()?;
    let threads = rayon::current_num_threads();
    let thread =
        |_| Ok(PoolThread::new(Tensor::rand(-1f32, 1.0, (BATCH / threads, TIME, INPUTS), &Device::Cpu)?)?);
    let mut threads = (0..threads).map(thread).collect::<Result<Vec<_>>>()?;
    let mut optimiser = Optimiser::new(&variables, Method::Adam, 0.0)?;
    speed(|| {
        let gradients = run_each(&mut threads, |x| -> Result<_> {
            let mut hidden = x.clone();
            for lstm in &lstms {
                let state = Tensor::zeros((2, hidden.dim(0)?, lstm.w_hh.dim(1)?), DType::F32, &Device::Cpu)?;
                hidden = lstm.forward(&hidden, &state, Precision::Mixed)?.0;
            }
            Ok((hidden.sqr()?.sum_all()? / (BATCH * TIME) as f64)?.backward()?)
        })?;
        optimiser.step(&gradients.iter().collect::<Vec<_>>(), RATE)
    })
}

/// Notes a second; the first step only warms up.
fn speed(mut step: impl FnMut() -> Result<()>) -> Result<f64> {
    step()?;
    let begun = Instant::now();
    for _ in 0..TRAINING_STEPS {
        step()?;
    }
    Ok((TRAINING_STEPS * BATCH * TIME) as f64 / begun.elapsed().as_secs_f64())
}

fn by_peer(name: &str) -> Result<Speeds> {
    let output = Command::new("benches/peers/run.sh")
        .arg(name)
        .output()
        .context("benches/peers/run.sh cannot be run: start from the project's folder")?;
    if !output.status.success() {
        bail!("the peer `{name}` does not run: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::assert_documented;

    #[test]
    fn what_is_printed_for_programs_is_documented() {
        let spread = Spread { median: 1.0, p99: 2.0 };
        let training = TrainingSpeed { train_notes_per_s: Speeds::new(), peers: Peers::default() };
        let report = serde_json::to_value(Report { step_us: spread, training });
        assert_documented("bench", &report.expect("plain numbers"));
        let turns =
            turns::Turns { turns: 1, answered: 1, notes: 2, late: 0, first_note_ms: spread, worst_ms: 2.0 };
        assert_documented("bench --turns", &serde_json::json!({ "turns": turns }));
    }
}
