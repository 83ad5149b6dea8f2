//! What phrases are made of: steps, durations, intervals and velocities as often as in real performances.
//!
//! The sixteen quantiles of each, in the order of size, of 77,000 notes of 14 performances drawn from MAESTRO, with
//! durations until the key goes up. Each is drawn for itself; only the phrases are shorter than real ones, so that
//! there is more to answer.

use rand::RngExt;
use rand_pcg::Pcg32;

type Quantiles = [f64; 16];

/// Seconds from onset to onset, where they are less than 2.
const STEPS: Quantiles = [
    0.0, 0.002, 0.004, 0.005, 0.008, 0.012, 0.019, 0.031, 0.056, 0.077, 0.094, 0.116, 0.146, 0.185, 0.26,
    0.47,
];
/// Seconds.
const DURATIONS: Quantiles = [
    0.029, 0.035, 0.04, 0.046, 0.053, 0.06, 0.07, 0.082, 0.098, 0.119, 0.148, 0.193, 0.252, 0.352, 0.533,
    1.137,
];
/// Semitones from key to key.
const INTERVALS: Quantiles =
    [-33.0, -20.0, -12.0, -12.0, -8.0, -5.0, -3.0, -2.0, 1.0, 3.0, 5.0, 7.0, 11.0, 14.0, 21.0, 33.0];
const VELOCITIES: Quantiles =
    [29.0, 39.0, 44.0, 49.0, 53.0, 57.0, 60.0, 64.0, 67.0, 70.0, 74.0, 77.0, 81.0, 85.0, 91.0, 98.0];

/// In seconds.
pub fn step(chance: &mut Pcg32) -> f64 {
    drawn(&STEPS, chance)
}

/// In seconds.
pub fn duration(chance: &mut Pcg32) -> f64 {
    drawn(&DURATIONS, chance)
}

/// In semitones.
pub fn interval(chance: &mut Pcg32) -> i32 {
    drawn(&INTERVALS, chance).round() as i32
}

pub fn velocity(chance: &mut Pcg32) -> u8 {
    drawn(&VELOCITIES, chance).round() as u8
}

fn drawn(quantiles: &Quantiles, chance: &mut Pcg32) -> f64 {
    let index = chance.random_range(0..quantiles.len() - 1);
    let part: f64 = chance.random_range(0.0..1.0);
    quantiles[index] + (quantiles[index + 1] - quantiles[index]) * part
}
