//! When a model expects the next onset.

use super::antiphon::{Bin, TIMES};
use crate::music::{grid::cells, time::Seconds};

/// P(step > t): how likely it is that nothing begins for so long after the newest onset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// At the beginning of each bin of a step; then of what is longer than all.
    survival: [f32; TIMES + 1],
}

impl Expectation {
    /// From the weights of the bins of a step, of any sum. Realtime-safe.
    pub fn of(weights: &[f32]) -> Self {
        let mut survival = [0.0; TIMES + 1];
        for (bin, weight) in weights.iter().enumerate().take(TIMES).rev() {
            survival[bin] = survival[bin + 1] + weight;
        }
        let all = survival[0];
        survival.iter_mut().for_each(|part| *part /= all);
        Self { survival }
    }

    /// 1 at an onset, and never more later. Realtime-safe.
    pub fn survival(&self, silence: Seconds) -> f32 {
        let cell = cells(silence);
        let bin = Bin::of(cell);
        let ahead = bin.part_ahead(cell);
        self.survival[bin.index + 1] + (self.survival[bin.index] - self.survival[bin.index + 1]) * ahead
    }
}
