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
    /// From the weights of the bins of a step, of any sum above 0. Realtime-safe.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::embedded;

    #[test]
    fn the_longer_nothing_comes_the_less_likely_it_was_for_every_model_that_has_odds() {
        let mut asked = 0;
        for model in embedded() {
            let mut state = model.silence();
            let Some(expectation) = model.expect(&mut state) else { continue };
            let survival = |cell: u16| expectation.survival(Seconds(f32::from(cell) / 100.0));
            let survivals: Vec<f32> = (0..5000).map(survival).collect();
            assert!((survivals[0] - 1.0).abs() < 1e-5 && survivals[4999] >= 0.0);
            assert!(survivals.windows(2).all(|pair| pair[1] <= pair[0] + 1e-6), "{}", model.name());
            assert!(survivals[10] > survivals[100] && survivals[100] > survivals[1000]);
            asked += 1;
        }
        assert!(asked > 0);
    }
}
