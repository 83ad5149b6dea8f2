//! What the next note may be: chance is asked only about what is allowed.

use crate::music::{grid::cells, keys::Keys, note::Key, time::Seconds};

/// The bounds of one note. A draw keeps them whatever the network thinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// At least one.
    pub keys: Keys,
    /// The silence since the last onset that is already certain: no step is shorter.
    pub least_step: Seconds,
    /// A step that would be longer may only be as short as possible.
    pub longest_step: Seconds,
    pub longest_duration: Seconds,
    /// By key: how long after the last onset it still sounds.
    pub sounding: [Seconds; Key::COUNT],
}

impl Limits {
    /// Everything.
    pub const NONE: Self = Self {
        keys: Keys::ALL,
        least_step: Seconds::ZERO,
        longest_step: Seconds(f32::MAX),
        longest_duration: Seconds(f32::MAX),
        sounding: [Seconds::ZERO; Key::COUNT],
    };

    /// Everything after a silence.
    pub fn after(elapsed: Seconds) -> Self {
        Self { least_step: elapsed, ..Self::NONE }
    }

    /// The keys that may be struck after a step. A key that sounds is let ring, unless no other is allowed.
    /// Realtime-safe.
    pub fn keys_after(&self, step: Seconds) -> Keys {
        let sounds = |key: &Key| self.sounding[key.index()] > step;
        let sounding = (0..Key::COUNT as u8).map(Key::saturating).filter(sounds).collect();
        self.keys.without(sounding).or_else(self.keys)
    }

    /// The allowed step that is nearest.
    pub fn step(&self, step: Seconds) -> Seconds {
        step.min(self.longest_step).max(self.least_step)
    }

    /// The first and the last cell of the grid that a step may lead to.
    pub fn step_cells(&self) -> (u32, u32) {
        let least = cells(self.least_step);
        (least, cells(self.longest_step).max(least))
    }

    /// In cells, at least 1.
    pub fn duration_cells(&self) -> u32 {
        cells(self.longest_duration).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_sounds_is_struck_again_only_where_no_other_is_allowed() {
        let mut limits = Limits::NONE;
        limits.keys = [60, 62].map(Key::saturating).into_iter().collect();
        limits.sounding[60] = Seconds(0.5);
        let may =
            |limits: &Limits, step, key| limits.keys_after(Seconds(step)).contains(Key::saturating(key));
        assert!(!may(&limits, 0.4, 60) && may(&limits, 0.4, 62) && may(&limits, 0.5, 60));
        limits.sounding[62] = Seconds(0.6);
        assert!(may(&limits, 0.4, 60) && may(&limits, 0.4, 62) && !may(&limits, 0.4, 61));
    }

    #[test]
    fn a_silence_beyond_the_longest_step_leaves_the_next_cell_alone() {
        let limits = Limits { longest_step: Seconds(2.0), ..Limits::after(Seconds(3.0)) };
        assert_eq!(limits.step_cells(), (300, 300));
        assert_eq!(limits.step(Seconds(1.0)), Seconds(3.0));
        assert_eq!(Limits::NONE.step_cells(), (0, u32::MAX));
    }
}
