//! Where the player's hands are, and the room they need beside a plugin that plays along.

use super::{
    keys::Keys,
    note::Key,
    time::{SampleRate, SampleTime, Seconds},
};

/// How long a hand stays where it has struck.
const STAY: Seconds = Seconds(2.0);
/// Number of semitones that a hand covers on either side of a key that it has struck.
const REACH: u8 = 4;
/// Largest interval that a hand strikes at once, in semitones: a tenth.
const SPAN: u8 = 16;
/// Fewest keys that hands leave free. Where the keys around them leave fewer, only the keys that they hold
/// are theirs.
const LEAST_ROOM: usize = 36;
/// Fewest semitones between a part and the player's key below which it lies.
const APART: u8 = 3;
/// Number of strikes within [`STAY`] up to which a part does not wait longer.
const SPARSE_STRIKES: usize = 4;
/// How much longer a part waits between onsets for each further strike.
const WAIT_A_STRIKE: Seconds = Seconds(0.02);
/// Number of newest strikes that are kept: more within [`STAY`] ask for no more room.
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

/// The part that the plugin plays beside a player who goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Anything, around the hands.
    Free,
    /// Chords below the player.
    LeftHand,
    /// One low voice.
    Bass,
    /// One voice below the player's highest one.
    SecondVoice,
}

/// What an accompaniment leaves to the player.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AccompanimentMask {
    /// Keys that are not to be struck.
    pub keys: Keys,
    /// Shortest time between two onsets.
    pub spacing: Seconds,
}

/// The keys that two hands reach together with those that they strike. Realtime-safe.
pub fn within_reach(struck: Keys) -> Keys {
    (0..).map_while(Key::new).filter(|&key| suits_two(struck.and_key(key))).collect()
}

impl Part {
    /// Shortest time between the chords of the part.
    fn spacing(self) -> Seconds {
        match self {
            Self::Free => Seconds::ZERO,
            Self::LeftHand | Self::SecondVoice => Seconds(0.2),
            Self::Bass => Seconds(0.3),
        }
    }

    /// The keys that the part does not strike, beside hands that have lately struck `struck` and hold
    /// `held`.
    fn leaves(self, struck: Keys, held: Keys) -> Keys {
        let (lowest, highest) = struck.with(held).bounds().unwrap_or((Key::MIDDLE_C, Key::MIDDLE_C));
        let below = |key: Key, least: u8, most: u8| key.number().saturating_sub(APART).clamp(least, most);
        let (bottom, top) = match self {
            Self::Free => return around(struck, held),
            Self::LeftHand => {
                let top = below(lowest, 48, 60);
                (top - 24, top)
            }
            Self::Bass => (28, below(lowest, 40, 52)),
            Self::SecondVoice => {
                let top = below(highest, 48, 96);
                (top - 14, top)
            }
        };
        Keys::ALL.without(Keys::from(Key::saturating(bottom)).without(Keys::above(Key::saturating(top))))
    }
}

/// The keys that are held or near those that were struck; none where these are nearly all keys.
fn around(struck: Keys, held: Keys) -> Keys {
    let mut keys = held;
    struck.iter().for_each(|key| keys.insert_around(key, REACH));
    if Key::COUNT - keys.len() < LEAST_ROOM { Keys::NONE } else { keys }
}

/// Whether each key lies within [`SPAN`] of the lowest one or of the highest one.
fn suits_two(struck: Keys) -> bool {
    let Some((lowest, highest)) = struck.bounds() else { return true };
    let left = Keys::above(Key::saturating(lowest.number().saturating_add(SPAN)));
    let right = Keys::from(Key::saturating(highest.number().saturating_sub(SPAN)));
    struck.and(left).without(right).is_empty()
}

impl Hands {
    pub fn new() -> Self {
        Self { strikes: [None; STRIKES], next: 0 }
    }

    /// Records a strike; it replaces the oldest one. Realtime-safe.
    pub fn strike(&mut self, key: Key, at: SampleTime) {
        self.strikes[self.next] = Some(Strike { key, at });
        self.next = (self.next + 1) % STRIKES;
    }

    /// What a part leaves to hands that hold these keys. Realtime-safe.
    pub fn mask(&self, now: SampleTime, held: Keys, rate: SampleRate, part: Part) -> AccompanimentMask {
        let lately = |strike: &&Strike| now - strike.at <= rate.samples(STAY);
        let (mut struck, mut strikes) = (Keys::NONE, 0_usize);
        for strike in self.strikes.iter().flatten().filter(lately) {
            struck.insert(strike.key);
            strikes += 1;
        }
        let dense = strikes.saturating_sub(SPARSE_STRIKES);
        let spacing = Seconds(WAIT_A_STRIKE.0 * dense as f32).max(part.spacing());
        AccompanimentMask { keys: part.leaves(struck, held).with(held), spacing }
    }

    /// Forgets all strikes. Realtime-safe.
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
        let held: Keys = [key(40)].into_iter().collect();
        let soon = hands.mask(SampleTime(2_000), held, RATE, Part::Free).keys;
        assert!(soon.contains(key(56)) && soon.contains(key(64)) && soon.contains(key(40)));
        assert!(!soon.contains(key(65)) && !soon.contains(key(41)));
        let later = hands.mask(SampleTime(2_001), held, RATE, Part::Free).keys;
        assert_eq!((later.len(), later.contains(key(40))), (1, true));
    }

    #[test]
    fn the_denser_the_player_the_more_room_there_is() {
        let mut hands = Hands::new();
        let spacing = |hands: &Hands| hands.mask(SampleTime(100), Keys::NONE, RATE, Part::Free).spacing.0;
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
        let held: Keys = [key(60), key(61)].into_iter().collect();
        let keys = hands.mask(SampleTime(10), held, RATE, Part::Free).keys;
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn two_hands_strike_what_lies_within_two_spans() {
        let reach = |keys: &[u8]| within_reach(keys.iter().copied().map(key).collect());
        assert_eq!(reach(&[]), Keys::ALL);
        assert_eq!(reach(&[36, 52]), Keys::ALL);
        assert_eq!(reach(&[30, 50]).bounds(), Some((key(14), key(66))));
        assert!(reach(&[30, 50, 70]).is_empty());
    }

    #[test]
    fn a_part_lies_below_what_the_player_plays() {
        let mut hands = Hands::new();
        [64, 67, 76].into_iter().for_each(|number| hands.strike(key(number), SampleTime(0)));
        let room = |part| {
            let mask = hands.mask(SampleTime(10), Keys::NONE, RATE, part);
            Keys::ALL.without(mask.keys).bounds().map(|(low, high)| (low.number(), high.number()))
        };
        assert_eq!(room(Part::LeftHand), Some((36, 60)));
        assert_eq!(room(Part::Bass), Some((28, 52)));
        assert_eq!(room(Part::SecondVoice), Some((59, 73)));
    }
}
