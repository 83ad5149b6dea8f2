//! Notes on the 10 ms grid on which models are scored.

use antiphon::{
    model::classic,
    music::{
        note::{Key, Velocity},
        time::Seconds,
    },
};

use super::Piece;

pub const CELLS_PER_SECOND: f64 = 100.0;

/// A note in cells of 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridNote {
    pub step: u32,
    pub key: Key,
    pub velocity: Velocity,
    /// At least 1.
    pub duration: u32,
}

impl GridNote {
    pub fn step_seconds(&self) -> Seconds {
        seconds(self.step)
    }

    pub fn duration_seconds(&self) -> Seconds {
        seconds(self.duration)
    }

    /// As the classics read it.
    pub fn features(&self) -> [f32; classic::INPUTS] {
        classic::features(self.key, self.step_seconds(), self.duration_seconds())
    }
}

impl Piece {
    /// By onset cell and then by key; the first step counts from the beginning of the file.
    pub fn on_grid(&self) -> Vec<GridNote> {
        let mut notes: Vec<_> = self.notes.iter().map(|note| (cell(note.onset), note)).collect();
        notes.sort_by_key(|&(onset, note)| (onset, note.key));
        let mut before = 0;
        let place = |(onset, note): (u32, &super::Note)| {
            let step = onset - std::mem::replace(&mut before, onset);
            let duration = cell(note.end).saturating_sub(onset).max(1);
            GridNote { step, key: note.key, velocity: note.velocity, duration }
        };
        notes.into_iter().map(place).collect()
    }
}

fn cell(seconds: f64) -> u32 {
    (seconds * CELLS_PER_SECOND).round() as u32
}

fn seconds(cells: u32) -> Seconds {
    Seconds((f64::from(cells) / CELLS_PER_SECOND) as f32)
}
