//! Where what the network knows stands in its state.

use std::{array, mem};

use crate::model::antiphon::shape::{ATTENTION, EMBEDDING, HEADS, HIDDEN, LAYERS, MEMORY};

/// An LSTM, the query and the key, all pairs.
const LAYER: usize = 2 * HIDDEN + 2 * ATTENTION + 2 * ATTENTION * MEMORY;
/// What an LSTM reads at most: what it hears, and its own past.
const HEARD: usize = HIDDEN + if EMBEDDING > HIDDEN { EMBEDDING } else { HIDDEN };

/// A state, part by part.
pub struct Parts<'a> {
    pub layers: [Layer<'a>; LAYERS],
    /// What is known after the newest note, but for the last look at the memory.
    pub known: &'a mut [f32],
    /// The newest note.
    pub embedding: &'a mut [f32],
    pub scratch: Scratch<'a>,
}

/// What a layer knows.
pub struct Layer<'a> {
    pub hidden: &'a mut [f32],
    pub cell: &'a mut [f32],
    /// Of the next note: what it asks of the memory, then the key under which it will be remembered.
    pub query_and_key: &'a mut [f32],
    /// (A, M): the newest notes in a ring.
    pub keys: &'a mut [f32],
    /// (A, M)
    pub values: &'a mut [f32],
}

/// Room for what is computed.
pub struct Scratch<'a> {
    pub value: &'a mut [f32],
    pub heard: &'a mut [f32],
    pub gates: &'a mut [f32],
    /// How much is looked at each pair, then at nothing.
    pub looks: &'a mut [f32],
    pub seen: &'a mut [f32],
    pub sum: &'a mut [f32],
    /// What the heads read.
    pub context: &'a mut [f32],
    pub thought: &'a mut [f32],
    pub logits: &'a mut [f32],
}

/// How many numbers a state has.
pub fn length() -> usize {
    let attention = 2 * ATTENTION + MEMORY + 1;
    LAYERS * LAYER + 3 * HIDDEN + EMBEDDING + HEARD + 4 * HIDDEN + attention + thought() + logits()
}

/// Cuts a state of [`length`] numbers. Realtime-safe.
pub fn split(mut state: &mut [f32]) -> Parts<'_> {
    let mut cut = |length: usize| {
        let (part, rest) = mem::take(&mut state).split_at_mut(length);
        state = rest;
        part
    };
    Parts {
        layers: array::from_fn(|_| Layer {
            hidden: cut(HIDDEN),
            cell: cut(HIDDEN),
            query_and_key: cut(2 * ATTENTION),
            keys: cut(ATTENTION * MEMORY),
            values: cut(ATTENTION * MEMORY),
        }),
        known: cut(HIDDEN),
        embedding: cut(EMBEDDING),
        scratch: Scratch {
            value: cut(ATTENTION),
            heard: cut(HEARD),
            gates: cut(4 * HIDDEN),
            looks: cut(MEMORY + 1),
            seen: cut(ATTENTION),
            sum: cut(HIDDEN),
            context: cut(HIDDEN),
            thought: cut(thought()),
            logits: cut(logits()),
        },
    }
}

fn thought() -> usize {
    HEADS.iter().map(|head| head.hidden).max().unwrap_or(0)
}

fn logits() -> usize {
    HEADS.iter().map(|head| head.outputs).max().unwrap_or(0)
}
