//! The notes that an answer has struck so far: their onsets, the newest chord, and what still sounds.

use crate::{
    model::Chord,
    music::{
        generation::{Crowd, Density, Polyphony},
        hands,
        keys::Keys,
        memory::Memory,
        note::{Cell, Key, Note},
        time::{Moment, Seconds},
    },
};

const KEPT: usize = Density::LARGEST_CROWD;

/// The newest onsets of an answer, in order. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Onsets {
    /// A ring buffer.
    newest: [Moment; KEPT],
    count: usize,
}

impl Onsets {
    pub const fn new() -> Self {
        Self { newest: [Moment(0.0); KEPT], count: 0 }
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Inserts an onset in order: the notes of one chord are remembered in the order of their keys.
    pub fn push(&mut self, onset: Moment) {
        let mut place = self.count;
        while place > (self.count + 1).saturating_sub(KEPT) && self.newest[(place - 1) % KEPT] > onset {
            self.newest[place % KEPT] = self.newest[(place - 1) % KEPT];
            place -= 1;
        }
        self.newest[place % KEPT] = onset;
        self.count += 1;
    }

    /// The same onsets, each no later than a moment. Keeps their order.
    pub fn by(self, moment: Moment) -> Self {
        Self { newest: self.newest.map(|onset| onset.min(moment)), ..self }
    }

    /// The newest onset. Notes come in order: none may begin earlier.
    pub fn newest(&self) -> Moment {
        self.newest[(self.count + KEPT - 1) % KEPT]
    }

    /// The moment before which one more onset would exceed a crowd; `None` if it never would. A crowd of more
    /// onsets than are kept limits nothing.
    pub fn next(&self, crowd: Crowd) -> Option<Moment> {
        let first = self.count.checked_sub(crowd.onsets).filter(|_| crowd.onsets <= KEPT)?;
        Some(self.newest[first % KEPT] + crowd.span)
    }
}

/// How long after the first onset of a chord a note still belongs to it, in whole cells of the grid.
const JOINED: Seconds = Seconds(0.03);
const CELL: Seconds = Seconds(0.01);
/// Two moments of the grid that are closer together than this are the same, apart from rounding.
const HALF_CELL: Seconds = Seconds(0.005);

/// The newest chord of an answer, of one note or more.
#[derive(Debug, Clone, Copy)]
pub struct Struck {
    /// On the grid, as models hear it.
    pub onset: Moment,
    keys: Keys,
}

impl Struck {
    /// A chord that an earlier answer struck at a moment: nothing joins it any more.
    pub fn before(onset: Moment) -> Self {
        Self { onset, keys: Keys::NONE }
    }

    pub fn follow(&mut self, note: &Note) {
        let onset = Cell::of(note.onset).moment();
        if self.keys.is_empty() || onset - self.last() > HALF_CELL {
            *self = Self::before(onset);
        }
        self.keys.insert(note.key);
    }

    /// The moment before which no note of another chord begins.
    pub fn over(&self) -> Moment {
        if self.keys.is_empty() { self.onset } else { self.last() + CELL }
    }

    /// How a note may join the chord if it begins no earlier than `earliest`, in steps from the last onset.
    pub fn joined(&self, last_onset: Moment, earliest: Moment, allowed: Keys) -> Option<Chord> {
        let keys = allowed.and(hands::within_reach(self.keys)).without(self.keys);
        let (from, to) = (earliest.max(last_onset) - last_onset, self.last() - last_onset);
        (!self.keys.is_empty() && !keys.is_empty() && from <= to).then_some(Chord { from, to, keys })
    }

    fn last(&self) -> Moment {
        self.onset + JOINED
    }
}

/// For each key, when its last note ends. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Voices([Moment; Key::COUNT]);

impl Voices {
    pub const fn new() -> Self {
        Self([Moment(0.0); Key::COUNT])
    }

    /// The voices of the plugin's earlier notes that still sound at a moment.
    pub fn of_plugin(scene: &Memory, at: Moment) -> Self {
        let mut voices = Self::new();
        let sounding = scene.of_plugin().filter(|note| note.onset + note.duration > at);
        sounding.for_each(|note| voices.strike(note, Polyphony::UNLIMITED));
        voices
    }

