//! Sets of keys.

use super::note::Key;

/// Any of the 128 keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeySet([u64; 2]);

impl KeySet {
    pub const NONE: Self = Self([0; 2]);

    pub fn contains(&self, key: Key) -> bool {
        self.0[key.index() / 64] >> (key.index() % 64) & 1 == 1
    }

    pub fn insert(&mut self, key: Key) {
        self.0[key.index() / 64] |= 1 << (key.index() % 64);
    }

    /// Takes in a key and those within so many semitones of it.
    pub fn insert_around(&mut self, key: Key, semitones: u8) {
        for number in key.number().saturating_sub(semitones)..=key.number().saturating_add(semitones) {
            if let Some(key) = Key::new(number) {
                self.insert(key);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|half| half.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_at_the_end_of_the_keyboard_reaches_no_further() {
        let mut keys = KeySet::NONE;
        keys.insert_around(Key::saturating(126), 4);
        keys.insert_around(Key::saturating(1), 4);
        assert_eq!(keys.len(), 6 + 6);
        assert!(keys.contains(Key::saturating(127)) && keys.contains(Key::saturating(0)));
        assert!(!keys.contains(Key::saturating(64)));
    }
}
