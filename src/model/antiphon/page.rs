//! Notes as tensors: what the network hears of them, and what it should have said before.

use candle_core::{Device, Result, Tensor};

use super::{
    scene::{HEARD, POINTERS, Scene},
    shape::HEADS,
    vocabulary::{Bin, TIMES, velocity_bin},
};
use crate::music::grid::GridNote;

/// Added to the logit of what cannot be: its weight vanishes.
const IMPOSSIBLE: f32 = -1e9;

/// B sequences of T notes, N = B * T. What lies behind the end of a sequence is nought and costs nothing.
#[derive(Debug, Clone)]
pub struct Page {
    /// How many notes there are, without what lies behind the ends.
    pub notes: usize,
    /// (B, T, [`HEARD`])
    pub heard: Tensor,
    /// For each head (N, its outputs), to add to its logits: [`IMPOSSIBLE`] at what cannot be.
    pub possible: [Tensor; 4],
    /// For each head (N, its outputs), to add to its logits: [`IMPOSSIBLE`] at all that is not the truth, and elsewhere
    /// the logarithm of the truth's share.
    pub truth: [Tensor; 4],
}

impl Page {
    /// Takes up to `time` notes of each sequence, and moves its scene behind them.
    pub fn new(sequences: &[&[GridNote]], time: usize, scenes: &mut [Scene]) -> Result<Self> {
        let count = sequences.len() * time;
        let mut heard = vec![0.0; count * HEARD];
        let (mut possible, mut truth) = (Lines::default(), Lines::default());
        let mut rows = heard.chunks_exact_mut(HEARD);
        for (notes, scene) in sequences.iter().zip(scenes) {
            for (t, heard) in rows.by_ref().take(time).enumerate() {
                let Some(note) = notes.get(t) else {
                    possible.next(0.0);
                    truth.next(0.0);
                    continue;
                };
                scene.describe(note, heard);
                judge(scene, note, possible.next(0.0), truth.next(IMPOSSIBLE));
                scene.hear(note);
            }
        }
        Ok(Self {
            notes: sequences.iter().map(|notes| notes.len().min(time)).sum(),
            heard: Tensor::from_vec(heard, (sequences.len(), time, HEARD), &Device::Cpu)?,
            possible: possible.tensors(count)?,
            truth: truth.tensors(count)?,
        })
    }
}

/// Numbers for each head's outputs, note after note.
#[derive(Default)]
struct Lines([Vec<f32>; 4]);

impl Lines {
    /// Those of one more note.
    fn next(&mut self, fill: f32) -> [&mut [f32]; 4] {
        let mut head = HEADS.iter();
        self.0.each_mut().map(|numbers| {
            let (from, outputs) = (numbers.len(), head.next().map_or(0, |head| head.outputs));
            numbers.resize(from + outputs, fill);
            &mut numbers[from..]
        })
    }

    /// (`count`, outputs) for each head.
    fn tensors(self, count: usize) -> Result<[Tensor; 4]> {
        let tensor = |numbers| Tensor::from_vec(numbers, (count, ()), &Device::Cpu);
        let [step, pitch, velocity, duration] = self.0.map(tensor);
        Ok([step?, pitch?, velocity?, duration?])
    }
}

/// Writes for one note what could follow the scene, nought before, and what does, impossible before.
fn judge(scene: &Scene, note: &GridNote, possible: [&mut [f32]; 4], truth: [&mut [f32]; 4]) {
    let [_, keys, _, ends] = possible;
    keys[..scene.lowest(note.step)].fill(IMPOSSIBLE);
    let lengths = scene.lengths(note.step);
    for (possible, _) in ends[TIMES..].iter_mut().zip(lengths).filter(|&(_, length)| length == 0) {
        *possible = IMPOSSIBLE;
    }
    let [step, pitch, velocity, duration] = truth;
    let (silence, length) = (Bin::of(note.step), Bin::of(note.duration - 1));
    step[silence.index] = -silence.spread();
    pitch[note.key.index()] = keys[note.key.index()];
    velocity[velocity_bin(note.velocity)] = 0.0;
    duration[length.index] = -length.spread();
    for pointer in (0..POINTERS).filter(|&pointer| lengths[pointer] == note.duration) {
        duration[TIMES + pointer] = 0.0;
    }
}
