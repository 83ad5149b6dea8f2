//! The performer and its partner: asking for an answer, telling what was heard, collecting what was made.

use super::{Partner, Performer, Settings};
use crate::{
    improviser::Progress,
    lane::{Reply, Request, Wish},
    music::{
        hearing::HeardNote,
        note::Note,
        schedule::PlannedNote,
        time::{Moment, SampleTime, Seconds},
        turn::{Ask, TurnId},
    },
};

/// A note that comes later than this is not played at all: it would only disturb.
const LATEST: Seconds = Seconds(0.1);

/// Sets the seeds of successive turns apart; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;

impl Performer {
    pub(super) fn ask(&mut self, at: SampleTime) {
        // What only the pedal keeps is told with its duration so far, so that the answer knows of it.
        while let Some(note) = self.hearing.end_sustained(at) {
            self.remember(note);
        }
        let Some(ask) = self.turns.ask(&self.timeline, &self.settings.rules) else { return };
        let (from, until) = self.moments(&ask);
        let Settings { seed, varying, temperature, memory, model, .. } = self.settings;
        let seed = if varying { seed.wrapping_add(ask.turn.0.wrapping_mul(SEED_STRIDE)) } else { seed };
        self.promised = from;
        let wish = Wish { seed, temperature, memory, model };
        self.request(Request::Answer { turn: ask.turn, from, length: until - from, wish });
    }

    /// Takes what the worker has made, as far as there is room for it.
    pub(super) fn collect(&mut self) {
        self.work_inline();
        while self.schedule.has_room() {
            let Ok(Reply::Play { turn, note }) = self.lanes.replies.pop() else { break };
            // A reply of an old turn cannot sound.
            if let Some(ask) = self.turns.current().filter(|ask| ask.turn == turn) {
                self.plan(&ask, note);
            }
            self.work_inline();
        }
    }

    pub(super) fn plan(&mut self, ask: &Ask, note: Note) {
        let timeline = &self.timeline;
        let mut onset = timeline.after_seconds(ask.hand_over, note.onset - self.promised);
        let sample = timeline.sample(onset);
        if sample < self.cursor {
            self.telemetry.late.raise();
            if self.cursor - sample > timeline.rate().samples(LATEST) {
                self.telemetry.dropped.raise();
                return;
            }
            onset = timeline.pin(self.cursor);
        }
        let end = timeline.after_seconds(onset, note.duration);
        let planned = PlannedNote { onset, end, key: note.key, velocity: note.velocity };
        if self.schedule.plan(planned, timeline).is_err() {
            self.telemetry.dropped.raise();
        }
    }

    pub(super) fn cancel(&mut self, turn: TurnId) {
        self.request(Request::Cancel(turn));
    }

    pub(super) fn remember(&mut self, note: HeardNote) {
        let onset = self.timeline.moment(note.onset);
        let duration = self.timeline.moment(note.end) - onset;
        self.request(Request::Heard(Note { onset, duration, key: note.key, velocity: note.velocity }));
    }

    pub(super) fn request(&mut self, request: Request) {
        if self.lanes.requests.push(request).is_err() {
            self.telemetry.unsent.raise();
        }
        self.work_inline();
    }

    pub(super) fn pay_forget(&mut self) {
        if self.forget_owed && self.lanes.requests.push(Request::Forget).is_ok() {
            self.forget_owed = false;
        }
    }

    pub(super) fn work_inline(&mut self) {
        if let Partner::Inline(improviser) = &mut self.partner {
            while improviser.step() == Progress::Worked {}
        }
    }

    /// An answer's bounds in the instance's time, as they look at the tempo of now.
    pub(super) fn moments(&self, ask: &Ask) -> (Moment, Moment) {
        let moment = |position| self.timeline.moment(self.timeline.sample(position));
        (moment(ask.hand_over), moment(ask.until))
    }
}
