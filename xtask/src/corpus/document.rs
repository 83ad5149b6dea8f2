//! All that is known of one MIDI file.

use std::{
    fmt,
    iter::Sum,
    ops::{AddAssign, Range},
};

use serde::Serialize;

use antiphon::music::scale::Root;

use super::{Piece, TempoMap};
use crate::tonality::{Mode, Tonality};

/// A file as it was written: its notes, and what else it says of the music.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub piece: Piece,
    /// The names of its tracks, as far as they have any.
    pub tracks: Vec<Option<String>>,
    pub tempo_map: TempoMap,
    pub signatures: Vec<Signature>,
    /// Key signatures, by tick.
    pub written_keys: Vec<(u64, WrittenKey)>,
    /// When the sustain pedal of any channel is down, in seconds.
    pub pedal: Vec<Range<f64>>,
    pub left_out: LeftOut,
    /// Of the longest track, in seconds.
    pub end: f64,
}

/// What is not among the music that was read, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Strokes: their keys are no pitches.
    pub drums: u32,
    /// Tempos of 0, at which no time would pass.
    pub tempos: u32,
    /// Key signatures of more sharps or flats than there are.
    pub keys: u32,
    /// Tracks that a header promises beyond those that are there.
    pub tracks: u32,
}

impl LeftOut {
    /// Says on stderr what was left out, of which corpus if there are several, if anything was.
    pub fn warn(self, corpus: Option<&str>) {
        if self != Self::default() {
            eprintln!("left out{}: {self}", corpus.map_or(String::new(), |corpus| format!(" of {corpus}")));
        }
    }
}

impl AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.drums = self.drums.saturating_add(other.drums);
        self.tempos = self.tempos.saturating_add(other.tempos);
        self.keys = self.keys.saturating_add(other.keys);
        self.tracks = self.tracks.saturating_add(other.tracks);
    }
}

impl Sum for LeftOut {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parts = [
            (self.drums, "drum stroke", ", whose key is no pitch"),
            (self.tempos, "tempo", " of 0"),
            (self.keys, "key signature", " of more than seven sharps or flats"),
            (self.tracks, "track", " that a header promises and its file lacks"),
        ];
        let told = parts.iter().filter(|(count, ..)| *count > 0).map(|(count, what, which)| {
            let plural = if *count == 1 { "" } else { "s" };
            format!("{count} {what}{plural}{which}")
        });
        f.write_str(&told.collect::<Vec<_>>().join("; "))
    }
}

/// A time signature, from a tick on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub tick: u64,
    pub numerator: u8,
    /// A power of two.
    pub denominator: u16,
}

impl Signature {
    /// Where a file names none.
    pub const COMMON: Self = Self { tick: 0, numerator: 4, denominator: 4 };

    /// `None` for what no bar has: no beats, or beats that are shorter than 64ths.
    pub fn new(tick: u64, numerator: u8, power: u8) -> Option<Self> {
        let is_music = numerator > 0 && power <= 6;
        is_music.then(|| Self { tick, numerator, denominator: 1 << power })
    }

    /// Quarter notes.
    pub fn bar(self) -> f64 {
        f64::from(self.numerator) * 4.0 / f64::from(self.denominator)
    }
}

/// A key signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenKey {
    /// Sharps, or flats below 0.
    sharps: i8,
    is_minor: bool,
}

impl WrittenKey {
    /// `None` for more sharps or flats than there are.
    pub fn new(sharps: i8, is_minor: bool) -> Option<Self> {
        (-7..=7).contains(&sharps).then_some(Self { sharps, is_minor })
    }

    pub fn tonality(self) -> Tonality {
        // A sharp more is a fifth higher; a minor key lies a minor third below its major one.
        let major = (7 * i16::from(self.sharps)).rem_euclid(12);
        let (tonic, mode) = if self.is_minor { (major + 9, Mode::Minor) } else { (major, Mode::Major) };
        Tonality { tonic: Root::new(u8::try_from(tonic).unwrap_or(0)), mode }
    }
}

impl fmt::Display for WrittenKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.tonality().fmt(f)
    }
}
