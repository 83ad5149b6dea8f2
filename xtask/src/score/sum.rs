//! Sums over notes.

use super::Figure;

/// Add scores of parts to score the whole. `None` where a model has no likelihood or names no time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    pub notes: usize,
    /// Step, pitch, velocity, duration; sums of nats.
    pub nats: [Option<f64>; 4],
    /// Step, duration; sums of absolute errors in seconds.
    pub errors_s: [Option<f64>; 2],
}

impl Score {
    pub fn add(&mut self, other: &Self) {
        let plus = |sum: &mut Option<f64>, more: Option<f64>| {
            *sum = more.map(|more| sum.unwrap_or(0.0) + more).or(*sum);
        };
        self.notes += other.notes;
        self.nats.iter_mut().zip(other.nats).for_each(|(sum, more)| plus(sum, more));
        self.errors_s.iter_mut().zip(other.errors_s).for_each(|(sum, more)| plus(sum, more));
    }

    /// Nats per note: step, pitch, velocity, duration.
    pub fn nats_per_note(&self) -> [Option<f64>; 4] {
        self.nats.map(|sum| sum.map(|sum| sum / self.notes as f64))
    }

    /// All that a note costs in nats.
    pub fn total(&self) -> Option<f64> {
        self.nats_per_note().into_iter().sum()
    }

    /// Mean absolute errors in seconds: step, duration.
    pub fn mae_s(&self) -> [Option<f64>; 2] {
        self.errors_s.map(|sum| sum.map(|sum| sum / self.notes as f64))
    }

    /// All that is known of it.
    pub fn figures(&self) -> Vec<Figure> {
        let nats = ["step", "pitch", "velocity", "duration"].into_iter().zip(self.nats_per_note());
        let nats = nats.chain([("total", self.total())]);
        let errors = ["step error", "duration error"].into_iter().zip(self.mae_s());
        let nats = nats.filter_map(|(name, nats)| Some(Figure::new(name, "nats", nats?)));
        nats.chain(errors.filter_map(|(name, error)| Some(Figure::new(name, "s", error?)))).collect()
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&Figure::line(&self.figures()))
    }
}
