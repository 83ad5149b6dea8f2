//! How similar two stretches of music are, and measures of faults that real music does not have.

use antiphon::music::note::{Key, RelativeNote};

use crate::evaluate::suffix_array::{LONGEST_STEP, SHORTEST_STEP, STEP_BINS, SuffixArray, Token, step_bin};

const OCTAVE: usize = 12;
/// Number of keys in a bin of registers; below, number of velocities in a bin.
const REGISTER: usize = 4;
const TOUCH: usize = 8;
/// Number of tokens of a loop; below, how many times in a row they must repeat.
const LOOP: usize = 4;
const ROUNDS: usize = 4;
/// Factor on the prompt's density beyond which a continuation is too fast or too slow.
const OFF_DENSITY: f64 = 4.0;

/// What comes after a prompt, compared with the prompt.
///
/// The similarities are histogram intersections: 0 means nothing in common, 1 the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    pub pitch_class: f64,
    pub register: f64,
    pub interval: f64,
    pub velocity: f64,
    /// Absolute value of the natural logarithm of the ratio of the densities.
    pub density: f64,
    pub is_off_density: bool,
    pub has_loop: bool,
    /// Number of steps of more than 3 s, whatever still sounds.
    pub long_silences: usize,
    /// Length in notes of the longest run that stands in the training data, where that is known.
    pub train_run: Option<usize>,
    pub notes: usize,
}

impl Similarity {
    /// Compares two stretches, each of at least one note.
    pub fn new(prompt: &[RelativeNote], next: &[RelativeNote], corpus: Option<&SuffixArray>) -> Self {
        let both = [prompt, next];
        let density = (density(next) / density(prompt)).ln().abs();
        let tokens: Vec<Token> = next.iter().map(Token::of).collect();
        Self {
            pitch_class: intersection::<OCTAVE>(both, |note| note.key.index() % OCTAVE),
            register: intersection::<{ Key::COUNT / REGISTER }>(both, |note| note.key.index() / REGISTER),
            interval: intersection::<STEP_BINS>(both, |note| step_bin(note.step)),
            velocity: intersection::<{ 128 / TOUCH }>(both, |note| {
                usize::from(note.velocity.value()) / TOUCH
            }),
            density,
            is_off_density: density > OFF_DENSITY.ln(),
            has_loop: tokens
                .windows(LOOP * ROUNDS)
                .any(|tokens| tokens[LOOP..] == tokens[..tokens.len() - LOOP]),
            long_silences: next.iter().filter(|note| note.step.0 > LONGEST_STEP.0).count(),
            train_run: corpus.map(|corpus| corpus.longest_run(&tokens)),
            notes: next.len(),
        }
    }
}

/// Notes a second, over the sum of their steps.
fn density(notes: &[RelativeNote]) -> f64 {
    let length: f64 = notes.iter().map(|note| f64::from(note.step.0)).sum();
    notes.len() as f64 / length.max(SHORTEST_STEP.0.into())
}

/// How much two histograms have in common, 0..=1: the sum of the smaller share of each bin.
fn intersection<const BINS: usize>(both: [&[RelativeNote]; 2], bin: impl Fn(&RelativeNote) -> usize) -> f64 {
    let [one, other] = both.map(|notes| {
        let mut shares = [0.0f64; BINS];
        notes.iter().for_each(|note| shares[bin(note)] += 1.0 / notes.len() as f64);
        shares
    });
    one.into_iter().zip(other).map(|(one, other)| one.min(other)).sum()
}

#[cfg(test)]
mod tests {
    use antiphon::music::{note::Velocity, time::Seconds};

    use super::*;

    fn note(key: u8, step: f32, velocity: u8) -> RelativeNote {
        RelativeNote {
            step: Seconds(step),
            duration: Seconds(0.1),
            key: Key::saturating(key),
            velocity: Velocity::saturating(velocity),
        }
    }

    fn notes(keys: impl IntoIterator<Item = u8>) -> Vec<RelativeNote> {
        keys.into_iter().map(|key| note(key, 0.2, 64)).collect()
    }

    fn close(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-6, "{one} and {other}");
    }

    #[test]
    fn music_is_wholly_like_itself() {
        let music: Vec<_> = (0..50).map(|n| note(30 + n, f32::from(n) * 0.1, 2 * n + 1)).collect();
        let similarity = Similarity::new(&music, &music, None);
        for share in [similarity.pitch_class, similarity.register, similarity.interval, similarity.velocity] {
            close(share, 1.0);
        }
        close(similarity.density, 0.0);
        assert!(!similarity.is_off_density && !similarity.has_loop);
    }

    #[test]
    fn histograms_share_the_smaller_part_of_each_bin() {
        // Three quarters C and a quarter D; half C, an octave higher, and half E.
        let (one, other) = (notes([60, 60, 60, 62]), notes([72, 72, 64, 64]));
        let similarity = Similarity::new(&one, &other, None);
        close(similarity.pitch_class, 0.5);
        close(similarity.register, 0.0);
        close(similarity.velocity, 1.0);
    }

    #[test]
    fn intervals_are_binned_by_their_logarithm_and_nothing_is_left_out() {
        assert_eq!([0.0, 0.005, 0.0074, 0.0076].map(|step| step_bin(Seconds(step))), [0, 0, 0, 1]);
        assert_eq!([1.9, 2.1, 3.0, 60.0].map(|step| step_bin(Seconds(step))), [14, 15, 15, 15]);
    }

    #[test]
    fn density_is_as_far_off_above_as_below() {
        let (slow, fast) = ([note(60, 1.0, 64); 10], [note(60, 0.2, 64); 10]);
        let similarity = [Similarity::new(&slow, &fast, None), Similarity::new(&fast, &slow, None)];
        for similarity in similarity {
            close(similarity.density, 5f64.ln());
            assert!(similarity.is_off_density);
        }
    }

    #[test]
    fn four_items_four_times_in_a_row_are_a_loop_and_fewer_are_not() {
        let has_loop = |keys: Vec<u8>| Similarity::new(&notes([60]), &notes(keys), None).has_loop;
        let round = [60, 62, 64, 65];
        assert!(has_loop([[1; 4], round, round, round, round].concat()));
        assert!(!has_loop([[1; 4], round, round, round, [60, 62, 64, 1]].concat()));
        assert!(has_loop(vec![60; 16]) && !has_loop(vec![60; 15]));
    }

    #[test]
    fn only_a_step_of_more_than_three_seconds_is_a_long_silence() {
        let next = [note(60, 3.0, 64), note(60, 3.1, 64), note(60, 9.0, 64)];
        assert_eq!(Similarity::new(&notes([60]), &next, None).long_silences, 2);
    }
}
