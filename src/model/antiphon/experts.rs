//! Two experts for a time (a product of experts: Hinton, 2002). The first gives logits of times; the second
//! gives logits of places in the beat and the bar. Their probabilities are multiplied over cells of 10 ms.
//!
//! `logit(cell) = time[bin] - ln(cells of the bin) + place[of the beat] + sixteenth[of the bar]`, for the
//! cells of the next 5.12 s. Later cells, and all cells where no beat is known, have the logits of times
//! alone. A choice is always made among bins: the second expert is folded into their logits, and then shares
//! out each bin among its cells.

use super::vocabulary::Bin;
use crate::music::{
    conditions::{PLACES, Pulse, SIXTEENTHS},
    note::CELLS_PER_SECOND,
};

/// Number of the next cells that have places.
pub const CELLS: usize = 512;
/// Number of the bins that these cells make up.
pub const PLACED_BINS: usize = 88;
/// Number of logits of the second expert, which stand after all others of a head.
pub const EXPERTS: usize = PLACES + SIXTEENTHS;

/// Smallest weight of a place or a sixteenth, so that each has a logarithm.
const LEAST: f32 = 1e-15;

/// The places of the coming cells, each cell divided into `PARTS` parts.
#[derive(Debug, Clone)]
pub struct FineBeatPlaces<const PARTS: usize> {
    /// For each part of a cell, the place in the beat.
    places: [[u8; PARTS]; CELLS],
    /// For each part of a cell, the sixteenth of the bar.
    sixteenths: [[u8; PARTS]; CELLS],
}

/// The places of the coming cells, one for each cell.
pub type BeatPlaces = FineBeatPlaces<1>;

/// The weight of each of the coming cells relative to the others of its bin.
#[derive(Debug, Clone)]
pub struct Shares([f32; CELLS]);

impl<const PARTS: usize> FineBeatPlaces<PARTS> {
    /// The places of the cells after `pulse`; the middle of the first one lies `first` cells after it.
    /// Realtime-safe.
    pub fn after(pulse: Pulse, first: u32) -> Self {
        let mut it = Self { places: [[0; PARTS]; CELLS], sixteenths: [[0; PARTS]; CELLS] };
        let beats_per_cell = 1.0 / (CELLS_PER_SECOND * pulse.period());
        let (bar, swing) = (pulse.beats_in_bar(), pulse.swing());
        let start = f64::from(first) + f64::from(middle::<PARTS>(0));
        let mut beat = (pulse.beat() + start * beats_per_cell).rem_euclid(bar);
        let sixteenths = it.sixteenths.as_flattened_mut();
        for (place, sixteenth) in it.places.as_flattened_mut().iter_mut().zip(sixteenths) {
            let written = swing.written(beat);
            let nearest = (written * PLACES as f64 + 0.5) as usize % PLACES;
            let quarter = (written * 4.0 + 0.5).floor();
            let over = quarter >= bar * 4.0;
            *place = nearest as u8;
            *sixteenth = if over { 0 } else { (quarter as usize).min(SIXTEENTHS - 1) as u8 };
            beat += beats_per_cell / PARTS as f64;
            if beat >= bar {
                beat %= bar;
            }
        }
        it
    }

    /// For each part of a cell, the indices of its place and its sixteenth among the second expert's logits.
    fn parts(&self, cell: usize) -> impl Iterator<Item = [usize; 2]> {
        let pairs = self.places[cell].iter().zip(&self.sixteenths[cell]);
        pairs.map(|(&place, &sixteenth)| [usize::from(place), PLACES + usize::from(sixteenth)])
    }

    /// Chooses a part of a cell by `drawn`, 0..1, from the second expert's probabilities raised to `power`.
    /// Returns the middle of the part, in cells from the middle of the cell. Realtime-safe.
    pub fn part(&self, cell: usize, experts: &[f32], power: f32, drawn: f32) -> f32 {
        let logit = |[place, sixteenth]: [usize; 2]| power * (experts[place] + experts[sixteenth]);
        let top = self.parts(cell).map(logit).fold(f32::NEG_INFINITY, f32::max);
        let weights = || self.parts(cell).map(|places| (logit(places) - top).exp());
        let mut left = drawn * weights().sum::<f32>();
        let chosen = weights().position(|weight| {
            left -= weight;
            left < 0.0
        });
        middle::<PARTS>(chosen.unwrap_or(PARTS - 1))
    }
}

