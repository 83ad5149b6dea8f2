//! The contents of one MIDI file: its notes, tracks, signatures and keys, and the time of its ticks.

use std::{
    fmt,
    iter::Sum,
    ops::{AddAssign, Range},
};

use midly::Timing;
use serde::Serialize;

use antiphon::music::scale::Root;

use super::{Piece, Refusal};
use crate::tonality::{Mode, Tonality};

/// The tempo of a file that names none: 120 quarter notes per minute.
const DEFAULT_MICROSECONDS_PER_QUARTER: u32 = 500_000;

/// A file as it was written: its notes, and everything else that it says of the music.
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
    /// The end of the longest track, in seconds.
    pub end: f64,
}

/// How many things were left out of the music that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Drum strokes: their keys are no pitches.
    pub drums: u32,
    /// Tempos of 0, at which no time would pass.
    pub tempos: u32,
    /// Key signatures with more sharps or flats than exist.
    pub keys: u32,
    /// Tracks that the header promises but the file does not have.
    pub tracks: u32,
}

impl LeftOut {
    /// Says on stderr what was left out, if anything was; names the corpus if there are several.
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
    /// The note value of a beat, a power of two.
    pub denominator: u16,
}

impl Signature {
    /// The signature of a file that names none.
    pub const COMMON: Self = Self { tick: 0, numerator: 4, denominator: 4 };

    /// `None` for an impossible signature: no beats, or beats shorter than 64ths.
    pub fn new(tick: u64, numerator: u8, power: u8) -> Option<Self> {
        let is_music = numerator > 0 && power <= 6;
        is_music.then(|| Self { tick, numerator, denominator: 1 << power })
    }

    /// The length of a bar in quarter notes.
    pub fn bar(self) -> f64 {
        f64::from(self.numerator) * 4.0 / f64::from(self.denominator)
    }
}

/// A key signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenKey {
    /// Number of sharps; flats are below 0.
    sharps: i8,
    is_minor: bool,
}

impl WrittenKey {
    /// `None` for more sharps or flats than there are.
    pub fn new(sharps: i8, is_minor: bool) -> Option<Self> {
        (-7..=7).contains(&sharps).then_some(Self { sharps, is_minor })
    }

    pub fn tonality(self) -> Tonality {
        // Each further sharp is a fifth up. A minor key is a minor third below its relative major.
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

/// Converts ticks to seconds and back, for a whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct TempoMap {
    unit: Unit,
    /// In the order of ticks; the first one begins at 0.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Ticks per quarter note: their length depends on the tempo.
    Musical(u16),
    /// SMPTE: ticks are fractions of a film frame, whatever the tempo.
    Absolute,
}

/// A stretch of time in which all ticks are equally long; it lasts until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    tick: u64,
    seconds: f64,
    seconds_per_tick: f64,
}

impl TempoMap {
    /// One tempo throughout.
    pub fn steady(microseconds_per_quarter: u32, ticks_per_quarter: u16) -> Self {
        let seconds_per_tick = f64::from(microseconds_per_quarter) * 1e-6 / f64::from(ticks_per_quarter);
        let stretches = vec![Stretch { tick: 0, seconds: 0.0, seconds_per_tick }];
        Self { unit: Unit::Musical(ticks_per_quarter), stretches }
    }

    /// `None` for a file in film frames.
    pub fn ticks_per_quarter(&self) -> Option<u16> {
        match self.unit {
            Unit::Musical(ticks) => Some(ticks),
            Unit::Absolute => None,
        }
    }

    /// Every tempo with its tick, in microseconds per quarter note; none for a file in film frames.
    pub fn tempos(&self) -> impl Iterator<Item = (u64, f64)> {
        let ticks = self.ticks_per_quarter();
        let tempo =
            move |stretch: &Stretch| Some((stretch.tick, stretch.seconds_per_tick * 1e6 * f64::from(ticks?)));
        self.stretches.iter().filter_map(tempo)
    }

