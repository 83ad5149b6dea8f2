//! What the instrument holds, and what it is still owed.

use crate::music::{
    note::Key,
    note_tracker::{CHANNELS, Place, Zone, channel_bit},
};

/// Whose note sounds on a key of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    #[default]
    Nobody,
    /// The player's, through *Thru*: so many strikes without a release.
    Player { strikes: u8 },
    /// The answer's.
    Answer,
}

/// The instrument behind the plugin, as far as it was told: each key of each channel has one owner. It outlives a performer.
/// Realtime-safe once it is made.
#[derive(Debug)]
pub struct Instrument {
    keys: Box<[[Slot; Key::COUNT]; CHANNELS as usize]>,
    /// A bit for each key that is owed something.
    owing: [u128; CHANNELS as usize],
    /// Bits of channels: whose pedal is down, whose pedal is to come up, whose pitch is bent.
    pressed: u16,
    owed_pedals: u16,
    bent: u16,
}

/// One key of a channel.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    owner: Owner,
    /// Note-offs that could not be sent yet.
    owed: u8,
}

/// Something that the instrument is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Debt {
    NoteOff(Place),
    PedalUp { channel: u8 },
}

impl Instrument {
    pub fn owner(&self, place: Place) -> Owner {
        self.slot(place).owner
    }

    /// Whether the player's note sounds anywhere within the reach of a channel, or of all.
    pub fn is_played(&self, channel: Option<u8>, zone: Zone) -> bool {
        let played = |slot: &Slot| matches!(slot.owner, Owner::Player { .. });
        zone.reached(channel).any(|channel| self.keys[index(channel)].iter().any(played))
    }

    /// A strike of the player's has reached it. The key was nobody's or the player's.
    pub fn struck(&mut self, place: Place) {
        let slot = self.slot_mut(place);
        let before = if let Owner::Player { strikes } = slot.owner { strikes } else { 0 };
        slot.owner = Owner::Player { strikes: before.saturating_add(1) };
    }

    /// A note of the answer has reached it. The key was nobody's.
    pub fn sounds(&mut self, place: Place) {
        debug_assert_eq!(self.owner(place), Owner::Nobody, "a key has one owner");
        self.slot_mut(place).owner = Owner::Answer;
    }

    /// A release of the player's has reached it.
    pub fn lifted(&mut self, place: Place) {
        let slot = self.slot_mut(place);
        slot.owner = match slot.owner {
            Owner::Player { strikes } if strikes > 1 => Owner::Player { strikes: strikes - 1 },
            Owner::Player { .. } => Owner::Nobody,
            other => other,
        };
    }

    /// All keys of the player's within the reach of a channel, or of all, were released.
    pub fn lifted_all(&mut self, channel: Option<u8>, zone: Zone) {
        for channel in zone.reached(channel) {
            for slot in &mut self.keys[index(channel)] {
                if matches!(slot.owner, Owner::Player { .. }) {
                    slot.owner = Owner::Nobody;
                }
            }
        }
    }

    /// A note of the key's owner is to end.
    pub fn owe(&mut self, place: Place) {
        let owner = self.owner(place);
        if owner == Owner::Nobody {
            return;
        }
        self.lifted(place);
        let slot = self.slot_mut(place);
        if owner == Owner::Answer {
            slot.owner = Owner::Nobody;
        }
        slot.owed = slot.owed.saturating_add(1);
        self.owing[index(place.channel)] |= key_bit(place.key);
    }

    /// Everything of the player's within the reach of a channel, or of all, is to end.
    pub fn owe_all_played(&mut self, channel: Option<u8>, zone: Zone) {
        for channel in zone.reached(channel) {
            for key in (0..Key::COUNT as u8).map(Key::saturating) {
                let place = Place { channel, key };
                while matches!(self.owner(place), Owner::Player { .. }) {
                    self.owe(place);
                }
            }
        }
    }

    /// The pedal of a channel has gone down there.
    pub fn pressed(&mut self, channel: u8) {
        self.pressed |= channel_bit(channel);
        self.owed_pedals &= !channel_bit(channel);
    }

    pub fn is_pressed(&self, channel: u8) -> bool {
        self.pressed & channel_bit(channel) != 0
    }

    /// The pedal of a channel has come up there.
    pub fn unpressed(&mut self, channel: u8) {
        self.pressed &= !channel_bit(channel);
        self.owed_pedals &= !channel_bit(channel);
    }

