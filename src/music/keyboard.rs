//! Which keys are down, whoever listens to them.

use super::{
    hearing::{Place, Places},
    keys::Keys,
};

const CHANNELS: usize = 16;

/// A set of keys, each on its channel. Realtime-safe.
#[derive(Debug, Default)]
pub struct Keyboard([Keys; CHANNELS]);

impl Keyboard {
    pub fn press(&mut self, place: Place) {
        self.0[index(place.channel)].insert(place.key);
    }

    pub fn lift(&mut self, places: Places) {
        for (channel, keys) in (0..).zip(&mut self.0) {
            *keys = keys.without(among(places, channel));
        }
    }

    /// Whether a key is down on any channel of which this says so.
    pub fn any_on(&self, is_meant: impl Fn(u8) -> bool) -> bool {
        (0..).zip(&self.0).any(|(channel, keys)| is_meant(channel) && !keys.is_empty())
    }

    pub fn holds(&self, place: Place) -> bool {
        self.0[index(place.channel)].contains(place.key)
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The keys of a channel that lie among some places.
fn among(places: Places, channel: u8) -> Keys {
    match places {
        Places { channel: Some(other), .. } if other != channel => Keys::NONE,
        Places { key: Some(key), .. } => [key].into_iter().collect(),
        Places { key: None, .. } => Keys::ALL,
    }
}

fn index(channel: u8) -> usize {
    usize::from(channel) % CHANNELS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Key;

    const C4: Place = Place { channel: 3, key: Key::saturating(60) };

    #[test]
    fn a_key_is_down_on_its_own_channel_until_something_lifts_it() {
        let lifting = [
            C4.into(),
            Places { channel: None, key: Some(C4.key) },
            Places { channel: Some(3), key: None },
            Places { channel: None, key: None },
        ];
        for places in lifting {
            let mut keyboard = Keyboard::default();
            keyboard.press(C4);
            keyboard.lift(Places { channel: Some(4), key: None });
            keyboard.lift(Places { channel: None, key: Some(Key::saturating(61)) });
            assert!(keyboard.holds(C4) && keyboard.any_on(|channel| channel == 3));
            assert!(!keyboard.any_on(|channel| channel != 3));
            keyboard.lift(places);
            assert!(!keyboard.holds(C4) && !keyboard.any_on(|_| true));
        }
    }
}
