//! Sets of keys: what may be played.

use super::note::Key;

/// Some of the 128 keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys(u128);

impl Keys {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u128::MAX);

    /// The keys whose pitch class, C first, has its bit among the lowest twelve.
    pub(super) const fn of_pitch_classes(bits: u16) -> Self {
        let (mut keys, mut lowest) = (0, 0);
        while lowest < Key::COUNT {
            keys |= ((bits & 0xFFF) as u128) << lowest;
            lowest += 12;
        }
        Self(keys)
    }

    /// This key and all above.
    pub const fn from(key: Key) -> Self {
        Self(u128::MAX << key.index())
    }

    /// All above this key.
    pub const fn above(key: Key) -> Self {
        Self(Self::from(key).0 & !(1 << key.index()))
    }

    /// What both have.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn insert(&mut self, key: Key) {
        self.0 |= 1 << key.index();
    }

    pub const fn contains(self, key: Key) -> bool {
        self.0 & (1 << key.index()) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This set, or another where this one is empty.
    pub const fn or_else(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    /// `key`, or the nearest one of the set, the lower of two; `None` where the set is empty.
    pub fn nearest(self, key: Key) -> Option<Key> {
        (0..128)
            .filter_map(Key::new)
            .filter(|&other| self.contains(other))
            .min_by_key(|other| other.number().abs_diff(key.number()))
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let mut all = Self::NONE;
        keys.into_iter().for_each(|key| all.insert(key));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn key(number: u8) -> Key {
        Key::saturating(number)
    }

    #[test]
    fn the_pitch_classes_of_a_set_repeat_in_every_octave() {
        let keys = Keys::of_pitch_classes(0b1000_0001);
        assert!((0..128).all(|number| keys.contains(key(number)) == matches!(number % 12, 0 | 7)));
        assert_eq!(Keys::of_pitch_classes(0xFFF), Keys::ALL);
    }

    #[test]
    fn above_the_highest_key_is_nothing() {
        assert!(Keys::above(key(127)).is_empty() && !Keys::from(key(127)).is_empty());
        assert!(!Keys::above(key(60)).contains(key(60)) && Keys::above(key(60)).contains(key(61)));
    }

    #[test]
    fn the_nearest_key_is_itself_where_it_is_allowed() {
        let keys: Keys = [key(40), key(46)].into_iter().collect();
        assert_eq!(
            [39, 42, 43, 44, 46, 127].map(|number| keys.nearest(key(number))).map(|key| key.map(Key::number)),
            [40, 40, 40, 46, 46, 46].map(Some)
        );
        assert_eq!(Keys::NONE.nearest(key(3)), None);
    }
}
