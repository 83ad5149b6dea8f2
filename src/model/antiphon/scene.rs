//! What sounds, and what is known of a note at its onset.

use super::vocabulary::{Bin, TIMES, VELOCITIES, velocity_bin};
use crate::music::{grid::GridNote, note::Key};

/// So many ends of sounding notes may be pointed at.
pub const POINTERS: usize = 8;
/// The choices for the end of a note: lengths, then pointers.
pub const ENDS: usize = TIMES + POINTERS;

/// Where the parts of a heard note stand among its numbers. Each head reads the network's context and what stands
/// before its own attribute.
pub const SOUNDING: usize = TIMES;
pub const KEY: usize = SOUNDING + Key::COUNT;
pub const VELOCITY: usize = KEY + Key::COUNT;
pub const REMAINING: usize = VELOCITY + VELOCITIES;
pub const LENGTH: usize = REMAINING + 2 * POINTERS;
const POINTED: usize = LENGTH + TIMES;
const PITCH_CLASS: usize = POINTED + 1;
const INTERVAL: usize = PITCH_CLASS + 12;
/// Wider intervals count as this.
const WIDEST: i16 = 24;
/// How many numbers the network hears of a note.
pub const HEARD: usize = INTERVAL + 2 * WIDEST as usize + 1;

/// Older notes that still sound are no longer pointed at.
const NEWEST: usize = 128;
/// Brings the logarithm of a time in cells near 1.
const LOG_SCALE: f32 = 0.15;

/// The notes that may still sound, in cells since silence.
#[derive(Debug, Clone)]
pub struct Scene {
    now: u32,
    last: Option<Key>,
    /// By key: when the last of its notes ends.
    ends: [u32; Key::COUNT],
    /// The ends of the newest notes, a ring; 0 has always passed.
    newest: [u32; NEWEST],
    heard: usize,
}

impl Scene {
    pub const SILENCE: Self =
        Self { now: 0, last: None, ends: [0; Key::COUNT], newest: [0; NEWEST], heard: 0 };

    /// Whether a key sounds so many cells after the newest onset. Realtime-safe.
    pub fn sounds(&self, key: usize, step: u32) -> bool {
        self.ends[key] > self.now.saturating_add(step)
    }

    /// The different ends that lie ahead so many cells after the newest onset, those of the newest notes first, as
    /// lengths from there in cells; 0 fills up. Realtime-safe.
    pub fn lengths(&self, step: u32) -> [u32; POINTERS] {
        let onset = self.now.saturating_add(step);
        let (mut lengths, mut found) = ([0; POINTERS], 0);
        for age in 1..=self.heard.min(NEWEST) {
            let length = self.newest[(self.heard - age) % NEWEST].saturating_sub(onset);
            if length > 0 && !lengths[..found].contains(&length) {
                lengths[found] = length;
                found += 1;
                if found == POINTERS {
                    break;
                }
            }
        }
        lengths
    }

    /// The lowest key that may follow after so many cells: notes of one onset come in the order of their keys.
    pub fn lowest(&self, step: u32) -> usize {
        self.last.filter(|_| step == 0).map_or(0, Key::index)
    }

    /// Adds a note. Realtime-safe.
    pub fn hear(&mut self, note: &GridNote) {
        self.now = self.now.saturating_add(note.step);
        let end = self.now.saturating_add(note.duration);
        let key = note.key.index();
        self.ends[key] = self.ends[key].max(end);
        self.newest[self.heard % NEWEST] = end;
        self.heard += 1;
        self.last = Some(note.key);
    }

    /// Writes what the network hears of the note that follows; `numbers` ([`HEARD`]) are nought before.
    /// Realtime-safe.
    pub fn describe(&self, note: &GridNote, numbers: &mut [f32]) {
        numbers[Bin::of(note.step).index] = 1.0;
        for key in (0..Key::COUNT).filter(|&key| self.sounds(key, note.step)) {
            numbers[SOUNDING + key] = 1.0;
        }
        numbers[KEY + note.key.index()] = 1.0;
        numbers[VELOCITY + velocity_bin(note.velocity)] = 1.0;
        let lengths = self.lengths(note.step);
        let remaining = numbers[REMAINING..LENGTH].chunks_exact_mut(2).zip(lengths);
        for (numbers, length) in remaining.filter(|&(_, length)| length > 0) {
            numbers[0] = 1.0;
            numbers[1] = LOG_SCALE * (length as f32).ln();
        }
        numbers[LENGTH + Bin::of(note.duration - 1).index] = 1.0;
        numbers[POINTED] = f32::from(u8::from(lengths.contains(&note.duration)));
        numbers[PITCH_CLASS + note.key.index() % 12] = 1.0;
        if let Some(last) = self.last {
            let interval = i16::from(note.key.number()) - i16::from(last.number());
            numbers[INTERVAL + (interval.clamp(-WIDEST, WIDEST) + WIDEST) as usize] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Velocity;

    fn note(step: u32, key: u8, duration: u32) -> GridNote {
        GridNote { step, key: Key::saturating(key), velocity: Velocity::saturating(64), duration }
    }

    #[test]
    fn a_key_sounds_until_its_end() {
        let mut scene = Scene::SILENCE;
        scene.hear(&note(5, 60, 10));
        assert!(scene.sounds(60, 9) && !scene.sounds(60, 10) && !scene.sounds(61, 0));
    }

    #[test]
    fn different_ends_are_offered_newest_first_and_once() {
        let mut scene = Scene::SILENCE;
        [note(0, 60, 50), note(10, 64, 40), note(10, 67, 7)].iter().for_each(|note| scene.hear(note));
        assert_eq!(scene.lengths(2)[..3], [5, 28, 0]);
        assert_eq!(scene.lengths(7)[..2], [23, 0]);
    }

    #[test]
    fn every_part_of_a_note_is_told_once() {
        let mut scene = Scene::SILENCE;
        scene.hear(&note(0, 60, 50));
        let mut numbers = [0.0; HEARD];
        scene.describe(&note(10, 67, 40), &mut numbers);
        let ones: Vec<usize> = (0..HEARD).filter(|&n| numbers[n] == 1.0).collect();
        let expected = [10, SOUNDING + 60, KEY + 67, VELOCITY + 16, REMAINING, LENGTH + 39, POINTED];
        assert_eq!(ones, [&expected[..], &[PITCH_CLASS + 7, INTERVAL + 31]].concat());
    }
}
