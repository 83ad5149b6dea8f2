//! The turn of who plays along: its plan goes on from line to line, and is made anew from the next one on where the player
//! has struck.

use super::{Consequence, Due, Floor, Turns};
use crate::music::{
    time::{Beats, SampleTime, Seconds},
    timeline::{Position, Timeline},
};

/// What the player strikes so long before a line counts for what is planned from there on; the strikes of a chord lie
/// closer together.
const LEAD: Seconds = Seconds(0.12);
/// Lines are a beat apart, or half a beat where that lasts longer than this.
const LONG_BEAT: Seconds = Seconds(0.6);
/// A plan for a tempo that is so many times as slow or as fast is no good, ...
const OTHER_TEMPO: f64 = 1.05;
/// ... and another one begins so soon.
const REACTION: Seconds = Seconds(0.05);

impl Turns {
    /// The player strikes a key beside the plugin.
    pub(super) fn key_down_along(&mut self, at: SampleTime, timeline: &Timeline) -> Consequence {
        match self.current() {
            None if self.floor.is_cued() => {}
            None => self.come_in(self.line_along(at, timeline)),
            Some(ask) if is_other(ask.tempo.ratio(timeline.tempo())) => {
                let soon = timeline.after_seconds(timeline.pin(at), REACTION, timeline.tempo());
                self.come_in(soon);
                return Consequence::PlanAnew(Some(ask.turn));
            }
            Some(ask) => {
                let from = at.max(timeline.sample(ask.hand_over));
                let line = self.line_along(from, timeline);
                self.renewal.get_or_insert(line);
            }
        }
        Consequence::PlayOn
    }

    /// How long before a hand-over its answer is asked for.
    pub(super) fn lead(&self) -> Seconds {
        let slow = (self.warning.0 - super::WARNING.0).max(0.0);
        if self.is_along { Seconds(LEAD.0 + slow) } else { self.warning }
    }

    pub(super) fn come_in(&mut self, at: Position) {
        self.renewal = None;
        self.floor = Floor::Cued { at };
        self.due = Some(Due { at, bar: None });
    }

    /// The song has started: what is still to be asked for comes in on one of its lines.
    pub(super) fn come_in_on_the_song(&mut self, timeline: &Timeline) {
        let line = self.line_along(timeline.now(), timeline);
        if matches!(self.floor, Floor::Cued { .. }) {
            self.come_in(line);
        }
        self.renewal = self.renewal.map(|_| line);
    }

    /// The first line that is far enough ahead.
    fn line_along(&self, at: SampleTime, timeline: &Timeline) -> Position {
        let soon = timeline.pin(at + timeline.rate().samples(LEAD));
        let period = 60.0 / timeline.tempo().beats_per_minute();
        let grid = Beats(if period > f64::from(LONG_BEAT.0) { 0.5 } else { 1.0 });
        self.barlines(timeline).map_or(soon, |lines| lines.aligned(soon, grid))
    }
}

fn is_other(ratio: f64) -> bool {
    !(1.0 / OTHER_TEMPO..=OTHER_TEMPO).contains(&ratio)
}
