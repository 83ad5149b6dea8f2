//! How the turn stands, for who looks on.

use super::{Asked, Change, Floor, Turns};
use crate::music::{time::SampleTime, timeline::Timeline};

/// Who has the floor, and when it changes hands if nothing else happens. The points of time move with the tempo, and
/// with what the player sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The player has the floor; where bars give it to the plugin, until `hand_over`.
    Player { hand_over: Option<SampleTime> },
    /// The player's last key went up at `since`. If nothing is struck until `hand_over`, the plugin takes the floor;
    /// `None` where it is something else that gives the floor.
    Silence { since: SampleTime, hand_over: Option<SampleTime> },
    /// The plugin was told to come in, and does so at `hand_over`.
    Cued { hand_over: Option<SampleTime> },
    /// The plugin has the floor until then at the latest; `None` where its turn has no end of its own.
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