impl BeatPlaces {
    /// The indices of a cell's place and sixteenth among the second expert's logits.
    pub fn of(&self, cell: usize) -> [usize; 2] {
        [usize::from(self.places[cell][0]), PLACES + usize::from(self.sixteenths[cell][0])]
    }
}

/// The middle of a part of a cell, in cells from the middle of the cell.
fn middle<const PARTS: usize>(part: usize) -> f32 {
    (part as f32 + 0.5) / PARTS as f32 - 0.5
}

impl Shares {
    /// Weighs the cells by `experts`, the logits of the second expert, and folds the weights into the logits
    /// of the bins. Realtime-safe.
    pub fn fold<const PARTS: usize>(
        bins: &mut [f32],
        experts: &[f32],
        places: &FineBeatPlaces<PARTS>,
    ) -> Self {
        Self::fold_allowed(bins, experts, places, |_| true)
    }

    /// [`Shares::fold`] with only some cells allowed: a bin loses the weight of the others. Realtime-safe.
    pub fn fold_allowed<const PARTS: usize>(
        bins: &mut [f32],
        experts: &[f32],
        places: &FineBeatPlaces<PARTS>,
        allowed: impl Fn(usize) -> bool,
    ) -> Self {
        let top = |logits: &[f32]| logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let tops = [top(&experts[..PLACES]), top(&experts[PLACES..])];
        let mut weights = [0.0; EXPERTS];
        for (n, (weight, logit)) in weights.iter_mut().zip(experts).enumerate() {
            *weight = (logit - tops[usize::from(n >= PLACES)]).exp().max(LEAST);
        }
        let mut shares = Self([0.0; CELLS]);
        for (cell, share) in shares.0.iter_mut().enumerate() {
            let parts = places.parts(cell).map(|[place, sixteenth]| weights[place] * weights[sixteenth]);
            *share = if allowed(cell) { parts.sum::<f32>() / PARTS as f32 } else { 0.0 };
        }
        for (index, logit) in bins.iter_mut().enumerate().take(PLACED_BINS) {
            let bin = Bin::at(index);
            let sum: f32 = shares.0[cells_of(bin)].iter().sum();
            *logit += match sum {
                0.0 => f32::NEG_INFINITY,
                _ => (sum * bin.share()).ln() + tops[0] + tops[1],
            };
        }
        shares
    }

    /// The share of a cell in its bin, 0..=1; 0 where the whole bin weighs nothing.
    pub fn part(&self, cell: usize) -> f32 {
        let sum: f32 = self.0[cells_of(Bin::of(cell as u32))].iter().sum();
        if sum > 0.0 { self.0[cell] / sum } else { 0.0 }
    }

