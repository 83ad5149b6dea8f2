//! Where the player's hands are, and the room they need beside somebody who plays along.

use super::{
    keys::Keys,
    note::Key,
    time::{SampleRate, SampleTime, Seconds},
};

/// So long a hand stays where it has struck.
const STAY: Seconds = Seconds(2.0);
/// A hand covers so many semitones to either side of a key that it has struck.
const REACH: u8 = 4;
/// Hands that are everywhere leave at least so many keys; otherwise the keys they hold alone are theirs.
const LEAST_ROOM: usize = 36;
/// So many strikes within [`STAY`] leave all the time there is.
const SPARSE_STRIKES: usize = 4;
/// For each one more, what plays along waits so much longer between onsets.
const WAIT_A_STRIKE: Seconds = Seconds(0.02);
/// So many strikes are remembered: more within [`STAY`] ask for no more room.
const STRIKES: usize = 32;

/// The newest strikes of the player. Never allocates.
#[derive(Debug)]
pub struct Hands {
    strikes: [Option<Strike>; STRIKES],
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Strike {
    key: Key,
    at: SampleTime,
}

/// What is left to the player.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Berth {
    /// Keys that are not to be struck.
    pub keys: Keys,
    /// At least so long between two onsets.
    pub spacing: Seconds,
}

impl Hands {
    pub fn new() -> Self {
        Self { strikes: [None; STRIKES], next: 0 }
    }

    /// Realtime-safe.
    pub fn strike(&mut self, key: Key, at: SampleTime) {
        self.strikes[self.next] = Some(Strike { key, at });
        self.next = (self.next + 1) % STRIKES;
    }

    /// What to leave to hands that hold these keys. Realtime-safe.
    pub fn berth(&self, now: SampleTime, held: impl Iterator<Item = Key>, rate: SampleRate) -> Berth {
        let mut held_keys = Keys::NONE;
        held.for_each(|key| held_keys.insert(key));
        let (mut keys, mut strikes) = (held_keys, 0_usize);
        let lately = |strike: &&Strike| now - strike.at <= rate.samples(STAY);
        for strike in self.strikes.iter().flatten().filter(lately) {
            keys.insert_around(strike.key, REACH);
            strikes += 1;
        }
        if Key::COUNT - keys.len() < LEAST_ROOM {
            keys = held_keys;
        }
        let dense = strikes.saturating_sub(SPARSE_STRIKES);
        Berth { keys, spacing: Seconds(WAIT_A_STRIKE.0 * dense as f32) }
    }

    /// Realtime-safe.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Default for Hands {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(1_000.0);

    fn key(number: u8) -> Key {
        Key::saturating(number)
    }

    #[test]
    fn hands_keep_their_register_for_two_seconds_and_held_keys_as_long_as_they_are_held() {
        let mut hands = Hands::new();
        hands.strike(key(60), SampleTime(0));
        let soon = hands.berth(SampleTime(2_000), [key(40)].into_iter(), RATE).keys;
        assert!(soon.contains(key(56)) && soon.contains(key(64)) && soon.contains(key(40)));
        assert!(!soon.contains(key(65)) && !soon.contains(key(41)));
        let later = hands.berth(SampleTime(2_001), [key(40)].into_iter(), RATE).keys;
        assert_eq!((later.len(), later.contains(key(40))), (1, true));
    }

    #[test]
    fn the_denser_the_player_the_more_room_there_is() {
        let mut hands = Hands::new();
        let spacing = |hands: &Hands| hands.berth(SampleTime(100), std::iter::empty(), RATE).spacing.0;
        assert_eq!(spacing(&hands), 0.0);
        let mut before = 0.0;
        for strike in 0..20 {
            hands.strike(key(60), SampleTime(strike));
            if strike < 4 {
                assert_eq!(spacing(&hands), 0.0);
                continue;
            }
            assert!(spacing(&hands) > before);
            before = spacing(&hands);
        }
    }

    #[test]
    fn hands_that_are_everywhere_leave_room_all_the_same() {
        let mut hands = Hands::new();
        (0..16).for_each(|strike| hands.strike(key(strike * 8), SampleTime(0)));
        let keys = hands.berth(SampleTime(10), [key(60), key(61)].into_iter(), RATE).keys;
        assert_eq!(keys.len(), 2);
    }
}
