//! The scene: which notes sound, and the input features of a note at its onset.

use super::vocabulary::{Bin, TIMES, VELOCITIES, velocity_bin};
use crate::{
    model::vector::Item,
    music::{
        conditions::{Conditions, PLACES, Pulse, SIXTEENTHS, Style, Who},
        keys::PITCH_CLASSES,
        note::{GridNote, Key, Velocity},
    },
};

/// Number of ends of sounding notes that may be pointed at (pointers: Vinyals, Fortunato and Jaitly, 2015).
pub const POINTERS: usize = 8;
/// Number of choices for the end of a note: lengths, then pointers.
pub const ENDS: usize = TIMES + POINTERS;

/// Offsets of the groups of features of a note. A head has the features before its own attribute as input.
const GAP: usize = TIMES;
const SOUNDING: usize = GAP + GAPS * TIMES;
/// Feature that is set for the first note of a piece.
const FIRST: usize = SOUNDING + Key::COUNT;
/// Conditions at the onset. The features of the onset that representation 1 had stand before this.
pub const PLACE: usize = FIRST + 1;
const SIXTEENTH: usize = PLACE + PLACES;
const BAR: usize = SIXTEENTH + SIXTEENTHS;
const TEMPO: usize = BAR + BARS;
const CHORD_CLASS: usize = TEMPO + TEMPOS;
const ROOT: usize = CHORD_CLASS + PITCH_CLASSES;
const STYLE: usize = ROOT + PITCH_CLASSES;
pub const KEY: usize = STYLE + Style::ALL.len();
const PITCH_CLASS: usize = KEY + Key::COUNT;
const INTERVAL: usize = PITCH_CLASS + PITCH_CLASSES;
const AROUND: usize = INTERVAL + INTERVALS * SPAN;
pub const VELOCITY: usize = AROUND + SPAN;
const REMAINING: usize = VELOCITY + VELOCITIES;
pub const LENGTH: usize = REMAINING + 2 * POINTERS;
const POINTED: usize = LENGTH + TIMES;
/// Who plays: a feature of a heard note only. The features of a note that representation 1 had stand before
/// this.
pub const WHO: usize = POINTED + POINTERS + 1;
/// Number of features of a note.
pub const HEARD: usize = WHO + 2;
/// Number of features for the keys of the newest notes, an additional input of the head for the pitch.
pub const RECENT: usize = Key::COUNT;

/// Number of lengths of bars, in beats, that have features of their own; longer ones count as the last.
const BARS: usize = 8;
/// Number of tempos that have features of their own: eight to the octave from [`SLOWEST_BPM`] on.
const TEMPOS: usize = 32;
const TEMPOS_PER_OCTAVE: f64 = 8.0;
const SLOWEST_BPM: f64 = 25.0;
/// Number of earlier onsets from which a note has its distance as a feature. They show the beat, whatever the
/// chords.
const GAPS: usize = 4;
/// Least distance of these onsets from each other, in cells.
const CHORD: u32 = 5;
/// Number of earlier notes from which a note has its interval as a feature.
const INTERVALS: usize = 3;
/// Widest interval in semitones; wider ones count as this.
const WIDEST: i16 = 24;
const SPAN: usize = 2 * WIDEST as usize + 1;
/// Number of notes that count as recent.
const RECENT_NOTES: usize = 24;
/// Weight of a recent note relative to that of the note after it.
const FADING: f32 = 0.93;
/// Number of newest notes whose ends may be pointed at.
const NEWEST: usize = 128;
/// A bound on the number of features that a note can have: all keys sound, and all else is there too.
const MOST: usize = 320;
/// Scales the logarithm of a time in cells to about 1.
const LOG_SCALE: f32 = 0.15;

/// The newest notes, and when each key ends. Times are in cells since silence.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    now: u32,
    /// For each key, when the last of its notes ends.
    ends: [u32; Key::COUNT],
    /// The newest notes, in a ring buffer.
    newest: [Placed; NEWEST],
    heard: usize,
    begins_piece: bool,
    /// The place of the newest onset in the bar, where it is known.
    pulse: Option<Pulse>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    pub onset: u32,
    end: u32,
    pub key: Key,
    pub is_players: bool,
}

impl Scene {
    pub const SILENCE: Self = Self {
        now: 0,
        ends: [0; Key::COUNT],
        newest: [Placed { onset: 0, end: 0, key: Key::saturating(0), is_players: false }; NEWEST],
        heard: 0,
        begins_piece: false,
        pulse: None,
    };

    /// The silence before a piece. [`Scene::SILENCE`] may also be the middle of a piece, of which nothing was
    /// heard.
    pub const BEGINNING: Self = Self { begins_piece: true, ..Self::SILENCE };

