//! What of the player is heard.

use super::{Gesture, Performer};
use crate::music::hearing::Places;

const CHANNELS: u8 = 16;

/// To whom the plugin listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ears {
    /// To nobody: nothing is remembered, nobody takes the floor back, and no cue is heeded.
    Closed,
    /// To one channel, 0..16.
    Channel(u8),
    All,
}

impl Ears {
    pub(super) fn hear_channel(self, channel: u8) -> bool {
        match self {
            Self::Closed => false,
            Self::Channel(heard) => heard == channel,
            Self::All => true,
        }
    }

    /// Whether a gesture is heard. What ends or holds a note always is: it concerns only notes that were heard.
    pub(super) fn hear(self, gesture: Gesture) -> bool {
        match gesture {
            Gesture::KeyDown(place, _) => self.hear_channel(place.channel),
            Gesture::AllOff { channel } => self.hear_channel(channel),
            Gesture::KeysUp(_) | Gesture::Pedal { .. } | Gesture::Controller { .. } | Gesture::Other => true,
        }
    }
}

impl Performer {
    /// Where the ears have changed, keys that are no longer heard count as let go.
    pub(super) fn turn_away(&mut self, before: Ears) {
        let now = self.settings.ears;
        if now == before {
            return;
        }
        for channel in (0..CHANNELS).filter(|&channel| !now.hear_channel(channel)) {
            self.lift(self.cursor, Places { channel: Some(channel), key: None });
        }
    }
}
