//! Points and lengths of time. They have types of their own, so that only sums that make sense compile.

use std::ops::{Add, Sub};

/// Largest distance from beat 0 at which a song may be, in beats, whatever a host reports.
const FARTHEST_BEAT: f64 = 1e9;

/// A point of the instance's own time, in seconds since its clock began; the networks use this time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Moment(pub f64);

/// A length in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Seconds(pub f32);

/// A point of the instance's sample clock, which runs free and never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SampleTime(pub u64);

/// A length in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Samples(pub u64);

/// A point of the host's musical time, in quarter notes; negative in a pre-roll.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct BeatTime(pub f64);

/// A length in quarter notes.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Beats(pub f64);

/// Samples per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRate(pub f64);

/// Quarter notes per minute, 1..=10,000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tempo(f64);

impl Tempo {
    /// The tempo for a host that reports none.
    pub const DEFAULT: Self = Self(120.0);

    /// `None` outside 1..=10,000: no host means such a tempo.
    pub fn new(beats_per_minute: f64) -> Option<Self> {
        (1.0..=10_000.0).contains(&beats_per_minute).then_some(Self(beats_per_minute))
    }

    /// In quarter notes a minute.
    pub fn beats_per_minute(self) -> f64 {
        self.0
    }

    /// How many times as fast as another tempo.
    pub fn ratio(self, other: Self) -> f64 {
        self.0 / other.0
    }

    /// How many beats the tempo of `self` gains on another within a length.
    pub fn gain_on(self, other: Self, length: Samples, rate: SampleRate) -> Beats {
        Beats((self.0 - other.0) / 60.0 * length.0 as f64 / rate.0)
    }

    fn samples_per_beat(self, rate: SampleRate) -> f64 {
        rate.0 * 60.0 / self.0
    }
}

impl Moment {
    /// Before the clock began.
    pub const EARLIEST: Self = Self(f64::NEG_INFINITY);
    pub const NEVER: Self = Self(f64::INFINITY);

    /// The later one.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The earlier one.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl Seconds {
    pub const ZERO: Self = Self(0.0);
    pub const FOREVER: Self = Self(f32::INFINITY);

    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl BeatTime {
    /// Whether a song may be there: the value is a number, and small enough for its fractions to be told
    /// apart. At the highest tempo, a song of 69 days fits.
    pub fn is_in_a_song(self) -> bool {
        self.0.abs() <= FARTHEST_BEAT
    }
}

impl SampleRate {
    /// The instance's time of a point on its sample clock.
    pub fn moment(self, at: SampleTime) -> Moment {
        Moment(at.0 as f64 / self.0)
    }

    pub fn seconds(self, length: Samples) -> Seconds {
        Seconds((length.0 as f64 / self.0) as f32)
    }

    /// The moment that comes `length` samples after another; exact for hours, unlike [`Seconds`].
    pub fn later(self, from: Moment, length: Samples) -> Moment {
        Moment(from.0 + length.0 as f64 / self.0)
    }

    /// The nearest whole number of samples from a moment to a later one; exact for hours, unlike [`Seconds`].
    pub fn samples_between(self, from: Moment, to: Moment) -> Samples {
        Samples(((to.0 - from.0) * self.0).round().max(0.0) as u64)
    }

    /// The nearest whole number of samples.
    pub fn samples(self, length: Seconds) -> Samples {
        Samples((f64::from(length.0) * self.0).round().max(0.0) as u64)
    }
}

impl Beats {
    /// How many beats a length takes at a tempo.
    pub fn from_seconds(length: Seconds, tempo: Tempo) -> Self {
        Self(f64::from(length.0) * tempo.0 / 60.0)
    }

    /// The moment that comes this many beats after another at a tempo.
    pub fn after(self, from: Moment, tempo: Tempo) -> Moment {
        Moment(from.0 + self.0 * 60.0 / tempo.0)
    }

    /// How many beats pass from a moment to another at a tempo; exact for hours, unlike [`Seconds`].
    pub fn between(from: Moment, to: Moment, tempo: Tempo) -> Self {
        Self((to.0 - from.0) * tempo.0 / 60.0)
    }

    /// How many beats a number of samples takes at a tempo.
    pub fn from_samples(length: Samples, tempo: Tempo, rate: SampleRate) -> Self {
        Self(length.0 as f64 / tempo.samples_per_beat(rate))
    }

    pub fn samples(self, tempo: Tempo, rate: SampleRate) -> Samples {
        Samples((self.0 * tempo.samples_per_beat(rate)).round().max(0.0) as u64)
    }
}

impl Add<Seconds> for Moment {
    type Output = Moment;

    fn add(self, length: Seconds) -> Moment {
        Moment(self.0 + f64::from(length.0))
    }
}

impl Sub for Moment {
    type Output = Seconds;

    fn sub(self, earlier: Moment) -> Seconds {
        Seconds((self.0 - earlier.0) as f32)
    }
}

impl Add<Samples> for SampleTime {
    type Output = SampleTime;

    fn add(self, length: Samples) -> SampleTime {
        SampleTime(self.0.saturating_add(length.0))
    }
}

impl Add for Samples {
    type Output = Samples;

    fn add(self, other: Samples) -> Samples {
        Samples(self.0.saturating_add(other.0))
    }
}

/// The length since an earlier point; zero where it is not earlier.
impl Sub for SampleTime {
    type Output = Samples;

    fn sub(self, earlier: SampleTime) -> Samples {
        Samples(self.0.saturating_sub(earlier.0))
    }
}

/// The point that lies a length earlier; the clock's beginning where there is none.
impl Sub<Samples> for SampleTime {
    type Output = SampleTime;

    fn sub(self, length: Samples) -> SampleTime {
        SampleTime(self.0.saturating_sub(length.0))
    }
}

impl Add<Beats> for BeatTime {
    type Output = BeatTime;

    fn add(self, length: Beats) -> BeatTime {
        BeatTime(self.0 + length.0)
    }
}

impl Sub for BeatTime {
    type Output = Beats;

    fn sub(self, earlier: BeatTime) -> Beats {
        Beats(self.0 - earlier.0)
    }
}

/// Where the musical beat lies on the sample clock, and how fast it goes from there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Anchor {
    pub sample: SampleTime,
    pub beat: BeatTime,
    pub tempo: Tempo,
}

impl Anchor {
    pub(super) fn beat_at(&self, at: SampleTime, rate: SampleRate) -> BeatTime {
        // Signed on purpose: a point may lie before the anchor.
        let samples = at.0 as f64 - self.sample.0 as f64;
        BeatTime(self.beat.0 + samples / self.tempo.samples_per_beat(rate))
    }

    /// The sample nearest to a beat.
    pub(super) fn sample_at(&self, beat: BeatTime, rate: SampleRate) -> SampleTime {
        let samples = ((beat.0 - self.beat.0) * self.tempo.samples_per_beat(rate)).round();
        SampleTime((self.sample.0 as f64 + samples).max(0.0) as u64)
    }
}
