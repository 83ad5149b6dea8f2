//! One layer, note by note: its LSTM, and what it reads of the memory.

use super::layout;
use crate::model::{
    antiphon::shape::{ATTENTION, ATTENTION_HEADS, HEAD_WIDTH, MEMORY},
    lstm::Packed,
    vector,
    weights::Weights,
};

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
    pub fn new(layer: usize, weights: &Weights) -> Self {
        let name = |part: &str| format!("attention.{layer}.{part}");
        let age = weights.numbers(&name("age")).chunks_exact(MEMORY + 1);
        Self {
            lstm: weights.lstm(layer),
            query_and_key: weights.affine(&[&name("query"), &name("key")]),
            value: weights.affine(&[&name("value")]),
            output: weights.affine(&[&name("output")]),
            ages: age.clone().flat_map(|age| age[1..].iter().rev().copied()).collect(),
            nothing: age.map(|age| age[0]).collect(),
        }
    }

    /// The LSTM hears `input`. Realtime-safe.
    pub fn hear(&self, input: &[f32], part: &mut layout::Layer, scratch: &mut layout::Scratch) {
        let heard = &mut scratch.heard[..self.lstm.inputs()];
        heard[..input.len()].copy_from_slice(input);
        heard[input.len()..].copy_from_slice(part.hidden);
        self.lstm.apply(heard, scratch.gates);
        vector::cell(scratch.gates, part.cell, part.hidden);
    }

    /// From what is known before a note, what it asks, and under which key it will be remembered. Realtime-safe.
    pub fn ask(&self, known: &[f32], part: &mut layout::Layer) {
        self.query_and_key.apply(known, part.query_and_key);
    }

    /// Remembers a note at its place in the ring. Realtime-safe.
    pub fn remember(&self, place: usize, embedding: &[f32], value: &mut [f32], part: &mut layout::Layer) {
        self.value.apply(embedding, value);
        let pairs = part.keys.chunks_exact_mut(MEMORY).zip(part.values.chunks_exact_mut(MEMORY));
        let (_, newest) = part.query_and_key.split_at(ATTENTION);
        for ((keys, values), (&key, &value)) in pairs.zip(newest.iter().zip(&*value)) {
            (keys[place], values[place]) = (key, value);
        }
    }

    /// Leaves in `sum` what is known, and what is read of the memory after `heard` notes. Realtime-safe.
    pub fn read(&self, heard: usize, known: &[f32], part: &layout::Layer, scratch: &mut layout::Scratch) {
        let pairs = heard.min(MEMORY);
        let looks = &mut scratch.looks[..=pairs];
        for head in 0..ATTENTION_HEADS {
            self.look(head, heard, part, looks);
            let all = vector::soften(looks);
            vector::share_out(looks, all);
            for n in head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH {
                scratch.seen[n] = vector::dot(&looks[..pairs], &part.values[n * MEMORY..][..pairs]);
            }
        }
        self.output.apply(scratch.seen, scratch.sum);
        vector::add(scratch.sum, 1.0, known);
    }

    /// Scores the pairs in the order of the ring, then nothing.
    fn look(&self, head: usize, heard: usize, part: &layout::Layer, looks: &mut [f32]) {
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
