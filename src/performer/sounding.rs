//! The performer and its instrument: every note-on that goes out is followed by its note-off.

use super::{Performer, Port, Sound};
use crate::music::{
    hearing::{HeardNote, Place},
    note::Key,
    schedule::{Due, Sounding},
    turn::TurnId,
};

/// The answer's channel.
const CHANNEL: u8 = 0;

/// The place of an answer's note on the instrument.
pub(super) fn place(key: Key) -> Place {
    Place { channel: CHANNEL, key }
}

impl Performer {
    pub(super) fn play(&mut self, due: Due, port: &mut impl Port) {
        match due {
            Due::NoteOff(sounding) => self.release(sounding, port),
            Due::NoteOn(note) => {
                if let Some(sounding) = self.schedule.sounding_on(note.key) {
                    self.release(sounding, port);
                }
                let sound = Sound::NoteOn(place(note.key), note.velocity);
                if !self.blocked && port.play(self.offset(), sound).is_ok() {
                    self.telemetry.answered.raise();
                    self.schedule.start_first(self.cursor);
                } else {
                    self.telemetry.dropped.raise();
                    self.schedule.skip_first();
                }
            }
        }
    }

    /// A note-off is never dropped: one that the host refuses stays due.
    pub(super) fn release(&mut self, note: Sounding, port: &mut impl Port) {
        if port.play(self.offset(), Sound::NoteOff(place(note.key))).is_err() {
            self.blocked = true;
            return;
        }
        self.schedule.end(note.key);
        let Sounding { key, velocity, onset, .. } = note;
        self.remember(HeardNote { key, velocity, onset, end: self.cursor });
    }

    /// Releases all that sounds, drops all that is planned, and tells the worker.
    pub(super) fn fall_silent(&mut self, ended: Option<TurnId>, port: &mut impl Port) {
        self.schedule.release_all(self.cursor);
        while !self.blocked {
            let Some(note) = self.schedule.sounding().next() else { break };
            self.release(note, port);
        }
        if let Some(turn) = ended {
            self.cancel(turn);
        }
    }

    pub(super) fn pay_debts(&mut self, port: &mut impl Port) {
        while let Some(place) = self.passage.first_owed() {
            if port.play(0, Sound::NoteOff(place)).is_err() {
                self.blocked = true;
                return;
            }
            self.passage.paid(place);
        }
    }

    pub(super) fn offset(&self) -> u32 {
        u32::try_from((self.cursor - self.timeline.now()).0).unwrap_or(u32::MAX)
    }
}
