//! From keys and pedal to whole notes: what is held, what still rings, what is over.

use super::{
    note::{Key, Velocity},
    time::SampleTime,
};

/// How many notes may be open at once; the oldest is closed to make room for one more.
pub const OPEN_NOTES: usize = 256;
const CHANNELS: usize = 16;

/// A note of the player that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeardNote {
    pub key: Key,
    pub velocity: Velocity,
    pub onset: SampleTime,
    pub end: SampleTime,
}

/// One key of one channel, 0..16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub channel: u8,
    pub key: Key,
}

/// Some or all keys of some or all channels: hosts may release them so. `None` stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    pub channel: Option<u8>,
    pub key: Option<Key>,
}

impl Places {
    pub fn contains(&self, place: Place) -> bool {
        self.channel.is_none_or(|channel| channel == place.channel)
            && self.key.is_none_or(|key| key == place.key)
    }
}

impl From<Place> for Places {
    fn from(place: Place) -> Self {
        Self { channel: Some(place.channel), key: Some(place.key) }
    }
}

/// The sustain pedal (CC 64) of a channel: down from 64 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pedal {
    Up,
    Down,
}

/// The player's hands and foot. Never allocates after [`Hearing::new`].
#[derive(Debug)]
pub struct Hearing {
    open: Vec<OpenNote>,
    pedals: [Pedal; CHANNELS],
}

#[derive(Debug, Clone, Copy)]
struct OpenNote {
    place: Place,
    velocity: Velocity,
    onset: SampleTime,
    touch: Touch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    Held,
    /// The key is up and the pedal keeps it sounding.
    Sustained,
}

impl Hearing {
    pub fn new() -> Self {
        Self { open: Vec::with_capacity(OPEN_NOTES), pedals: [Pedal::Up; CHANNELS] }
    }

    pub fn any_key_held(&self) -> bool {
        self.open.iter().any(|note| note.touch == Touch::Held)
    }

    /// Whether anything sounds or any pedal is down.
    pub fn is_touched(&self) -> bool {
        !self.open.is_empty() || self.pedals.contains(&Pedal::Down)
    }

    /// The keys that are held, on any channel.
    pub fn held_keys(&self) -> impl Iterator<Item = Key> {
        self.open.iter().filter(|note| note.touch == Touch::Held).map(|note| note.place.key)
    }

    /// A key goes down; gives the note that it ends, if it was still sounding. Realtime-safe.
    pub fn key_down(&mut self, place: Place, velocity: Velocity, at: SampleTime) -> Option<HeardNote> {
        let ended = match self.open.iter().position(|note| note.place == place) {
            Some(index) => Some(self.close(index, at)),
            None if self.open.len() == OPEN_NOTES => Some(self.close(0, at)),
            None => None,
        };
        self.open.push(OpenNote { place, velocity, onset: at, touch: Touch::Held });
        ended
    }

    /// Keys go up; ends one note that no pedal keeps, until there is none. Realtime-safe.
    pub fn keys_up(&mut self, places: Places, at: SampleTime) -> Option<HeardNote> {
        for note in self.open.iter_mut().filter(|note| places.contains(note.place)) {
            if self.pedals[usize::from(note.place.channel) % CHANNELS] == Pedal::Down {
                note.touch = Touch::Sustained;
            }
        }
        let lifted = |note: &OpenNote| note.touch == Touch::Held && places.contains(note.place);
        let index = self.open.iter().position(lifted)?;
        Some(self.close(index, at))
    }

    /// The sustain pedal of a channel moves. Realtime-safe.
    pub fn pedal(&mut self, channel: u8, pedal: Pedal) {
        self.pedals[usize::from(channel) % CHANNELS] = pedal;
    }

    /// Ends one note that only an earlier pedal kept, until there is none. Realtime-safe.
    pub fn end_unpedalled(&mut self, at: SampleTime) -> Option<HeardNote> {
        let index = self.open.iter().position(|note| {
            let pedal = self.pedals[usize::from(note.place.channel) % CHANNELS];
            note.touch == Touch::Sustained && pedal == Pedal::Up
        })?;
        Some(self.close(index, at))
    }

