//! Windows of notes to learn from.

use std::sync::Arc;

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use rand::{RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use antiphon::model::{
    Chance,
    classic::{self, INPUTS},
};

use super::{checkpoint::Checkpoint, material::Training};

/// Notes to learn from, side by side.
pub struct Batch {
    /// (B, T, 3)
    pub x: Tensor,
    /// (B * T)
    pub keys: Tensor,
    /// (B * T), seconds.
    pub steps: Tensor,
    /// (B * T), seconds.
    pub durations: Tensor,
    /// For each sequence: 1 where it goes on from the batch before, 0 where it begins in silence. (1, B, 1)
    pub carried: Tensor,
}

/// An endless stream of batches. In the first half of a batch's rows a window follows on the one before, with its
/// state; the other half begins anywhere, in silence, as a player's memory does.
pub struct Windows {
    training: Arc<Training>,
    /// For each piece, how many notes stand in all pieces up to its end.
    ends: Vec<usize>,
    /// The pieces that have not been begun yet.
    order: Vec<usize>,
    /// The next windows of the rows that go through whole pieces.
    going_on: Vec<Window>,
    rows: usize,
    time: usize,
    chance: Chance,
}

/// A place in a piece.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Window {
    piece: usize,
    /// Its first note.
    at: usize,
}

impl Windows {
    /// Fails when a piece is shorter than a window, or none is there.
    pub fn new(training: Arc<Training>, rows: usize, time: usize, chance: Chance) -> Result<Self> {
        let pieces = &training.pieces;
        if pieces.is_empty() || pieces.iter().any(|piece| piece.len() < time) {
            bail!("a file holds fewer than {time} notes: give longer files or a smaller `--window`");
        }
        let mut ends: Vec<usize> = pieces.iter().map(Vec::len).collect();
        for n in 1..ends.len() {
            ends[n] += ends[n - 1];
        }
        // An end that no window fits before: the first batch begins with fresh pieces.
        let going_on = vec![Window { piece: 0, at: usize::MAX - time }; rows / 2];
        Ok(Self { training, ends, order: Vec::new(), going_on, rows, time, chance })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Keeps where it stands.
    pub fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.keep("windows", &(&self.chance, &self.order, &self.going_on))
    }

    /// The way back from [`Windows::keep`].
    pub fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        (self.chance, self.order, self.going_on) = checkpoint.fact("windows")?;
        Ok(())
    }

    /// The next batch.
    pub fn next(&mut self) -> Result<Batch> {
        let mut windows = Vec::with_capacity(self.rows);
        let mut carried = vec![0f32; self.rows];
        let mut going_on = std::mem::take(&mut self.going_on);
        for (next, carried) in going_on.iter_mut().zip(&mut carried) {
            if next.at + self.time <= self.training.pieces[next.piece].len() {
                *carried = 1.0;
            } else {
                *next = self.begin();
            }
            windows.push(*next);
            next.at += self.time;
        }
        self.going_on = going_on;
        while windows.len() < self.rows {
            windows.push(self.anywhere());
        }
        self.batch(&windows, carried)
    }

    /// A piece that has not been played for longest, from a random place in its first window, so that borders fall
    /// elsewhere each time.
    fn begin(&mut self) -> Window {
        if self.order.is_empty() {
            self.order = (0..self.training.pieces.len()).collect();
            self.order.shuffle(&mut self.chance);
        }
        let piece = self.order.pop().expect("it has just been filled");
        let latest = (self.training.pieces[piece].len() - self.time).min(self.time);
        Window { piece, at: self.chance.random_range(0..=latest) }
    }

    /// Every note is as likely as any other to be in it.
    fn anywhere(&mut self) -> Window {
        let total = *self.ends.last().expect("there is a piece");
        let note = self.chance.random_range(0..total);
        let piece = self.ends.partition_point(|&end| end <= note);
        let at = note - (self.ends[piece] - self.training.pieces[piece].len());
        Window { piece, at: at.min(self.training.pieces[piece].len() - self.time) }
    }

    fn batch(&self, windows: &[Window], carried: Vec<f32>) -> Result<Batch> {
        let count = self.rows * self.time;
        let notes = windows
            .iter()
            .flat_map(|window| &self.training.pieces[window.piece][window.at..window.at + self.time]);
        let mut x = Vec::with_capacity(count * INPUTS);
        let (mut keys, mut steps, mut durations) = (Vec::new(), Vec::new(), Vec::new());
        for note in notes {
            let [pitch, step, duration] =
                classic::features(note.key, note.step_seconds(), note.duration_seconds());
            x.extend([pitch, step, duration]);
            keys.push(u32::from(note.key.number()));
            steps.push(step);
            durations.push(duration);
        }
        Ok(Batch {
            x: Tensor::from_vec(x, (self.rows, self.time, INPUTS), &Device::Cpu)?,
            keys: Tensor::from_vec(keys, count, &Device::Cpu)?,
            steps: Tensor::from_vec(steps, count, &Device::Cpu)?,
            durations: Tensor::from_vec(durations, count, &Device::Cpu)?,
            carried: Tensor::from_vec(carried, (1, self.rows, 1), &Device::Cpu)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use antiphon::music::note::{Key, Velocity};

    use super::*;
    use crate::corpus::GridNote;

    /// Every note's duration tells its piece and place.
    fn piece(number: u32, length: u32) -> Vec<GridNote> {
        let note = |n| GridNote {
            step: 10,
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
            duration: 100 * number + n,
            conditions: Default::default(),
        };
        (0..length).map(note).collect()
    }

    fn windows(lengths: &[u32]) -> Windows {
        let pieces = (1..).zip(lengths).map(|(number, &length)| piece(number, length)).collect();
        Windows::new(Training::of(pieces).into(), 4, 8, Chance::seed_from_u64(1)).expect("long enough")
    }

    #[test]
    fn a_carried_window_follows_on_the_one_before() {
        let mut windows = windows(&[50, 40, 30]);
        let mut before: Option<Vec<Vec<f32>>> = None;
        for _ in 0..20 {
            let batch = windows.next().expect("endless");
            let carried: Vec<f32> = batch.carried.flatten_all().and_then(|c| c.to_vec1()).expect("numbers");
            let durations: Vec<Vec<f32>> =
                batch.durations.reshape((4, 8)).and_then(|d| d.to_vec2()).expect("numbers");
            for row in 0..4 {
                if carried[row] == 1.0 {
                    let last = before.as_ref().expect("the first batch begins in silence")[row][7];
                    assert!((durations[row][0] - last - 0.01).abs() < 1e-6);
                }
            }
            assert_eq!(carried[2..], [0.0, 0.0]);
            before = Some(durations);
        }
    }

    #[test]
    fn a_piece_shorter_than_a_window_is_refused() {
        assert!(
            Windows::new(Training::of(vec![piece(1, 8), piece(2, 7)]).into(), 4, 8, Chance::seed_from_u64(1))
                .is_err()
        );
    }
}
