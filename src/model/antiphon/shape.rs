//! What the network is made of.

use super::{
    scene::{self, ENDS, HEARD, RECENT},
    vocabulary::{STEPS, VELOCITIES},
};
use crate::{
    model::preset::{LSTM, lstm_tensor},
    music::note::Key,
};

pub const NAME: &str = "antiphon";
/// Notes that the attention reads.
pub const MEMORY: usize = 150;
/// Units of each LSTM, and of the context that the heads read.
pub const HIDDEN: usize = 256;
/// An LSTM and an attention each.
pub const LAYERS: usize = 2;
/// What a heard note is made into.
pub const EMBEDDING: usize = 256;
pub const ATTENTION_HEADS: usize = 4;
/// Numbers of each head of the attention.
pub const HEAD: usize = 32;
/// All heads of the attention together.
pub const ATTENTION: usize = ATTENTION_HEADS * HEAD;

/// What tells one attribute of the next note: two layers over the context and the attributes before.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub name: &'static str,
    /// How many features it is told of.
    pub told: usize,
    pub hidden: usize,
    pub outputs: usize,
}

/// In the order in which a note is chosen.
pub const HEADS: [Head; 4] = [
    Head { name: "step", told: 0, hidden: 256, outputs: STEPS },
    Head { name: "pitch", told: scene::KEY + RECENT, hidden: 384, outputs: Key::COUNT },
    Head { name: "velocity", told: scene::VELOCITY, hidden: 192, outputs: VELOCITIES },
    Head { name: "duration", told: scene::LENGTH, hidden: 256, outputs: ENDS },
];

/// Every tensor of a model file with its shape.
pub fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut tensors = vec![("hear.table".to_owned(), vec![HEARD, EMBEDDING])];
    let mut affine = |name: &str, outputs: usize, inputs: usize| {
        tensors.push((format!("{name}.weight"), vec![outputs, inputs]));
        tensors.push((format!("{name}.bias"), vec![outputs]));
    };
    for layer in 0..LAYERS {
        affine(&format!("attention.{layer}.query"), ATTENTION, HIDDEN);
        affine(&format!("attention.{layer}.key"), ATTENTION, HIDDEN);
        affine(&format!("attention.{layer}.value"), ATTENTION, EMBEDDING);
        affine(&format!("attention.{layer}.output"), HIDDEN, ATTENTION);
    }
    for head in HEADS {
        affine(&format!("{}.hidden", head.name), head.hidden, HIDDEN);
        affine(head.name, head.outputs, head.hidden);
    }
    let told = HEADS.iter().filter(|head| head.told > 0);
    tensors.extend(told.map(|head| (format!("{}.table", head.name), vec![head.told, head.hidden])));
    for layer in 0..LAYERS {
        tensors.push((format!("attention.{layer}.age"), vec![ATTENTION_HEADS, MEMORY + 1]));
        let inputs = if layer == 0 { EMBEDDING } else { HIDDEN };
        let shapes = [vec![4 * HIDDEN, inputs], vec![4 * HIDDEN, HIDDEN], vec![4 * HIDDEN]];
        tensors.extend(LSTM.into_iter().zip(shapes).map(|(part, shape)| (lstm_tensor(layer, part), shape)));
    }
    tensors
}