    /// What sounds still, as if it ended now; all of it goes on sounding. Realtime-safe.
    pub fn sounding(&self, at: SampleTime) -> impl Iterator<Item = HeardNote> {
        self.open.iter().map(move |&OpenNote { place, velocity, onset, .. }| HeardNote {
            key: place.key,
            velocity,
            onset,
            end: at,
        })
    }

    /// All keys and pedals are up, and no note is told of. Realtime-safe.
    pub fn clear(&mut self) {
        self.open.clear();
        self.pedals = [Pedal::Up; CHANNELS];
    }

    fn close(&mut self, index: usize, at: SampleTime) -> HeardNote {
        let OpenNote { place, velocity, onset, .. } = self.open.remove(index);
        HeardNote { key: place.key, velocity, onset, end: at }
    }
}

impl Default for Hearing {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C4: Place = Place { channel: 0, key: Key::saturating(60) };
    const LOUD: Velocity = Velocity::saturating(100);

    #[test]
    fn the_pedal_keeps_a_note_until_it_goes_up() {
        let mut hearing = Hearing::new();
        hearing.pedal(0, Pedal::Down);
        hearing.key_down(C4, LOUD, SampleTime(0));
        assert_eq!(hearing.keys_up(C4.into(), SampleTime(100)), None);
        assert!(!hearing.any_key_held());
        assert_eq!(hearing.end_unpedalled(SampleTime(150)), None);
        hearing.pedal(0, Pedal::Up);
        assert_eq!(hearing.end_unpedalled(SampleTime(200)).map(|note| note.end), Some(SampleTime(200)));
        assert_eq!(hearing.end_unpedalled(SampleTime(200)), None);
    }

    #[test]
    fn a_key_struck_again_under_the_pedal_ends_its_first_note() {
        let mut hearing = Hearing::new();
        hearing.pedal(0, Pedal::Down);
        hearing.key_down(C4, LOUD, SampleTime(0));
        hearing.keys_up(C4.into(), SampleTime(10));
        let ended = hearing.key_down(C4, LOUD, SampleTime(50));
        assert_eq!(ended.map(|note| (note.onset, note.end)), Some((SampleTime(0), SampleTime(50))));
    }

    #[test]
    fn a_release_of_all_keys_ends_every_note_of_its_channel() {
        let mut hearing = Hearing::new();
        let elsewhere = Place { channel: 5, ..C4 };
        for place in [C4, Place { key: Key::saturating(64), ..C4 }, elsewhere] {
            hearing.key_down(place, LOUD, SampleTime(0));
        }
        let all = Places { channel: Some(0), key: None };
        assert_eq!(std::iter::from_fn(|| hearing.keys_up(all, SampleTime(9))).count(), 2);
        assert!(hearing.any_key_held());
        let anywhere = Places { channel: None, key: Some(C4.key) };
        assert_eq!(std::iter::from_fn(|| hearing.keys_up(anywhere, SampleTime(9))).count(), 1);
        assert!(!hearing.any_key_held());
    }

    #[test]
    fn a_release_without_a_strike_is_nothing() {
        let mut hearing = Hearing::new();
        assert_eq!(hearing.keys_up(C4.into(), SampleTime(5)), None);
        assert!(!hearing.any_key_held());
    }

    #[test]
    fn more_open_notes_than_there_is_room_for_close_the_oldest() {
        let mut hearing = Hearing::new();
        let places = (0..16).flat_map(|channel| (0..17).map(move |key| (channel, key)));
        let closed = places
            .filter_map(|(channel, key)| {
                hearing.key_down(Place { channel, key: Key::saturating(key) }, LOUD, SampleTime(1))
            })
            .count();
        assert_eq!(closed, 16 * 17 - OPEN_NOTES);
    }
}
