//! Where the performer meets a host: what arrives, what is passed on, what is played.

use crate::music::{
    hearing::Place,
    note::{Key, Velocity},
};

/// A host's block of events, in and out.
pub trait Port {
    /// The host's own form of an event.
    type Event: Copy;

    /// The next event of the block, in the order of time.
    fn next(&mut self) -> Option<Arrival<Self::Event>>;

    /// Sends an event on as it came.
    fn pass(&mut self, arrival: Arrival<Self::Event>) -> Result<(), Refused>;

    /// Sends a sound of the answer, `offset` samples into the block.
    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused>;
}

/// An event of the player.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<E> {
    /// Samples from the beginning of the block.
    pub offset: u32,
    pub gesture: Gesture,
    pub event: E,
}

/// What the player did, as far as it matters to the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    KeyDown(Place, Velocity),
    KeyUp(Place),
    /// CC 64 of a channel; down from 64 up.
    Pedal {
        channel: u8,
        down: bool,
    },
    Other,
}

/// What the plugin plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    NoteOn(Place, Velocity),
    NoteOff(Place),
}

/// The host takes no more events in this block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// What has gone to the instrument and must be undone there, whatever happens meanwhile.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// Keys whose strike has passed.
    keys: [u128; 16],
    /// Channels whose pedal-down has passed.
    pedals: u16,
    /// Keys whose note-off could not be sent yet.
    owed: [u128; 16],
}

impl Passage {
    /// Whether a gesture passes, while the way is `open` or not: a release passes if its strike did.
    pub(super) fn passes(&mut self, gesture: Gesture, open: bool) -> bool {
        match gesture {
            Gesture::KeyDown(place, _) => {
                if open {
                    *self.channel(place) |= bit(place);
                }
                open
            }
            Gesture::KeyUp(place) => {
                let struck = *self.channel(place) & bit(place) != 0;
                *self.channel(place) &= !bit(place);
                open || struck
            }
            Gesture::Pedal { channel, down } => {
                let bit = 1 << (channel % 16);
                let pressed = self.pedals & bit != 0;
                self.pedals = if down && open { self.pedals | bit } else { self.pedals & !bit };
                open || (pressed && !down)
            }
            Gesture::Other => open,
        }
    }

    /// A note-off that is to be sent as soon as it can.
    pub(super) fn owe(&mut self, place: Place) {
        self.owed[usize::from(place.channel % 16)] |= bit(place);
    }

    /// A note-off that is still owed.
    pub(super) fn first_owed(&self) -> Option<Place> {
        let channel = self.owed.iter().position(|keys| *keys != 0)?;
        let key = Key::saturating(self.owed[channel].trailing_zeros() as u8);
        Some(Place { channel: channel as u8, key })
    }

    /// The note-off is out.
    pub(super) fn paid(&mut self, place: Place) {
        self.owed[usize::from(place.channel % 16)] &= !bit(place);
    }

    fn channel(&mut self, place: Place) -> &mut u128 {
        &mut self.keys[usize::from(place.channel % 16)]
    }
}

fn bit(place: Place) -> u128 {
    1 << place.key.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    const C4: Place = Place { channel: 0, key: Key::saturating(60) };
    const DOWN: Gesture = Gesture::KeyDown(C4, Velocity::saturating(80));

    #[test]
    fn a_release_follows_its_strike_through_a_closed_way() {
        let mut passage = Passage::default();
        assert!(passage.passes(DOWN, true));
        assert!(passage.passes(Gesture::KeyUp(C4), false));
        assert!(!passage.passes(Gesture::KeyUp(C4), false));
        assert!(!passage.passes(DOWN, false));
    }

    #[test]
    fn a_debt_stands_until_it_is_paid() {
        let mut passage = Passage::default();
        let debts = [C4, Place { channel: 15, key: Key::saturating(127) }];
        debts.iter().for_each(|place| passage.owe(*place));
        assert_eq!(passage.first_owed(), Some(C4));
        passage.paid(C4);
        assert_eq!(passage.first_owed(), Some(debts[1]));
        passage.paid(debts[1]);
        assert_eq!(passage.first_owed(), None);
    }

    #[test]
    fn a_pedal_that_went_down_comes_up_through_a_closed_way() {
        let mut passage = Passage::default();
        assert!(passage.passes(Gesture::Pedal { channel: 3, down: true }, true));
        assert!(passage.passes(Gesture::Pedal { channel: 3, down: false }, false));
        assert!(!passage.passes(Gesture::Pedal { channel: 3, down: false }, false));
    }
}
