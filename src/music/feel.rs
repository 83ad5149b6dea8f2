//! How a player treats the beat: how much they swing, and how closely they keep to it.

use std::f64::consts::TAU;

use super::conditions::{Conditions, PLACES, Swing};

/// Where the second eighth of a beat lies, as a part of the beat.
const EIGHTHS: std::ops::Range<f64> = 0.42..0.72;
/// From this part of a beat on, a second eighth swings.
const SWUNG: f64 = 0.56;
/// Fewest swung second eighths that make a swing.
const FEWEST: usize = 5;
/// Number of newest notes in which a swing is sought.
const NEWEST: usize = 64;
/// A note that is nearer to the beat than this, in beats, is meant to be on it: less than half of a
/// sixteenth.
const NEAR_BEAT: f64 = 0.12;
/// Where the second of three notes of a beat lies. A swung beat has no note here, unless it has a fourth
/// one too.
const SECOND_OF_THREE: std::ops::Range<f64> = 0.27..0.40;
/// Where the fourth of four notes of a beat lies.
const FOURTH_OF_FOUR: std::ops::Range<f64> = 0.77..0.90;

impl Swing {
    /// The player's swing, by what is known of the newest notes; straight where the player does not swing,
    /// or where too little is known. Realtime-safe.
    pub fn of<'a>(known: impl DoubleEndedIterator<Item = &'a Conditions>) -> Self {
        let (mut places, mut heard) = ([0.0; NEWEST], 0);
        for pulse in known.rev().filter_map(|known| known.pulse).take(NEWEST) {
            places[heard] = pulse.beat().fract();
            heard += 1;
        }
        let places = &places[..heard];
        let own_beat = own_beat(places);
        let mut eighths = [0.0; NEWEST];
        let (mut count, mut straight, mut seconds, mut fourths) = (0, 0, 0, 0);
        for place in places.iter().map(|place| (place - own_beat).rem_euclid(1.0)) {
            straight += usize::from(place > EIGHTHS.start && place < SWUNG);
            seconds += usize::from(SECOND_OF_THREE.contains(&place));
            fourths += usize::from(FOURTH_OF_FOUR.contains(&place));
            if place >= SWUNG && EIGHTHS.contains(&place) {
                eighths[count] = place;
                count += 1;
            }
        }
        let are_triplets = seconds > 2 && seconds > 2 * fourths;
        if count < FEWEST || count < 3 * straight || are_triplets {
            return Self::STRAIGHT;
        }
        Self::at(median(&mut eighths[..count]))
    }
}

/// How late a player takes the beat, as a part of it; below 0 where they are early. Swing counts from
/// there.
fn own_beat(places: &[f64]) -> f64 {
    let (mut near, mut count) = ([0.0; NEWEST], 0);
    for late in places.iter().map(|place| place - place.round()).filter(|late| late.abs() < NEAR_BEAT) {
        near[count] = late;
        count += 1;
    }
    if count == 0 { 0.0 } else { median(&mut near[..count]) }
}

/// The median of at least one value.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Number of newest notes from which the steadiness is measured.
const NEWEST_NOTES: usize = 48;
/// Fewest notes from which the steadiness is measured.
const FEWEST_NOTES: usize = 12;
/// Numbers of parts into which a beat is divided: triplets, or sixteenths.
const PARTS: [f64; 2] = [3.0, 4.0];
/// How closely notes keep to the lines between parts by chance, as the length of their mean direction
/// (Mardia and Jupp, 2000).
const CHANCE: f64 = 0.25;
/// How closely a player who plays to a beat keeps to these lines at least, as the same length.
const CLOSE: f64 = 0.5;

