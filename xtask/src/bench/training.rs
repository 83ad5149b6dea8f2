//! How many notes a second two LSTMs learn from, beside the same in PyTorch and in candle-nn.

use std::{collections::BTreeMap, process::Command, time::Instant};

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor, Var};
use serde::Serialize;

use antiphon::{
    desk::{Desk, side_by_side},
    model::lstm::Lstm,
};

use crate::train::{
    Variables,
    descent::{Descent, Method},
};

/// What every contestant learns: B sequences of T notes, I numbers each, through two layers of H units; the loss is the
/// mean square of what comes out. The peers in `benches/peers` have the same numbers.
const BATCH: usize = 64;
const TIME: usize = 128;
const INPUTS: usize = 128;
const LAYERS: usize = 2;
const HIDDEN: [usize; 3] = [128, 256, 512];
const RATE: f64 = 1e-3;
/// Rounds of each contestant, one after the other, so that what else the machine does meets all alike.
const TURNS: usize = 3;
const STEPS: usize = 4;

/// By size, such as `2x128`.
type Speeds = BTreeMap<String, f64>;

#[derive(Serialize)]
pub struct Training {
    /// Notes a second, with gradients and a step of Adam.
    pub train_notes_per_s: Speeds,
    pub peers: Peers,
}

/// Empty unless asked for.
#[derive(Default, Serialize)]
pub struct Peers {
    pub candle_nn: Speeds,
    pub pytorch: Speeds,
}

/// The median of some turns of each. `with_peers` installs them under `target/` first.
pub fn measure(with_peers: bool) -> Result<Training> {
    let (mut ours, mut candle, mut torch) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(each(fused)?);
        if with_peers {
            candle.push(by_peer("candle")?);
            torch.push(by_peer("torch")?);
        }
    }
    let peers = Peers { candle_nn: median(&candle), pytorch: median(&torch) };
    Ok(Training { train_notes_per_s: median(&ours), peers })
}

fn each(speed: impl Fn(usize) -> Result<f64>) -> Result<Speeds> {
    HIDDEN.iter().map(|&hidden| Ok((format!("{LAYERS}x{hidden}"), speed(hidden)?))).collect()
}

fn median(turns: &[Speeds]) -> Speeds {
    let Some(first) = turns.first() else { return Speeds::new() };
    let of = |name: &String| {
        let mut speeds: Vec<f64> = turns.iter().map(|turn| turn[name]).collect();
        speeds.sort_by(f64::total_cmp);
        (name.clone(), speeds[speeds.len() / 2])
    };
    first.keys().map(of).collect()
}

/// Ours, as a training uses it: a desk for each thread.
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
    let desk = |_| Ok(Desk::new(Tensor::rand(-1f32, 1.0, (BATCH / threads, TIME, INPUTS), &Device::Cpu)?)?);
    let mut desks = (0..threads).map(desk).collect::<Result<Vec<_>>>()?;
    let mut descent = Descent::new(&variables, Method::Adam, 0.0)?;
    speed(STEPS, || {
        let gradients = side_by_side(&mut desks, |x| -> Result<_> {
            let mut hidden = x.clone();
            for lstm in &lstms {
                let state = Tensor::zeros((2, hidden.dim(0)?, lstm.w_hh.dim(1)?), DType::F32, &Device::Cpu)?;
                hidden = lstm.forward(&hidden, &state)?.0;
            }
            Ok((hidden.sqr()?.sum_all()? / (BATCH * TIME) as f64)?.backward()?)
        })?;
        descent.step(&gradients.iter().collect::<Vec<_>>(), RATE)
    })
}

/// Notes a second; the first step warms up.
fn speed(steps: usize, mut step: impl FnMut() -> Result<()>) -> Result<f64> {
    step()?;
    let begun = Instant::now();
    for _ in 0..steps {
        step()?;
    }
    Ok((steps * BATCH * TIME) as f64 / begun.elapsed().as_secs_f64())
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
