//! What the network is made of.

use super::{
    experts::EXPERTS,
    scene::{self, ENDS, HEARD, RECENT},
    vocabulary::{STEPS, VELOCITIES},
};
use crate::{
    model::preset::{Named, affine_tensors, lstm_tensors},
    music::note::Key,
};

pub const NAME: &str = "antiphon";
/// Notes that the attention reads: M.
pub const MEMORY: usize = 150;
/// Units of each LSTM, and of the context that the heads read: H.
pub const HIDDEN: usize = 256;
/// An LSTM and an attention each.
pub const LAYERS: usize = 2;
/// What a heard note is made into.
pub const EMBEDDING: usize = 256;
pub const ATTENTION_HEADS: usize = 4;
/// Numbers of a query, a key or a value of one head of the attention.
pub const HEAD_WIDTH: usize = 32;
/// The same of all heads together: A.
pub const ATTENTION: usize = ATTENTION_HEADS * HEAD_WIDTH;

/// What tells one attribute of the next note: two layers over the context and the attributes before.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub name: &'static str,
    /// How many features it is told of.
    pub told: usize,
    pub hidden: usize,
    /// Logits: of the choices, then of the experts for places, where it tells a time.
    pub outputs: usize,
}

/// In the order in which a note is chosen.
pub const HEADS: [Head; 4] = [
    Head { name: "step", told: 0, hidden: 256, outputs: STEPS + EXPERTS },
    Head { name: "pitch", told: scene::KEY + RECENT, hidden: 384, outputs: Key::COUNT },
    Head { name: "velocity", told: scene::VELOCITY, hidden: 192, outputs: VELOCITIES },
    Head { name: "duration", told: scene::LENGTH, hidden: 256, outputs: ENDS + EXPERTS },
];

/// Every tensor of a model file with its shape.
pub fn tensors() -> Vec<Named> {
    let mut tensors = vec![("hear.table".to_owned(), vec![HEARD, EMBEDDING])];
    let mut affine = |name: &str, outputs, inputs| tensors.extend(affine_tensors(name, outputs, inputs));
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
        tensors.extend(lstm_tensors(layer, HIDDEN, inputs));
    }
    tensors
}
