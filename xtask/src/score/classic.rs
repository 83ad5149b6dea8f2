//! The classics have a likelihood for pitch alone, and name times.

use anyhow::Result;
use candle_core::{Device, Tensor};

use antiphon::{
    model::classic::{self, INPUTS, Network},
    music::note::Key,
};

use super::{Listener, Score};
use crate::corpus::{CELLS_PER_SECOND, GridNote};

impl Listener for Network {
    type Known = Vec<Tensor>;

    fn silence(&self, rows: usize) -> Result<Vec<Tensor>> {
        Ok(Network::silence(self, rows)?)
    }

    fn narrow(&self, known: Vec<Tensor>, rows: usize) -> Result<Vec<Tensor>> {
        Ok(known.iter().map(|state| state.narrow(1, 0, rows)).collect::<Result<_, _>>()?)
    }

    fn hear(&self, sequences: &[&[GridNote]], time: usize, known: &mut Vec<Tensor>) -> Result<()> {
        *known = self.listen(&features(sequences, time)?, known)?.1;
        Ok(())
    }

    fn score(&self, sequences: &[&[GridNote]], time: usize, known: &mut Vec<Tensor>) -> Result<Score> {
        let (before, after) = self.listen(&features(sequences, time)?, known)?;
        *known = after;
        let heads = self.predict(&before.flatten(0, 1)?)?;
        let logits: Vec<f32> = heads.logits.flatten_all()?.to_vec1()?;
        let (steps, durations) = (heads.step.to_vec1::<f32>()?, heads.duration.to_vec1::<f32>()?);
        let (mut notes, mut pitch_nats, mut errors_s) = (0, 0.0, [0.0; 2]);
        for (row, sequence) in sequences.iter().enumerate() {
            for (n, note) in sequence.iter().take(time).enumerate() {
                let at = row * time + n;
                notes += 1;
                pitch_nats += nats(&logits[at * Key::COUNT..][..Key::COUNT], note.key);
                errors_s[0] += error(note.step, steps[at]);
                errors_s[1] += error(note.duration, durations[at]);
            }
        }
        Ok(Score { notes, nats: [None, Some(pitch_nats), None, None], errors_s: errors_s.map(Some) })
    }
}

fn nats(logits: &[f32], key: Key) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    f64::from(largest + sum.ln() - logits[key.index()])
}

/// Absolute, in seconds.
fn error(cells: u32, predicted: f32) -> f64 {
    (f64::from(cells) / CELLS_PER_SECOND - f64::from(predicted.max(0.0))).abs()
}

/// (B, T, 3); what lies behind the end of a sequence is nought.
fn features(sequences: &[&[GridNote]], time: usize) -> Result<Tensor> {
    let mut numbers = vec![0.0; sequences.len() * time * INPUTS];
    for (row, notes) in numbers.chunks_exact_mut(time * INPUTS).zip(sequences) {
        for (input, note) in row.chunks_exact_mut(INPUTS).zip(*notes) {
            input.copy_from_slice(&classic::features(note.key, note.step_seconds(), note.duration_seconds()));
        }
    }
    Ok(Tensor::from_vec(numbers, (sequences.len(), time, INPUTS), &Device::Cpu)?)
}
