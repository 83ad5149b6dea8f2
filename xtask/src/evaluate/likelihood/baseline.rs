//! Counting baselines: how often each value occurs, and how often it follows the value before.

use antiphon::music::note::Key;

use super::Nats;
use crate::corpus::GridNote;

/// Times are counted cell by cell up to 10 s, then octave by octave.
const EXACT_CELLS: u32 = 1000;
const OCTAVES: usize = 16;
const TIMES: usize = EXACT_CELLS as usize + OCTAVES;
const VELOCITY_BINS: usize = 32;
/// Pseudo-count of every value, so that nothing unseen is impossible.
const ALPHA: f64 = 0.1;
/// Number of observations that the histogram counts as, beside what followed a value.
const TRUST: f64 = 20.0;

/// Counts of the four attributes of a note.
pub struct Baseline {
    step: Counts,
    pitch: Counts,
    velocity: Counts,
    duration: Counts,
}

impl Baseline {
    pub fn fitted(pieces: &[Vec<GridNote>]) -> Self {
        let mut baseline = Self {
            step: Counts::new(TIMES),
            pitch: Counts::new(Key::COUNT),
            velocity: Counts::new(VELOCITY_BINS),
            duration: Counts::new(TIMES),
        };
        for piece in pieces {
            let mut before = [None; 4];
            for note in piece {
                let places = places(note);
                let counts =
                    [&mut baseline.step, &mut baseline.pitch, &mut baseline.velocity, &mut baseline.duration];
                for ((counts, place), before) in counts.into_iter().zip(places).zip(&mut before) {
                    counts.add(before.replace(place), place);
                }
            }
        }
        baseline
    }

    /// Number of cells of the histograms.
    pub fn cells(&self) -> usize {
        2 * TIMES + Key::COUNT + VELOCITY_BINS
    }

    /// Number of cells of the first-order Markov chains.
    pub fn pairs(&self) -> usize {
        2 * TIMES * TIMES + Key::COUNT * Key::COUNT + VELOCITY_BINS * VELOCITY_BINS
    }

    pub fn histogram(&self, pieces: &[Vec<GridNote>]) -> Nats {
        self.score(pieces, |counts, _, place| counts.probability(place))
    }

    /// First-order Markov chain: each attribute given the same attribute of the note before.
    pub fn markov(&self, pieces: &[Vec<GridNote>]) -> Nats {
        self.score(pieces, |counts, before, place| match before {
            Some(before) => counts.probability_after(before, place),
            None => counts.probability(place),
        })
    }

    fn score(
        &self,
        pieces: &[Vec<GridNote>],
        probability: impl Fn(&Counts, Option<usize>, usize) -> f64,
    ) -> Nats {
        let all = [&self.step, &self.pitch, &self.velocity, &self.duration];
        let (mut nats, mut notes) = ([0.0; 4], 0);
        for piece in pieces {
            let mut before = [None; 4];
            notes += piece.len();
            for note in piece {
                let widths = [cells_of(note.step), 1.0, 1.0, cells_of(note.duration)];
                for (n, place) in places(note).into_iter().enumerate() {
                    // A value that shares its count with others has an equal part of their probability.
                    nats[n] += widths[n].ln() - probability(all[n], before[n], place).ln();
                    before[n] = Some(place);
                }
            }
        }
        let [step, pitch, velocity, duration] = nats.map(|sum| sum / notes as f64);
        Nats {
            step: Some(step),
            pitch: Some(pitch),
            velocity: Some(velocity),
            duration: Some(duration),
            total: Some(step + pitch + velocity + duration),
        }
    }
}

/// The bins of step, pitch, velocity and duration.
fn places(note: &GridNote) -> [usize; 4] {
    let velocity = usize::from(note.velocity.value()) / 4;
    [time_place(note.step), note.key.index(), velocity, time_place(note.duration)]
}

fn time_place(cells: u32) -> usize {
    match octave(cells) {
        None => cells as usize,
        Some(octave) => EXACT_CELLS as usize + octave,
    }
}

/// The number of cells that are counted together with this one.
fn cells_of(cells: u32) -> f64 {
    octave(cells).map_or(1.0, |octave| f64::from(EXACT_CELLS) * f64::from(1u32 << octave))
}

fn octave(cells: u32) -> Option<usize> {
    let times = cells / EXACT_CELLS;
    times.checked_ilog2().map(|octave| (octave as usize).min(OCTAVES - 1))
}

/// How often each value occurred, and after which other value.
struct Counts {
    total: f64,
    once: Vec<f64>,
    /// Counts of each pair of (before, value), as one flat table.
    pairs: Vec<f64>,
    /// How often something followed a value.
    followed: Vec<f64>,
}

impl Counts {
    fn new(values: usize) -> Self {
        Self {
            total: 0.0,
            once: vec![0.0; values],
            pairs: vec![0.0; values * values],
            followed: vec![0.0; values],
        }
    }

    fn add(&mut self, before: Option<usize>, value: usize) {
        self.total += 1.0;
        self.once[value] += 1.0;
        if let Some(before) = before {
            self.pairs[before * self.once.len() + value] += 1.0;
            self.followed[before] += 1.0;
        }
    }

    fn probability(&self, value: usize) -> f64 {
        (self.once[value] + ALPHA) / (self.total + ALPHA * self.once.len() as f64)
    }

    fn probability_after(&self, before: usize, value: usize) -> f64 {
        let pair = self.pairs[before * self.once.len() + value];
        (pair + TRUST * self.probability(value)) / (self.followed[before] + TRUST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let mut counts = Counts::new(5);
        [0, 3, 3, 1, 0, 3].windows(2).for_each(|pair| counts.add(Some(pair[0]), pair[1]));
        let sum = |p: &dyn Fn(usize) -> f64| (0..5).map(p).sum::<f64>();
        assert!((sum(&|value| counts.probability(value)) - 1.0).abs() < 1e-12);
        for before in 0..5 {
            assert!((sum(&|value| counts.probability_after(before, value)) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn long_times_share_their_counts_by_octaves() {
        assert_eq!([0, 999, 1000, 1999, 2000].map(time_place), [0, 999, 1000, 1000, 1001]);
        assert_eq!([0, 999, 1000, 2500].map(cells_of), [1.0, 1.0, 1000.0, 2000.0]);
    }
}
