//! The answer: what is planned of it, and what sounds. Every note-on that goes out gets its note-off.

use super::{InputFilter, Performer, Port, input::Sender};
use crate::{
    event_log::Event,
    lane::Request,
    music::{
        generation::GenerationSettings,
        note::{Key, Note},
        note_tracker::ChannelKey,
        schedule::{DueNote, PlannedNote, Sounding},
        time::{Beats, Moment, SampleTime, Seconds},
        turn::{Rules, TurnId},
    },
};

/// Largest distance at which two keys clash, in semitones.
const RUBS: u8 = 2;
/// A replan keeps notes that are due within this time, since new notes take a block and a moment to come.
const REPLAN_LEAD: Seconds = Seconds(0.1);
/// Number of earlier plans of an answer whose notes may still be on their way.
const FORMER: usize = 8;
/// Shortest time between two plans while a control is moved.
const BETWEEN_PLANS: Seconds = Seconds(0.25);

/// The plan of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Number of earlier plans of the same turn.
    pub ordinal: u32,
    pub made: SampleTime,
    pub generation: GenerationSettings,
    /// Latest drawn onset that has sounded, in the time of the answer.
    pub sounded: Moment,
    /// The earlier plans that this one goes on from, each with the moment from which it was given up. A
    /// ring buffer.
    former: [Option<(TurnId, Moment)>; FORMER],
}

impl Plan {
    /// The first plan of an answer.
    pub fn new(made: SampleTime, generation: GenerationSettings) -> Self {
        Self { ordinal: 0, made, generation, sounded: Moment::EARLIEST, former: [None; FORMER] }
    }

    /// The plan of another turn that goes on from this one. This one, of `turn`, is given up from `from`
    /// on.
    pub fn renewed(
        self,
        turn: TurnId,
        from: Moment,
        made: SampleTime,
        generation: GenerationSettings,
    ) -> Self {
        Self { ordinal: 0, ..self.next(turn, from, made, generation) }
    }

    /// Whether a note of an earlier plan still belongs to the answer: its onset lies before that plan was
    /// given up.
    pub fn keeps(&self, turn: TurnId, onset: Moment) -> bool {
        self.former.iter().flatten().any(|(former, from)| *former == turn && onset < *from)
    }

    /// The plan that goes on from this one. This one, of `turn`, is given up from `from` on.
    fn next(mut self, turn: TurnId, from: Moment, made: SampleTime, generation: GenerationSettings) -> Self {
        self.former[self.ordinal as usize % FORMER] = Some((turn, from));
        Self { ordinal: self.ordinal + 1, made, generation, ..self }
    }
}

impl Performer {
    /// Whether a new plan is due, since the settings are no longer those of this one.
    pub(super) fn has_changed_generation(&self) -> bool {
        let Plan { made, generation, .. } = self.plan;
        let rested = self.cursor - made >= self.timeline.rate().samples(BETWEEN_PLANS);
        generation != self.settings.generation && rested
    }

    /// Asks for the rest of the answer anew, with another seed. What sounds goes on.
    pub(super) fn replan(&mut self) {
        // Notes that the worker has made since the last block are part of the plan. An inline worker makes
        // them at once.
        self.collect();
        let Some(before) = self.turns.current().map(|ask| ask.turn) else { return };
        let Some(ask) = self.turns.replan() else { return };
        let timeline = &self.timeline;
        let hand_over = timeline.sample(ask.hand_over);
        let kept = hand_over.max(self.cursor + timeline.rate().samples(REPLAN_LEAD));
        let after = |position| timeline.moment_after(ask.hand_over, ask.from, position, ask.tempo);
        // The hand-over, rounded to a sample, may lie before its exact moment.
        let from = after(timeline.pin(kept)).max(ask.from);
        // Dropped by drawn onset, wherever a grid has moved it: from the same moment on, the improviser
        // takes its notes back.
        self.output.schedule.drop_from(from);
        let now = after(timeline.pin(self.cursor));
        let length = ask.until.map_or(Seconds::FOREVER, |until| after(until) - from);
        self.tell(Event::Dropped { from: kept });
        self.plan = self.plan.next(before, from, self.cursor, self.settings.generation);
        let seed = self.settings.seed(ask.ordinal, self.plan.ordinal);
        let touch = self.input.touch.velocity();
        let sent = self.request(Request::Replan { turn: ask.turn, now, from, length, seed, touch });
        self.awaited = sent.then_some(ask.turn);
    }

