//! How far answers are from real continuations, as distributions of windows of notes.

use super::{
    figures::{BLIP_S, Scale},
    passage::CHORD_S,
    sounded::Sounded,
};

/// Notes of a window, and from one window to the next.
const WINDOW: usize = 16;
const HOP: usize = 8;
/// What is measured of a window.
const FEATURES: usize = 13;

pub type Window = [f64; FEATURES];

/// In the order of [`features`], what hardly anyone would hear as a difference. Where real music is more even than that (pop has no
/// blips at all), it would otherwise make mountains of one note.
const SMALLEST_UNITS: [f64; FEATURES] = [0.1, 0.1, 0.1, 2.0, 1.0, 1.0, 4.0, 2.0, 0.1, 0.1, 0.1, 0.1, 0.1];

/// The windows of a passage, which may be too short for any.
pub fn windows(passage: &[Sounded], scale: Scale) -> impl Iterator<Item = Window> {
    passage.windows(WINDOW).step_by(HOP).map(move |notes| features(notes, scale))
}

/// The Fréchet distance between two sets of windows, each feature in units of its spread in the `real` one and taken as
/// a normal distribution of its own; 0 for the same. `None` where a set has fewer than two windows.
pub fn frechet(real: &[Window], other: &[Window]) -> Option<f64> {
    (real.len() > 1 && other.len() > 1).then(|| {
        let squares = (0..FEATURES).map(|feature| {
            let ((mean, spread), (others_mean, others_spread)) =
                (moments(real, feature), moments(other, feature));
            let unit = spread.max(SMALLEST_UNITS[feature]);
            ((mean - others_mean).powi(2) + (spread - others_spread).powi(2)) / (unit * unit)
        });
        squares.sum::<f64>()
    })
}

fn moments(windows: &[Window], feature: usize) -> (f64, f64) {
    let count = windows.len() as f64;
    let mean = windows.iter().map(|window| window[feature]).sum::<f64>() / count;
    let variance = windows.iter().map(|window| (window[feature] - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn features(notes: &[Sounded], scale: Scale) -> Window {
    let share = |count: usize| count as f64 / notes.len() as f64;
    let steps: Vec<f64> = notes.windows(2).map(|pair| pair[1].onset - pair[0].onset).collect();
    let between: Vec<f64> = steps.iter().copied().filter(|&step| step > CHORD_S).map(f64::ln).collect();
    let mut lengths: Vec<f64> = notes.iter().map(|note| note.duration().max(1e-3).ln()).collect();
    lengths.sort_by(f64::total_cmp);
    let keys: Vec<f64> = notes.iter().map(|note| f64::from(note.key)).collect();
    let velocities: Vec<f64> = notes.iter().map(|note| f64::from(note.velocity)).collect();
    let leaps: Vec<f64> = keys.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let (key, keys_apart) = spread(&keys);
    let (velocity, velocities_apart) = spread(&velocities);
    let (step, steps_apart) = spread(&between);
    [
        step,
        steps_apart,
        share(steps.iter().filter(|&&step| step <= CHORD_S).count()),
        key,
        keys_apart,
        spread(&leaps).0,
        velocity,
        velocities_apart,
        lengths[lengths.len() / 2],
        spread(&lengths).1,
        share(notes.iter().filter(|note| note.duration() < BLIP_S).count()),
        share(notes.iter().filter(|note| scale.contains(note.key)).count()),
        entropy(notes),
    ]
}

/// Mean and standard deviation; noughts of nothing.
fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// Of the pitch classes, in nats.
fn entropy(notes: &[Sounded]) -> f64 {
    let mut counts = [0.0; 12];
    for note in notes {
        counts[usize::from(note.key % 12)] += 1.0 / notes.len() as f64;
    }
    counts.into_iter().filter(|&share| share > 0.0).map(|share: f64| -share * share.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(step: f64, duration: f64, key: u8) -> Vec<Sounded> {
        let note = |n: u8| {
            let onset = step * f64::from(n) + 0.01 * f64::from(n % 3);
            let (key, velocity) = (key + n % 7, 60 + n % 9);
            Sounded { onset, end: onset + duration, key, velocity, beat: None, off_eighth: None }
        };
        (0..64).map(note).collect()
    }

    fn seen(passage: &[Sounded]) -> Vec<Window> {
        windows(passage, Scale::of(passage)).collect()
    }

    #[test]
    fn the_same_music_is_at_no_distance_and_other_music_is_farther_the_more_it_differs() {
        let real = seen(&passage(0.2, 0.3, 60));
        assert_eq!(real.len(), 7);
        assert_eq!(frechet(&real, &real), Some(0.0));
        let near = frechet(&real, &seen(&passage(0.21, 0.3, 60))).expect("windows");
        let far = frechet(&real, &seen(&passage(0.4, 0.05, 72))).expect("windows");
        assert!(0.0 < near && near < far, "{near} {far}");
    }

    #[test]
    fn of_too_few_notes_nothing_is_said() {
        assert_eq!(frechet(&seen(&passage(0.2, 0.3, 60)), &seen(&passage(0.2, 0.3, 60)[..20])), None);
    }
}
