//! Measures the training speed of two LSTMs of candle-nn in notes per second: the peer of
//! `xtask/src/bench.rs`, with the same sizes.

use std::{error::Error, time::Instant};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap, rnn::RNN};

const BATCH: usize = 64;
const TIME: usize = 128;
const INPUTS: usize = 128;
const LAYERS: usize = 2;
const RATE: f64 = 1e-3;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut speeds = serde_json::Map::new();
    for hidden in [128, 256, 512] {
        speeds.insert(format!("{LAYERS}x{hidden}"), speed(hidden)?.into());
    }
    println!("{}", serde_json::Value::Object(speeds));
    Ok(())
}

/// Notes per second of one step. The step takes half a minute for the largest network, and needs no warm-up.
fn speed(hidden: usize) -> Result<f64> {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let layer = |layer: usize| {
        let inputs = if layer == 0 { INPUTS } else { hidden };
        candle_nn::rnn::lstm(inputs, hidden, Default::default(), builder.pp(layer))
    };
    let lstms = (0..LAYERS).map(layer).collect::<Result<Vec<_>>>()?;
    let params = ParamsAdamW { lr: RATE, weight_decay: 0.0, ..Default::default() };
    let mut adam = AdamW::new(map.all_vars(), params)?;
    let mut sequence = Tensor::rand(-1f32, 1.0, (BATCH, TIME, INPUTS), &Device::Cpu)?;
    let begun = Instant::now();
    for lstm in &lstms {
        let states = lstm.seq(&sequence)?;
        sequence = Tensor::stack(&states.iter().map(|state| state.h().clone()).collect::<Vec<_>>(), 1)?;
    }
    adam.step(&sequence.sqr()?.mean_all()?.backward()?)?;
    Ok((BATCH * TIME) as f64 / begun.elapsed().as_secs_f64())
}
