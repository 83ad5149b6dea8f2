//! How one of many is chosen by chance.

use super::Sampling;
use crate::music::{keys::Keys, note::Key};

/// The place that `drawn`, 0..1, chooses among `logits`; at temperature 0 the largest. Overwrites the logits with
/// weights. Realtime-safe.
///
/// What is not likely enough for the focus is left out first (min-p: Nguyen et al., 2024).
pub fn draw(logits: &mut [f32], sampling: &Sampling, drawn: f32) -> usize {
    let largest = largest(logits);
    if sampling.temperature.is_nan() || sampling.temperature <= 0.0 {
        return largest;
    }
    let top = logits[largest];
    let least = sampling.focus.ln();
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        let below = *logit - top;
        // What is not a number weighs nothing.
        *logit = if below >= least { (below / sampling.temperature).exp() } else { 0.0 };
        sum += *logit;
    }
    let mut left = drawn * sum;
    for (place, &weight) in logits.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return place;
        }
    }
    largest
}

/// The key among `allowed`, at least one, that `drawn` chooses; all others are masked first. Realtime-safe.
pub fn draw_key(logits: &mut [f32], allowed: Keys, sampling: &Sampling, drawn: f32) -> Key {
    for (key, logit) in (0..).map(Key::saturating).zip(logits.iter_mut()) {
        if !allowed.contains(key) {
            *logit = f32::NEG_INFINITY;
        }
    }
    let key = Key::saturating(u8::try_from(draw(logits, sampling, drawn)).unwrap_or(u8::MAX));
    // Another one only where no allowed key has a number for its logit.
    allowed.nearest(key).unwrap_or(key)
}

/// The place of the largest number, the first of equals; 0 where nothing is a number.
fn largest(numbers: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (place, &number) in numbers.iter().enumerate() {
        if number > best.1 {
            best = (place, number);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hot(temperature: f32) -> Sampling {
        Sampling { temperature, ..Sampling::PLAIN }
    }

    #[test]
    fn temperature_nought_takes_the_likeliest() {
        assert_eq!(draw(&mut [0.0, 3.0, 3.0, 1.0], &hot(0.0), 0.99), 1);
        assert_eq!(draw(&mut [0.0, 3.0, 1.0], &hot(f32::NAN), 0.99), 1);
    }

    #[test]
    fn choices_come_as_often_as_they_are_likely() {
        let mut counts = [0; 3];
        for n in 0..1000 {
            counts[draw(&mut [0.0, 2f32.ln(), 5f32.ln()], &hot(1.0), (n as f32 + 0.5) / 1000.0)] += 1;
        }
        assert_eq!(counts, [125, 250, 625]);
    }

    #[test]
    fn a_higher_temperature_flattens() {
        let likely = |temperature| {
            (0..1000).filter(|&n| draw(&mut [0.0, 2.0], &hot(temperature), n as f32 / 1000.0) == 1).count()
        };
        assert!(likely(0.5) > likely(1.0) && likely(1.0) > likely(2.0) && likely(2.0) > 500);
    }

    #[test]
    fn what_is_not_a_number_is_never_chosen_while_there_is_another() {
        for n in 0..100 {
            assert_eq!(draw(&mut [f32::NAN, 0.0, f32::NEG_INFINITY], &hot(1.0), n as f32 / 100.0), 1);
        }
        assert_eq!(draw(&mut [f32::NAN; 3], &hot(1.0), 0.5), 0);
    }

    #[test]
    fn what_is_too_unlikely_for_the_focus_is_never_chosen_however_hot() {
        let sampling = Sampling { temperature: 100.0, focus: 0.3 };
        let chosen = |n| draw(&mut [0.0, 2f32.ln(), 5f32.ln()], &sampling, n as f32 / 1000.0);
        assert!((0..1000).all(|n| chosen(n) > 0));
        assert!((0..1000).any(|n| chosen(n) == 1));
    }

    #[test]
    fn a_key_is_drawn_from_what_is_allowed_even_where_the_network_says_nothing() {
        let allowed: Keys = [3, 77].map(Key::saturating).into_iter().collect();
        for drawn in [0.0, 0.3, 0.999] {
            for (temperature, logit) in [(1.0, 0.0), (0.0, 5.0), (2.0, f32::NAN), (1.0, f32::NEG_INFINITY)] {
                let key = draw_key(&mut [logit; Key::COUNT], allowed, &hot(temperature), drawn);
                assert!(allowed.contains(key));
            }
        }
    }

    #[test]
    fn without_a_focus_everything_possible_is_chosen() {
        let chosen = |n| draw(&mut [-5.0, f32::NEG_INFINITY, 0.0], &hot(3.0), n as f32 / 1000.0);
        assert!((0..1000).all(|n| chosen(n) != 1) && (0..1000).any(|n| chosen(n) == 0));
    }
}