/// How closely notes keep to the beat: 0 where they have nothing to do with it, 1 where they keep to it, or
/// where too little is known to tell. Realtime-safe.
pub fn steadiness<'a>(known: impl DoubleEndedIterator<Item = &'a Conditions>) -> f32 {
    let (mut sums, mut count) = ([[0.0; 2]; 2], 0.0);
    for pulse in known.rev().filter_map(|known| known.pulse).take(NEWEST_NOTES) {
        let beat = pulse.place() as f64 / PLACES as f64;
        for (sum, parts) in sums.iter_mut().zip(PARTS) {
            let (sine, cosine) = (TAU * parts * beat).sin_cos();
            *sum = [sum[0] + sine, sum[1] + cosine];
        }
        count += 1.0;
    }
    let lengths = sums.map(|[sine, cosine]| f64::hypot(sine, cosine) / count);
    let best = f64::max(lengths[0], lengths[1]);
    if count < FEWEST_NOTES as f64 {
        1.0
    } else {
        ((best - CHANCE) / (CLOSE - CHANCE)).clamp(0.0, 1.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::conditions::Pulse;

    fn heard(places: &[f64]) -> Swing {
        let known = |beat: f64| Conditions { pulse: Pulse::new(beat, 4.0, 0.5), ..Conditions::UNKNOWN };
        let all: Vec<Conditions> =
            (0..32).map(|n| known(f64::from(n % 4) + places[n as usize % places.len()])).collect();
        Swing::of(all.iter())
    }

    #[test]
    fn swung_eighths_are_heard_and_stand_where_they_are_written() {
        let swing = heard(&[0.0, 0.66, 0.0, 0.67]);
        assert!((swing.written(2.66) - 2.5).abs() < 0.02, "{}", swing.written(2.66));
        assert_eq!((swing.written(3.0), swing.written(0.0)), (3.0, 0.0));
        for beat in [2.0, 2.25, 2.5, 2.8] {
            assert!((swing.written(swing.played(beat)) - beat).abs() < 1e-12, "{beat}");
        }
        assert!((swing.written(0.33) - 0.25).abs() < 0.01 && (swing.written(0.83) - 0.75).abs() < 0.02);
    }

    #[test]
    fn who_is_ahead_of_the_beat_or_behind_it_swings_as_much() {
        for late in [-0.05, 0.05] {
            let swing = heard(&[1.0 + late, 0.62 + late]);
            assert!((swing.written(0.62) - 0.5).abs() < 0.01, "{late}: {}", swing.written(0.62));
            assert_eq!(heard(&[1.0 + late, 0.5 + late]), Swing::STRAIGHT);
        }
    }

    #[test]
    fn straight_eighths_triplets_and_too_few_notes_do_not_swing() {
        assert_eq!(heard(&[0.0, 0.5, 0.25, 0.75]), Swing::STRAIGHT);
        assert_eq!(heard(&[0.0, 0.333, 0.667]), Swing::STRAIGHT);
        assert_eq!(heard(&[0.0]), Swing::STRAIGHT);
        let four = heard(&[0.0, 0.33, 0.66, 0.83]);
        assert_ne!(four, Swing::STRAIGHT, "sixteenths may swing with the eighths");
    }

    fn kept(places: impl Iterator<Item = f64>) -> f32 {
        let known = |beat| Conditions { pulse: Pulse::new(beat, 4.0, 0.5), ..Conditions::UNKNOWN };
        let all: Vec<Conditions> = places.map(known).collect();
        steadiness(all.iter())
    }

    #[test]
    fn eighths_and_triplets_keep_to_the_beat_a_little_late_too_and_another_tempo_does_not() {
        let every = |step: f64, late: f64| kept((0..48).map(move |n| f64::from(n) * step + late));
        assert_eq!([every(0.5, 0.0), every(0.5, 0.06), every(1.0 / 3.0, 0.0)], [1.0; 3]);
        assert_eq!(every(0.617, 0.0), 0.0);
    }

    #[test]
    fn of_few_notes_the_best_is_thought() {
        assert_eq!(kept((0..11).map(|n| f64::from(n) * 0.617)), 1.0);
    }
}
