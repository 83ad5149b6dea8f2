//! Chooses the next note from the logits of the heads, within the limits.

use rand::RngExt;

use crate::{
    model::{
        Limits, Rng, Sampling, SamplingSettings, StepCells,
        antiphon::{
            experts::{BeatPlaces, FineBeatPlaces, PLACED_BINS, Shares},
            inference::motives,
            scene::{ENDS, Scene},
            vocabulary::{Bin, CHORD_CELLS, STEPS, TIMES, velocity_around, velocity_of},
        },
        sampling,
    },
    music::{
        conditions::{PLACES, Pulse},
        keys::Keys,
        note::{Key, Velocity, seconds},
        time::Seconds,
    },
};

/// Largest distance of an onset from the middle of its cell: a little less than half a cell.
const WITHIN_CELL: Seconds = Seconds(0.0049);
/// Number of parts into which a cell is divided where the beat is known. In a fast beat, a place is shorter
/// than a cell.
const PARTS: usize = 4;

/// Length of the longest pattern that is detected, in notes: a bar of semiquavers.
const LONGEST: usize = 16;
/// Number of times that a long pattern may be played in a row.
const ROUNDS: usize = 3;
/// Number of notes for which a short pattern may go on: a trill, an Alberti bass, a repeated note.
const MAX_REPEATS: usize = 12;
/// Factor by which a pattern may go on longer where its rhythm is not exact.
const WAVERING: usize = 2;
/// Number of newest notes that are examined: the longest loop whose rhythm is not exact.
const NOTES: usize = WAVERING * ROUNDS * LONGEST;

/// Chooses the attributes of one note. Each method takes the logits of its head, and overwrites them.
/// Realtime-safe.
pub struct Choice<'a> {
    pub scene: &'a Scene,
    pub sampling: &'a SamplingSettings,
    pub limits: &'a Limits,
    pub rng: &'a mut Rng,
}

