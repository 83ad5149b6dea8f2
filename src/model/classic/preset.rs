//! What the baselines are made of.

use crate::{
    model::preset::{Named, affine_tensors, lstm_tensors},
    music::{note::Key, time::Seconds},
};

/// Pitch, step, duration.
pub const INPUTS: usize = 3;
/// The heads, in the order in which their numbers stand.
pub const HEADS: [&str; 3] = ["pitch", "step", "duration"];
/// Longer steps and durations are heard and learnt as this: the square of one long rest would outweigh a
/// thousand notes.
pub const LONGEST: Seconds = Seconds(4.0);

pub const CLASSIC_25: Preset = Preset { name: "classic-25", window: 25, layers: 1, hidden: 128, dense: None };
pub const CLASSIC_150: Preset =
    Preset { name: "classic-150", window: 150, layers: 2, hidden: 128, dense: Some(256) };

/// The shape of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    /// Notes.
    pub window: usize,
    pub layers: usize,
    /// Units of each LSTM.
    pub hidden: usize,
    /// Units of the layer between the last LSTM and the heads.
    pub dense: Option<usize>,
}

impl Preset {
    /// How many numbers an LSTM hears besides its own past.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 { INPUTS } else { self.hidden }
    }

    /// Every tensor of a model file with its shape.
    pub fn tensors(&self) -> Vec<Named> {
        let lstms = (0..self.layers).flat_map(|layer| lstm_tensors(layer, self.hidden, self.inputs(layer)));
        let dense = self.dense.into_iter().flat_map(|dense| affine_tensors("dense", dense, self.hidden));
        let read = self.dense.unwrap_or(self.hidden);
        let heads = HEADS.into_iter().zip([Key::COUNT, 1, 1]);
        let heads = heads.flat_map(|(head, outputs)| affine_tensors(head, outputs, read));
        lstms.chain(dense).chain(heads).collect()
    }
}

/// A note as the networks read it.
pub fn features(key: Key, step: Seconds, duration: Seconds) -> [f32; INPUTS] {
    [f32::from(key.number()) / 128.0, bounded(step).0, bounded(duration).0]
}

/// Within 0..=[`LONGEST`]; what is not a number is 0.
pub fn bounded(time: Seconds) -> Seconds {
    time.max(Seconds::ZERO).min(LONGEST)
}
