//! One layer, note by note: its LSTM, and what it reads of the memory; and where what the network knows stands in its state.

use std::{array, mem};

use crate::model::{
    antiphon::{ATTENTION, ATTENTION_HEADS, EMBEDDING, HEAD_WIDTH, HEADS, HIDDEN, LAYERS, MEMORY},
    layers::Packed,
    vector,
};

/// An LSTM, the query and the key, all pairs.
const LAYER: usize = 2 * HIDDEN + 2 * ATTENTION + 2 * ATTENTION * MEMORY;
/// What an LSTM reads at most: what it hears, and its own past.
const HEARD: usize = HIDDEN + if EMBEDDING > HIDDEN { EMBEDDING } else { HIDDEN };

/// The weights of a layer.
#[derive(Debug, Clone)]
pub struct Layer {
    lstm: Packed,
    /// The queries, then the keys.
    query_and_key: Packed,
    value: Packed,
    output: Packed,
    /// (heads, M): what an age is worth, the oldest first.
    ages: Vec<f32>,
    /// (heads): what it is worth to look at nothing.
    nothing: Vec<f32>,
}

impl Layer {
    pub fn new<'a>(layer: usize, numbers: &impl Fn(&str) -> &'a [f32]) -> Self {
        let name = |part: &str| format!("attention.{layer}.{part}");
        let age = numbers(&name("age")).chunks_exact(MEMORY + 1);
        Self {
            lstm: Packed::lstm(layer, numbers),
            query_and_key: Packed::affine(&[&name("query"), &name("key")], numbers),
            value: Packed::affine(&[&name("value")], numbers),
            output: Packed::affine(&[&name("output")], numbers),
            ages: age.clone().flat_map(|age| age[1..].iter().rev().copied()).collect(),
            nothing: age.map(|age| age[0]).collect(),
        }
    }

    /// The LSTM hears `input`. Realtime-safe.
    pub fn hear(&self, input: &[f32], part: &mut LayerState, scratch: &mut Scratch) {
        let heard = &mut scratch.heard[..self.lstm.inputs()];
        heard[..input.len()].copy_from_slice(input);
        heard[input.len()..].copy_from_slice(part.hidden);
        self.lstm.apply(heard, scratch.gates);
        vector::lstm_cell(scratch.gates, part.cell, part.hidden);
    }

    /// From what is known before a note, what it asks, and under which key it will be remembered. Realtime-safe.
    pub fn ask(&self, known: &[f32], part: &mut LayerState) {
        self.query_and_key.apply(known, part.query_and_key);
    }

    /// Remembers a note at its place in the ring. Realtime-safe.
    pub fn remember(&self, place: usize, embedding: &[f32], value: &mut [f32], part: &mut LayerState) {
        self.value.apply(embedding, value);
        let pairs = part.keys.chunks_exact_mut(MEMORY).zip(part.values.chunks_exact_mut(MEMORY));
        let (_, newest) = part.query_and_key.split_at(ATTENTION);
        for ((keys, values), (&key, &value)) in pairs.zip(newest.iter().zip(&*value)) {
            (keys[place], values[place]) = (key, value);
        }
    }

    /// Leaves in `sum` what is known, and what is read of the memory after `heard` notes. Realtime-safe.
    pub fn read(&self, heard: usize, known: &[f32], part: &LayerState, scratch: &mut Scratch) {
        let pairs = heard.min(MEMORY);
        let looks = &mut scratch.looks[..=pairs];
        for head in 0..ATTENTION_HEADS {
            self.look(head, heard, part, looks);
            let all = vector::softmax_unscaled(looks);
            vector::softmax_scale(looks, all);
            for n in head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH {
                scratch.seen[n] = vector::dot(&looks[..pairs], &part.values[n * MEMORY..][..pairs]);
            }
        }
        self.output.apply(scratch.seen, scratch.sum);
        vector::add(scratch.sum, 1.0, known);
    }

    /// Scores the pairs in the order of the ring, then nothing.
    fn look(&self, head: usize, heard: usize, part: &LayerState, looks: &mut [f32]) {
        let pairs = heard.min(MEMORY);
        let (scores, nothing) = looks.split_at_mut(pairs);
        scores.fill(0.0);
        for n in head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH {
            vector::add(scores, part.query_and_key[n], &part.keys[n * MEMORY..][..pairs]);
        }
        let scale = 1.0 / (HEAD_WIDTH as f32).sqrt();
        let ages = &self.ages[head * MEMORY..][..MEMORY];
        // What was written in this round of the ring is newer than the rest.
        let (newer, older) = scores.split_at_mut(heard % MEMORY);
        vector::scale_and_add(newer, scale, &ages[MEMORY - newer.len()..]);
        vector::scale_and_add(older, scale, ages);
        nothing[0] = self.nothing[head];
    }
}

/// A state, part by part.
pub struct Parts<'a> {
    pub layers: [LayerState<'a>; LAYERS],
    /// What is known after the newest note, but for the last look at the memory.
    pub known: &'a mut [f32],
    /// The newest note.
    pub embedding: &'a mut [f32],
    pub scratch: Scratch<'a>,
}

/// What a layer knows.
pub struct LayerState<'a> {
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
        layers: array::from_fn(|_| LayerState {
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