impl Choice<'_> {
    /// Chooses the step in cells from the newest onset, which lies at `pulse`. Also returns where in its cell
    /// the note begins, in seconds from the middle of the cell: nobody plays on a grid of 10 ms. The note
    /// stays the same on the grid.
    pub fn step(&mut self, logits: &mut [f32], pulse: Option<Pulse>) -> (u32, Seconds) {
        let cells = self.limits.step_cells();
        let (choices, experts) = logits.split_at_mut(STEPS);
        let times = &mut choices[..TIMES];
        let places = pulse.map(|pulse| FineBeatPlaces::<PARTS>::after(pulse, 0));
        let own = folded(times, experts, places.as_ref());
        if let Some((pulse, places)) = pulse.zip(experts.first_chunk_mut::<PLACES>()) {
            self.sampling.keep_to_beat(places, pulse.shortest_period());
        }
        let shares = masked(times, experts, places.as_ref(), cells);
        keep_chords(times, &own);
        self.follow_pace(times);
        if self.in_order(0).and(self.limits.keys_at(Seconds::ZERO)).is_empty() {
            // The chord has reached the highest key that is allowed.
            times[0] = f32::NEG_INFINITY;
        }
        let bin = Bin::at(self.one_of(times, &self.timing(pulse)));
        let drawn = self.rng.random();
        let cell = match shares.filter(|_| bin.index < PLACED_BINS) {
            Some(shares) => shares.cell(bin, self.sampling.timing.sharpness(), drawn),
            None if cells.joins(bin.first_cell) => bin.first_cell,
            None => bin.until(cells.most).cell(cells.least, drawn),
        };
        let cell = if cells.joins(cell) { cell } else { cell.clamp(cells.least, cells.most) };
        let placed = places.filter(|_| bin.index < PLACED_BINS);
        let part = placed.map(|places| self.part(&places, cell, experts));
        (cell, self.dither(part))
    }

    fn part(&mut self, places: &FineBeatPlaces<PARTS>, cell: u32, experts: &[f32]) -> f32 {
        places.part(cell as usize, experts, self.sampling.timing.sharpness(), self.rng.random())
    }

    /// A random time within the cell, or within `part` of it, in seconds from the middle of the cell.
    fn dither(&mut self, part: Option<f32>) -> Seconds {
        let (middle, width) = part.map_or((0.0, 1.0), |middle| (middle, 1.0 / PARTS as f32));
        Seconds(2.0 * WITHIN_CELL.0 * (middle + width * (self.rng.random::<f32>() - 0.5)))
    }

    /// Biases the steps beyond a chord by `lean`, towards the wanted pace, and then all of them against
    /// chords by `thinning`. Neither bias changes the effect of the other.
    fn follow_pace(&self, times: &mut [f32]) {
        let later = &mut times[CHORD_CELLS..];
        let before = log_sum(later);
        for (index, logit) in later.iter_mut().enumerate() {
            *logit += self.sampling.lean * (Bin::at(CHORD_CELLS + index).first_cell as f32).ln();
        }
        let gained = log_sum(later) - before;
        if gained.is_finite() {
            later.iter_mut().for_each(|logit| *logit += self.sampling.thinning - gained);
        }
    }

    /// Chooses a key that is in order and, where there is a choice, does not go on with a loop.
    pub fn key(&mut self, logits: &mut [f32], step: u32) -> Key {
        let (keys, in_order) = (self.limits.keys_at(seconds(step)), self.in_order(step));
        let free = self.limits.keys_after(seconds(step)).and(in_order);
        let allowed = free.or_else(keys.and(in_order)).or_else(keys);
        let worn_out = worn_out(self.scene, step).collect();
        let allowed = allowed.without(worn_out).or_else(allowed);
        for (key, logit) in (0..).map(Key::saturating).zip(logits.iter_mut()) {
            *logit -= self.sampling.loss_of_key(key);
        }
        motives::take_up(self.scene, step, self.sampling.motives, logits);
        sampling::draw_key(logits, allowed, &self.sampling.pitch, self.rng.random())
    }

    pub fn velocity(&mut self, logits: &mut [f32]) -> Velocity {
        for (bin, logit) in logits.iter_mut().enumerate() {
            *logit -= self.sampling.loss_of_velocity(velocity_around(bin));
        }
        velocity_of(self.one_of(logits, &self.sampling.velocity), self.rng.random())
    }

    /// Chooses the duration in cells: a length, or a pointer at the end of another note. The onset lies at
    /// `pulse`.
    pub fn duration(&mut self, logits: &mut [f32], step: u32, pulse: Option<Pulse>) -> u32 {
        let allowed = self.limits.duration_cells();
        // Bins count a duration from 0.
        let cells = StepCells::between(allowed.start() - 1, allowed.end() - 1);
        let lengths = self.scene.lengths(step);
        let (choices, experts) = logits.split_at_mut(ENDS);
        let (times, pointers) = choices.split_at_mut(TIMES);
        let places = pulse.map(|pulse| BeatPlaces::after(pulse, 1));
        let shares = masked(times, experts, places.as_ref(), cells);
        for (index, logit) in times.iter_mut().enumerate() {
            *logit += self.sampling.stretch * (Bin::at(index).first_cell as f32).ln_1p();
        }
        for (logit, length) in pointers.iter_mut().zip(lengths) {
            *logit += self.sampling.stretch * (length as f32).ln();
        }
        for (logit, _) in pointers.iter_mut().zip(lengths).filter(|(_, length)| !allowed.contains(length)) {
            *logit = f32::NEG_INFINITY;
        }
        let (end, drawn) = (self.one_of(choices, &self.timing(pulse)), self.rng.random());
        if let Some(pointer) = end.checked_sub(TIMES) {
            return lengths[pointer];
        }
        let bin = Bin::at(end);
        1 + match shares.filter(|_| bin.index < PLACED_BINS) {
            Some(shares) => shares.cell(bin, self.sampling.timing.sharpness(), drawn),
            None => bin.until(cells.most).cell(cells.least, drawn),
        }
    }

    /// The settings for drawing a time. Without a beat, times are spread over cells of 10 ms. Each is
    /// unlikely beside a chord or a pointer at an end. Focus would leave out all but those, so it is off.
    fn timing(&self, pulse: Option<Pulse>) -> Sampling {
        let timing = self.sampling.timing;
        Sampling { focus: if pulse.is_some() { timing.focus } else { 0.0 }, ..timing }
    }

    /// The keys that keep the notes of one onset rising, so that no key is struck twice at once.
    fn in_order(&self, step: u32) -> Keys {
        self.scene.top(step).map_or(Keys::ALL, Keys::above)
    }

    fn one_of(&mut self, logits: &mut [f32], how: &Sampling) -> usize {
        sampling::draw(logits, how, self.rng.random())
    }
}

