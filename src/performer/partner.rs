//! The performer and its partner: asking for an answer, telling what was heard, collecting what was made.

use super::{Partner, Performer, wonder::in_seconds};
use crate::{
    improviser::Progress,
    lane::{Reply, Request},
    music::{
        hearing::{HeardNote, Place},
        note::Note,
        schedule::PlannedNote,
        time::Seconds,
        turn::{Ask, TurnId},
    },
};

/// A note that comes later than this is not played at all: it would only disturb.
const LATEST: Seconds = Seconds(0.1);

impl Performer {
    /// Asks for the answer that the silence calls for, at the cursor.
    pub(super) fn ask(&mut self) {
        let at = self.cursor;
        let Some(ask) = self.turns.ask(at, &self.timeline, &self.settings.rules) else { return };
        // As of the hand-over, so that the answer does not depend on when it was asked for.
        self.tell_sounding(self.timeline.sample(ask.hand_over));
        let wish = self.settings.wish(ask.ordinal);
        let until = self.timeline.moment(self.timeline.sample(ask.until));
        let length = until - ask.from;
        let sent = self.request(Request::Answer { turn: ask.turn, from: ask.from, length, wish });
        self.awaited = sent.then_some(ask.turn);
    }

    /// Takes what the worker has made, as far as there is room for it.
    pub(super) fn collect(&mut self) {
        while self.schedule.has_room() {
            self.work_inline();
            self.await_worker();
            match self.lanes.replies.pop() {
                Ok(Reply::Play { turn, note }) => {
                    // A reply of an old turn cannot sound.
                    if let Some(ask) = self.turns.current().filter(|ask| ask.turn == turn) {
                        self.plan(&ask, note);
                    }
                }
                Ok(Reply::Expect { lull, hand_over }) => self.expect(lull, hand_over),
                Ok(Reply::Done(turn)) => {
                    self.awaited.take_if(|awaited| *awaited == turn);
                }
                Err(_) => break,
            }
        }
    }

    fn plan(&mut self, ask: &Ask, note: Note) {
        let timeline = &self.timeline;
        // The tempo of the asking: notes that come early or late to the schedule keep the same beats.
        let mut onset = timeline.after_seconds(ask.hand_over, note.onset - ask.from, ask.tempo);
        let sample = timeline.sample(onset);
        if sample < self.cursor {
            self.telemetry.late.raise();
            if self.cursor - sample > timeline.rate().samples(LATEST) {
                self.telemetry.dropped.raise();
                return;
            }
            onset = timeline.pin(self.cursor);
        }
        let end = timeline.after_seconds(onset, note.duration, ask.tempo);
        let place = Place { channel: self.channel, key: note.key };
        let planned = PlannedNote { onset, end, place, velocity: note.velocity };
        if self.schedule.plan(planned, timeline).is_err() {
            self.telemetry.dropped.raise();
        }
    }

    pub(super) fn cancel(&mut self, turn: TurnId) {
        self.request(Request::Cancel(turn));
    }

    pub(super) fn remember(&mut self, note: HeardNote) {
        self.request(Request::Heard(in_seconds(&self.timeline, note)));
    }

    /// Whether there was room for it.
    pub(super) fn request(&mut self, request: Request) -> bool {
        // Nothing overtakes a `Forget`, which would forget it too.
        self.pay_forget();
        let sent = !self.forget_owed && self.lanes.requests.push(request).is_ok();
        if !sent {
            self.telemetry.unsent.raise();
        }
        self.work_inline();
        sent
    }

    pub(super) fn pay_forget(&mut self) {
        if self.forget_owed && self.lanes.requests.push(Request::Forget).is_ok() {
            self.forget_owed = false;
        }
    }

    fn work_inline(&mut self) {
        if let Partner::Inline(improviser) = &mut self.partner {
            while improviser.step() == Progress::Worked {}
        }
    }
}
