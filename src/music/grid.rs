//! Notes on a grid of 10 ms, on which models are scored.

use super::{
    note::{Key, Velocity},
    time::Seconds,
};

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
}

fn seconds(cells: u32) -> Seconds {
    Seconds((f64::from(cells) / CELLS_PER_SECOND) as f32)
}
