//! The chord that was struck last, which may grow for a moment.

use crate::{
    model::Chord,
    music::{
        grid::Cell,
        hands,
        keys::Keys,
        note::Note,
        time::{Moment, Seconds},
    },
};

/// So long after its first onset a note belongs to a chord still, in whole cells of the grid.
const JOINED: Seconds = Seconds(0.04);
const CELL: Seconds = Seconds(0.01);

/// The newest chord of an answer, of one note or more.
#[derive(Debug, Clone, Copy)]
pub struct Struck {
    /// On the grid, as models hear it.
    pub onset: Moment,
    keys: Keys,
}

impl Struck {
    /// What was struck at a moment by an answer before: nothing joins it any more.
    pub fn before(onset: Moment) -> Self {
        Self { onset, keys: Keys::NONE }
    }

    pub fn follow(&mut self, note: &Note) {
        let onset = Cell::of(note.onset).moment();
        if self.keys.is_empty() || onset > self.last() {
            *self = Self::before(onset);
        }
        self.keys.insert(note.key);
    }

    /// No note that belongs to another chord begins earlier.
    pub fn over(&self) -> Moment {
        if self.keys.is_empty() { self.onset } else { self.last() + CELL }
    }

    /// How a note may join, in steps from the last onset, if it begins no earlier than `earliest`.
    pub fn joined(&self, last_onset: Moment, earliest: Moment, allowed: Keys) -> Option<Chord> {
        let keys = allowed.and(hands::within_reach(self.keys)).without(self.keys);
        let (from, to) = (earliest.max(last_onset) - last_onset, self.last() - last_onset);
        (!self.keys.is_empty() && !keys.is_empty() && from <= to).then_some(Chord { from, to, keys })
    }

    fn last(&self) -> Moment {
        self.onset + JOINED
    }
}
