//! From keys and pedal to whole notes: what is held, what still rings, what is over.

use super::{
    note::{Key, Velocity},
    time::SampleTime,
};

/// How many notes may be open at once; the oldest is closed to make room for one more.
const OPEN_NOTES: usize = 256;
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

/// The player's hands and foot. Never allocates after [`Hearing::new`].
#[derive(Debug)]
pub struct Hearing {
    open: Vec<OpenNote>,
    pedals: [bool; CHANNELS],
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
        Self { open: Vec::with_capacity(OPEN_NOTES), pedals: [false; CHANNELS] }
    }

    pub fn any_key_held(&self) -> bool {
        self.open.iter().any(|note| note.touch == Touch::Held)
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

    /// A key goes up; gives its note unless the pedal keeps it. Realtime-safe.
    pub fn key_up(&mut self, place: Place, at: SampleTime) -> Option<HeardNote> {
        let index = self.open.iter().position(|note| note.place == place)?;
        if self.pedals[usize::from(place.channel) % CHANNELS] {
            self.open[index].touch = Touch::Sustained;
            return None;
        }
        Some(self.close(index, at))
    }

    /// The sustain pedal (CC 64) of a channel moves. Realtime-safe.
    pub fn pedal(&mut self, channel: u8, down: bool) {
        self.pedals[usize::from(channel) % CHANNELS] = down;
    }

    /// Ends one note that only an earlier pedal kept, until there is none. Realtime-safe.
    pub fn end_unpedalled(&mut self, at: SampleTime) -> Option<HeardNote> {
        let index = self.open.iter().position(|note| {
            note.touch == Touch::Sustained && !self.pedals[usize::from(note.place.channel) % CHANNELS]
        })?;
        Some(self.close(index, at))
    }

    /// Ends one note that only the pedal keeps, with its duration so far, until there is none.
    /// Realtime-safe.
    pub fn end_sustained(&mut self, at: SampleTime) -> Option<HeardNote> {
        let index = self.open.iter().position(|note| note.touch == Touch::Sustained)?;
        Some(self.close(index, at))
    }

    /// All keys and pedals are up, and no note is told of. Realtime-safe.
    pub fn clear(&mut self) {
        self.open.clear();
        self.pedals = [false; CHANNELS];
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
        hearing.pedal(0, true);
        hearing.key_down(C4, LOUD, SampleTime(0));
        assert_eq!(hearing.key_up(C4, SampleTime(100)), None);
        assert!(!hearing.any_key_held());
        assert_eq!(hearing.end_unpedalled(SampleTime(150)), None);
        hearing.pedal(0, false);
        assert_eq!(hearing.end_unpedalled(SampleTime(200)).map(|note| note.end), Some(SampleTime(200)));
        assert_eq!(hearing.end_unpedalled(SampleTime(200)), None);
    }

    #[test]
    fn a_key_struck_again_under_the_pedal_ends_its_first_note() {
        let mut hearing = Hearing::new();
        hearing.pedal(0, true);
        hearing.key_down(C4, LOUD, SampleTime(0));
        hearing.key_up(C4, SampleTime(10));
        let ended = hearing.key_down(C4, LOUD, SampleTime(50));
        assert_eq!(ended.map(|note| (note.onset, note.end)), Some((SampleTime(0), SampleTime(50))));
    }

    #[test]
    fn a_release_without_a_strike_is_nothing() {
        let mut hearing = Hearing::new();
        assert_eq!(hearing.key_up(C4, SampleTime(5)), None);
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