/// The logits of times with the second expert folded in, as the network has them.
fn folded<const PARTS: usize>(
    times: &[f32],
    experts: &[f32],
    places: Option<&FineBeatPlaces<PARTS>>,
) -> [f32; TIMES] {
    let mut own = std::array::from_fn(|index| times[index]);
    if let Some(places) = places {
        Shares::fold(&mut own, experts, places);
    }
    own
}

/// Restores the ratio between the probability of a chord and that of a later onset, from the network's `own`
/// logits. The beat and the limits then decide only within each of the two groups.
fn keep_chords(times: &mut [f32], own: &[f32; TIMES]) {
    let (chord, later) = times.split_at_mut(CHORD_CELLS);
    let (own_chord, own_later) = own.split_at(CHORD_CELLS);
    // A forbidden cell of a chord loses its probability; that of a later one goes to the later ones that are
    // left.
    let own_chord: [f32; CHORD_CELLS] =
        std::array::from_fn(|cell| if chord[cell].is_finite() { own_chord[cell] } else { f32::NEG_INFINITY });
    for (logits, own) in [(chord, own_chord.as_slice()), (later, own_later)] {
        let lost = log_sum(own) - log_sum(logits);
        if lost.is_finite() {
            logits.iter_mut().for_each(|logit| *logit += lost);
        }
    }
}

/// The logarithm of the sum of the exponentials.
fn log_sum(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest + logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln()
}

