//! What of the player is heard.

use super::{Gesture, Performer, Port, Settings};

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

    /// Whether a gesture is heard. What ends or holds a note always is: so a note that was heard has its true length.
    pub(super) fn hear(self, gesture: Gesture) -> bool {
        match gesture {
            Gesture::KeyDown(place, _) => self.hear_channel(place.channel),
            Gesture::KeysUp(_)
            | Gesture::Pedal { .. }
            | Gesture::Controller { .. }
            | Gesture::AllOff { .. }
            | Gesture::Other => true,
        }
    }
}

impl Settings {
    /// To whom the plugin listens in fact: in bypass to nobody.
    pub(super) fn open_ears(&self) -> Ears {
        if self.bypass { Ears::Closed } else { self.ears }
    }
}

impl Performer {
    /// Whether a key is down on a channel that is heard, whenever it was struck.
    pub(super) fn any_key_held(&self) -> bool {
        self.is_held_for(self.settings.open_ears())
    }

    /// The ears may have changed: keys of channels that are not heard any more hold no answer back, and those of channels that
    /// are heard now do.
    pub(super) fn turn_to(&mut self, before: Ears, port: &mut impl Port) {
        match (self.is_held_for(before), self.any_key_held()) {
            (true, false) => self.last_key_up(self.cursor),
            (false, true) => {
                let consequence = self.turns.key_is_down(&self.settings.rules);
                self.bear(consequence, port);
            }
            (true, true) | (false, false) => {}
        }
    }

    fn is_held_for(&self, ears: Ears) -> bool {
        self.keyboard.any_on(|channel| ears.hear_channel(channel))
    }
}
