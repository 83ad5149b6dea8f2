//! What the network is made of.

use super::{
    scene::{self, ENDS, HEARD},
    vocabulary::{TIMES, VELOCITIES},
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
pub const LAYERS: usize = 2;
/// What a heard note is made into.
const EMBEDDING: usize = 192;
pub const ATTENTION_HEADS: usize = 4;
/// Numbers of each head of the attention.
pub const HEAD: usize = 32;
/// All heads of the attention together.
pub const ATTENTION: usize = ATTENTION_HEADS * HEAD;

/// What tells one attribute of the next note: two layers over the context and the attributes before.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub name: &'static str,
    /// How many numbers it reads of the note.
    pub told: usize,
    hidden: usize,
    pub outputs: usize,
}

/// In the order in which a note is chosen.
pub const HEADS: [Head; 4] = [
    Head { name: "step", told: 0, hidden: 192, outputs: TIMES },
    Head { name: "pitch", told: scene::KEY, hidden: 256, outputs: Key::COUNT },
    Head { name: "velocity", told: scene::VELOCITY, hidden: 128, outputs: VELOCITIES },
    Head { name: "duration", told: scene::LENGTH, hidden: 192, outputs: ENDS },
];

/// Every tensor of a model file with its shape.
pub fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut tensors = vec![("attention.age".to_owned(), vec![ATTENTION_HEADS, MEMORY + 1])];
    for layer in 0..LAYERS {
        let inputs = if layer == 0 { EMBEDDING } else { HIDDEN };
        let shapes = [vec![4 * HIDDEN, inputs], vec![4 * HIDDEN, HIDDEN], vec![4 * HIDDEN]];
        tensors.extend(LSTM.into_iter().zip(shapes).map(|(part, shape)| (lstm_tensor(layer, part), shape)));
    }
    let mut affine = |name: &str, outputs: usize, inputs: usize| {
        tensors.push((format!("{name}.weight"), vec![outputs, inputs]));
        tensors.push((format!("{name}.bias"), vec![outputs]));
    };
    affine("hear", EMBEDDING, HEARD);
    affine("attention.query", ATTENTION, HIDDEN);
    affine("attention.key", ATTENTION, HIDDEN);
    affine("attention.value", ATTENTION, EMBEDDING);
    affine("attention.output", HIDDEN, ATTENTION);
    for head in HEADS {
        affine(&format!("{}.hidden", head.name), head.hidden, HIDDEN + head.told);
        affine(head.name, head.outputs, head.hidden);
    }
    tensors
}
