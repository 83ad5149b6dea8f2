//! Who has the floor, which answer was asked for, and how that is shown outside ([`Standing`]).

use super::{Change, TurnId, Turns};
use crate::music::{
    time::{Beats, Moment, SampleTime, Tempo},
    timeline::{Line, Position, Timeline},
};

/// An answer, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    pub turn: TurnId,
    /// Number of earlier turns of this take; it selects the random seed.
    pub ordinal: u32,
    pub hand_over: Position,
    /// Where the answer ends; `None` if a later event ends it.
    pub until: Option<Position>,
    /// The hand-over in the models' time: the whole answer is counted from here, at `tempo`.
    pub from: Moment,
    /// The tempo of the whole answer.
    pub tempo: Tempo,
    /// The hand-over was put on a line of the song, and the first onset is to lie there as well.
    pub is_on_a_line: bool,
}

/// A point that was decided. Only an event decides it anew, not time that passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Due {
    pub at: Position,
    /// The number of the bar that begins there, if the point was chosen for that bar.
    pub bar: Option<i64>,
}

impl Due {
    pub fn moved(self, by: Beats) -> Self {
        Self { at: self.at.moved(by), ..self }
    }
}

impl From<Line> for Due {
    fn from(Line { number, at }: Line) -> Self {
        Self { at, bar: Some(number) }
    }
}

/// The current state of the turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// The player has the floor, and no silence is counted: a key is held, nothing was played since the last
    /// answer, or the mode is Trade or Together.
    Listening,
    /// The last key of a call went up at `since`.
    Silence { since: Position },
    /// The plugin is to come in at `at`, or on the next line that it is aligned with.
    Cued { at: Position },
    /// The answer is being prepared.
    Asked(Asked),
    /// The plugin plays.
    Answering(Ask),
}

/// An answer that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Since when the player has been silent, if silence is why the answer was asked for.
    pub(super) silent_since: Option<Position>,
    /// The plugin plays already; this answer continues its playing from the hand-over on.
    pub(super) goes_on: bool,
    pub(super) ask: Ask,
}

impl Floor {
    /// Whether the plugin was told to come in and has not come in yet.
    pub(super) fn is_cued(&self) -> bool {
        matches!(self, Self::Cued { .. } | Self::Asked(Asked { silent_since: None, .. }))
    }

    /// Whether it is decided that the plugin comes in.
    pub(super) fn is_coming(&self) -> bool {
        matches!(self, Self::Cued { .. } | Self::Asked(_))
    }

    /// The same floor after a jump that the plugin plays through.
    pub(super) fn moved(self, by: Beats) -> Self {
        match self {
            Self::Listening => self,
            Self::Silence { since } => Self::Silence { since: since.moved(by) },
            Self::Cued { at } => Self::Cued { at: at.moved(by) },
            Self::Asked(Asked { silent_since, goes_on, ask }) => {
                let silent_since = silent_since.map(|since| since.moved(by));
                Self::Asked(Asked { silent_since, goes_on, ask: ask.moved(by) })
            }
            Self::Answering(ask) => Self::Answering(ask.moved(by)),
        }
    }
}

impl Ask {
    fn moved(self, by: Beats) -> Self {
        let until = self.until.map(|until| until.moved(by));
        Self { hand_over: self.hand_over.moved(by), until, ..self }
    }
}

/// Who has the floor, and when it changes hands if nothing else happens. The points of time move with the tempo, and
/// with what the player sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The player has the floor. `hand_over` is where bars give it to the plugin, in a trade.
    Player { hand_over: Option<SampleTime> },
    /// The player's last key went up at `since`. If nothing is struck until `hand_over`, the plugin takes the
    /// floor. `hand_over` is `None` where the cue is something other than silence.
    Silence { since: SampleTime, hand_over: Option<SampleTime> },
    /// The plugin was told to come in, and does so at `hand_over`.
    Cued { hand_over: Option<SampleTime> },
    /// The plugin has the floor, until `until` at the latest; `None` where its turn has no end of its own.
    Plugin { until: Option<SampleTime> },
}

impl Turns {
    /// How the turn stands at `now`. Realtime-safe.
    pub fn standing(&self, now: SampleTime, timeline: &Timeline) -> Standing {
        let entry = || self.due.map(|due| timeline.sample(due.at));
        match self.floor {
            Floor::Listening => Standing::Player { hand_over: entry() },
            Floor::Silence { since } => {
                Standing::Silence { since: timeline.sample(since), hand_over: entry() }
            }
            Floor::Cued { .. } => Standing::Cued { hand_over: entry() },
            Floor::Asked(Asked { goes_on: true, ask, .. }) => {
                Standing::Plugin { until: ask.until.map(|until| timeline.sample(until)) }
            }
            Floor::Asked(Asked { silent_since, ask, .. }) => {
                let hand_over = Some(timeline.sample(ask.hand_over));
                match silent_since {
                    Some(since) => Standing::Silence { since: timeline.sample(since), hand_over },
                    None => Standing::Cued { hand_over },
                }
            }
            Floor::Answering(ask) if self.renewal.is_some() => {
                Standing::Plugin { until: ask.until.map(|until| timeline.sample(until)) }
            }
            Floor::Answering(_) => {
                let end = self.next_change(now, timeline).filter(|(_, next)| *next == Change::End);
                Standing::Plugin { until: end.map(|(at, _)| at) }
            }
        }
    }
}
