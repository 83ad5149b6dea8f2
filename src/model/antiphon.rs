//! Our own network: two LSTMs that step once a note, each followed by attention over the newest 150 notes,
//! and four heads.
//!
//! The heads choose step, pitch, velocity and duration in this order; each has the attributes that were
//! chosen before as input features. A duration may point at the end of a note that sounds.

mod attention;
mod cost;
mod experts;
pub(super) mod inference;
mod minibatch;
mod network;
mod scene;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::ops::Range;

pub(crate) use self::experts::EXPERTS;
pub use self::{
    minibatch::{Minibatch, Stretch},
    network::{Network, Pass, RecurrentState},
    scene::Scene,
};
use self::{
    scene::{ENDS, HEARD, KEY, LENGTH, PLACE, RECENT, VELOCITY, WHO},
    vocabulary::{STEPS, VELOCITIES},
};
pub use super::operations::Dropout;
use crate::{
    model::layers::{Named, affine_tensors, lstm_tensors},
    music::note::Key,
};

pub const NAME: &str = "antiphon";
/// Number of newest notes that the attention reads: M.
pub const MEMORY: usize = 150;
/// Units of each LSTM, and of the context that the heads read: H.
const HIDDEN: usize = 256;
/// Number of layers. Each is an LSTM followed by attention.
const LAYERS: usize = 2;
/// Width of the embedding of a heard note.
const EMBEDDING: usize = 256;
const ATTENTION_HEADS: usize = 4;
/// Width of a query, a key or a value of one attention head.
const HEAD_WIDTH: usize = 32;
/// Width of a query, a key or a value of all attention heads together: A.
const ATTENTION: usize = ATTENTION_HEADS * HEAD_WIDTH;

/// A head, which gives the logits of one attribute of the next note: two layers over the context and the
/// attributes before.
#[derive(Debug, Clone, Copy)]
struct Head {
    name: &'static str,
    /// Number of its input features besides the context.
    told: usize,
    hidden: usize,
    /// Number of logits: one for each choice; for a time, [`EXPERTS`] more for the places of the beat.
    outputs: usize,
}

/// The heads, in the order in which the attributes of a note are chosen.
const HEADS: [Head; 4] = [
    Head { name: "step", told: 0, hidden: 256, outputs: STEPS + EXPERTS },
    Head { name: "pitch", told: KEY + RECENT, hidden: 384, outputs: Key::COUNT },
    Head { name: "velocity", told: VELOCITY, hidden: 192, outputs: VELOCITIES },
    Head { name: "duration", told: LENGTH, hidden: 256, outputs: ENDS + EXPERTS },
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

/// The tensors of representation 1, which had no features for the beat, the harmony, the style and who plays.
pub(super) fn first_tensors() -> Vec<Named> {
    let older = |(name, mut shape): Named| {
        if let Some(kept) = kept(&name) {
            shape[0] = kept.iter().map(Range::len).sum();
        }
        (name, shape)
    };
    tensors().into_iter().map(older).collect()
}

/// Extends a tensor of representation 1 to today's `shape`. The new rows are 0, so that the network plays as
/// it did.
pub(super) fn upgraded(name: &str, shape: &[usize], numbers: Vec<f32>) -> Vec<f32> {
    let Some(kept) = kept(name) else { return numbers };
    let width: usize = shape[1..].iter().product();
    let mut upgraded = vec![0.0; shape[0] * width];
    let mut rest = &numbers[..];
    for rows in kept {
        let (rows_then, later) = rest.split_at(rows.len() * width);
        upgraded[rows.start * width..rows.end * width].copy_from_slice(rows_then);
        rest = later;
    }
    upgraded
}

/// The ranges of today's rows that a tensor had in representation 1; `None` where it had all of them.
fn kept(name: &str) -> Option<[Range<usize>; 2]> {
    Some(match name {
        "hear.table" => [0..PLACE, KEY..WHO],
        "pitch.table" => [0..PLACE, KEY..KEY + RECENT],
        "velocity.table" => [0..PLACE, KEY..VELOCITY],
        "duration.table" => [0..PLACE, KEY..LENGTH],
        "step.weight" | "step.bias" => [0..STEPS, STEPS..STEPS],
        "duration.weight" | "duration.bias" => [0..ENDS, ENDS..ENDS],
        _ => return None,
    })
}
