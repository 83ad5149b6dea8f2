//! How closely a player keeps to the beat that is told.

use std::f64::consts::TAU;

use super::conditions::{Conditions, PLACES};

/// So many of the newest notes tell; fewer than so many tell nothing.
const NEWEST: usize = 48;
const FEWEST: usize = 12;
/// A beat is divided into so many parts: triplets, or sixteenths.
const PARTS: [f64; 2] = [3.0, 4.0];
/// By chance, notes keep so well to the lines between parts (the length of their mean direction: Mardia and Jupp, 2000), ...
const CHANCE: f64 = 0.25;
/// ... and so well, or better, who plays to a beat.
const CLOSE: f64 = 0.5;

/// 0 where the notes have nothing to do with the beat, 1 where they keep to it, or where too little is known to tell. Realtime-safe.
pub fn steadiness<'a>(known: impl DoubleEndedIterator<Item = &'a Conditions>) -> f32 {
    let (mut sums, mut count) = ([[0.0; 2]; 2], 0.0);
    for pulse in known.rev().filter_map(|known| known.pulse).take(NEWEST) {
        let beat = pulse.place() as f64 / PLACES as f64;
        for (sum, parts) in sums.iter_mut().zip(PARTS) {
            let (sine, cosine) = (TAU * parts * beat).sin_cos();
            *sum = [sum[0] + sine, sum[1] + cosine];
        }
        count += 1.0;
    }
    let lengths = sums.map(|[sine, cosine]| f64::hypot(sine, cosine) / count);
    let best = f64::max(lengths[0], lengths[1]);
    if count < FEWEST as f64 { 1.0 } else { ((best - CHANCE) / (CLOSE - CHANCE)).clamp(0.0, 1.0) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::conditions::Pulse;

    fn heard(places: impl Iterator<Item = f64>) -> f32 {
        let known = |beat| Conditions { pulse: Pulse::new(beat, 4.0, 0.5), ..Conditions::UNKNOWN };
        let all: Vec<Conditions> = places.map(known).collect();
        steadiness(all.iter())
    }

    #[test]
    fn eighths_and_triplets_keep_to_the_beat_a_little_late_too_and_another_tempo_does_not() {
        let every = |step: f64, late: f64| heard((0..48).map(move |n| f64::from(n) * step + late));
        assert_eq!([every(0.5, 0.0), every(0.5, 0.06), every(1.0 / 3.0, 0.0)], [1.0; 3]);
        assert_eq!(every(0.617, 0.0), 0.0);
    }

    #[test]
    fn of_few_notes_the_best_is_thought() {
        assert_eq!(heard((0..11).map(|n| f64::from(n) * 0.617)), 1.0);
    }
}