    pub fn seconds_at(&self, tick: f64) -> f64 {
        let next = self.stretches.partition_point(|stretch| stretch.tick as f64 <= tick);
        let stretch = self.stretches[next.saturating_sub(1)];
        stretch.seconds + (tick - stretch.tick as f64) * stretch.seconds_per_tick
    }

    /// The tick at a second, with a fraction; 0 before the beginning.
    pub fn tick_at(&self, seconds: f64) -> f64 {
        let next = self.stretches.partition_point(|stretch| stretch.seconds <= seconds);
        let stretch = self.stretches[next.saturating_sub(1)];
        // At a tempo of 0 microseconds, ticks take no time.
        let per_tick = stretch.seconds_per_tick.max(f64::MIN_POSITIVE);
        (stretch.tick as f64 + (seconds - stretch.seconds) / per_tick).max(0.0)
    }
}

/// Converts a file's ticks in the order of time, and builds the map.
pub struct Clock {
    map: TempoMap,
    tick: u64,
    seconds: f64,
}

impl Clock {
    pub fn new(timing: Timing) -> Result<Self, Refusal> {
        let map = match timing {
            Timing::Metrical(ticks) if ticks.as_int() > 0 => {
                TempoMap::steady(DEFAULT_MICROSECONDS_PER_QUARTER, ticks.as_int())
            }
            Timing::Timecode(frames, parts) if parts > 0 => {
                // 29 stands for 30 frames drop-frame, of which 1000 take as long as 1001 at full speed.
                let frames = if frames.as_int() == 29 { 30.0 / 1.001 } else { f64::from(frames.as_int()) };
                let seconds_per_tick = 1.0 / (frames * f64::from(parts));
                let stretches = vec![Stretch { tick: 0, seconds: 0.0, seconds_per_tick }];
                TempoMap { unit: Unit::Absolute, stretches }
            }
            _ => return Err(Refusal::NoTime),
        };
        Ok(Self { map, tick: 0, seconds: 0.0 })
    }

    /// The seconds of a tick, which must not be earlier than the previous one.
    pub fn advance(&mut self, tick: u64) -> f64 {
        let passed = tick - self.tick;
        self.seconds += passed as f64 * self.newest().seconds_per_tick;
        self.tick = tick;
        self.seconds
    }

    pub fn set_tempo(&mut self, microseconds_per_quarter: u32) {
        let Unit::Musical(ticks) = self.map.unit else { return };
        let seconds_per_tick = f64::from(microseconds_per_quarter) * 1e-6 / f64::from(ticks);
        let (tick, seconds) = (self.tick, self.seconds);
        let stretch = Stretch { tick, seconds, seconds_per_tick };
        match self.newest() {
            newest if newest.tick == tick => *newest = stretch,
            newest if newest.seconds_per_tick == seconds_per_tick => {}
            _ => self.map.stretches.push(stretch),
        }
    }

    pub fn map(self) -> TempoMap {
        self.map
    }

    fn newest(&mut self) -> &mut Stretch {
        self.map.stretches.last_mut().expect("a map has a first stretch")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(tempos: &[(u64, u32)]) -> TempoMap {
        let mut clock = Clock::new(Timing::Metrical(480.into())).expect("a unit of time");
        for &(passed, microseconds) in tempos {
            clock.advance(clock.tick + passed);
            clock.set_tempo(microseconds);
        }
        clock.map()
    }

    proptest! {
        #[test]
        fn the_way_back_leads_to_the_same_tick(
            tempos in prop::collection::vec((0u64..2000, 100_000u32..2_000_000), 0..9),
            tick in 0u32..30_000,
        ) {
            let map = map(&tempos);
            let back = map.tick_at(map.seconds_at(tick.into()));
            prop_assert!((back - f64::from(tick)).abs() < 1e-6, "{back} of {tick}");
        }
    }

    #[test]
    fn a_tempo_that_is_named_again_is_no_change() {
        let tempos: Vec<_> = map(&[(0, 500_000), (480, 500_000), (480, 400_000)]).tempos().collect();
        assert_eq!(tempos.len(), 2);
        assert!((tempos[1].1 - 400_000.0).abs() < 1e-6 && tempos[1].0 == 960);
    }
}
