//! The performer and its instrument: every note-on that goes out is followed by its note-off.

use super::{Ears, Performer, Port, Sound};
use crate::{
    chronicle::Event,
    music::{
        hearing::{HeardNote, Place},
        note::Key,
        schedule::{Due, Sounding},
        time::{Beats, SampleTime},
        turn::TurnId,
    },
};

impl Performer {
    pub(super) fn play(&mut self, due: Due, port: &mut impl Port) {
        match due {
            Due::NoteOff(sounding) => self.release(sounding, port),
            Due::NoteOn(note) => {
                let key = note.place.key;
                let channel = self.settings.delivery.channel.unwrap_or(self.channel);
                let place = Place { channel, key };
                // A key sounds for one of the two: its release would end the player's note.
                let is_allowed = self.settings.manner.keys().contains(key) && !self.hearing.holds(place);
                let has_room = is_allowed && self.make_room(key, port);
                let velocity = self.settings.delivery.velocity(note.velocity);
                let sound = Sound::NoteOn(place, velocity);
                if has_room && !self.blocked && port.play(self.offset(), sound).is_ok() {
                    self.telemetry.answered.raise();
                    self.plan.sounded = self.plan.sounded.max(note.drawn);
                    self.schedule.start_first(self.cursor, channel);
                    self.tell(Event::Sounded(place, velocity));
                } else {
                    self.telemetry.dropped.raise();
                    self.schedule.skip_first();
                    self.tell(Event::Skipped(key));
                }
            }
        }
    }

    /// Releases what must end before a key is struck: its own last note and, where no voice is free, the note that
    /// would end first. False where that has only just begun, so that nothing is cut off before it was heard.
    fn make_room(&mut self, key: Key, port: &mut impl Port) -> bool {
        match self.schedule.sounding_on(key) {
            Some(last) if last.onset == self.cursor => return false,
            Some(last) => self.release(last, port),
            None => {}
        }
        self.leave_sounding(self.settings.manner.polyphony.count() - 1, port)
    }

    /// Releases what would end first until at most so many notes sound; false where others have only just begun.
    pub(super) fn leave_sounding(&mut self, most: usize, port: &mut impl Port) -> bool {
        while !self.blocked && self.schedule.sounding().count() > most {
            match self.schedule.first_to_end(self.cursor, &self.timeline) {
                Some(first) => self.release(first, port),
                None => return false,
            }
        }
        true
    }

    /// A note-off is never dropped: one that the host refuses stays due.
    fn release(&mut self, note: Sounding, port: &mut impl Port) {
        if port.play(self.offset(), Sound::NoteOff(note.place)).is_err() {
            self.blocked = true;
            return;
        }
        self.schedule.end(note.place.key);
        self.tell(Event::Released(note.place));
        let Sounding { place, velocity, onset, .. } = note;
        if self.settings.ears != Ears::Closed {
            self.remember(HeardNote { key: place.key, velocity, onset, end: self.cursor });
        }
    }

    /// What sounds on this key makes way for the player's strike.
    pub(super) fn make_way(&mut self, key: Key, port: &mut impl Port) {
        if let Some(note) = self.schedule.sounding_on(key) {
            self.schedule.release(key, self.cursor);
            if !self.blocked {
                self.release(note, port);
            }
        }
    }

    /// What is planned goes on from another beat; what sounds is released.
    pub(super) fn jump(&mut self, by: Beats, port: &mut impl Port) {
        self.schedule.jump(by, self.cursor);
        self.release_sounding(port);
    }

    /// Releases all that sounds, drops all that is planned, and tells the worker.
    pub(super) fn fall_silent(&mut self, ended: Option<TurnId>, port: &mut impl Port) {
        self.drop_pending();
        self.schedule.release_all(self.cursor);
        self.release_sounding(port);
        if let Some(turn) = ended {
            self.cancel(turn);
        }
    }

    fn release_sounding(&mut self, port: &mut impl Port) {
        while !self.blocked {
            let Some(note) = self.schedule.sounding().next() else { break };
            self.release(note, port);
        }
    }

    /// Nothing that is planned is played any more.
    pub(super) fn drop_pending(&mut self) {
        if self.schedule.has_pending() {
            self.schedule.drop_pending();
            self.tell(Event::Dropped { from: SampleTime(0) });
        }
    }

    /// Ends the answer where nothing can be sent: what sounds is released as soon as something can.
    pub(super) fn owe_all(&mut self) {
        self.drop_pending();
        loop {
            let Some(note) = self.schedule.sounding().next() else { break };
            self.passage.owe(note.place);
            self.schedule.end(note.place.key);
            self.tell(Event::Released(note.place));
        }
    }

    /// Sends what the instrument is still owed.
    pub(super) fn pay_debts(&mut self, port: &mut impl Port) {
        while let Some(sound) = self.passage.first_owed() {
            if port.play(0, sound).is_err() {
                self.blocked = true;
                return;
            }
            self.passage.paid(sound);
        }
    }

    fn offset(&self) -> u32 {
        u32::try_from((self.cursor - self.timeline.now()).0).unwrap_or(u32::MAX)
    }
}
