//! A baseline over whole sequences, with gradients: for training and scoring.

use candle_core::{Result, Tensor};

use super::preset::{self, Preset};
use crate::{
    model::{affine::Affine, lstm::Lstm},
    music::note::Key,
};

/// The network as a graph over tensors that may be variables.
#[derive(Debug, Clone)]
pub struct Network {
    preset: Preset,
    lstms: Vec<Lstm>,
    dense: Option<Affine>,
    heads: [Affine; 3],
}

/// What the heads say after each note.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// (N, 128)
    pub logits: Tensor,
    /// (N), seconds.
    pub step: Tensor,
    /// (N), seconds.
    pub duration: Tensor,
}

impl Network {
    /// Builds the graph from the tensors of [`Preset::tensors`], asked for by name.
    pub fn new(preset: Preset, tensor: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [pitch, step, duration] = preset::HEADS.map(|head| Affine::named(head, &tensor));
        Ok(Self {
            preset,
            lstms: (0..preset.layers).map(|layer| Lstm::numbered(layer, &tensor)).collect::<Result<_>>()?,
            dense: preset.dense.map(|_| Affine::named("dense", &tensor)).transpose()?,
            heads: [pitch?, step?, duration?],
        })
    }

    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The states of all LSTMs before the first note of `batch` sequences.
    pub fn silence(&self, batch: usize) -> Result<Vec<Tensor>> {
        let state = |lstm: &Lstm| {
            Tensor::zeros((2, batch, self.preset.hidden), lstm.bias.dtype(), lstm.bias.device())
        };
        self.lstms.iter().map(state).collect()
    }

    /// What was known *before* each of the notes `x` (B, T, 3), as (B, T, H), and the states after them.
    pub fn listen(&self, x: &Tensor, states: &[Tensor]) -> Result<(Tensor, Vec<Tensor>)> {
        let mut hidden = x.clone();
        let mut after = Vec::with_capacity(states.len());
        for (lstm, state) in self.lstms.iter().zip(states) {
            let (outputs, state) = lstm.forward(&hidden, state)?;
            hidden = outputs;
            after.push(state);
        }
        let before = states[states.len() - 1].get(0)?.unsqueeze(1)?;
        let time = x.dim(1)?;
        let known = match time {
            1 => before,
            _ => Tensor::cat(&[before, hidden.narrow(1, 0, time - 1)?], 1)?,
        };
        Ok((known, after))
    }

    /// What the heads say of `hidden` (N, H).
    pub fn predict(&self, hidden: &Tensor) -> Result<Prediction> {
        let hidden = match &self.dense {
            Some(dense) => dense.forward(hidden)?.relu()?,
            None => hidden.clone(),
        };
        // One product for all heads: two of them are a single row each.
        let weights: Vec<&Tensor> = self.heads.iter().map(|head| &head.weight).collect();
        let biases: Vec<&Tensor> = self.heads.iter().map(|head| &head.bias).collect();
        let heads = Affine { weight: Tensor::cat(&weights, 0)?, bias: Tensor::cat(&biases, 0)? };
        let all = heads.forward(&hidden)?;
        Ok(Prediction {
            logits: all.narrow(1, 0, Key::COUNT)?,
            step: all.narrow(1, Key::COUNT, 1)?.squeeze(1)?,
            duration: all.narrow(1, Key::COUNT + 1, 1)?.squeeze(1)?,
        })
    }
}
