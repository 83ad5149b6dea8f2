//! Which keys the roll shows: as many as the music needs, in half octaves so that it seldom changes, and at least three
//! octaves.

use super::view::View;
use crate::music::note::Key;

/// A row of keys, from a C or an F sharp on, lowest and highest included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    lowest: u8,
    highest: u8,
}

const HALF_OCTAVE: u8 = 6;

impl Span {
    /// Where no note was played yet: C3 to B5, around the middle of a piano.
    pub const USUAL: Self = Self { lowest: 48, highest: 83 };

    /// The usual one, with as many half octaves more as the notes need that are seen.
    pub fn of(view: &View) -> Self {
        let keys = view.notes.iter().map(|note| note.key).chain(view.ghosts.iter().map(|ghost| ghost.key));
        keys.fold(Self::USUAL, Self::with)
    }

    fn with(self, key: Key) -> Self {
        let lower = key.number() / HALF_OCTAVE * HALF_OCTAVE;
        Self {
            lowest: self.lowest.min(lower),
            highest: self.highest.max((lower + HALF_OCTAVE - 1).min(Key::COUNT as u8 - 1)),
        }
    }

    /// How many there are.
    pub fn keys(self) -> f32 {
        f32::from(self.highest - self.lowest + 1)
    }

    pub fn shows(self, key: Key) -> bool {
        (self.lowest..=self.highest).contains(&key.number())
    }

    /// How many keys lie below this one; those outside count as the nearest inside.
    pub fn above_lowest(self, key: Key) -> f32 {
        f32::from(key.number().clamp(self.lowest, self.highest) - self.lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_shown_when_it_is_played() {
        for key in (0..128).filter_map(Key::new) {
            let span = Span::USUAL.with(key);
            assert!(span.shows(key) && span.shows(Key::saturating(60)), "{key:?}");
            assert!(span.above_lowest(key) < span.keys());
        }
    }
}
