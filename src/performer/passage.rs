//! What has gone to the instrument and must be undone there, whatever happens meanwhile.

use super::desk::{Gesture, Refused, Sound};
use crate::music::{
    hearing::{Pedal, Place, Places},
    note::Key,
};

const CHANNELS: u8 = 16;

/// The debts of an instance to its instrument. They outlive a performer. Realtime-safe.
#[derive(Debug, Default)]
pub struct Passage {
    /// Keys of each channel whose strike has passed.
    struck: [u128; CHANNELS as usize],
    /// Channels whose pedal-down has passed.
    pressed: u16,
    /// Keys of each channel whose note-off could not be sent yet.
    owed_keys: [u128; CHANNELS as usize],
    /// Channels whose pedal-up could not be sent yet.
    owed_pedals: u16,
}

/// Whether what the player plays goes to the instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    Closed,
}

impl Passage {
    /// Whether a gesture passes: through a closed way, only what undoes something that has passed before.
    pub(super) fn passes(&self, gesture: Gesture, way: Way) -> bool {
        way == Way::Open
            || match gesture {
                Gesture::KeyDown(..) | Gesture::Controller { .. } | Gesture::Other => false,
                Gesture::KeysUp(places) => self.any_struck(places),
                Gesture::AllOff { channel } => self.any_struck(Places { channel, key: None }),
                Gesture::Pedal { channel, pedal } => {
                    pedal == Pedal::Up && self.pressed & channel_bit(channel) != 0
                }
            }
    }

    /// A gesture has passed, or was refused by the host; what it should have undone is then owed.
    pub(super) fn settle(&mut self, gesture: Gesture, sent: Result<(), Refused>) {
        match gesture {
            Gesture::KeyDown(place, _) => {
                if sent.is_ok() {
                    self.struck[index(place.channel)] |= key_bit(place.key);
                    // The key sounds anew: what was owed would end the new note.
                    self.owed_keys[index(place.channel)] &= !key_bit(place.key);
                }
            }
            Gesture::KeysUp(places) => self.lift(places, sent),
            Gesture::AllOff { channel } => self.lift(Places { channel, key: None }, sent),
            Gesture::Pedal { channel, pedal: Pedal::Down } => {
                if sent.is_ok() {
                    self.pressed |= channel_bit(channel);
                    self.owed_pedals &= !channel_bit(channel);
                }
            }
            Gesture::Pedal { channel, pedal: Pedal::Up } => {
                if sent.is_err() {
                    self.owed_pedals |= self.pressed & channel_bit(channel);
                }
                self.pressed &= !channel_bit(channel);
            }
            Gesture::Controller { .. } | Gesture::Other => {}
        }
    }

    /// A note-off is to be sent as soon as it can.
    pub(super) fn owe(&mut self, place: Place) {
        self.owed_keys[index(place.channel)] |= key_bit(place.key);
    }

    /// All that has passed is to be undone as soon as it can.
    pub(super) fn owe_all_that_passed(&mut self) {
        for (owed, struck) in self.owed_keys.iter_mut().zip(&mut self.struck) {
            *owed |= std::mem::take(struck);
        }
        self.owed_pedals |= std::mem::take(&mut self.pressed);
    }

    /// What is still owed.
    pub(super) fn first_owed(&self) -> Option<Sound> {
        for channel in 0..CHANNELS {
            let keys = self.owed_keys[index(channel)];
            if keys != 0 {
                let key = Key::saturating(keys.trailing_zeros() as u8);
                return Some(Sound::NoteOff(Place { channel, key }));
            }
        }
        let channel = self.owed_pedals.trailing_zeros() as u8;
        (self.owed_pedals != 0).then_some(Sound::PedalUp { channel })
    }

    /// A debt is paid.
    pub(super) fn paid(&mut self, sound: Sound) {
        match sound {
            Sound::NoteOff(place) => self.owed_keys[index(place.channel)] &= !key_bit(place.key),
            Sound::PedalUp { channel } => self.owed_pedals &= !channel_bit(channel),
            Sound::NoteOn(..) => {}
        }
    }

    fn any_struck(&self, places: Places) -> bool {
        (0..CHANNELS).any(|channel| self.struck[index(channel)] & mask(places, channel) != 0)
    }

    fn lift(&mut self, places: Places, sent: Result<(), Refused>) {
        for channel in 0..CHANNELS {
            let lifted = self.struck[index(channel)] & mask(places, channel);
            self.struck[index(channel)] &= !lifted;
            if sent.is_err() {
                self.owed_keys[index(channel)] |= lifted;
            }
        }
    }
}

/// The keys of a channel that lie among some places.
fn mask(places: Places, channel: u8) -> u128 {
    match places {
        Places { channel: Some(other), .. } if other != channel => 0,
        Places { key: Some(key), .. } => key_bit(key),
        Places { key: None, .. } => u128::MAX,
    }
}

fn index(channel: u8) -> usize {
    usize::from(channel % CHANNELS)
}

fn key_bit(key: Key) -> u128 {
    1 << key.index()
}

fn channel_bit(channel: u8) -> u16 {
    1 << (channel % CHANNELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Velocity;

    const C4: Place = Place { channel: 0, key: Key::saturating(60) };
    const DOWN: Gesture = Gesture::KeyDown(C4, Velocity::saturating(80));
    const UP: Gesture = Gesture::KeysUp(Places { channel: Some(0), key: Some(C4.key) });

    #[test]
    fn a_release_follows_its_strike_through_a_closed_way() {
        let mut passage = Passage::default();
        passage.settle(DOWN, Ok(()));
        assert!(!passage.passes(DOWN, Way::Closed));
        assert!(passage.passes(UP, Way::Closed));
        assert!(passage.passes(Gesture::AllOff { channel: Some(0) }, Way::Closed));
        passage.settle(UP, Ok(()));
        assert!(!passage.passes(UP, Way::Closed));
    }

    #[test]
    fn a_pedal_that_went_down_comes_up_through_a_closed_way() {
        let up = Gesture::Pedal { channel: 3, pedal: Pedal::Up };
        let mut passage = Passage::default();
        assert!(!passage.passes(up, Way::Closed));
        passage.settle(Gesture::Pedal { channel: 3, pedal: Pedal::Down }, Ok(()));
        assert!(passage.passes(up, Way::Closed));
    }

    #[test]
    fn what_a_host_refuses_is_owed_until_it_is_paid() {
        let mut passage = Passage::default();
        passage.settle(DOWN, Ok(()));
        passage.settle(UP, Err(Refused));
        passage.settle(Gesture::Pedal { channel: 3, pedal: Pedal::Down }, Ok(()));
        passage.settle(Gesture::Pedal { channel: 3, pedal: Pedal::Up }, Err(Refused));
        for debt in [Sound::NoteOff(C4), Sound::PedalUp { channel: 3 }] {
            assert_eq!(passage.first_owed(), Some(debt));
            passage.paid(debt);
        }
        assert_eq!(passage.first_owed(), None);
    }

    #[test]
    fn a_release_that_undoes_nothing_is_not_owed() {
        let mut passage = Passage::default();
        passage.settle(UP, Err(Refused));
        assert_eq!(passage.first_owed(), None);
    }
}
