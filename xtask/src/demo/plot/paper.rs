//! Where seconds and keys lie on the picture.

use std::ops::RangeInclusive;

use stage::Sounded;

use super::SIZE;
use crate::demo::turns::Turns;

/// Keys that are shown beyond the lowest and the highest note.
const MARGIN_KEYS: u8 = 3;
/// From one line of the settings to the next.
pub const LINE_HEIGHT: i32 = 24;
/// Above the roll, beside the lines of the settings.
const HEADER_HEIGHT: i32 = 106;

/// The rectangle of the piano roll, in pixels from the top left, and its scales.
pub struct Paper {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
    lowest: u8,
    highest: u8,
    seconds: f64,
    sample_rate: f64,
}

impl Paper {
    /// Just large enough for `notes`, but never less than two octaves, below so many lines of settings.
    pub fn new<'a>(turns: &Turns, notes: impl Iterator<Item = &'a Sounded> + Clone, settings: usize) -> Self {
        let lowest = notes.clone().map(|note| note.key).min().unwrap_or(48).min(60 - MARGIN_KEYS);
        let highest = notes.map(|note| note.key).max().unwrap_or(72).max(lowest + 24);
        Self {
            left: 78,
            right: SIZE.0 as i32 - 30,
            top: HEADER_HEIGHT + LINE_HEIGHT * settings as i32,
            bottom: SIZE.1 as i32 - 70,
            lowest: lowest.saturating_sub(MARGIN_KEYS),
            highest: (highest + MARGIN_KEYS).min(127),
            seconds: turns.seconds(),
            sample_rate: turns.sample_rate,
        }
    }

    pub fn keys(&self) -> RangeInclusive<u8> {
        self.lowest..=self.highest
    }

    pub fn x(&self, sample: u64) -> i32 {
        self.x_seconds(sample as f64 / self.sample_rate)
    }

    pub fn x_seconds(&self, seconds: f64) -> i32 {
        self.left + (f64::from(self.right - self.left) * seconds / self.seconds).round() as i32
    }

    /// The top and the bottom of a key's row.
    pub fn row(&self, key: u8) -> (i32, i32) {
        let height = f64::from(self.bottom - self.top) / f64::from(self.highest - self.lowest + 1);
        let top = |above: u8| self.top + (height * f64::from(above)).round() as i32;
        let above = self.highest.saturating_sub(key);
        (top(above), top(above + 1))
    }
}

/// The smallest of 1, 2, 5, 10, ... that divides `length` into at most `most` parts.
pub fn stride(length: f64, most: f64) -> u32 {
    let strides = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u32.pow(power)));
    strides.into_iter().find(|&stride| length / f64::from(stride) <= most).unwrap_or(u32::MAX)
}
