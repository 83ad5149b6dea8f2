//! How a network of each kind scores notes.

use anyhow::Result;
use candle_core::{Device, Tensor};

use antiphon::{
    model::{
        self,
        antiphon::{Minibatch, RecurrentState, Scene},
        classic::INPUTS,
    },
    music::note::Key,
};

use super::{Score, Scorer};
use crate::corpus::{CELLS_PER_SECOND, GridNote};

/// The state of our own network for each sequence: its recurrent state and its scene.
pub struct Known {
    past: RecurrentState,
    scenes: Vec<Scene>,
}

/// Our own network has a likelihood for every attribute.
impl Scorer for model::antiphon::Network {
    type Known = Known;

    fn silence(&self, rows: usize) -> Result<Known> {
        Ok(Known { past: RecurrentState::initial(rows, self.device())?, scenes: vec![Scene::SILENCE; rows] })
    }

    fn beginning(&self, rows: usize) -> Result<Known> {
        Ok(Known { scenes: vec![Scene::BEGINNING; rows], ..self.silence(rows)? })
    }

    fn narrow(&self, mut known: Known, rows: usize) -> Result<Known> {
        known.scenes.truncate(rows);
        Ok(Known { past: known.past.first(rows)?, ..known })
    }

    fn hear(&self, sequences: &[&[GridNote]], time: usize, known: &mut Known) -> Result<()> {
        let minibatch = Minibatch::new(sequences, time, &mut known.scenes);
        known.past = self.listen(&minibatch, &known.past)?.1;
        Ok(())
    }

    fn score(&self, sequences: &[&[GridNote]], time: usize, known: &mut Known) -> Result<Score> {
        let minibatch = Minibatch::new(sequences, time, &mut known.scenes);
        let (context, past) = self.listen(&minibatch, &known.past)?;
        known.past = past;
        let logits = self.logits(&context, &minibatch)?;
        let mut score = Score { notes: minibatch.notes, ..Score::default() };
        for (sum, nats) in score.nats.iter_mut().zip(minibatch.nats(&logits)?) {
            *sum = Some(nats.to_vec1::<f32>()?.into_iter().map(f64::from).sum());
        }
        let [steps, durations] = minibatch.medians(&logits)?;
        let mut errors = [0.0; 2];
        for (row, notes) in sequences.iter().enumerate() {
            for (note, at) in notes.iter().take(time).zip(row * time..) {
                errors[0] += error_of_cells(note.step, steps[at]);
                errors[1] += error_of_cells(note.duration, durations[at]);
            }
        }
        score.errors_s = errors.map(Some);
        Ok(score)
    }
}

/// The absolute error in seconds.
fn error_of_cells(cells: u32, median: f32) -> f64 {
    (f64::from(cells) - f64::from(median)).abs() / CELLS_PER_SECOND
}

/// The classics have a likelihood for pitch alone; they predict times as numbers.
impl Scorer for model::classic::Network {
    type Known = Vec<Tensor>;

    fn silence(&self, rows: usize) -> Result<Vec<Tensor>> {
        Ok(model::classic::Network::silence(self, rows)?)
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
                errors_s[0] += error_of_seconds(note.step, steps[at]);
                errors_s[1] += error_of_seconds(note.duration, durations[at]);
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

/// The absolute error in seconds.
fn error_of_seconds(cells: u32, predicted: f32) -> f64 {
    (f64::from(cells) / CELLS_PER_SECOND - f64::from(predicted.max(0.0))).abs()
}

/// The input features (B, T, 3), with 0 after the end of a sequence.
fn features(sequences: &[&[GridNote]], time: usize) -> Result<Tensor> {
    let mut numbers = vec![0.0; sequences.len() * time * INPUTS];
    for (row, notes) in numbers.chunks_exact_mut(time * INPUTS).zip(sequences) {
        for (input, note) in row.chunks_exact_mut(INPUTS).zip(*notes) {
            input.copy_from_slice(&model::classic::features(
                note.key,
                note.step_seconds(),
                note.duration_seconds(),
            ));
        }
    }
    Ok(Tensor::from_vec(numbers, (sequences.len(), time, INPUTS), &Device::Cpu)?)
}
