//! How well a classic foretells the notes of real performances.

use anyhow::Result;
use candle_core::{Device, Tensor};

use antiphon::{
    model::classic::{INPUTS, Network, Prediction},
    music::note::Key,
};

use crate::corpus::{CELLS_PER_SECOND, GridNote};

/// Sums over notes: add scores of parts to score the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    pub notes: usize,
    pitch_nats: f64,
    step_error_s: f64,
    duration_error_s: f64,
}

impl Score {
    /// Nats per note.
    pub fn pitch(&self) -> f64 {
        self.pitch_nats / self.notes as f64
    }

    /// Mean absolute error in seconds.
    pub fn step_mae(&self) -> f64 {
        self.step_error_s / self.notes as f64
    }

    /// Mean absolute error in seconds.
    pub fn duration_mae(&self) -> f64 {
        self.duration_error_s / self.notes as f64
    }

    fn add(&mut self, note: &GridNote, logits: &[f32], step: f32, duration: f32) {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        self.notes += 1;
        self.pitch_nats += f64::from(largest + sum.ln() - logits[note.key.index()]);
        let error =
            |cells: u32, predicted: f32| (f64::from(cells) / CELLS_PER_SECOND - f64::from(predicted)).abs();
        self.step_error_s += error(note.step, step.max(0.0));
        self.duration_error_s += error(note.duration, duration.max(0.0));
    }
}

/// Scores every note of every piece, the state carried from the first note of its piece.
pub fn unbounded(network: &Network, pieces: &[Vec<GridNote>], progress: impl Fn(usize)) -> Result<Score> {
    // Enough sequences and notes for large products, few enough to stay in memory.
    const SEQUENCES: usize = 64;
    const NOTES: usize = 256;
    let mut by_length: Vec<&[GridNote]> =
        pieces.iter().map(Vec::as_slice).filter(|p| !p.is_empty()).collect();
    by_length.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let mut score = Score::default();
    for group in by_length.chunks(SEQUENCES) {
        let mut states = network.silence(group.len())?;
        for from in (0..group[0].len()).step_by(NOTES) {
            // The longest come first, so those that go on are a prefix.
            let active: Vec<_> =
                group.iter().filter(|piece| piece.len() > from).map(|piece| &piece[from..]).collect();
            let states_now =
                states.iter().map(|s| s.narrow(1, 0, active.len())).collect::<Result<Vec<_>, _>>()?;
            let window = NOTES.min(active[0].len());
            let (known, after) = network.listen(&features(&active, window)?, &states_now)?;
            states = after;
            let heads = Heads::new(&network.predict(&known.flatten(0, 1)?)?)?;
            for (row, notes) in active.iter().enumerate() {
                for (n, note) in notes.iter().take(window).enumerate() {
                    heads.score(row * window + n, note, &mut score);
                }
            }
            progress(active.iter().map(|notes| notes.len().min(window)).sum());
        }
    }
    Ok(score)
}

/// Scores `count` evenly spaced notes, each from silence and the `memory` notes before it.
pub fn remembered(network: &Network, pieces: &[Vec<GridNote>], memory: usize, count: usize) -> Result<Score> {
    const SEQUENCES: usize = 256;
    let total: usize = pieces.iter().map(Vec::len).sum();
    let count = count.min(total);
    let mut places: Vec<(&[GridNote], &GridNote)> =
        (0..count).map(|n| place(pieces, n * total / count, memory)).collect();
    // Sequences of one length run together.
    places.sort_by_key(|(heard, _)| heard.len());
    let mut score = Score::default();
    for same in places.chunk_by(|(a, _), (b, _)| a.len() == b.len()) {
        for group in same.chunks(SEQUENCES) {
            let heard: Vec<&[GridNote]> = group.iter().map(|(heard, _)| *heard).collect();
            let mut states = network.silence(group.len())?;
            if !heard[0].is_empty() {
                (_, states) = network.listen(&features(&heard, heard[0].len())?, &states)?;
            }
            let heads = Heads::new(&network.predict(&states[states.len() - 1].get(0)?)?)?;
            group.iter().enumerate().for_each(|(row, (_, note))| heads.score(row, note, &mut score));
        }
    }
    Ok(score)
}

/// The note at `index` of all pieces in a row, and what of its piece the memory holds.
fn place(pieces: &[Vec<GridNote>], mut index: usize, memory: usize) -> (&[GridNote], &GridNote) {
    for piece in pieces {
        match piece.get(index) {
            Some(note) => return (&piece[index.saturating_sub(memory)..index], note),
            None => index -= piece.len(),
        }
    }
    unreachable!("the index counts the notes of these pieces")
}

/// (B, T, 3); what lies behind the end of a sequence is nought.
fn features(sequences: &[&[GridNote]], time: usize) -> Result<Tensor> {
    let mut numbers = vec![0.0; sequences.len() * time * INPUTS];
    for (row, notes) in numbers.chunks_exact_mut(time * INPUTS).zip(sequences) {
        for (input, note) in row.chunks_exact_mut(INPUTS).zip(*notes) {
            input.copy_from_slice(&note.features());
        }
    }
    Ok(Tensor::from_vec(numbers, (sequences.len(), time, INPUTS), &Device::Cpu)?)
}

/// A prediction as plain numbers.
struct Heads {
    logits: Vec<f32>,
    steps: Vec<f32>,
    durations: Vec<f32>,
}

impl Heads {
    fn new(prediction: &Prediction) -> Result<Self> {
        Ok(Self {
            logits: prediction.logits.flatten_all()?.to_vec1()?,
            steps: prediction.step.to_vec1()?,
            durations: prediction.duration.to_vec1()?,
        })
    }

    fn score(&self, row: usize, note: &GridNote, score: &mut Score) {
        let logits = &self.logits[row * Key::COUNT..][..Key::COUNT];
        score.add(note, logits, self.steps[row], self.durations[row]);
    }
}

#[cfg(test)]
mod tests;
