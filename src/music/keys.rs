//! Sets of keys: what may be played.

use super::note::Key;

/// C, C sharp, ... B.
pub const PITCH_CLASSES: usize = 12;

/// A set of the 128 keys, one bit each. Two halves leave more room in a message of 32 bytes than one
/// `u128`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keys([u64; 2]);

impl Keys {
    pub const NONE: Self = Self::of(0);
    pub const ALL: Self = Self::of(u128::MAX);

    const fn of(bits: u128) -> Self {
        Self([bits as u64, (bits >> 64) as u64])
    }

    const fn bits(self) -> u128 {
        self.0[0] as u128 | (self.0[1] as u128) << 64
    }

    /// The keys whose pitch class, C first, has its bit among the lowest twelve.
    pub(super) const fn of_pitch_classes(bits: u16) -> Self {
        let (mut keys, mut lowest) = (0, 0);
        while lowest < Key::COUNT {
            keys |= ((bits & 0xFFF) as u128) << lowest;
            lowest += 12;
        }
        Self::of(keys)
    }

    /// This key and all above.
    pub const fn from(key: Key) -> Self {
        Self::of(u128::MAX << key.index())
    }

    /// All above this key.
    pub const fn above(key: Key) -> Self {
        Self::of(Self::from(key).bits() & !(1 << key.index()))
    }

    /// The keys that both sets have.
    pub const fn and(self, other: Self) -> Self {
        Self::of(self.bits() & other.bits())
    }

    pub const fn without(self, other: Self) -> Self {
        Self::of(self.bits() & !other.bits())
    }

    pub fn insert(&mut self, key: Key) {
        *self = Self::of(self.bits() | 1 << key.index());
    }

    /// The keys that either set has.
    pub const fn with(self, other: Self) -> Self {
        Self::of(self.bits() | other.bits())
    }

    /// The keys, from the lowest on.
    pub fn iter(self) -> impl Iterator<Item = Key> {
        (0..).map_while(Key::new).filter(move |key| self.contains(*key))
    }

    pub fn and_key(mut self, key: Key) -> Self {
        self.insert(key);
        self
    }

    /// The lowest and the highest key; `None` where the set is empty.
    pub fn bounds(self) -> Option<(Key, Key)> {
        let (below, above) = (self.bits().trailing_zeros(), self.bits().leading_zeros());
        (!self.is_empty()).then(|| (Key::saturating(below as u8), Key::saturating(127 - above as u8)))
    }

    /// Inserts a key and all keys within a number of semitones of it.
    pub fn insert_around(&mut self, key: Key, semitones: u8) {
        let keys = key.number().saturating_sub(semitones)..=key.number().saturating_add(semitones);
        keys.filter_map(Key::new).for_each(|key| self.insert(key));
    }

    pub const fn len(self) -> usize {
        self.bits().count_ones() as usize
    }

    pub const fn contains(self, key: Key) -> bool {
        self.bits() & (1 << key.index()) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.bits() == 0
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

    #[test]
    fn a_hand_at_the_end_of_the_keyboard_reaches_no_further() {
        let mut keys = Keys::NONE;
        keys.insert_around(Key::saturating(126), 4);
        keys.insert_around(Key::saturating(1), 4);
        assert_eq!(keys.len(), 6 + 6);
        assert!(keys.contains(Key::saturating(127)) && keys.contains(Key::saturating(0)));
        assert!(!keys.contains(Key::saturating(64)));
    }
}
