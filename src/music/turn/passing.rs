//! What the passing of time does to the turn.

use std::num::NonZeroU8;

use super::{Alignment, Ask, Asked, Change, Cue, Floor, Length, Rules, Turns};
use crate::music::{
    bars::Signature,
    time::{Beats, SampleTime, Seconds},
    timeline::{Barlines, Motion, Position, Timeline},
};

/// How long before the hand-over the answer is asked for, so that its first notes are there in time
/// whatever the block size up to 8,192 samples. A silence shorter than this is all the warning there is.
const WARNING: Seconds = Seconds(0.25);

/// The shortest answer, and the length of one whose call cannot be measured across a stop or a jump.
const SHORTEST_ANSWER: Beats = Beats(2.0);

impl Turns {
    /// The next thing that happens from `now` on if the player does nothing, and its sample.
    pub fn next_change(
        &self,
        now: SampleTime,
        timeline: &Timeline,
        rules: &Rules,
    ) -> Option<(SampleTime, Change)> {
        match self.floor {
            Floor::Listening | Floor::Silence { .. } | Floor::Cued { .. } => {
                let hand_over = timeline.sample(self.entry(now, timeline, rules)?);
                let warned = hand_over - timeline.rate().samples(WARNING);
                Some((warned.max(now), Change::Ask))
            }
            Floor::Asked(Asked { ask, .. }) => Some((timeline.sample(ask.hand_over), Change::HandOver)),
            Floor::Answering(ask) => {
                let until = match *rules {
                    Rules::Trade { bars } => Some(self.next_line(now, timeline, 0, bars)?),
                    _ => ask.until,
                };
                Some((timeline.sample(until?), Change::End))
            }
        }
    }

    /// What to ask for at `at`; `None` if nothing is to be expected.
    pub fn ask(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Option<Ask> {
        let mut hand_over = self.entry(at, timeline, rules)?;
        if timeline.sample(hand_over) < at {
            // The player has just asked for less patience than was shown already.
            hand_over = timeline.pin(at);
        }
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
        };
        self.ordinal = self.ordinal.wrapping_add(1);
        self.floor = Floor::Asked(Asked { silent_since, ask });
        Some(ask)
    }

    /// Where the plugin is to come in, if anything gives it the floor.
    pub(super) fn entry(&self, now: SampleTime, timeline: &Timeline, rules: &Rules) -> Option<Position> {
        match (self.floor, rules.entry(), rules) {
            (Floor::Cued { at }, Some(entry), _) => Some(aligned(at, entry.alignment, timeline)),
            (Floor::Cued { at }, None, _) => Some(at),
            (Floor::Silence { since }, Some(entry), _) => match entry.cue {
                Cue::Silence(longest) => {
                    Some(aligned(self.silence_ends(since, longest, timeline), entry.alignment, timeline))
                }
                Cue::Pedal(_) | Cue::Key(_) | Cue::Controller(_) => None,
            },
            (_, None, &Rules::Trade { bars }) => self.next_line(now, timeline, bars.get().into(), bars),
            _ => None,
        }
    }

    /// Where a silence gives the floor away: where it is expected to, and at the latest after the longest silence.
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
                let call = self.call.and_then(|call| timeline.between(call.began, call_ended));
                Beats(call.unwrap_or(SHORTEST_ANSWER).0.max(SHORTEST_ANSWER.0).min(longest.0))
            }
            Rules::Answer { length: Length::Bars(bars), .. } => {
                let bars_of = timeline.song_bars().map_or(Signature::COMMON, |bars| bars.signature());
                Beats(f64::from(bars.get()) * bars_of.bar().0)
            }
            Rules::Answer { length: Length::Phrase { longest }, .. } | Rules::Together { longest } => longest,
            Rules::Trade { .. } | Rules::Endless { .. } => return None,
        };
        Some(timeline.after(hand_over, length))
    }

    /// The next line of a trade at which `phase` bars of both sides' have passed. `None` before the first note.
    fn next_line(
        &self,
        now: SampleTime,
        timeline: &Timeline,
        phase: i64,
        bars: NonZeroU8,
    ) -> Option<Position> {
        Some(self.barlines(timeline)?.next_line(now, phase, period(bars)))
    }

    /// Whether the bar of now is the plugin's in a trade.
    pub(super) fn has_bars(&self, timeline: &Timeline, rules: &Rules) -> bool {
        let &Rules::Trade { bars } = rules else { return false };
        self.barlines(timeline).is_some_and(|lines| {
            let number = lines.number_at(timeline.now());
            // The bars of a pre-roll are the player's.
            number >= 0 && number.rem_euclid(period(bars)) >= bars.get().into()
        })
    }

    /// Whether what is planned goes on from the new place when musical time starts or jumps.
    pub(super) fn plays_through(&self, motion: Motion, timeline: &Timeline, rules: &Rules) -> bool {
        match (rules, self.floor) {
            (Rules::Endless { .. }, Floor::Answering(_)) => true,
            (Rules::Together { .. }, Floor::Cued { .. } | Floor::Asked(_) | Floor::Answering(_)) => true,
            (Rules::Trade { .. }, Floor::Asked(_)) => matches!(motion, Motion::Looped(_)),
            (Rules::Trade { .. }, Floor::Answering(_)) => {
                matches!(motion, Motion::Looped(_)) && self.has_bars(timeline, rules)
            }
            _ => false,
        }
    }

    /// The bars of a trade: the song's, or free ones from the player's first note on.
    fn barlines(&self, timeline: &Timeline) -> Option<Barlines> {
        let call = self.call?;
        Some(timeline.barlines(timeline.sample(call.began), call.tempo))
    }
}

/// The player's bars and the plugin's.
fn period(bars: NonZeroU8) -> i64 {
    2 * i64::from(bars.get())
}

fn aligned(at: Position, alignment: Alignment, timeline: &Timeline) -> Position {
    let Some(lines) = timeline.song_bars() else { return at };
    match alignment {
        Alignment::Off => at,
        Alignment::Beat => lines.aligned(at, lines.signature().beat()),
        Alignment::Bar => lines.aligned(at, lines.signature().bar()),
    }
}
