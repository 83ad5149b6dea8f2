//! The limits of the next note, and drawing one of its choices by chance: only what is allowed can be drawn.

use std::ops::RangeInclusive;

use crate::music::{
    keys::Keys,
    note::{Key, cells},
    time::Seconds,
};

/// How the probabilities of one choice are changed before it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Flattens (above 1) or sharpens (below 1) the distribution; 0 always takes the likeliest.
    pub temperature: f32,
    /// Least probability of a choice that is considered, relative to that of the likeliest one; 0 considers
    /// all.
    pub focus: f32,
}

impl Sampling {
    /// The power to which probabilities are raised, 1 / temperature. Near temperature 0 it is limited to the
    /// largest sensible one. Realtime-safe.
    pub fn sharpness(&self) -> f32 {
        const SHARPEST: f32 = 100.0;
        if self.temperature > 1.0 / SHARPEST { 1.0 / self.temperature } else { SHARPEST }
    }

    /// The network's own probabilities.
    pub const PLAIN: Self = Self { temperature: 1.0, focus: 0.0 };
}

/// The limits of one note. A draw keeps them whatever the network predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The allowed keys, at least one.
    pub keys: Keys,
    /// The chord that the next note may still join, whatever `least_step` says.
    pub chord: Option<Chord>,
    /// The silence since the last onset that is already certain. No other step is shorter.
    pub least_step: Seconds,
    /// The longest step. If `least_step` is longer, only that step is allowed.
    pub longest_step: Seconds,
    pub shortest_duration: Seconds,
    pub longest_duration: Seconds,
    /// For each key, how long after the last onset it still sounds.
    pub sounding: [Seconds; Key::COUNT],
}

/// The newest chord, while it may grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chord {
    /// The earliest and the latest onset of a note that joins the chord, counted from the last onset.
    pub from: Seconds,
    pub to: Seconds,
    /// The keys that the hands can still reach; at least one.
    pub keys: Keys,
}

/// The cells of the grid at which a step may end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepCells {
    /// The first and the last cell that join the chord; they have a bin each.
    chord: Option<(u32, u32)>,
    pub least: u32,
    pub most: u32,
}

impl StepCells {
    /// The cells from `least` to `most`.
    pub fn between(least: u32, most: u32) -> Self {
        Self { chord: None, least, most }
    }

    pub fn contains(&self, cell: u32) -> bool {
        self.joins(cell) || (self.least..=self.most).contains(&cell)
    }

    /// Whether a step to this cell joins the newest chord.
    pub fn joins(&self, cell: u32) -> bool {
        self.chord.is_some_and(|(from, to)| (from..=to).contains(&cell))
    }
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self {
        keys: Keys::ALL,
        chord: None,
        least_step: Seconds::ZERO,
        longest_step: Seconds(f32::MAX),
        shortest_duration: Seconds::ZERO,
        longest_duration: Seconds(f32::MAX),
        sounding: [Seconds::ZERO; Key::COUNT],
    };

    /// No limits, except that a silence is already certain.
    pub fn after(elapsed: Seconds) -> Self {
        Self { least_step: elapsed, ..Self::NONE }
    }

    /// The keys that may be struck after a step. A key that sounds is not struck again unless no other is
    /// allowed. Realtime-safe.
    pub fn keys_after(&self, step: Seconds) -> Keys {
        let sounds = |key: &Key| self.sounding[key.index()] > step;
        let sounding = (0..Key::COUNT as u8).map(Key::saturating).filter(sounds).collect();
        let keys = self.keys_at(step);
        keys.without(sounding).or_else(keys)
    }

    /// The keys that may be struck after a step, whatever sounds. Realtime-safe.
    pub fn keys_at(&self, step: Seconds) -> Keys {
        self.joined(step).map_or(self.keys, |chord| chord.keys)
    }

    /// Whether a note after this step joins the newest chord.
    pub fn joins(&self, step: Seconds) -> bool {
        self.joined(step).is_some()
    }