    /// Whether a key sounds `step` cells after the newest onset. Realtime-safe.
    pub fn sounds(&self, key: usize, step: u32) -> bool {
        self.ends[key] > self.now.saturating_add(step)
    }

    /// The different ends of notes that lie ahead `step` cells after the newest onset, as lengths in cells
    /// from there. The ends of the newest notes come first; unused places are 0. Realtime-safe.
    pub fn lengths(&self, step: u32) -> [u32; POINTERS] {
        let onset = self.now.saturating_add(step);
        let (mut lengths, mut found) = ([0; POINTERS], 0);
        for note in self.newest() {
            let length = note.end.saturating_sub(onset);
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

    /// The lowest key that may follow after `step` cells: notes of one onset come in the order of their keys.
    pub fn lowest(&self, step: u32) -> usize {
        self.top(step).map_or(0, Key::index)
    }

    /// The highest key of the chord that a note after `step` cells would join; `None` if it would join none.
    pub fn top(&self, step: u32) -> Option<Key> {
        self.newest().next().filter(|_| step == 0).map(|last| last.key)
    }

    /// The place of the newest onset in the bar, where it is known.
    pub fn pulse(&self) -> Option<Pulse> {
        self.pulse
    }

    /// Number of notes heard since silence.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// Adds a note. Realtime-safe.
    pub fn hear(&mut self, note: &GridNote) {
        self.now = self.now.saturating_add(note.step);
        let end = self.now.saturating_add(note.duration);
        let key = note.key.index();
        self.ends[key] = self.ends[key].max(end);
        self.pulse = note.conditions.pulse;
        let is_players = note.conditions.who == Some(Who::Player);
        self.newest[self.heard % NEWEST] = Placed { onset: self.now, end, key: note.key, is_players };
        self.heard += 1;
    }

    /// Adds the features of an onset: its step, and what sounds then. Realtime-safe.
    pub fn tell_step(&self, step: u32, features: &mut Features) {
        features.add(Bin::of(step).index);
        let onset = self.now.saturating_add(step);
        let (mut later, mut gap) = (onset, 0);
        for note in self.newest() {
            if later - note.onset < CHORD {
                continue;
            }
            features.add(GAP + gap * TIMES + Bin::of(onset - note.onset).index);
            (later, gap) = (note.onset, gap + 1);
            if gap == GAPS {
                break;
            }
        }
        (0..Key::COUNT).filter(|&key| self.sounds(key, step)).for_each(|key| features.add(SOUNDING + key));
        if self.begins_piece && self.heard == 0 {
            features.add(FIRST);
        }
    }

    /// Adds the features of the conditions at an onset, except for who plays. Realtime-safe.
    pub fn tell_conditions(&self, conditions: &Conditions, features: &mut Features) {
        if let Some(pulse) = conditions.pulse {
            features.add(PLACE + pulse.place());
            features.add(SIXTEENTH + pulse.sixteenth());
            features.add(BAR + (pulse.beats_in_bar().round() as usize).clamp(1, BARS) - 1);
            let octaves = (60.0 / pulse.period() / SLOWEST_BPM).log2();
            features.add(TEMPO + ((TEMPOS_PER_OCTAVE * octaves).round().max(0.0) as usize).min(TEMPOS - 1));
        }
        if let Some(harmony) = conditions.harmony {
            harmony.classes().for_each(|class| features.add(CHORD_CLASS + class));
            harmony.root().into_iter().for_each(|root| features.add(ROOT + root));
        }
        if let Some(style) = conditions.style {
            features.add(STYLE + style.index());
        }
    }

    /// Adds the feature of who played a note. Realtime-safe.
    pub fn tell_who(&self, conditions: &Conditions, features: &mut Features) {
        conditions.who.into_iter().for_each(|who| features.add(WHO + who.index()));
    }

    /// Adds the features of a key, by itself and relative to others. Realtime-safe.
    pub fn tell_key(&self, step: u32, key: Key, features: &mut Features) {
        features.add(KEY + key.index());
        features.add(PITCH_CLASS + key.index() % PITCH_CLASSES);
        let interval = |other: i16| i16::from(key.number()) - other;
        for (age, other) in self.newest().take(INTERVALS).enumerate() {
            let place = interval(other.key.number().into()).clamp(-WIDEST, WIDEST) + WIDEST;
            features.add(INTERVAL + age * SPAN + place as usize);
        }
        let lowest = key.index().saturating_sub(WIDEST as usize);
        let highest = (key.index() + WIDEST as usize).min(Key::COUNT - 1);
        for other in (lowest..=highest).filter(|&other| self.sounds(other, step)) {
            features.add(AROUND + key.index() + WIDEST as usize - other);
        }
    }

    /// Adds the features of a velocity, and those of when the sounding notes will end. Realtime-safe.
    pub fn tell_velocity(&self, step: u32, velocity: Velocity, features: &mut Features) {
        features.add(VELOCITY + velocity_bin(velocity));
        for (n, length) in self.lengths(step).into_iter().enumerate().filter(|&(_, length)| length > 0) {
            features.add(REMAINING + 2 * n);
            features.add_part(REMAINING + 2 * n + 1, LOG_SCALE * (length as f32).ln());
        }
    }

    /// Adds the features of a duration. Realtime-safe.
    pub fn tell_duration(&self, step: u32, duration: u32, features: &mut Features) {
        features.add(LENGTH + Bin::of(duration.saturating_sub(1)).index);
        let pointer = self.lengths(step).iter().position(|&length| length == duration);
        features.add(POINTED + pointer.unwrap_or(POINTERS));
    }

    /// Adds the features of the keys of the newest notes, numbered from `from` on; newer notes weigh more.
    /// Realtime-safe.
    pub fn tell_recent(&self, from: usize, features: &mut Features) {
        let mut amount = 1.0;
        for note in self.newest().take(RECENT_NOTES) {
            features.add_part(from + note.key.index(), amount);
            amount *= FADING;
        }
    }

    /// The keys of the newest notes and the steps to them in cells, the newest first. The oldest note is left
    /// out, since its step is no longer known. Realtime-safe.
    pub fn played(&self) -> impl Iterator<Item = (Key, u32)> {
        self.newest().zip(self.newest().skip(1)).map(|(note, before)| (note.key, note.onset - before.onset))
    }

    /// The newest notes, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Placed> {
        (1..=self.heard.min(NEWEST)).map(|age| &self.newest[(self.heard - age) % NEWEST])
    }
}

/// The features of a note as a sparse vector: the few that are set, each with its amount. Realtime-safe.
#[derive(Debug, Clone)]
pub struct Features {
    items: [Item; MOST],
    count: usize,
}

impl Features {
    /// Adds a feature with the amount 1.
    pub fn add(&mut self, feature: usize) {
        self.add_part(feature, 1.0);
    }

