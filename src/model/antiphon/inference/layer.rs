//! One layer for one note at a time: its LSTM and its attention; and how the network's state is laid out.

use std::{array, mem};

use crate::model::{
    antiphon::{ATTENTION, ATTENTION_HEADS, EMBEDDING, HEAD_WIDTH, HEADS, HIDDEN, LAYERS, MEMORY},
    layers::Packed,
    vector,
};

/// Numbers of a layer's state: the LSTM, the query and the key, all pairs.
const LAYER: usize = 2 * HIDDEN + 2 * ATTENTION + 2 * ATTENTION * MEMORY;
/// Largest input of an LSTM: what it hears, and its own hidden state.
const LSTM_INPUT: usize = HIDDEN + if EMBEDDING > HIDDEN { EMBEDDING } else { HIDDEN };

/// The weights of a layer.
#[derive(Debug, Clone)]
pub struct Layer {
    lstm: Packed,
    /// Gives the queries, then the keys.
    query_and_key: Packed,
    value: Packed,
    output: Packed,
    /// (heads, M): the bias for each age, the oldest first.
    age_biases: Vec<f32>,
    /// (heads): the bias of the sink, which is to read nothing.
    sink: Vec<f32>,
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
            age_biases: age.clone().flat_map(|age| age[1..].iter().rev().copied()).collect(),
            sink: age.map(|age| age[0]).collect(),
        }
    }

    /// Steps the LSTM with `input`. Realtime-safe.
    pub fn step_lstm(&self, input: &[f32], part: &mut LayerState, scratch: &mut Scratch) {
        let heard = &mut scratch.lstm_input[..self.lstm.inputs()];
        heard[..input.len()].copy_from_slice(input);
        heard[input.len()..].copy_from_slice(part.hidden);
        self.lstm.apply(heard, scratch.gates);
        vector::lstm_cell(scratch.gates, part.cell, part.hidden);
    }

    /// From the hidden state before a note, computes the query, and the key under which the note will be
    /// stored. Realtime-safe.
    pub fn project(&self, known: &[f32], part: &mut LayerState) {
        self.query_and_key.apply(known, part.query_and_key);
    }

    /// Stores the newest key and the value of a note at `place` in the ring buffer. Realtime-safe.
    pub fn write(&self, place: usize, embedding: &[f32], value: &mut [f32], part: &mut LayerState) {
        self.value.apply(embedding, value);
        let pairs = part.keys.chunks_exact_mut(MEMORY).zip(part.values.chunks_exact_mut(MEMORY));
        let (_, newest) = part.query_and_key.split_at(ATTENTION);
        for ((keys, values), (&key, &value)) in pairs.zip(newest.iter().zip(&*value)) {
            (keys[place], values[place]) = (key, value);
        }
    }

    /// Leaves in `sum` the hidden state plus what the attention reads of the memory after `heard` notes.
    /// Realtime-safe.
    pub fn attend(&self, heard: usize, known: &[f32], part: &LayerState, scratch: &mut Scratch) {
        let pairs = heard.min(MEMORY);
        let weights = &mut scratch.weights[..=pairs];
        for head in 0..ATTENTION_HEADS {
            self.score(head, heard, part, weights);
            let all = vector::softmax_unscaled(weights);
            vector::softmax_scale(weights, all);
            for n in head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH {
                scratch.attended[n] = vector::dot(&weights[..pairs], &part.values[n * MEMORY..][..pairs]);
            }
        }
        self.output.apply(scratch.attended, scratch.sum);
        vector::add(scratch.sum, 1.0, known);
    }

    /// Computes the scores of the pairs in the order of the ring buffer, then that of the sink.
    fn score(&self, head: usize, heard: usize, part: &LayerState, weights: &mut [f32]) {
        let pairs = heard.min(MEMORY);
        let (scores, sink) = weights.split_at_mut(pairs);
        scores.fill(0.0);
        for n in head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH {
            vector::add(scores, part.query_and_key[n], &part.keys[n * MEMORY..][..pairs]);
        }
        let scale = 1.0 / (HEAD_WIDTH as f32).sqrt();
        let age_biases = &self.age_biases[head * MEMORY..][..MEMORY];
        // What was written in this round of the ring buffer is newer than the rest.
        let (newer, older) = scores.split_at_mut(heard % MEMORY);
        vector::scale_and_add(newer, scale, &age_biases[MEMORY - newer.len()..]);
        vector::scale_and_add(older, scale, age_biases);
        sink[0] = self.sink[head];
    }
}

/// The parts of a state.
pub struct Parts<'a> {
    pub layers: [LayerState<'a>; LAYERS],
    /// What is known after the newest note, without the last read of the memory.
    pub known: &'a mut [f32],
    /// The embedding of the newest note.
    pub embedding: &'a mut [f32],
    pub scratch: Scratch<'a>,
}

/// The state of a layer.
pub struct LayerState<'a> {
    pub hidden: &'a mut [f32],
    pub cell: &'a mut [f32],
    /// The query of the next note, then the key under which it will be stored.
    pub query_and_key: &'a mut [f32],
    /// (A, M): the keys of the newest notes, in a ring buffer.
    pub keys: &'a mut [f32],
    /// (A, M): their values.
    pub values: &'a mut [f32],
}

/// Scratch space for one computation.
pub struct Scratch<'a> {
    pub value: &'a mut [f32],
    pub lstm_input: &'a mut [f32],
    pub gates: &'a mut [f32],
    /// The attention weight of each pair, then that of the sink.
    pub weights: &'a mut [f32],
    pub attended: &'a mut [f32],
    pub sum: &'a mut [f32],
    /// The context that the heads read.
    pub context: &'a mut [f32],
    pub head_hidden: &'a mut [f32],
    pub logits: &'a mut [f32],
}

/// Number of numbers in a state.
pub fn length() -> usize {
    let attention = 2 * ATTENTION + MEMORY + 1;
    LAYERS * LAYER + 3 * HIDDEN + EMBEDDING + LSTM_INPUT + 4 * HIDDEN + attention + head_hidden() + logits()
}

/// Cuts a state of [`length`] numbers into its parts. Realtime-safe.
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
            lstm_input: cut(LSTM_INPUT),
            gates: cut(4 * HIDDEN),
            weights: cut(MEMORY + 1),
            attended: cut(ATTENTION),
            sum: cut(HIDDEN),
            context: cut(HIDDEN),
            head_hidden: cut(head_hidden()),
            logits: cut(logits()),
        },
    }
}

fn head_hidden() -> usize {
    HEADS.iter().map(|head| head.hidden).max().unwrap_or(0)
}

fn logits() -> usize {
    HEADS.iter().map(|head| head.outputs).max().unwrap_or(0)
}
