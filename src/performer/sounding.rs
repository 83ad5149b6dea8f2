//! The performer and its instrument: every note-on that goes out is followed by its note-off.

use super::{InputFilter, Performer, Port, output::Sender};
use crate::{
    event_log::Event,
    music::{
        note::{Key, Note},
        note_tracker::Place,
        schedule::{DueNote, PlannedNote, Sounding},
        time::{Beats, Moment, SampleTime},
        turn::{Rules, TurnId},
    },
};

/// Keys so many semitones apart rub against each other.
const RUBS: u8 = 2;

impl Performer {
    pub(super) fn play(&mut self, due: DueNote, port: &mut impl Port) {
        match due {
            DueNote::NoteOff(sounding) => self.release(sounding, port),
            DueNote::NoteOn(note) => self.strike(note, port),
        }
    }

    fn strike(&mut self, note: PlannedNote, port: &mut impl Port) {
        let PlannedNote { place: Place { key, .. }, drawn, .. } = note;
        let place = Place { channel: self.channel_out(), key };
        // A key sounds for one of the two: its release would end the player's note.
        let is_free = !self.input.holds(place) && !self.clashes(key);
        let is_allowed = self.settings.generation.keys().contains(key) && is_free;
        let has_room = is_allowed && self.make_room(key, port);
        let velocity = self.settings.output.velocity(note.velocity);
        if has_room {
            self.unbend(place.channel, port);
        }
        let offset = self.offset();
        if has_room && self.output.strike(place, velocity, offset, port).is_ok() {
            self.telemetry.answered.raise();
            self.output.echo.sent(key, velocity, self.cursor, Sender::Answer);
            self.plan.sounded = self.plan.sounded.max(drawn);
            self.silence.feedback.sounds(self.timeline.moment(self.cursor));
            self.output.schedule.start_first(self.cursor, place.channel);
            self.tell(Event::Sounded(place, velocity));
        } else {
            self.telemetry.dropped.raise();
            self.output.schedule.skip_first();
            self.tell(Event::Skipped(key));
        }
    }

    /// Whether what was planned beside the player rubs against what the player has struck since.
    fn clashes(&self, key: Key) -> bool {
        let rubs = |held: Key| held.number().abs_diff(key.number()) <= RUBS;
        matches!(self.settings.rules, Rules::Together { .. }) && self.input.note_tracker.held_keys().any(rubs)
    }

    /// An answer is as straight as it was drawn. A player who bends it while it sounds is let be.
    fn unbend(&mut self, channel: u8, port: &mut impl Port) {
        let begins = self.plan.sounded == Moment::EARLIEST;
        let is_free = !self.input.note_tracker.any_held(|held| held == channel);
        if is_free && (begins || self.settings.zone.master().is_some()) {
            self.output.unbend(channel, self.offset(), port);
        }
    }

    /// Releases what must end before a key is struck: its own last note and, where no voice is free, the note that
    /// would end first. False where that has only just begun, so that nothing is cut off before it was heard.
    fn make_room(&mut self, key: Key, port: &mut impl Port) -> bool {
        match self.output.schedule.sounding_on(key) {
            Some(last) if last.onset == self.cursor => return false,
            Some(last) => self.release(last, port),
            None => {}
        }
        self.leave_sounding(self.settings.generation.polyphony.count() - 1, port)
    }

    /// Releases what would end first until at most so many notes sound; false where others have only just begun.
    pub(super) fn leave_sounding(&mut self, most: usize, port: &mut impl Port) -> bool {
        while self.output.schedule.sounding().count() > most {
            match self.output.schedule.first_to_end(self.cursor, &self.timeline) {
                Some(first) => self.release(first, port),
                None => return false,
            }
        }
        true
    }

    /// A note-off is never dropped: one that the host refuses is owed.
    fn release(&mut self, note: Sounding, port: &mut impl Port) {
        self.output.schedule.end(note.place.key);
        self.output.release(note.place, self.offset(), port);
        self.tell(Event::Released(note.place));
        if self.settings.input_filter != InputFilter::Closed {
            self.remember_own(self.played(note));
        }
    }

    /// A note of the answer as it sounded until now: where it was heard.
    fn played(&self, Sounding { place, velocity, onset, .. }: Sounding) -> Note {
        let sent = self.timeline.moment(onset);
        let duration = self.timeline.moment(self.cursor) - sent;
        Note { onset: sent + self.settings.output.advance, duration, key: place.key, velocity }
    }

    /// What sounds on this key makes way for the player's strike.
    pub(super) fn make_way(&mut self, key: Key, port: &mut impl Port) {
        if let Some(note) = self.output.schedule.sounding_on(key) {
            self.release(note, port);
        }
    }

    /// What is planned goes on from another beat; what sounds is released.
    pub(super) fn jump(&mut self, by: Beats, port: &mut impl Port) {
        self.output.schedule.jump(by);
        self.release_sounding(port);
    }

    /// Releases all that sounds, drops all that is planned, and tells the worker.
    pub(super) fn fall_silent(&mut self, ended: Option<TurnId>, port: &mut impl Port) {
        self.drop_pending();
        self.release_sounding(port);
        if let Some(turn) = ended {
            self.cancel(turn);
        }
    }

    fn release_sounding(&mut self, port: &mut impl Port) {
        while let Some(note) = self.output.schedule.any_sounding() {
            self.release(note, port);
        }
    }

    /// Nothing that is planned is played any more.
    pub(super) fn drop_pending(&mut self) {
        if self.output.schedule.has_pending() {
            self.output.schedule.drop_pending();
            self.tell(Event::Dropped { from: SampleTime(0) });
        }
    }

    /// Ends all that sounds where nothing can be sent: it is released as soon as something can.
    pub(super) fn owe_all(&mut self) {
        self.drop_pending();
        while let Some(note) = self.output.schedule.any_sounding() {
            self.output.schedule.end(note.place.key);
            self.tell(Event::Released(note.place));
            if self.settings.input_filter != InputFilter::Closed {
                self.remember_own(self.played(note));
            }
        }
        self.output.owe_all();
    }

    /// Whether an end of all notes on a channel, or on all, is meant for the plugin too: it listens there, or plays there.
    pub(super) fn is_meant(&self, channel: Option<u8>) -> bool {
        let (input_filter, zone) = (self.settings.open_filter(), self.settings.zone);
        let is_played = |channel| self.output.schedule.sounding().any(|note| note.place.channel == channel);
        let is_ours =
            |channel| input_filter.passes(channel) || channel == self.channel_out() || is_played(channel);
        channel.is_none_or(|from| zone.reached(Some(from)).any(is_ours))
    }

    fn channel_out(&self) -> u8 {
        let answer = || self.input.channel_of_answer(self.settings.zone);
        self.settings.output.channel.unwrap_or_else(answer)
    }

    pub(super) fn offset(&self) -> u32 {
        u32::try_from((self.cursor - self.timeline.now()).0).unwrap_or(u32::MAX)
    }
}
