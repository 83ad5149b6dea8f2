//! What of an answer sounds when, as it will sound.

use crate::music::{
    manner::Polyphony,
    note::{Key, Note},
    time::{Moment, Seconds},
};

/// The last note of each key. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Voices([Voice; Key::COUNT]);

#[derive(Debug, Clone, Copy)]
struct Voice {
    onset: Moment,
    end: Moment,
}

impl Voices {
    pub const fn new() -> Self {
        Self([Voice { onset: Moment(0.0), end: Moment(0.0) }; Key::COUNT])
    }

    /// A note begins. Where no voice is free, the one that would end first ends, as on the stage.
    pub fn strike(&mut self, note: &Note, polyphony: Polyphony) {
        let at = note.onset;
        self.0[note.key.index()].end = at;
        let sounding = self.0.iter().filter(|voice| voice.end > at).count();
        for _ in polyphony.count()..=sounding {
            let sounding = self.0.iter_mut().filter(|voice| voice.end > at);
            let Some(first) = sounding.min_by(|a, b| a.end.0.total_cmp(&b.end.0)) else { break };
            first.end = at;
        }
        self.0[note.key.index()] = Voice { onset: at, end: at + note.duration };
    }

    /// By key: how long it still sounds after a moment.
    pub fn after(&self, moment: Moment) -> [Seconds; Key::COUNT] {
        self.0.map(|voice| (voice.end - moment).max(Seconds::ZERO))
    }

    /// The notes from a moment on never sound.
    pub fn take_back(&mut self, from: Moment) {
        for voice in self.0.iter_mut().filter(|voice| voice.onset >= from) {
            voice.end = from;
        }
    }
}