/// Masks the logits of times: each bin keeps only the probability of its allowed cells. Where the beat is
/// known, the places are folded in, and the shares of the cells are returned.
fn masked<const PARTS: usize>(
    times: &mut [f32],
    experts: &[f32],
    places: Option<&FineBeatPlaces<PARTS>>,
    allowed: StepCells,
) -> Option<Shares> {
    let shares = places
        .map(|places| Shares::fold_allowed(times, experts, places, |cell| allowed.contains(cell as u32)));
    let placed = if shares.is_some() { PLACED_BINS } else { 0 };
    for (index, logit) in times.iter_mut().enumerate().skip(placed) {
        let bin = Bin::at(index);
        if !allowed.joins(bin.first_cell) {
            *logit += bin.part_between(allowed.least, allowed.most).ln();
        }
    }
    shares
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Played {
    key: Key,
    step: usize,
}

/// The keys that, after a step of `step` cells, would go on with a pattern that has been played often enough.
/// Realtime-safe.
fn worn_out(scene: &Scene, step: u32) -> impl Iterator<Item = Key> {
    let mut items = [Played { key: Key::saturating(0), step: 0 }; NOTES];
    let mut count = 0;
    for (item, (key, step)) in items.iter_mut().zip(scene.played()) {
        *item = Played { key, step: Bin::of(step).index };
        count += 1;
    }
    let step = Bin::of(step).index;
    (1..=LONGEST).filter_map(move |period| {
        let items = &items[..count];
        let next = items.get(period - 1)?;
        let most = MAX_REPEATS.max(ROUNDS * period);
        let exact = next.step == step && run(items, period, |a, b| a == b) >= most;
        let wavering = run(items, period, |a, b| a.key == b.key) >= WAVERING * most;
        (exact || wavering).then_some(next.key)
    })
}

/// Number of newest notes (the newest come first) that repeat a pattern of `period` notes.
fn run(items: &[Played], period: usize, alike: impl Fn(&Played, &Played) -> bool) -> usize {
    period + items[period..].iter().zip(items).take_while(|(older, newer)| alike(older, newer)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::{GridNote, Velocity};

    fn scene(notes: impl Iterator<Item = (u8, u32)>) -> Scene {
        let mut scene = Scene::SILENCE;
        for (key, step) in notes {
            let (key, velocity) = (Key::saturating(key), Velocity::saturating(64));
            scene.hear(&GridNote { step, key, velocity, duration: 10, conditions: Default::default() });
        }
        scene
    }

    /// Number of notes of a pattern that are allowed after some others.
    fn allowed(pattern: &[(u8, u32)]) -> usize {
        let before = [(40, 10), (52, 30), (45, 20)];
        (0..200)
            .position(|count| {
                let played = before.into_iter().chain(pattern.iter().copied().cycle().take(count));
                let (key, step) = pattern[count % pattern.len()];
                worn_out(&scene(played), step).any(|worn| worn.number() == key)
            })
            .unwrap_or(usize::MAX)
    }

    #[test]
    fn a_pattern_stands_for_a_while_and_not_for_ever() {
        let alberti = [(60, 15), (67, 15), (64, 15), (67, 15)];
        assert_eq!(allowed(&alberti), 12);
        assert_eq!(allowed(&[(60, 15)]), 12);
        assert_eq!(allowed(&[(60, 8), (62, 9)]), 12);
        assert_eq!(allowed(&[(60, 30), (64, 0), (67, 0)]), 12);
        let bar: Vec<(u8, u32)> = (0..16).map(|n| (60 + n * 7 % 16, 12)).collect();
        assert_eq!(allowed(&bar), 48);
    }

    #[test]
    fn where_the_rhythm_wavers_it_takes_longer() {
        let trill: Vec<(u8, u32)> = (0..190).map(|n| (60 + n % 2, 7 + u32::from(n) * 5 % 11)).collect();
        assert_eq!(allowed(&trill), 24);
    }

    #[test]
    fn what_is_not_a_pattern_is_allowed() {
        let line: Vec<(u8, u32)> = (0..190_u16).map(|n| (40 + (n * n % 31) as u8, 10)).collect();
        assert_eq!(allowed(&line), usize::MAX);
        assert_eq!(worn_out(&Scene::SILENCE, 0).count(), 0);
    }

    #[test]
    fn no_loop_of_four_notes_comes_four_times() {
        let alberti = [(60, 15), (67, 15), (64, 15), (67, 15)];
        assert!(allowed(&alberti) < 4 * 4);
    }

    #[test]
    fn the_beat_and_the_limits_do_not_change_how_likely_one_more_note_of_a_chord_is() {
        let own: [f32; TIMES] = std::array::from_fn(|index| -(index as f32) / 10.0);
        let mut times = own;
        times[CHORD_CELLS - 1] = f32::NEG_INFINITY;
        times[CHORD_CELLS..CHORD_CELLS + 20].fill(f32::NEG_INFINITY);
        times[0] += 1.0;
        keep_chords(&mut times, &own);
        let allowed = |times: &[f32]| log_sum(&times[..CHORD_CELLS - 1]);
        assert!((allowed(&times) - allowed(&own)).abs() < 1e-4);
        assert_eq!(times[CHORD_CELLS - 1], f32::NEG_INFINITY);
        let later = |times: &[f32]| log_sum(&times[CHORD_CELLS..]);
        assert!((later(&times) - later(&own)).abs() < 1e-4);
    }

    #[test]
    fn within_a_chord_the_beat_chooses_the_cell() {
        let own = [0.0; TIMES];
        let mut times = own;
        times[0] += 1.0;
        keep_chords(&mut times, &own);
        assert!((times[0] - times[1] - 1.0).abs() < 1e-4);
    }
}
