//! The time that is as likely too long as too short: what a head would say if it had to name one.

use super::{
    scene::POINTERS,
    vocabulary::{Bin, TIMES},
};
use crate::model::vector;

/// The median step in cells if the piece goes on, from a head's logits, which become weights.
pub fn step(logits: &mut [f32]) -> f32 {
    let logits = &mut logits[..TIMES];
    vector::soften(logits);
    of(logits, &mut [])
}

/// The median duration in cells, from a head's logits, which become weights, and the lengths that may be pointed at;
/// 0 stands for none.
pub fn duration(logits: &mut [f32], lengths: &[u32; POINTERS]) -> f32 {
    vector::soften(logits);
    let (bins, pointers) = logits.split_at(TIMES);
    let mut points = [(0, 0.0); POINTERS];
    let there = lengths.iter().zip(pointers).filter(|(length, _)| **length > 0);
    for (point, (&length, &weight)) in points.iter_mut().zip(there) {
        // Bins count a duration from 0.
        *point = (length - 1, weight);
    }
    1.0 + of(bins, &mut points)
}

/// The middle of all weights: of the bins, each spread over its cells, and of single cells.
fn of(bins: &[f32], points: &mut [(u32, f32)]) -> f32 {
    points.sort_by_key(|&(cell, _)| cell);
    let half = 0.5 * (bins.iter().sum::<f32>() + points.iter().map(|(_, weight)| weight).sum::<f32>());
    let (mut sum, mut points) = (0.0, points.iter().peekable());
    for (index, &weight) in bins.iter().enumerate() {
        let bin = Bin::at(index);
        let middle = bin.first_cell + bin.cells / 2;
        while let Some((cell, weight)) = points.next_if(|(cell, _)| *cell < middle) {
            sum += weight;
            if sum >= half {
                return *cell as f32;
            }
        }
        if sum + weight >= half {
            return bin.first_cell as f32 + (bin.cells - 1) as f32 * (half - sum) / weight;
        }
        sum += weight;
    }
    points.next_back().map_or(0.0, |(cell, _)| *cell as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_weight_lies_on_either_side() {
        let mut logits = [f32::NEG_INFINITY; TIMES];
        [(3, 1.0f32), (10, 2.0), (20, 1.5)].iter().for_each(|&(bin, weight)| logits[bin] = weight.ln());
        assert_eq!(step(&mut logits), 10.0);
    }

    #[test]
    fn an_end_that_is_likely_to_be_pointed_at_is_the_median() {
        let mut logits = [f32::NEG_INFINITY; TIMES + POINTERS];
        logits[5] = 0.0;
        logits[TIMES + 1] = 2.0;
        assert_eq!(duration(&mut logits, &[7, 77, 0, 0, 0, 0, 0, 0]), 77.0);
    }
}
