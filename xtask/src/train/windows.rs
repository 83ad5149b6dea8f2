//! Windows of notes to learn from.

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use rand::{RngExt, seq::SliceRandom};

use antiphon::model::{Chance, classic::INPUTS};

use crate::corpus::GridNote;

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
    pieces: Vec<Vec<GridNote>>,
    /// For each piece, how many notes stand in all pieces up to its end.
    ends: Vec<usize>,
    order: Vec<usize>,
    lanes: Vec<Lane>,
    rows: usize,
    time: usize,
    chance: Chance,
}

/// Where a row that goes through whole pieces stands.
#[derive(Clone, Copy)]
struct Lane {
    piece: usize,
    at: usize,
}

impl Windows {
    /// Fails when no piece is as long as a window.
    pub fn new(mut pieces: Vec<Vec<GridNote>>, rows: usize, time: usize, chance: Chance) -> Result<Self> {
        pieces.retain(|piece| piece.len() >= time);
        if pieces.is_empty() {
            bail!("no file holds {time} notes or more: give longer files or a smaller `--window`");
        }
        let mut ends: Vec<usize> = pieces.iter().map(Vec::len).collect();
        for n in 1..ends.len() {
            ends[n] += ends[n - 1];
        }
        // An end that no window fits before: the first batch begins with fresh pieces.
        let lanes = vec![Lane { piece: 0, at: usize::MAX - time }; rows / 2];
        Ok(Self { pieces, ends, order: Vec::new(), lanes, rows, time, chance })
    }

    pub fn next(&mut self) -> Result<Batch> {
        let mut windows = Vec::with_capacity(self.rows);
        let mut carried = vec![0f32; self.rows];
        for row in 0..self.lanes.len() {
            let lane = self.lanes[row];
            let goes_on = lane.at + self.time <= self.pieces[lane.piece].len();
            let lane = if goes_on { lane } else { self.begin() };
            carried[row] = f32::from(u8::from(goes_on));
            windows.push(lane);
            self.lanes[row] = Lane { at: lane.at + self.time, ..lane };
        }
        while windows.len() < self.rows {
            windows.push(self.anywhere());
        }
        self.batch(&windows, carried)
    }

    /// A piece that has not been played for longest, from a random place in its first window, so that borders fall
    /// elsewhere each time.
    fn begin(&mut self) -> Lane {
        if self.order.is_empty() {
            self.order = (0..self.pieces.len()).collect();
            self.order.shuffle(&mut self.chance);
        }
        let piece = self.order.pop().expect("it has just been filled");
        let latest = (self.pieces[piece].len() - self.time).min(self.time);
        Lane { piece, at: self.chance.random_range(0..=latest) }
    }

    /// Every note is as likely as any other to be in it.
    fn anywhere(&mut self) -> Lane {
        let total = *self.ends.last().expect("there is a piece");
        let note = self.chance.random_range(0..total);
        let piece = self.ends.partition_point(|&end| end <= note);
        let at = note - (self.ends[piece] - self.pieces[piece].len());
        Lane { piece, at: at.min(self.pieces[piece].len() - self.time) }
    }

    fn batch(&self, windows: &[Lane], carried: Vec<f32>) -> Result<Batch> {
        let count = self.rows * self.time;
        let notes = windows.iter().flat_map(|lane| &self.pieces[lane.piece][lane.at..lane.at + self.time]);
        let mut x = Vec::with_capacity(count * INPUTS);
        let (mut keys, mut steps, mut durations) = (Vec::new(), Vec::new(), Vec::new());
        for note in notes {
            let [pitch, step, duration] = note.features();
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
