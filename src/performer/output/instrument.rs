//! What sounds on the instrument behind the plugin, and which note-offs and pedal releases it is still
//! owed.

use crate::music::{
    note::Key,
    note_tracker::{CHANNELS, ChannelKey, Zone, channel_bit},
};

/// Whose note sounds on a key of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    #[default]
    Nobody,
    /// The player's, through *Thru*, with the number of strikes that have no release yet.
    Player { strikes: u8 },
    /// The answer's.
    Answer,
}

/// State of the instrument behind the plugin, by the events that were sent to it: each key of each channel
/// has one owner. It outlives a performer. Realtime-safe once it is made.
#[derive(Debug)]
pub struct Instrument {
    keys: Box<[[Slot; Key::COUNT]; CHANNELS as usize]>,
    /// One bit for each key that is owed a note-off.
    owing: [u128; CHANNELS as usize],
    /// One bit for each channel whose pedal is down.
    pressed: u16,
    /// One bit for each channel whose pedal is owed its release.
    owed_pedals: u16,
    /// One bit for each channel whose pitch is bent.
    bent: u16,
}

/// One key of a channel.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    owner: Owner,
    /// Note-offs that could not be sent yet.
    owed: u8,
}

/// An event that must still be sent to the instrument, to undo an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Debt {
    NoteOff(ChannelKey),
    PedalUp { channel: u8 },
}

impl Instrument {
    pub fn owner(&self, place: ChannelKey) -> Owner {
        self.slot(place).owner
    }

    /// Whether a note of the player sounds on a channel that a message on `channel` reaches; `None` stands
    /// for all.
    pub fn is_played(&self, channel: Option<u8>, zone: Zone) -> bool {
        let played = |slot: &Slot| matches!(slot.owner, Owner::Player { .. });
        zone.reached(channel).any(|channel| self.keys[index(channel)].iter().any(played))
    }

    /// Records a strike of the player that was sent. The key must have been nobody's or the player's.
    pub fn player_strikes(&mut self, place: ChannelKey) {
        let slot = self.slot_mut(place);
        let before = if let Owner::Player { strikes } = slot.owner { strikes } else { 0 };
        slot.owner = Owner::Player { strikes: before.saturating_add(1) };
    }

    /// Records a note-on of the answer that was sent. The key must have been nobody's.
    pub fn answer_strikes(&mut self, place: ChannelKey) {
        debug_assert_eq!(self.owner(place), Owner::Nobody, "a key has one owner");
        self.slot_mut(place).owner = Owner::Answer;
    }

    /// Records a release of the player that was sent.
    pub fn player_releases(&mut self, place: ChannelKey) {
        let slot = self.slot_mut(place);
        slot.owner = match slot.owner {
            Owner::Player { strikes } if strikes > 1 => Owner::Player { strikes: strikes - 1 },
            Owner::Player { .. } => Owner::Nobody,
            other => other,
        };
    }

    /// Records that the player's keys were released on all channels that a message on `channel` reaches;
    /// `None` stands for all.
    pub fn player_releases_all(&mut self, channel: Option<u8>, zone: Zone) {
        for channel in zone.reached(channel) {
            for slot in &mut self.keys[index(channel)] {
                if matches!(slot.owner, Owner::Player { .. }) {
                    slot.owner = Owner::Nobody;
                }
            }
        }
    }

    /// Marks one note of the key's owner as owed its note-off.
    pub fn owe(&mut self, place: ChannelKey) {
        let owner = self.owner(place);
        if owner == Owner::Nobody {
            return;
        }
        self.player_releases(place);
        let slot = self.slot_mut(place);
        if owner == Owner::Answer {
            slot.owner = Owner::Nobody;
        }
        slot.owed = slot.owed.saturating_add(1);
        self.owing[index(place.channel)] |= key_bit(place.key);
    }

    /// Marks the player's notes as owed their note-offs on all channels that a message on `channel`
    /// reaches; `None` stands for all.
    pub fn owe_all_played(&mut self, channel: Option<u8>, zone: Zone) {
        for channel in zone.reached(channel) {
            for key in (0..Key::COUNT as u8).map(Key::saturating) {
                let place = ChannelKey { channel, key };
                while matches!(self.owner(place), Owner::Player { .. }) {
                    self.owe(place);
                }
            }
        }
    }

