//! Times and velocities as choices of a head: bins that are exact where it matters and logarithmic beyond.

use crate::music::note::Velocity;

/// Cells below this number have a bin each.
const EXACT: u32 = 64;
const EXACT_OCTAVE: u32 = EXACT.ilog2();
/// Number of bins for each octave beyond.
const BINS_PER_OCTAVE: u32 = 8;
/// Number of octaves, up to 40.96 s; one last bin holds all longer times.
const OCTAVES: u32 = 6;
const LAST: u32 = EXACT + OCTAVES * BINS_PER_OCTAVE;
/// Longest time in cells, 11 minutes; longer ones count as this.
const CELLS: u32 = 1 << 16;

/// Number of bins for a step, and for the length of a note.
pub const TIMES: usize = LAST as usize + 1;
/// Steps of fewer cells than this lie within a chord: less than 35 ms.
pub const CHORD_CELLS: usize = 4;
/// Number of choices for a step: a time, or that the piece is over.
pub const STEPS: usize = TIMES + 1;
pub const OVER: usize = TIMES;
pub const VELOCITIES: usize = 128 / DYNAMICS;
/// Number of velocities in a bin.
const DYNAMICS: usize = 4;

/// Adjacent cells that make up one choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// The index of the bin, 0..[`TIMES`].
    pub index: usize,
    pub first_cell: u32,
    pub cells: u32,
}

impl Bin {
    pub fn at(index: usize) -> Self {
        let number = u32::try_from(index).map_or(LAST, |number| number.min(LAST));
        let (first_cell, cells) = match number {
            0..EXACT => (number, 1),
            LAST => (EXACT << OCTAVES, CELLS - (EXACT << OCTAVES)),
            _ => {
                let (octave, place) =
                    ((number - EXACT) / BINS_PER_OCTAVE, (number - EXACT) % BINS_PER_OCTAVE);
                let cells = (EXACT / BINS_PER_OCTAVE) << octave;
                ((EXACT << octave) + place * cells, cells)
            }
        };
        Self { index: number as usize, first_cell, cells }
    }

    /// The bin that holds a cell.
    pub fn of(cell: u32) -> Self {
        let index = match cell.checked_ilog2().unwrap_or(0).checked_sub(EXACT_OCTAVE) {
            None => cell,
            Some(octave) if octave >= OCTAVES => LAST,
            Some(octave) => {
                let cells = (EXACT / BINS_PER_OCTAVE) << octave;
                EXACT + octave * BINS_PER_OCTAVE + (cell - (EXACT << octave)) / cells
            }
        };
        Self::at(index as usize)
    }

    /// The part of its cells that still lie ahead after `elapsed` cells, 0..=1.
    pub fn part_ahead(self, elapsed: u32) -> f32 {
        self.ahead(elapsed) as f32 * self.share()
    }

    /// The part of its cells from `least` to `most`, 0..=1.
    pub fn part_between(self, least: u32, most: u32) -> f32 {
        self.part_ahead(least) - self.part_ahead(most.saturating_add(1))
    }

    /// The bin without its cells beyond `most`.
    pub fn until(self, most: u32) -> Self {
        let cells = most.saturating_add(1).saturating_sub(self.first_cell).min(self.cells);
        Self { cells, ..self }
    }

    /// Chooses one of its cells from `elapsed` on by `drawn`, 0..1. Where there is none, returns `elapsed` or
    /// its first cell, whichever is later.
    pub fn cell(self, elapsed: u32, drawn: f32) -> u32 {
        self.first_cell.max(elapsed) + (drawn * self.ahead(elapsed) as f32) as u32
    }

    fn ahead(self, elapsed: u32) -> u32 {
        (self.first_cell + self.cells).saturating_sub(elapsed).min(self.cells)
    }

    /// The part of the bin's probability that one of its cells has.
    pub fn share(self) -> f32 {
        1.0 / self.cells as f32
    }
}

/// The bin of a velocity, 0..[`VELOCITIES`].
pub fn velocity_bin(velocity: Velocity) -> usize {
    usize::from(velocity.value()) / DYNAMICS
}

/// The velocity in the middle of a bin.
pub fn velocity_around(bin: usize) -> f32 {
    (bin as f32 + 0.5) * DYNAMICS as f32
}

/// Chooses a velocity of a bin by `drawn`, 0..1.
pub fn velocity_of(bin: usize, drawn: f32) -> Velocity {
    Velocity::saturating(((bin as f32 + drawn) * DYNAMICS as f32) as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bins_follow_each_other_without_a_gap() {
        let mut next = 0;
        for index in 0..TIMES {
            let bin = Bin::at(index);
            assert_eq!((bin.index, bin.first_cell), (index, next));
            next += bin.cells;
        }
        assert_eq!(next, CELLS);
    }

    proptest! {
        #[test]
        fn every_cell_is_in_the_bin_that_it_is_given(cell in 0..CELLS) {
            let bin = Bin::of(cell);
            prop_assert!((bin.first_cell..bin.first_cell + bin.cells).contains(&cell));
            prop_assert_eq!(Bin::at(bin.index), bin);
        }
    }

    proptest! {
        #[test]
        fn a_cell_is_drawn_from_what_is_ahead(index in 0..TIMES, over in 0f32..1.0, drawn in 0f32..1.0) {
            let bin = Bin::at(index);
            let elapsed = bin.cell(0, over);
            let cell = bin.cell(elapsed, drawn);
            prop_assert!(cell >= elapsed && cell < bin.first_cell + bin.cells);
            prop_assert!(bin.part_ahead(elapsed) > 0.0 && bin.part_ahead(bin.first_cell + bin.cells) == 0.0);
        }

        #[test]
        fn no_cell_beyond_the_last_allowed_is_drawn(cell in 0..CELLS, most in 0..CELLS, drawn in 0f32..1.0) {
            let bin = Bin::of(cell);
            let allowed = (bin.first_cell..bin.first_cell + bin.cells).filter(|&cell| cell <= most).count();
            prop_assert!((bin.part_between(0, most) * bin.cells as f32 - allowed as f32).abs() < 0.01);
            if allowed > 0 {
                prop_assert!(bin.until(most).cell(0, drawn) <= most);
            } else {
                prop_assert_eq!(bin.part_between(0, most), 0.0);
            }
        }

        #[test]
        fn a_velocity_is_drawn_from_its_bin(velocity in 1..=127u8, drawn in 0f32..1.0) {
            let bin = velocity_bin(Velocity::saturating(velocity));
            prop_assert_eq!(velocity_bin(velocity_of(bin, drawn)), bin);
        }
    }

    #[test]
    fn steps_up_to_640_ms_are_exact() {
        assert!((0..EXACT).all(|cell| Bin::of(cell).cells == 1));
    }

    #[test]
    fn what_is_longer_than_all_bins_is_in_the_last() {
        assert_eq!(Bin::of(u32::MAX).index, TIMES - 1);
    }
}
