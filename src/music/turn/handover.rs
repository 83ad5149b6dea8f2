//! When the plugin comes in, and what the passing of time does to the turn. In together mode, a strike of the
//! player has the plan made anew from the next line on.

use super::{Alignment, Ask, Asked, Change, Consequence, Cue, Due, Floor, Length, Rules, Turns};
use crate::music::{
    bars::{SAME_BEATS, Signature},
    time::{Beats, SampleTime, Samples, Seconds},
    timeline::{Barlines, Position, Timeline},
};
use std::num::NonZeroU8;

/// Length of the shortest answer. Also that of an answer whose call spans a stop or a jump and has no length.
const SHORTEST_ANSWER: Beats = Beats(2.0);

/// A call that begins at most this part of a bar before a line is an upbeat to that line.
const UPBEAT: f64 = 0.25;

/// A decision that comes at most this late still takes the line that it would have taken.
const GRACE: Seconds = Seconds(0.03);

impl Turns {
    /// Decides where the plugin comes in, if anything gives it the floor. An answer that was asked for stays.
    pub(super) fn decide(&mut self, now: SampleTime, timeline: &Timeline, rules: &Rules) {
        self.bars = timeline.count_of_bars();
        let free = |at| Some(Due { at, bar: None });
        self.due = match (self.floor, rules) {
            (Floor::Asked(_) | Floor::Answering(_), _) => return,
            (Floor::Cued { at }, _) => match rules.entry() {
                Some(entry) => free(comes_in(at, entry.alignment, now, timeline)),
                None => free(at),
            },
            (Floor::Silence { since }, Rules::Answer { entry, .. } | Rules::Endless { entry }) => {
                match entry.cue {
                    Cue::Silence(longest) => {
                        let ends = self.silence_ends(since, longest, timeline);
                        free(comes_in(ends, entry.alignment, now, timeline))
                    }
                    Cue::Pedal(_) | Cue::Key(_) | Cue::Controller(_) => None,
                }
            }
            (Floor::Listening, &Rules::Trade { bars }) => {
                let lines = self.barlines(timeline);
                lines.map(|lines| Due::from(lines.next_line(now, bars.get().into(), period(bars))))
            }
            _ => None,
        };
    }

    /// The next change if the player does nothing, and its sample. That is not before `now`, except where the
    /// host's beat has just skipped it.
    pub fn next_change(&self, now: SampleTime, timeline: &Timeline) -> Option<(SampleTime, Change)> {
        if let (Floor::Answering(_), Some(renewal)) = (self.floor, self.renewal) {
            return Some((self.warned(renewal, timeline).max(now), Change::Ask));
        }
        match self.floor {
            Floor::Listening | Floor::Silence { .. } | Floor::Cued { .. } => {
                Some((self.warned(self.due?.at, timeline).max(now), Change::Ask))
            }
            Floor::Asked(Asked { ask, .. }) => Some((timeline.sample(ask.hand_over), Change::HandOver)),
            Floor::Answering(ask) => {
                let end = self.due.map(|due| due.at).or(ask.until)?;
                Some((timeline.sample(end), Change::End))
            }
        }
    }

    /// When to ask for an answer that comes in at a position.
    fn warned(&self, at: Position, timeline: &Timeline) -> SampleTime {
        timeline.sample(at) - timeline.rate().samples(self.lead())
    }

