//! `bench`: how long a model's step takes, and how many notes a second the fused LSTM learns from, beside candle-nn's.

use std::time::Instant;

use anyhow::Result;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap, rnn::RNN};
use rand::SeedableRng;
use serde::Serialize;

use antiphon::{
    model::{Chance, Model, Taste, lstm::Lstm, weights},
    music::{
        note::{Key, RelativeNote, Velocity},
        time::Seconds,
    },
};

const STEPS: usize = 5000;
/// Sequences, notes and units of the layer that learns: classic-150's upper one.
const BATCH: usize = 32;
const WINDOW: usize = 150;
const HIDDEN: usize = 128;

/// Measure a model's step and the speed of training.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one object that a machine may read
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    /// One note heard and the next one drawn, by the slowest embedded model.
    step_us: Spread,
    train_notes_per_s: Speeds,
}

#[derive(Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    p99: f64,
}

#[derive(Serialize)]
struct Speeds {
    fused: f64,
    candle_nn: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let steps: Vec<_> =
        weights::embedded().iter().map(|model| (model.name().to_owned(), step(&**model))).collect();
    let slowest = steps.iter().map(|&(_, spread)| spread).max_by(|a, b| a.median.total_cmp(&b.median));
    let report = Report {
        step_us: slowest.expect("there are embedded models"),
        train_notes_per_s: Speeds { fused: fused()?, candle_nn: by_candle()? },
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    for (name, Spread { median, p99 }) in steps {
        println!("{name}: one note heard and one drawn in {median:.1} µs, 99 % within {p99:.1} µs");
    }
    let Speeds { fused, candle_nn } = report.train_notes_per_s;
    println!("an LSTM({HIDDEN}) learns from {fused:.0} notes/s; candle-nn's from {candle_nn:.0}");
    Ok(())
}

fn step(model: &dyn Model) -> Spread {
    let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
    let taste = Taste { temperature: 1.0 };
    let mut note = RelativeNote {
        step: Seconds(0.1),
        duration: Seconds(0.3),
        key: Key::saturating(60),
        velocity: Velocity::saturating(64),
    };
    let mut times: Vec<f64> = (0..STEPS)
        .map(|_| {
            let begun = Instant::now();
            model.hear(&mut state, note);
            note = model.draw(&mut state, &taste, Seconds::ZERO, &mut chance);
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Spread { median: times[STEPS / 2], p99: times[STEPS * 99 / 100] }
}

fn fused() -> Result<f64> {
    let random = |rows, columns| Var::rand(-0.1f32, 0.1, (rows, columns), &Device::Cpu);
    let (w_ih, w_hh) = (random(4 * HIDDEN, HIDDEN)?, random(4 * HIDDEN, HIDDEN)?);
    let bias = Var::zeros(4 * HIDDEN, DType::F32, &Device::Cpu)?;
    let lstm = Lstm {
        w_ih: w_ih.as_tensor().clone(),
        w_hh: w_hh.as_tensor().clone(),
        bias: bias.as_tensor().clone(),
    };
    let state = Tensor::zeros((2, BATCH, HIDDEN), DType::F32, &Device::Cpu)?;
    speed(20, |x| Ok(lstm.forward(x, &state)?.0))
}

fn by_candle() -> Result<f64> {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let lstm = candle_nn::rnn::lstm(HIDDEN, HIDDEN, Default::default(), builder)?;
    speed(2, |x| {
        let states = lstm.seq(x)?;
        let hidden: Vec<_> = states.iter().map(|state| state.h().clone()).collect();
        Ok(Tensor::stack(&hidden, 1)?)
    })
}

/// Notes a second, forwards and backwards; the first round warms up.
fn speed(rounds: usize, forward: impl Fn(&Tensor) -> Result<Tensor>) -> Result<f64> {
    let x = Tensor::rand(-1f32, 1.0, (BATCH, WINDOW, HIDDEN), &Device::Cpu)?;
    let round = || -> Result<()> {
        forward(&x)?.sqr()?.sum_all()?.backward()?;
        Ok(())
    };
    round()?;
    let begun = Instant::now();
    for _ in 0..rounds {
        round()?;
    }
    Ok((rounds * BATCH * WINDOW) as f64 / begun.elapsed().as_secs_f64())
}
