//! What is played.

use super::time::{Moment, Seconds};

/// A note that was played or will be played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    pub onset: Moment,
    pub duration: Seconds,
    pub key: Key,
    pub velocity: Velocity,
}

/// A note as the networks know it: its onset is told as the step from the onset before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelativeNote {
    /// Never negative.
    pub step: Seconds,
    pub duration: Seconds,
    pub key: Key,
    pub velocity: Velocity,
}

/// A MIDI key number, 0..=127; 60 is middle C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

impl Key {
    pub const COUNT: usize = 128;
    pub const MIDDLE_C: Self = Self(60);

    /// `None` above 127.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 { Some(Self(number)) } else { None }
    }

    /// The nearest key: numbers above 127 become 127.
    pub const fn saturating(number: u8) -> Self {
        if number < 128 { Self(number) } else { Self(127) }
    }

    pub const fn number(self) -> u8 {
        self.0
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A MIDI note-on velocity, 1..=127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Velocity(u8);

impl Velocity {
    /// `None` for 0, which MIDI reads as a note-off, and above 127.
    pub const fn new(value: u8) -> Option<Self> {
        if value >= 1 && value <= 127 { Some(Self(value)) } else { None }
    }

    /// The nearest velocity in 1..=127.
    pub const fn saturating(value: u8) -> Self {
        match value {
            0 => Self(1),
            1..=127 => Self(value),
            _ => Self(127),
        }
    }

    pub const fn value(self) -> u8 {
        self.0
    }
}