    /// The pedal of a channel is to come up, if it is down.
    pub fn owe_pedal(&mut self, channel: u8) {
        self.owed_pedals |= self.pressed & channel_bit(channel);
        self.pressed &= !channel_bit(channel);
    }

    /// The pitch of a channel was bent, or came back to the centre.
    pub fn bends(&mut self, channel: u8, is_bent: bool) {
        let bit = channel_bit(channel);
        self.bent = if is_bent { self.bent | bit } else { self.bent & !bit };
    }

    pub fn is_bent(&self, channel: u8) -> bool {
        self.bent & channel_bit(channel) != 0
    }

    /// Whether anything is owed on a key.
    pub fn owes(&self, place: Place) -> bool {
        self.owing[index(place.channel)] & key_bit(place.key) != 0
    }

    /// Everything that was ever sent is to be undone.
    pub fn owe_all(&mut self) {
        for channel in 0..CHANNELS {
            for key in (0..Key::COUNT as u8).map(Key::saturating) {
                let place = Place { channel, key };
                while self.owner(place) != Owner::Nobody {
                    self.owe(place);
                }
            }
            self.owe_pedal(channel);
        }
    }

    /// What is still owed.
    pub fn first_debt(&self) -> Option<Debt> {
        let keys = |channel: u8| self.owing[index(channel)];
        if let Some(channel) = (0..CHANNELS).find(|channel| keys(*channel) != 0) {
            let key = Key::saturating(keys(channel).trailing_zeros() as u8);
            return Some(Debt::NoteOff(Place { channel, key }));
        }
        let channel = self.owed_pedals.trailing_zeros() as u8;
        (self.owed_pedals != 0).then_some(Debt::PedalUp { channel })
    }

    /// A debt is paid.
    pub fn paid(&mut self, debt: Debt) {
        match debt {
            Debt::NoteOff(place) => {
                let slot = self.slot_mut(place);
                slot.owed = slot.owed.saturating_sub(1);
                if slot.owed == 0 {
                    self.owing[index(place.channel)] &= !key_bit(place.key);
                }
            }
            Debt::PedalUp { channel } => self.owed_pedals &= !channel_bit(channel),
        }
    }

    fn slot(&self, place: Place) -> &Slot {
        &self.keys[index(place.channel)][place.key.index()]
    }

    fn slot_mut(&mut self, place: Place) -> &mut Slot {
        &mut self.keys[index(place.channel)][place.key.index()]
    }
}

impl Default for Instrument {
    fn default() -> Self {
        let none = [[Slot::default(); Key::COUNT]; CHANNELS as usize];
        Self { keys: Box::new(none), owing: [0; CHANNELS as usize], pressed: 0, owed_pedals: 0, bent: 0 }
    }
}

fn index(channel: u8) -> usize {
    usize::from(channel % CHANNELS)
}

fn key_bit(key: Key) -> u128 {
    1 << key.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    const C4: Place = Place { channel: 3, key: Key::saturating(60) };

    #[test]
    fn two_strikes_owe_two_releases() {
        let mut instrument = Instrument::default();
        instrument.struck(C4);
        instrument.struck(C4);
        instrument.lifted(C4);
        assert_eq!(instrument.owner(C4), Owner::Player { strikes: 1 });
        instrument.struck(C4);
        instrument.owe_all();
        for _ in 0..2 {
            assert_eq!(instrument.first_debt(), Some(Debt::NoteOff(C4)));
            instrument.paid(Debt::NoteOff(C4));
        }
        assert_eq!(instrument.first_debt(), None);
    }

    #[test]
    fn what_was_never_struck_is_never_owed() {
        let mut instrument = Instrument::default();
        instrument.owe(C4);
        instrument.owe_pedal(3);
        assert_eq!(instrument.first_debt(), None);
    }

    #[test]
    fn a_release_of_the_player_ends_no_note_of_the_answer() {
        let mut instrument = Instrument::default();
        instrument.sounds(C4);
        instrument.lifted(C4);
        instrument.lifted_all(None, Zone::Off);
        assert_eq!(instrument.owner(C4), Owner::Answer);
        instrument.owe(C4);
        assert_eq!((instrument.owner(C4), instrument.owes(C4)), (Owner::Nobody, true));
    }

    #[test]
    fn a_pedal_that_is_pressed_again_is_owed_nothing() {
        let mut instrument = Instrument::default();
        instrument.pressed(3);
        instrument.owe_pedal(3);
        assert_eq!(instrument.first_debt(), Some(Debt::PedalUp { channel: 3 }));
        instrument.pressed(3);
        assert_eq!(instrument.first_debt(), None);
    }
}
