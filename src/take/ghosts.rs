//! What is planned and does not sound yet.

use crate::{
    event_log::Planned,
    music::{
        note::Key,
        time::{SampleTime, Samples},
    },
};

/// The planned notes, in the order of onsets.
#[derive(Debug, Clone, Default)]
pub struct Ghosts(Vec<Planned>);

impl Ghosts {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn plan(&mut self, ghost: Planned) {
        let place = self.0.partition_point(|other| other.onset <= ghost.onset);
        self.0.insert(place, ghost);
    }

    /// The first one of this key sounds, or never will.
    pub(super) fn take_first(&mut self, key: Key) {
        if let Some(place) = self.0.iter().position(|ghost| ghost.key == key) {
            self.0.remove(place);
        }
    }

    pub(super) fn drop_from(&mut self, from: SampleTime) {
        self.0.retain(|ghost| ghost.onset < from);
    }

    /// Forgets those that should have sounded so long ago.
    pub(super) fn fade(&mut self, now: SampleTime, after: Samples) {
        let faded = self.0.partition_point(|ghost| ghost.onset + after < now);
        self.0.drain(..faded);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