    /// Chooses a cell of a bin by `drawn`, 0..1, from the weights raised to `power`. Realtime-safe.
    pub fn cell(&self, bin: Bin, power: f32, drawn: f32) -> u32 {
        let shares = &self.0[cells_of(bin)];
        let top = shares.iter().copied().fold(0.0, f32::max);
        let weight = |share: f32| if share > 0.0 { (share / top).powf(power) } else { 0.0 };
        let mut left = drawn * shares.iter().copied().map(weight).sum::<f32>();
        let mut last = bin.first_cell;
        for (cell, &share) in (bin.first_cell..).zip(shares).filter(|(_, share)| **share > 0.0) {
            (left, last) = (left - weight(share), cell);
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// Backward pass of [`Shares::fold`]: adds to the gradient of the second expert's logits, from that of
    /// the folded bins.
    pub fn unfold(&self, bins: &[f32], places: &BeatPlaces, experts: &mut [f32]) {
        for (index, &slope) in bins.iter().enumerate().take(PLACED_BINS) {
            let range = cells_of(Bin::at(index));
            let sum: f32 = self.0[range.clone()].iter().sum();
            if sum == 0.0 || slope == 0.0 {
                continue;
            }
            for cell in range {
                let [place, sixteenth] = places.of(cell);
                let slope = slope * self.0[cell] / sum;
                experts[place] += slope;
                experts[sixteenth] += slope;
            }
        }
    }
}

fn cells_of(bin: Bin) -> std::ops::Range<usize> {
    let first = bin.first_cell as usize;
    first..first + bin.cells as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::antiphon::vocabulary::TIMES, music::time::Seconds};

    fn pulse() -> Pulse {
        Pulse::new(3.1, 4.0, 0.43).expect("a bar")
    }

    #[test]
    fn the_placed_bins_hold_the_placed_cells() {
        assert_eq!(Bin::at(PLACED_BINS).first_cell as usize, CELLS);
    }

    #[test]
    fn cells_lie_where_the_beat_will_be() {
        let places = BeatPlaces::after(pulse(), 3);
        for cell in 0..CELLS {
            let there = pulse().after(Seconds((cell + 3) as f32 / 100.0));
            // A pulse is rounded to its ticks.
            let apart = (places.of(cell)[0] + PLACES - there.place()) % PLACES;
            assert!([0, 1, PLACES - 1].contains(&apart), "cell {cell}");
            let sixteenth = (there.beat() * 4.0).fract();
            let is_clear = (sixteenth - 0.5).abs() > 0.1;
            assert!(!is_clear || places.of(cell)[1] == PLACES + there.sixteenth(), "cell {cell}");
        }
    }

    #[test]
    fn an_expert_that_says_nothing_changes_nothing() {
        let mut bins = [1.0; TIMES];
        let shares = Shares::fold(&mut bins, &[0.0; EXPERTS], &FineBeatPlaces::<4>::after(pulse(), 0));
        assert!(bins.iter().all(|logit| (logit - 1.0).abs() < 1e-5));
        assert!((shares.part(300) - Bin::of(300).share()).abs() < 1e-6);
    }

    #[test]
    fn a_favoured_place_is_drawn_where_the_time_allows() {
        let (mut bins, mut experts) = ([0.0; TIMES], [0.0; EXPERTS]);
        experts[0] = 20.0;
        let places = BeatPlaces::after(pulse(), 0);
        let shares = Shares::fold_allowed(&mut bins, &experts, &places, |cell| cell > 100);
        for drawn in [0.001, 0.5, 0.999] {
            let best = (0..PLACED_BINS).max_by(|&a, &b| bins[a].total_cmp(&bins[b])).expect("bins");
            let cell = shares.cell(Bin::at(best), 1.0, drawn) as usize;
            assert!(places.of(cell)[0] == 0 && cell > 100, "{cell}");
        }
        assert!(bins[..64].iter().all(|logit| *logit == f32::NEG_INFINITY));
    }

    #[test]
    fn a_place_that_is_shorter_than_a_cell_is_found_within_it() {
        let mut experts = [0.0; EXPERTS];
        experts[0] = 20.0;
        // Beats of a fifth of a second: each place lasts two fifths of a cell.
        let pulse = Pulse::new(0.3, 4.0, 0.2).expect("a bar");
        let places = FineBeatPlaces::<8>::after(pulse, 0);
        let mut bins = [0.0; TIMES];
        let shares = Shares::fold(&mut bins, &experts, &places);
        let best = (0..64).max_by(|&a, &b| shares.0[a].total_cmp(&shares.0[b])).expect("cells");
        for drawn in [0.001, 0.5, 0.999] {
            let at = (best as f32 + places.part(best, &experts, 1.0, drawn)) / 100.0;
            let beat = (pulse.beat() + f64::from(at) / pulse.period()).fract();
            assert!(beat.min(1.0 - beat) * PLACES as f64 <= 1.0, "{beat}");
        }
    }
}
