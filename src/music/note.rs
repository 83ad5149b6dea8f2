//! What is played: notes, and the same notes on a grid of 10 ms, on which models are scored.

use super::{
    conditions::Conditions,
    time::{Moment, Seconds},
};

pub const CELLS_PER_SECOND: f64 = 100.0;

/// A note that was played or will be played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    pub onset: Moment,
    pub duration: Seconds,
    pub key: Key,
    pub velocity: Velocity,
}

/// A note as the networks know it: its onset is given as the step from the onset before.
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

/// A note in cells of 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridNote {
    pub step: u32,
    pub key: Key,
    pub velocity: Velocity,
    /// At least 1.
    pub duration: u32,
    /// The conditions at its onset.
    pub conditions: Conditions,
}

impl GridNote {
    /// A note on the grid, after one whose onset is in the cell `before`. Points are rounded and not
    /// lengths, so errors do not add up.
    pub fn after(before: Cell, note: &Note, conditions: Conditions) -> Self {
        let onset = Cell::of(note.onset);
        let duration = Cell::of(note.onset + note.duration).since(onset).max(1);
        Self { step: onset.since(before), key: note.key, velocity: note.velocity, duration, conditions }
    }

    /// Whether both are the same note, whatever their conditions: the beats of a planned note and of the
    /// note that was played differ a little.
    pub fn is_the_note(&self, other: &Self) -> bool {
        let Self { step, key, velocity, duration, .. } = *self;
        (step, key, velocity, duration) == (other.step, other.key, other.velocity, other.duration)
    }

    pub fn step_seconds(&self) -> Seconds {
        seconds(self.step)
    }

    pub fn duration_seconds(&self) -> Seconds {
        seconds(self.duration)
    }
}

impl From<RelativeNote> for GridNote {
    /// Rounds the step by itself: for a note that stands alone.
    fn from(note: RelativeNote) -> Self {
        let RelativeNote { step, duration, key, velocity } = note;
        let (step, duration) = (cells(step), cells(duration).max(1));
        Self { step, key, velocity, duration, conditions: Conditions::UNKNOWN }
    }
}

/// A point of the instance's time on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(u64);

impl Cell {
    pub const ZERO: Self = Self(0);

    /// The nearest cell.
    pub fn of(moment: Moment) -> Self {
        Self((moment.0 * CELLS_PER_SECOND).round() as u64)
    }

    pub fn moment(self) -> Moment {
        Moment(self.0 as f64 / CELLS_PER_SECOND)
    }

    /// Number of cells since an earlier one; 0 since a later one.
    fn since(self, earlier: Self) -> u32 {
        u32::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(u32::MAX)
    }
}

/// The nearest number of cells.
pub fn cells(length: Seconds) -> u32 {
    (f64::from(length.0) * CELLS_PER_SECOND).round() as u32
}

pub fn seconds(cells: u32) -> Seconds {
    Seconds((f64::from(cells) / CELLS_PER_SECOND) as f32)
}
