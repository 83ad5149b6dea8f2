//! The performer wonders, in a silence, when it would be the end of the call.

use super::Performer;
use crate::{
    lane::{Lull, LullId, Request},
    music::time::{Moment, SampleTime},
};

/// What was asked about the silence of now.
#[derive(Debug)]
pub(super) struct Wonder {
    /// When the player's last key went up.
    since: SampleTime,
    lull: LullId,
    /// The worker has not replied yet.
    pub open: bool,
}

impl Wonder {
    pub fn new() -> Self {
        Self { since: SampleTime(0), lull: LullId::default(), open: false }
    }
}

impl Performer {
    /// The player's last key went up.
    pub(super) fn last_key_up(&mut self, at: SampleTime) {
        self.turns.last_key_up(at, &self.timeline, &self.settings.rules);
        self.wonder.since = at;
        self.wonder(at);
    }

    /// Asks when the silence of now would be the end of the call, if there is one. Until that is known, or where it never
    /// is, the longest silence is.
    pub(super) fn wonder(&mut self, now: SampleTime) {
        if !self.turns.is_silent() {
            return;
        }
        self.turns.expect(None, now, &self.timeline, &self.settings.rules);
        self.tell_sounding(now);
        let (id, since) = (self.wonder.lull.next(), self.timeline.moment(self.wonder.since));
        let lasted = self.timeline.moment(now) - since;
        self.wonder.lull = id;
        self.wonder.open =
            self.request(Request::Lull(Lull { id, since, lasted, patience: self.settings.patience }));
    }

    /// The worker's reply; what it expected of an old lull means nothing.
    pub(super) fn expect(&mut self, lull: LullId, hand_over: Option<Moment>) {
        let since = self.wonder.since;
        if lull == self.wonder.lull {
            let silence = hand_over.map(|moment| moment - self.timeline.moment(since));
            let expected = silence.map(|silence| since + self.timeline.rate().samples(silence));
            self.turns.expect(expected, self.cursor, &self.timeline, &self.settings.rules);
            self.wonder.open = false;
        }
    }

    /// What the pedal keeps is told with its duration so far; it is heard as a whole when it is over.
    pub(super) fn tell_sounding(&mut self, now: SampleTime) {
        let Self { input, timeline, lanes, telemetry, .. } = self;
        for note in input.hearing.sounding(timeline.moment(now)) {
            if lanes.requests.push(Request::sounding(note)).is_err() {
                telemetry.unsent.raise();
            }
        }
    }
}
