//! The notes of a take: those of one side that were played, and those that are planned.

use std::collections::VecDeque;

use crate::{
    event_log::Planned,
    music::{
        note::{Key, Velocity},
        note_tracker::{Place, Places},
        time::{SampleTime, Samples},
    },
};

/// So many notes of a side are kept; the oldest goes first. 4 MiB: hours of dense music.
pub const MOST_NOTES: usize = 100_000;

/// A note that was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    pub onset: SampleTime,
    /// When the key went up, whatever the pedal did; `None` while it is down.
    pub end: Option<SampleTime>,
    pub place: Place,
    pub velocity: Velocity,
}

/// The notes of one side, in the order of onsets.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    notes: VecDeque<Played>,
    /// How many were kept and have fallen out.
    fallen: usize,
    /// The numbers of those that are not over, counted from the first note ever.
    open: Vec<usize>,
}

impl Notes {
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Played> {
        self.notes.iter()
    }

    /// Those whose key is down now, in the order of onsets.
    pub fn held(&self) -> impl Iterator<Item = &Played> {
        self.open.iter().filter_map(|number| self.notes.get(number.checked_sub(self.fallen)?))
    }

    /// Those that sound at `from` or later and begin before `until`, newest first. It looks back no further than notes
    /// last, which is `longest`; but what is held is found however long.
    pub fn between(
        &self,
        from: SampleTime,
        until: SampleTime,
        longest: Samples,
    ) -> impl Iterator<Item = &Played> {
        let first = from - longest;
        let recent = self.notes.iter().rev().take_while(move |note| note.onset >= first);
        let old = self.held().filter(move |note| note.onset < first);
        recent.chain(old).filter(move |note| note.onset < until && note.end.is_none_or(|end| end >= from))
    }

    /// The notes that begin at `onset` or later.
    pub(super) fn from(&self, onset: SampleTime) -> Self {
        let first = self.notes.partition_point(|note| note.onset < onset);
        let fallen = self.fallen + first;
        let open = self.open.iter().copied().filter(|number| *number >= fallen).collect();
        Self { notes: self.notes.range(first..).copied().collect(), fallen, open }
    }

    /// A key goes down; a note of it that is not over ends.
    pub(super) fn strike(&mut self, place: Place, velocity: Velocity, at: SampleTime) {
        self.release(place.into(), at);
        if self.notes.len() == MOST_NOTES {
            self.notes.pop_front();
            self.fallen += 1;
            self.open.retain(|number| *number >= self.fallen);
        }
        self.open.push(self.fallen + self.notes.len());
        self.notes.push_back(Played { onset: at, end: None, place, velocity });
    }

    /// Keys go up.
    pub(super) fn release(&mut self, places: Places, at: SampleTime) {
        let Self { notes, fallen, open } = self;
        open.retain(|number| {
            let note = &mut notes[number - *fallen];
            let is_over = places.contains(note.place);
            if is_over {
                note.end = Some(at);
            }
            !is_over
        });
    }

    /// All keys go up.
    pub(super) fn release_all(&mut self, at: SampleTime) {
        self.release(Places { channel: None, key: None }, at);
    }
}

/// The planned notes, in the order of onsets.
#[derive(Debug, Clone, Default)]
pub struct PlannedNotes(Vec<Planned>);

impl PlannedNotes {
    pub fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn plan(&mut self, note: Planned) {
        let place = self.0.partition_point(|other| other.onset <= note.onset);
        self.0.insert(place, note);
    }

    /// The first one of this key sounds, or never will.
    pub(super) fn take_first(&mut self, key: Key) {
        if let Some(place) = self.0.iter().position(|note| note.key == key) {
            self.0.remove(place);
        }
    }

    pub(super) fn drop_from(&mut self, from: SampleTime) {
        self.0.retain(|note| note.onset < from);
    }

    /// Forgets those that should have sounded so long ago.
    pub(super) fn fade(&mut self, now: SampleTime, after: Samples) {
        let faded = self.0.partition_point(|note| note.onset + after < now);
        self.0.drain(..faded);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