    /// Records that the pedal of a channel is down at the instrument.
    pub fn pedal_down(&mut self, channel: u8) {
        self.pressed |= channel_bit(channel);
        self.owed_pedals &= !channel_bit(channel);
    }

    pub fn is_pedal_down(&self, channel: u8) -> bool {
        self.pressed & channel_bit(channel) != 0
    }

    /// Records that the pedal of a channel is up at the instrument.
    pub fn pedal_up(&mut self, channel: u8) {
        self.pressed &= !channel_bit(channel);
        self.owed_pedals &= !channel_bit(channel);
    }

    /// Marks the pedal of a channel as owed its release, if it is down.
    pub fn owe_pedal(&mut self, channel: u8) {
        self.owed_pedals |= self.pressed & channel_bit(channel);
        self.pressed &= !channel_bit(channel);
    }

    /// Records whether the pitch of a channel is bent or at the centre.
    pub fn set_bent(&mut self, channel: u8, is_bent: bool) {
        let bit = channel_bit(channel);
        self.bent = if is_bent { self.bent | bit } else { self.bent & !bit };
    }

    pub fn is_bent(&self, channel: u8) -> bool {
        self.bent & channel_bit(channel) != 0
    }

    /// Whether a note-off is owed on a key.
    pub fn owes(&self, place: ChannelKey) -> bool {
        self.owing[index(place.channel)] & key_bit(place.key) != 0
    }

    /// Marks all notes and pedals as owed their release.
    pub fn owe_all(&mut self) {
        for channel in 0..CHANNELS {
            for key in (0..Key::COUNT as u8).map(Key::saturating) {
                let place = ChannelKey { channel, key };
                while self.owner(place) != Owner::Nobody {
                    self.owe(place);
                }
            }
            self.owe_pedal(channel);
        }
    }

    /// The first event that is still owed, note-offs before pedals; `None` if nothing is owed.
    pub fn first_debt(&self) -> Option<Debt> {
        let keys = |channel: u8| self.owing[index(channel)];
        if let Some(channel) = (0..CHANNELS).find(|channel| keys(*channel) != 0) {
            let key = Key::saturating(keys(channel).trailing_zeros() as u8);
            return Some(Debt::NoteOff(ChannelKey { channel, key }));
        }
        let channel = self.owed_pedals.trailing_zeros() as u8;
        (self.owed_pedals != 0).then_some(Debt::PedalUp { channel })
    }

    /// Records that an owed event was sent.
    pub fn settle(&mut self, debt: Debt) {
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

    fn slot(&self, place: ChannelKey) -> &Slot {
        &self.keys[index(place.channel)][place.key.index()]
    }

    fn slot_mut(&mut self, place: ChannelKey) -> &mut Slot {
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

    const C4: ChannelKey = ChannelKey { channel: 3, key: Key::saturating(60) };

    #[test]
    fn two_strikes_owe_two_releases() {
        let mut instrument = Instrument::default();
        instrument.player_strikes(C4);
        instrument.player_strikes(C4);
        instrument.player_releases(C4);
        assert_eq!(instrument.owner(C4), Owner::Player { strikes: 1 });
        instrument.player_strikes(C4);
        instrument.owe_all();
        for _ in 0..2 {
            assert_eq!(instrument.first_debt(), Some(Debt::NoteOff(C4)));
            instrument.settle(Debt::NoteOff(C4));
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
        instrument.answer_strikes(C4);
        instrument.player_releases(C4);
        instrument.player_releases_all(None, Zone::Off);
        assert_eq!(instrument.owner(C4), Owner::Answer);
        instrument.owe(C4);
        assert_eq!((instrument.owner(C4), instrument.owes(C4)), (Owner::Nobody, true));
    }

    #[test]
    fn a_pedal_that_is_pressed_again_is_owed_nothing() {
        let mut instrument = Instrument::default();
        instrument.pedal_down(3);
        instrument.owe_pedal(3);
        assert_eq!(instrument.first_debt(), Some(Debt::PedalUp { channel: 3 }));
        instrument.pedal_down(3);
        assert_eq!(instrument.first_debt(), None);
    }
}
