//! Quantisation: moves the onset of a note towards a grid, after the note was drawn.

use super::time::BeatTime;

/// Distance within which a beat counts as on a line, in beats: positions are computed with rounding errors.
const ON_THE_LINE: f64 = 1e-9;

/// How onsets are moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantise {
    pub grid: Grid,
    /// How far an onset is moved towards the grid, 0..=1.
    pub strength: f64,
    /// Position of every second line of a straight grid within its pair of lines, 0.5 (straight) ..=0.75.
    pub swing: f64,
}

/// The distance of the lines, as a note value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    Off,
    Quarter,
    Eighth,
    EighthTriplet,
    Sixteenth,
    SixteenthTriplet,
    ThirtySecond,
}

impl Quantise {
    /// Onsets stay where they were drawn.
    pub const OFF: Self = Self { grid: Grid::Off, strength: 1.0, swing: 0.5 };

    /// The quantised position of an onset at `beat`, which must not lie before `earliest`. The result does
    /// not lie before `earliest` either. The order of onsets is kept. Realtime-safe.
    pub fn place(&self, beat: BeatTime, earliest: BeatTime) -> BeatTime {
        let Some(lines) = self.lines() else { return beat };
        let nearest = lines.nearest(beat.0);
        let line = if nearest < earliest.0 - ON_THE_LINE { lines.first_from(earliest.0) } else { nearest };
        BeatTime(beat.0 + self.strength * (line - beat.0))
    }

    fn lines(&self) -> Option<Lines> {
        let pair = 2.0 * self.grid.beats()?;
        let swing = if self.grid.is_straight() { self.swing } else { 0.5 };
        Some(Lines { pair, second: pair * swing })
    }
}

impl Grid {
    pub const ALL: [Self; 7] = [
        Self::Off,
        Self::Quarter,
        Self::Eighth,
        Self::EighthTriplet,
        Self::Sixteenth,
        Self::SixteenthTriplet,
        Self::ThirtySecond,
    ];

    fn beats(self) -> Option<f64> {
        match self {
            Self::Off => None,
            Self::Quarter => Some(1.0),
            Self::Eighth => Some(1.0 / 2.0),
            Self::EighthTriplet => Some(1.0 / 3.0),
            Self::Sixteenth => Some(1.0 / 4.0),
            Self::SixteenthTriplet => Some(1.0 / 6.0),
            Self::ThirtySecond => Some(1.0 / 8.0),
        }
    }

    /// Triplets do not swing: they are what swing leans towards.
    fn is_straight(self) -> bool {
        !matches!(self, Self::EighthTriplet | Self::SixteenthTriplet)
    }
}

/// The lines of a grid, in pairs; lengths in beats.
struct Lines {
    pair: f64,
    /// Where in its pair the second one lies.
    second: f64,
}

impl Lines {
    fn nearest(&self, beat: f64) -> f64 {
        let [first, second, next] = self.around(beat);
        let nearer = |one: f64, other: f64| if beat - one <= other - beat { one } else { other };
        if beat < second { nearer(first, second) } else { nearer(second, next) }
    }

    fn first_from(&self, beat: f64) -> f64 {
        let lines = self.around(beat);
        lines.into_iter().find(|line| *line >= beat - ON_THE_LINE).unwrap_or(lines[2])
    }

    /// The lines of the pair that holds a beat, and the next one.
    fn around(&self, beat: f64) -> [f64; 3] {
        let pair = (beat / self.pair).floor();
        [pair * self.pair, pair * self.pair + self.second, (pair + 1.0) * self.pair]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantise() -> impl Strategy<Value = Quantise> {
        let grid = prop::sample::select(Grid::ALL.to_vec());
        (grid, 0f64..=1.0, 0.5f64..=0.75).prop_map(|(grid, strength, swing)| Quantise {
            grid,
            strength,
            swing,
        })
    }

    fn place(quantise: &Quantise, beat: f64, earliest: f64) -> f64 {
        quantise.place(BeatTime(beat), BeatTime(earliest)).0
    }

    proptest! {
        #[test]
        fn the_order_of_onsets_is_kept(
            quantise in quantise(), earliest in -8f64..8.0, one in 0f64..8.0, other in 0f64..8.0,
        ) {
            let (first, second) = (earliest + one.min(other), earliest + one.max(other));
            prop_assert!(place(&quantise, first, earliest) <= place(&quantise, second, earliest) + 1e-9);
        }

        #[test]
        fn no_onset_is_moved_before_the_earliest(quantise in quantise(), earliest in -8f64..8.0, later in 0f64..8.0) {
            prop_assert!(place(&quantise, earliest + later, earliest) >= earliest - 1e-9);
        }

        #[test]
        fn at_full_strength_every_onset_is_on_the_grid(
            quantise in quantise(), earliest in -8f64..8.0, later in 0f64..8.0,
        ) {
            let full = Quantise { strength: 1.0, ..quantise };
            let moved = place(&full, earliest + later, earliest);
            if let Some(lines) = full.lines() {
                let within = moved.rem_euclid(lines.pair);
                let off = [0.0, lines.second, lines.pair].map(|line| (within - line).abs());
                prop_assert!(off.iter().any(|off| *off < 1e-6), "{moved} of {}", lines.pair);
            } else {
                prop_assert_eq!(moved, earliest + later);
            }
        }

        #[test]
        fn no_onset_is_moved_by_more_than_the_distance_of_two_lines(quantise in quantise(), beat in -8f64..8.0) {
            let most = quantise.lines().map_or(0.0, |lines| lines.pair);
            prop_assert!((place(&quantise, beat, beat) - beat).abs() <= most);
        }
    }

    #[test]
    fn swing_delays_every_second_line_of_a_straight_grid() {
        let swing = |grid| Quantise { grid, strength: 1.0, swing: 0.75 };
        assert_eq!(place(&swing(Grid::Eighth), 0.5, -9.0), 0.75);
        assert_eq!(place(&swing(Grid::Eighth), 1.1, -9.0), 1.0);
        assert!((place(&swing(Grid::EighthTriplet), 0.3, -9.0) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn half_the_strength_goes_half_the_way() {
        let half = Quantise { grid: Grid::Quarter, strength: 0.5, swing: 0.5 };
        assert!((place(&half, 1.2, 0.0) - 1.1).abs() < 1e-9);
    }
}