    pub(super) fn play(&mut self, due: DueNote, port: &mut impl Port) {
        match due {
            DueNote::NoteOff(sounding) => self.release(sounding, port),
            DueNote::NoteOn(note) => self.strike(note, port),
        }
    }

    fn strike(&mut self, note: PlannedNote, port: &mut impl Port) {
        let PlannedNote { place: ChannelKey { key, .. }, drawn, .. } = note;
        let place = ChannelKey { channel: self.channel_out(), key };
        // A key sounds for the player or for the answer, not for both: the answer's release would end the
        // player's note.
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
            self.input.echo.sent(key, velocity, self.cursor, Sender::Answer);
            self.plan.sounded = self.plan.sounded.max(drawn);
            self.silence.feedback.note_sounded(self.timeline.moment(self.cursor));
            self.output.schedule.start_first(self.cursor, place.channel);
            self.tell(Event::Sounded(place, velocity));
        } else {
            self.telemetry.dropped.raise();
            self.output.schedule.skip_first();
            self.tell(Event::Skipped(key));
        }
    }

    /// Whether a key that was planned beside the player clashes with one that the player holds.
    fn clashes(&self, key: Key) -> bool {
        let rubs = |held: Key| held.number().abs_diff(key.number()) <= RUBS;
        matches!(self.settings.rules, Rules::Together { .. }) && self.input.note_tracker.held_keys().any(rubs)
    }

    /// Resets a channel's pitch bend before the first note of an answer, or before each note in an MPE
    /// zone, unless the player holds a key there. A player may still bend an answer while it sounds.
    fn unbend(&mut self, channel: u8, port: &mut impl Port) {
        let begins = self.plan.sounded == Moment::EARLIEST;
        let is_free = !self.input.note_tracker.any_held(|held| held == channel);
        if is_free && (begins || self.settings.zone.master().is_some()) {
            self.output.unbend(channel, self.offset(), port);
        }
    }

    /// Releases what must end before a key is struck: the last note on the key and, where no voice is free,
    /// the note that would end first. False where such a note has only just begun, so that nothing is cut
    /// off before it was heard.
    fn make_room(&mut self, key: Key, port: &mut impl Port) -> bool {
        match self.output.schedule.sounding_on(key) {
            Some(last) if last.onset == self.cursor => return false,
            Some(last) => self.release(last, port),
            None => {}
        }
        self.leave_sounding(self.settings.generation.polyphony.count() - 1, port)
    }

    /// Releases the notes that would end first until at most `most` notes sound; false where the others
    /// have only just begun.
    pub(super) fn leave_sounding(&mut self, most: usize, port: &mut impl Port) -> bool {
        while self.output.schedule.sounding().count() > most {
            match self.output.schedule.first_to_end(self.cursor, &self.timeline) {
                Some(first) => self.release(first, port),
                None => return false,
            }
        }
        true
    }

    /// Releases a note. A note-off that the host refuses is never dropped but owed.
    fn release(&mut self, note: Sounding, port: &mut impl Port) {
        self.output.schedule.end(note.place.key);
        self.output.release(note.place, self.offset(), port);
        self.tell(Event::Released(note.place));
        if self.settings.input_filter != InputFilter::Closed {
            self.remember_own(self.played(note));
        }
    }

    /// A note of the answer that ends at the cursor, at the time at which it was heard.
    fn played(&self, Sounding { place, velocity, onset, .. }: Sounding) -> Note {
        let sent = self.timeline.moment(onset);
        let duration = self.timeline.moment(self.cursor) - sent;
        Note { onset: sent + self.settings.output.advance, duration, key: place.key, velocity }
    }

    /// Releases the answer's note on this key, for the player's strike.
    pub(super) fn make_way(&mut self, key: Key, port: &mut impl Port) {
        if let Some(note) = self.output.schedule.sounding_on(key) {
            self.release(note, port);
        }
    }

    /// Moves what is planned by a jump of the beat, and releases what sounds.
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

    /// Drops all pending notes.
    pub(super) fn drop_pending(&mut self) {
        if self.output.schedule.has_pending() {
            self.output.schedule.drop_pending();
            self.tell(Event::Dropped { from: SampleTime(0) });
        }
    }

    /// Ends all that sounds where nothing can be sent now. The note-offs are sent as soon as possible.
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

    /// Whether an all-notes-off on a channel, or on all channels, is meant for the plugin too: it listens
    /// there, or plays there.
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