    /// Begins a note. Where no voice is free, the one that would end first ends, as in the schedule.
    pub fn strike(&mut self, note: &Note, polyphony: Polyphony) {
        let at = note.onset;
        self.0[note.key.index()] = at;
        let sounding = self.0.iter().filter(|end| **end > at).count();
        for _ in polyphony.count()..=sounding {
            let sounding = self.0.iter_mut().filter(|end| **end > at);
            let Some(first) = sounding.min_by(|one, other| one.0.total_cmp(&other.0)) else { break };
            *first = at;
        }
        self.0[note.key.index()] = at + note.duration;
    }

    /// For each key, how long it still sounds after a moment.
    pub fn after(&self, moment: Moment) -> [Seconds; Key::COUNT] {
        self.0.map(|end| (end - moment).max(Seconds::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Velocity;
    use crate::music::time::Seconds;

    const THREE: Crowd = Crowd { onsets: 3, span: Seconds(1.0) };

    #[test]
    fn a_crowd_is_full_until_its_first_onset_is_long_enough_ago() {
        let mut onsets = Onsets::new();
        [0.0, 0.25].map(Moment).into_iter().for_each(|onset| onsets.push(onset));
        assert_eq!(onsets.next(THREE), None);
        onsets.push(Moment(0.5));
        assert_eq!(onsets.next(THREE), Some(Moment(1.0)));
        onsets.push(Moment(1.0));
        assert_eq!(onsets.next(THREE), Some(Moment(1.25)));
    }

    #[test]
    fn a_crowd_is_the_same_in_whatever_order_its_onsets_are_told() {
        let mut onsets = Onsets::new();
        [0.5, 0.0, 0.25, 1.5, 1.0].map(Moment).into_iter().for_each(|onset| onsets.push(onset));
        assert_eq!((onsets.next(THREE), onsets.newest()), (Some(Moment(1.5)), Moment(1.5)));
        (0..1000).rev().for_each(|n| onsets.push(Moment(f64::from(n))));
        assert_eq!(onsets.newest(), Moment(999.0));
    }

    #[test]
    fn only_the_newest_onsets_crowd() {
        let mut onsets = Onsets::new();
        (0..1000).for_each(|n| onsets.push(Moment(f64::from(n))));
        assert_eq!(onsets.next(THREE), Some(Moment(998.0)));
        assert_eq!(onsets.next(Crowd { onsets: KEPT, ..THREE }), Some(Moment(1001.0 - KEPT as f64)));
        assert_eq!(onsets.next(Crowd { onsets: 128, ..THREE }), None);
    }

    #[test]
    fn a_chord_is_over_30_ms_after_its_first_note_however_it_is_rolled() {
        let note = |onset: f64, key: u8| {
            let (key, velocity) = (Key::saturating(key), Velocity::saturating(64));
            Note { onset: Moment(onset), duration: Seconds(1.0), key, velocity }
        };
        for first in (0..1000).map(|n| f64::from(n) * 0.37) {
            let mut struck = Struck::before(Moment(-1.0));
            struck.follow(&note(first, 60));
            let (onset, over) = (struck.onset, struck.over());
            struck.follow(&note(first + 0.03, 64));
            assert_eq!((struck.onset, struck.over()), (onset, over), "{first}");
            struck.follow(&note(first + 0.05, 67));
            assert!(struck.onset > onset, "{first}");
        }
    }

    #[test]
    fn where_no_voice_is_free_the_one_that_would_end_first_ends() {
        let (mut voices, velocity) = (Voices::new(), Velocity::saturating(64));
        let mut strike = |key: u8, onset: f64, duration: f32| {
            let (key, onset, duration) = (Key::saturating(key), Moment(onset), Seconds(duration));
            voices.strike(&Note { onset, duration, key, velocity }, Polyphony::voices(2));
            voices.after(onset).map(|left| left > Seconds::ZERO)
        };
        strike(60, 0.0, 9.0);
        strike(64, 0.1, 2.0);
        let sounding = strike(67, 0.2, 3.0);
        assert!(sounding[60] && !sounding[64] && sounding[67]);
        let sounding = strike(60, 0.3, 1.0);
        assert!(sounding[60] && sounding[67], "a key that is struck again needs no other voice");
    }
}