    /// The chord that a note after this step joins.
    fn joined(&self, step: Seconds) -> Option<Chord> {
        self.chord.filter(|_| self.step_cells().joins(cells(step)))
    }

    /// The nearest allowed step.
    pub fn step(&self, step: Seconds) -> Seconds {
        match self.joined(step) {
            Some(chord) => step.min(chord.to).max(chord.from),
            None => step.min(self.longest_step).max(self.least_step),
        }
    }

    pub fn step_cells(&self) -> StepCells {
        let least = cells(self.least_step);
        let chord = self.chord.map(|chord| (cells(chord.from), cells(chord.to)));
        StepCells { chord, least, most: cells(self.longest_step).max(least) }
    }

    /// The allowed durations in cells, at least 1.
    pub fn duration_cells(&self) -> RangeInclusive<u32> {
        let longest = cells(self.longest_duration).max(1);
        cells(self.shortest_duration).clamp(1, longest)..=longest
    }
}

/// Draws an index of `logits` by `drawn`, 0..1; at temperature 0, the index of the largest. Overwrites the
/// logits with weights. Realtime-safe.
///
/// What is too unlikely for the focus is left out first (min-p: Nguyen et al., 2024).
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
        // NaN weighs nothing.
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

/// Draws a key of `allowed`, which has at least one, by `drawn`; all other keys are masked first.
/// Realtime-safe.
pub fn draw_key(logits: &mut [f32], allowed: Keys, sampling: &Sampling, drawn: f32) -> Key {
    for (key, logit) in (0..).map(Key::saturating).zip(logits.iter_mut()) {
        if !allowed.contains(key) {
            *logit = f32::NEG_INFINITY;
        }
    }
    let key = Key::saturating(u8::try_from(draw(logits, sampling, drawn)).unwrap_or(u8::MAX));
    // This is another key than the drawn one only where no allowed key has a number for its logit.
    allowed.nearest(key).unwrap_or(key)
}

/// The index of the largest number, the first of equal ones; 0 where all are NaN.
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

    #[test]
    fn a_key_that_sounds_is_struck_again_only_where_no_other_is_allowed() {
        let mut limits = Limits::NONE;
        limits.keys = [60, 62].map(Key::saturating).into_iter().collect();
        limits.sounding[60] = Seconds(0.5);
        let may =
            |limits: &Limits, step, key| limits.keys_after(Seconds(step)).contains(Key::saturating(key));
        assert!(!may(&limits, 0.4, 60) && may(&limits, 0.4, 62) && may(&limits, 0.5, 60));
        limits.sounding[62] = Seconds(0.6);
        assert!(may(&limits, 0.4, 60) && may(&limits, 0.4, 62) && !may(&limits, 0.4, 61));
    }

    #[test]
    fn a_silence_beyond_the_longest_step_leaves_the_next_cell_alone() {
        let limits = Limits { longest_step: Seconds(2.0), ..Limits::after(Seconds(3.0)) };
        let bounds = |limits: Limits| (limits.step_cells().least, limits.step_cells().most);
        assert_eq!(bounds(limits), (300, 300));
        assert_eq!(limits.step(Seconds(1.0)), Seconds(3.0));
        assert_eq!(bounds(Limits::NONE), (0, u32::MAX));
    }

    #[test]
    fn a_note_comes_with_the_chord_or_after_the_least_step_and_not_between() {
        let keys: Keys = [67].map(Key::saturating).into_iter().collect();
        let chord = Chord { from: Seconds(0.01), to: Seconds(0.04), keys };
        let limits = Limits { chord: Some(chord), ..Limits::after(Seconds(0.5)) };
        let cells: Vec<u32> = (0..100).filter(|&cell| limits.step_cells().contains(cell)).collect();
        assert_eq!(cells, [vec![1, 2, 3, 4], (50..100).collect()].concat());
        assert_eq!([0.02, 0.2, 0.7].map(|step| limits.step(Seconds(step)).0), [0.02, 0.5, 0.7]);
        assert_eq!([0.02, 0.5].map(|step| limits.keys_after(Seconds(step)).len()), [1, Key::COUNT]);
    }
}
