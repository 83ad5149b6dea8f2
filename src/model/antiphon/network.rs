//! The network over whole sequences, with gradients: for training and scoring.

use std::sync::{Arc, OnceLock};

use candle_core::{D, DType, Device, Result, Tensor};

use super::{
    attention::Attention,
    page::Page,
    scene::HEARD,
    shape::{ATTENTION, HEADS, HIDDEN, LAYERS, MEMORY},
};
use crate::model::{
    affine::Affine,
    lstm::Lstm,
    preset::{LSTM, lstm_tensor},
};

/// The network as a graph over tensors that may be variables.
#[derive(Debug, Clone)]
pub struct Network {
    hear: Affine,
    lstms: Vec<Lstm>,
    query: Affine,
    key: Affine,
    value: Affine,
    output: Affine,
    /// (heads, M + 1)
    age: Tensor,
    /// Both layers of each head.
    heads: Vec<[Affine; 2]>,
}

/// What is known of B sequences after some of their notes. Carries no gradient.
#[derive(Debug, Clone)]
pub struct Past {
    /// Of each LSTM, (2, B, H).
    states: Vec<Tensor>,
    /// (B, M, 2A), the newest last.
    pairs: Tensor,
    /// How many of a sequence's pairs there are.
    heard: Vec<usize>,
}

impl Past {
    pub fn silence(batch: usize) -> Result<Self> {
        let zeros = |shape: (usize, usize, usize)| Tensor::zeros(shape, DType::F32, &Device::Cpu);
        Ok(Self {
            states: (0..LAYERS).map(|_| zeros((2, batch, HIDDEN))).collect::<Result<_>>()?,
            pairs: zeros((batch, MEMORY, 2 * ATTENTION))?,
            heard: vec![0; batch],
        })
    }

    /// The first sequences alone.
    pub fn first(&self, batch: usize) -> Result<Self> {
        Ok(Self {
            states: self.states.iter().map(|state| state.narrow(1, 0, batch)).collect::<Result<_>>()?,
            pairs: self.pairs.narrow(0, 0, batch)?,
            heard: self.heard[..batch].to_vec(),
        })
    }

    /// Silences the sequences that do not go on.
    pub fn going_on(&self, rows: &[bool]) -> Result<Self> {
        let kept: Vec<f32> = rows.iter().map(|&goes_on| f32::from(u8::from(goes_on))).collect();
        let kept = Tensor::from_vec(kept, (1, rows.len(), 1), &Device::Cpu)?;
        let states = self.states.iter().map(|state| state.broadcast_mul(&kept));
        let heard = self.heard.iter().zip(rows).map(|(&heard, &goes_on)| if goes_on { heard } else { 0 });
        Ok(Self { states: states.collect::<Result<_>>()?, pairs: self.pairs.clone(), heard: heard.collect() })
    }
}

impl Network {
    /// Builds the graph from the tensors of [`super::tensors`], asked for by name.
    pub fn new(tensor: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let affine = |name: &str| -> Result<Affine> {
            Ok(Affine { weight: tensor(&format!("{name}.weight"))?, bias: tensor(&format!("{name}.bias"))? })
        };
        let lstm = |layer| -> Result<Lstm> {
            let [w_ih, w_hh, bias] = LSTM.map(|part| tensor(&lstm_tensor(layer, part)));
            Ok(Lstm { w_ih: w_ih?, w_hh: w_hh?, bias: bias? })
        };
        let head = |name: &str| Ok([affine(&format!("{name}.hidden"))?, affine(name)?]);
        Ok(Self {
            hear: affine("hear")?,
            lstms: (0..LAYERS).map(lstm).collect::<Result<_>>()?,
            query: affine("attention.query")?,
            key: affine("attention.key")?,
            value: affine("attention.value")?,
            output: affine("attention.output")?,
            age: tensor("attention.age")?,
            heads: HEADS.iter().map(|each| head(each.name)).collect::<Result<_>>()?,
        })
    }

    /// What was known *before* each of the notes `heard` (B, T, [`HEARD`]), as (N, H), and what is known after them.
    pub fn listen(&self, heard: &Tensor, past: &Past) -> Result<(Tensor, Past)> {
        let (batch, time, _) = heard.dims3()?;
        let embedding = self.hear.forward(&heard.reshape((batch * time, HEARD))?)?;
        let mut hidden = embedding.reshape((batch, time, ()))?;
        let mut states = Vec::with_capacity(LAYERS);
        for (lstm, state) in self.lstms.iter().zip(&past.states) {
            let (outputs, state) = lstm.forward(&hidden, state)?;
            hidden = outputs;
            states.push(state);
        }
        let before = past.states[LAYERS - 1].get(0)?.unsqueeze(1)?;
        let known = Tensor::cat(&[before, hidden.narrow(1, 0, time - 1)?], 1)?.flatten(0, 1)?;
        // The key is what was known before a note, the value is that note: what came after a moment like this.
        let newer = Tensor::cat(&[self.key.forward(&known)?, self.value.forward(&embedding)?], 1)?;
        let pairs = Tensor::cat(&[&past.pairs, &newer.reshape((batch, time, 2 * ATTENTION))?], 1)?;
        let queries = self.query.forward(&known)?.reshape((batch, time, ATTENTION))?;
        let op = Attention { heard: past.heard.clone(), trace: Arc::new(OnceLock::new()) };
        let seen = queries.apply_op3(&pairs, &self.age, op)?.flatten(0, 1)?;
        let context = normalised(&(known + self.output.forward(&seen)?)?)?;
        let heard = past.heard.iter().map(|&heard| MEMORY.min(heard + time)).collect();
        let pairs = pairs.detach().narrow(1, time, MEMORY)?.contiguous()?;
        Ok((context, Past { states, pairs, heard }))
    }

    /// What each note of a page costs in nats: step, pitch, velocity and duration, each (N).
    pub fn nats(&self, context: &Tensor, page: &Page) -> Result<[Tensor; 4]> {
        let told = page.heard.flatten(0, 1)?;
        let nats = |n: usize| {
            let logits = self.logits(n, context, &told)?;
            log_sum_exp(&(&logits + &page.possible[n])?)? - log_sum_exp(&(&logits + &page.truth[n])?)?
        };
        Ok([nats(0)?, nats(1)?, nats(2)?, nats(3)?])
    }

    /// What head `n` says after `context` (N, H) and those of the numbers `told` (N, [`HEARD`]) that it may read.
    fn logits(&self, n: usize, context: &Tensor, told: &Tensor) -> Result<Tensor> {
        let [first, second] = &self.heads[n];
        let read = match HEADS[n].told {
            0 => context.clone(),
            told_of => Tensor::cat(&[context, &told.narrow(1, 0, told_of)?], 1)?,
        };
        second.forward(&first.forward(&read)?.relu()?)
    }
}

/// Each row with mean 0 and variance 1: what follows is affine, so it needs no weights of its own.
fn normalised(x: &Tensor) -> Result<Tensor> {
    const TINY: f64 = 1e-5;
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + TINY)?.sqrt()?)
}

/// (N, C) to (N). The largest number cancels out, so it needs no gradient.
fn log_sum_exp(x: &Tensor) -> Result<Tensor> {
    let top = x.detach().max_keepdim(1)?;
    let sum = x.broadcast_sub(&top)?.exp()?.sum(1)?;
    sum.log()? + top.squeeze(1)?
}