    /// The answer to ask for at `at`; `None` if none is due.
    pub fn ask(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Option<Ask> {
        let goes_on = matches!(self.floor, Floor::Answering(_));
        let hand_over = if goes_on { self.renewal.take()? } else { self.due?.at };
        let silent_since = match self.floor {
            Floor::Silence { since } => Some(since),
            _ => None,
        };
        let call_ended = silent_since.unwrap_or_else(|| timeline.pin(at));
        let ask = Ask {
            turn: self.number(),
            ordinal: self.ordinal,
            hand_over,
            until: self.until(hand_over, call_ended, timeline, rules),
            from: timeline.moment(timeline.sample(hand_over)),
            tempo: timeline.tempo(),
            is_on_a_line: is_aligned(rules) && timeline.song_bars().is_some(),
        };
        self.ordinal = self.ordinal.wrapping_add(1);
        self.floor = Floor::Asked(Asked { silent_since, goes_on, ask });
        Some(ask)
    }

    /// The player has changed a setting: decides anew what is still open.
    pub fn set(&mut self, now: SampleTime, timeline: &Timeline, rules: &Rules) {
        match (self.floor, rules) {
            (Floor::Answering(ask), &Rules::Trade { bars }) => {
                let lines = self.barlines(timeline);
                let from = timeline.pin(now.max(timeline.sample(ask.hand_over)));
                self.due = lines.map(|lines| lines.line_behind(from, 0, period(bars)).into());
            }
            _ => self.decide(now, timeline, rules),
        }
    }

    /// Checks whether bars are counted in another way than before. What stands on a line moves with the line.
    pub fn recount(&mut self, now: SampleTime, timeline: &Timeline, rules: &Rules) -> Consequence {
        let bars = timeline.count_of_bars();
        if std::mem::replace(&mut self.bars, bars) == bars || bars.is_none() {
            return Consequence::PlayOn;
        }
        match rules {
            Rules::Trade { .. } => self.move_lines(now, timeline),
            _ if is_aligned(rules) => return self.leave_the_line(now, timeline, rules),
            _ => {}
        }
        Consequence::PlayOn
    }

    fn move_lines(&mut self, now: SampleTime, timeline: &Timeline) {
        // What was asked for stays: its notes are on their way.
        let is_asked = matches!(self.floor, Floor::Asked(_));
        let Some(lines) = self.barlines(timeline).filter(|_| !is_asked) else { return };
        let Some(Due { at, bar: Some(number) }) = &mut self.due else { return };
        *at = lines.line(*number).at;
        if timeline.sample(*at) < now {
            // A loop has entered the bar behind its line.
            *at = timeline.pin(now);
        }
    }

    /// If the hand-over of the answer no longer lies on a line, the answer is dropped and asked for anew.
    fn leave_the_line(&mut self, now: SampleTime, timeline: &Timeline, rules: &Rules) -> Consequence {
        let Floor::Asked(Asked { silent_since, ask, .. }) = self.floor else {
            self.decide(now, timeline, rules);
            return Consequence::PlayOn;
        };
        let alignment = rules.entry().map_or(Alignment::Off, |entry| entry.alignment);
        let line = aligned(ask.hand_over, alignment, timeline);
        if timeline.between(ask.hand_over, line).is_some_and(|apart| apart.0.abs() < SAME_BEATS) {
            return Consequence::PlayOn;
        }
        let next = silent_since.map_or(Floor::Cued { at: ask.hand_over }, |since| Floor::Silence { since });
        let consequence = self.take_floor(next);
        self.decide(now, timeline, rules);
        consequence
    }

    /// Where a silence gives the floor to the plugin: at the expected point, or after the longest silence.
    fn silence_ends(&self, since: Position, longest: Beats, timeline: &Timeline) -> Position {
        let latest = timeline.after(since, longest);
        let expected = self.expected.filter(|&expected| expected < timeline.sample(latest));
        expected.map_or(latest, |expected| timeline.pin(expected))
    }

    fn until(
        &self,
        hand_over: Position,
        call_ended: Position,
        timeline: &Timeline,
        rules: &Rules,
    ) -> Option<Position> {
        let length = match *rules {
            Rules::Answer { length: Length::Call { longest }, .. } => {
                if let Some(line) = self.line_of_answer(hand_over, call_ended, longest, timeline) {
                    return Some(line);
                }
                let call = self.call.and_then(|call| timeline.between(call.began, call_ended));
                Beats(call.unwrap_or(SHORTEST_ANSWER).0.max(SHORTEST_ANSWER.0).min(longest.0))
            }
            Rules::Answer { length: Length::Bars(bars), .. } => {
                let bars_of = timeline.song_bars().map_or(Signature::COMMON, |bars| bars.signature());
                Beats(f64::from(bars.get()) * bars_of.bar().0)
            }
            Rules::Answer { length: Length::Phrase { longest }, .. } | Rules::Together { longest } => longest,
            // A later change of signature may still move the line.
            Rules::Trade { .. } => return self.end_of_bars(hand_over, timeline, rules).map(|end| end.at),
            Rules::Endless { .. } => return None,
        };
        Some(timeline.after(hand_over, length))
    }

    /// Bar line on which the answer to a call of two or more bars of the song ends, so that the next call may
    /// begin there.
    fn line_of_answer(
        &self,
        hand_over: Position,
        call_ended: Position,
        longest: Beats,
        timeline: &Timeline,
    ) -> Option<Position> {
        let lines = timeline.song_bars()?;
        let bar = lines.signature().bar();
        let upbeat = Beats(bar.0 * UPBEAT);
        let first = lines.line_behind(timeline.after(self.call?.began, Beats(upbeat.0 - bar.0)), 0, 1);
        let length = timeline.between(first.at, call_ended)?.0 / bar.0;
        let bars = length.round();
        let line = lines.line(first.number + 2 * bars as i64).at;
        let has_room = timeline.between(hand_over, line)?.0 >= SHORTEST_ANSWER.0;
        (bars > 1.0 && has_room && bars * bar.0 <= longest.0).then_some(line)
    }

    /// In a trade: where the plugin's bars end that begin at a hand-over.
    pub(super) fn end_of_bars(&self, hand_over: Position, timeline: &Timeline, rules: &Rules) -> Option<Due> {
        let &Rules::Trade { bars } = rules else { return None };
        Some(self.barlines(timeline)?.line_behind(hand_over, 0, period(bars)).into())
    }

    /// In a trade: where the plugin's bars begin again after those that end at `end`.
    pub(super) fn begin_of_bars(&self, end: Due, timeline: &Timeline, rules: &Rules) -> Option<Due> {
        let &Rules::Trade { bars } = rules else { return None };
        let lines = self.barlines(timeline)?;
        Some(
            match end.bar {
                Some(number) => lines.line(number + i64::from(bars.get())),
                None => lines.line_behind(end.at, bars.get().into(), period(bars)),
            }
            .into(),
        )
    }

    /// Whether the current bar is the plugin's, in a trade.
    pub(super) fn has_bars(&self, timeline: &Timeline, rules: &Rules) -> bool {
        let &Rules::Trade { bars } = rules else { return false };
        self.barlines(timeline).is_some_and(|lines| {
            let number = lines.number_at(timeline.now());
            // The bars of a pre-roll are the player's.
            number >= 0 && number.rem_euclid(period(bars)) >= bars.get().into()
        })
    }

    /// Whether the plan goes on from the new position when musical time starts or is sought.
    pub(super) fn plays_through(&self, rules: &Rules) -> bool {
        let has_begun = matches!(self.floor, Floor::Answering(_));
        match rules {
            Rules::Endless { .. } => has_begun,
            Rules::Together { .. } => has_begun || self.floor.is_coming(),
            Rules::Answer { .. } | Rules::Trade { .. } => false,
        }
    }

    /// The bars of a trade: the song's, or free ones from the player's first note on.
    pub(super) fn barlines(&self, timeline: &Timeline) -> Option<Barlines> {
        let call = self.call?;
        Some(timeline.barlines(timeline.sample(call.began), call.tempo))
    }
}

/// Number of bars of one round of a trade: the player's and the plugin's.
fn period(bars: NonZeroU8) -> i64 {
    2 * i64::from(bars.get())
}

fn is_aligned(rules: &Rules) -> bool {
    rules.entry().is_some_and(|entry| entry.alignment != Alignment::Off)
}

/// Where the plugin comes in, if it may from `at` on: not in the past, or if aligned, on a line that is at
/// most [`GRACE`] old.
fn comes_in(at: Position, alignment: Alignment, now: SampleTime, timeline: &Timeline) -> Position {
    let waits = alignment != Alignment::Off && timeline.song_bars().is_some();
    let grace = if waits { timeline.rate().samples(GRACE) } else { Samples(0) };
    let line = aligned(at, alignment, timeline);
    if timeline.sample(line) + grace < now { aligned(timeline.pin(now), alignment, timeline) } else { line }
}

/// The next line that a position is aligned with, or the position itself.
fn aligned(at: Position, alignment: Alignment, timeline: &Timeline) -> Position {
    let Some(lines) = timeline.song_bars() else { return at };
    match alignment {
        Alignment::Off => at,
        Alignment::Beat => lines.aligned(at, lines.signature().beat()),
        Alignment::Bar => lines.aligned(at, lines.signature().bar()),
    }
}

/// Lead time in together mode: a strike at least this long before a line counts for the plan from that line
/// on. The strikes of a chord lie closer together.
const TOGETHER_LEAD: Seconds = Seconds(0.12);
/// In together mode, lines are a beat apart, or half a beat if a beat lasts longer than this.
const LONG_BEAT: Seconds = Seconds(0.6);
/// Ratio of tempos, either way, beyond which a plan is replaced.
const OTHER_TEMPO: f64 = 1.05;
/// How long after the strike such a new plan begins.
const REACTION: Seconds = Seconds(0.05);

impl Turns {
    /// The player strikes a key in together mode.
    pub(super) fn key_down_along(&mut self, at: SampleTime, timeline: &Timeline) -> Consequence {
        match self.current() {
            None if self.floor.is_cued() => {}
            None => self.come_in(self.line_along(at, timeline)),
            Some(ask) if is_other(ask.tempo.ratio(timeline.tempo())) => {
                let soon = timeline.after_seconds(timeline.pin(at), REACTION, timeline.tempo());
                self.come_in(soon);
                return Consequence::DropPending(Some(ask.turn));
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
        if self.is_along { Seconds(TOGETHER_LEAD.0 + slow) } else { self.warning }
    }

    pub(super) fn come_in(&mut self, at: Position) {
        self.renewal = None;
        self.floor = Floor::Cued { at };
        self.due = Some(Due { at, bar: None });
    }

    /// The song has started: an answer that was not asked for yet comes in on one of its lines.
    pub(super) fn come_in_on_the_song(&mut self, timeline: &Timeline) {
        let line = self.line_along(timeline.now(), timeline);
        if matches!(self.floor, Floor::Cued { .. }) {
            self.come_in(line);
        }
        self.renewal = self.renewal.map(|_| line);
    }

    /// The first line that is at least [`TOGETHER_LEAD`] ahead.
    fn line_along(&self, at: SampleTime, timeline: &Timeline) -> Position {
        let soon = timeline.pin(at + timeline.rate().samples(TOGETHER_LEAD));
        let period = 60.0 / timeline.tempo().beats_per_minute();
        let grid = Beats(if period > f64::from(LONG_BEAT.0) { 0.5 } else { 1.0 });
        self.barlines(timeline).map_or(soon, |lines| lines.aligned(soon, grid))
    }
}

fn is_other(ratio: f64) -> bool {
    !(1.0 / OTHER_TEMPO..=OTHER_TEMPO).contains(&ratio)
}