    /// Adds a feature with an amount.
    pub fn add_part(&mut self, feature: usize, amount: f32) {
        let row = u16::try_from(feature).expect("there are fewer features than a row can count");
        self.items[self.count] = Item { row, amount };
        self.count += 1;
    }

    pub fn items(&self) -> &[Item] {
        &self.items[..self.count]
    }

    pub fn clear(&mut self) {
        self.count = 0;
    }
}

impl Default for Features {
    fn default() -> Self {
        Self { items: [Item { row: 0, amount: 0.0 }; MOST], count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Velocity;

    fn note(step: u32, key: u8, duration: u32) -> GridNote {
        GridNote {
            step,
            key: Key::saturating(key),
            velocity: Velocity::saturating(64),
            duration,
            conditions: Default::default(),
        }
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
        scene.hear(&note(20, 60, 50));
        let next = note(10, 67, 40);
        let mut features = Features::default();
        scene.tell_step(next.step, &mut features);
        scene.tell_key(next.step, next.key, &mut features);
        scene.tell_velocity(next.step, next.velocity, &mut features);
        scene.tell_duration(next.step, next.duration, &mut features);
        let rows: Vec<usize> = features.items().iter().map(|item| item.row.into()).collect();
        let (step, key) = ([10, GAP + 10, SOUNDING + 60], [KEY + 67, PITCH_CLASS + 7, INTERVAL + 31]);
        let rest = [AROUND + 31, VELOCITY + 16, REMAINING, REMAINING + 1, LENGTH + 39, POINTED];
        assert_eq!(rows, [&step[..], &key, &rest].concat());
    }

    #[test]
    fn the_first_note_of_a_piece_is_told_from_a_first_note_that_was_heard() {
        let first = |mut scene: Scene, notes: usize| {
            (0..notes).for_each(|_| scene.hear(&note(20, 60, 5)));
            let mut features = Features::default();
            scene.tell_step(20, &mut features);
            features.items().iter().any(|item| usize::from(item.row) == FIRST)
        };
        assert!(first(Scene::BEGINNING, 0));
        assert!(!first(Scene::BEGINNING, 1) && !first(Scene::SILENCE, 0));
    }

    #[test]
    fn a_chord_is_one_beat() {
        let mut scene = Scene::SILENCE;
        [note(10, 60, 5), note(30, 64, 5), note(1, 67, 5), note(2, 70, 5)].iter().for_each(|n| scene.hear(n));
        let mut features = Features::default();
        scene.tell_step(20, &mut features);
        let rows: Vec<usize> = features.items().iter().map(|item| item.row.into()).collect();
        assert_eq!(rows, [20, GAP + 20, GAP + TIMES + Bin::of(53).index]);
    }
}
