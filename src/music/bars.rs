//! Bars: signatures, bar lines, and how bars are counted.

#[cfg(test)]
mod tests;

use super::time::{BeatTime, Beats};

/// Two points that lie closer than this are one, in beats: less than the shortest note, more than half a sample.
const TOLERANCE_BEATS: f64 = 1.0 / 1_000.0;

/// A time signature, such as 6/8: so many beats to the bar, each of this note value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    beats: u8,
    value: u8,
}

/// A bar as the host tells of it: the song's first one has the number 0, those of a pre-roll lie below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    pub number: i64,
    pub start: BeatTime,
}

/// Bars of one signature without end in both directions, counted from one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bars {
    bar: Bar,
    signature: Signature,
}

impl Signature {
    /// 4/4, for hosts that tell none.
    pub const COMMON: Self = Self { beats: 4, value: 4 };

    /// `None` unless both numbers lie in 1..=64.
    pub fn new(beats: i32, value: i32) -> Option<Self> {
        let part = |number: i32| u8::try_from(number).ok().filter(|number| (1..=64).contains(number));
        Some(Self { beats: part(beats)?, value: part(value)? })
    }

    /// How many beats there are in a bar, 1..=64.
    pub fn beats(self) -> u8 {
        self.beats
    }

    /// The note value of a beat: 4 for a quarter note, 1..=64.
    pub fn value(self) -> u8 {
        self.value
    }

    /// In quarter notes, as all lengths are.
    pub fn beat(self) -> Beats {
        Beats(4.0 / f64::from(self.value))
    }

    pub fn bar(self) -> Beats {
        Beats(self.beat().0 * f64::from(self.beats))
    }
}

impl Bars {
    /// Bars of 4/4 from beat 0 on.
    pub const FREE: Self =
        Self { bar: Bar { number: 0, start: BeatTime(0.0) }, signature: Signature::COMMON };

    /// The song's bars around `beat`. A bar of the host's that does not hold the beat is not believed, since some hosts
    /// tell nonsense and others nothing; bars are then counted from beat 0.
    pub fn of_song(beat: BeatTime, told: Option<Bar>, signature: Signature) -> Self {
        let length = signature.bar().0;
        let holds = |bar: &Bar| (-TOLERANCE_BEATS..length + TOLERANCE_BEATS).contains(&(beat - bar.start).0);
        let bar = told.filter(holds).unwrap_or_else(|| {
            let number = (beat.0 / length).floor();
            Bar { number: number as i64, start: BeatTime(number * length) }
        });
        Self { bar, signature }
    }

    /// These bars, counted on from earlier ones through a change of signature; the earlier ones where nothing has
    /// changed, so that no rounding depends on where blocks are cut.
    pub fn counted_on(self, earlier: Self) -> Self {
        let bars = earlier.bars_to(self.bar.start);
        let apart = (bars - bars.round()).abs() * earlier.signature.bar().0;
        if apart < TOLERANCE_BEATS && self.signature == earlier.signature {
            return earlier;
        }
        // A bar that is cut short counts as one.
        let passed = if apart < TOLERANCE_BEATS { bars.round() } else { bars.ceil() };
        self.renumbered(earlier.bar.number + passed as i64)
    }

    /// These bars, entered at `to`, counted on from where earlier ones were left, at `from`: a loop.
    pub fn counted_through(self, earlier: Self, from: BeatTime, to: BeatTime) -> Self {
        let (left, entered) = (earlier.number_at(from), self.number_at(to));
        let into = |bars: &Self, number, beat: BeatTime| (beat - bars.line(number)).0.max(0.0);
        // A bar that is cut short counts as one.
        let cut = into(&self, entered, to) + TOLERANCE_BEATS < into(&earlier, left, from);
        self.renumbered(left + i64::from(cut) - (entered - self.bar.number))
    }

    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The bar at a beat; a line within the tolerance counts as reached.
    pub fn number_at(&self, beat: BeatTime) -> i64 {
        let reached = self.bars_to(beat) + TOLERANCE_BEATS / self.signature.bar().0;
        self.bar.number + reached.floor() as i64
    }

    /// Where a bar begins.
    pub fn line(&self, number: i64) -> BeatTime {
        self.bar.start + Beats((number - self.bar.number) as f64 * self.signature.bar().0)
    }

    /// The next line of a grid of bars or beats at a beat or after it.
    pub fn aligned(&self, beat: BeatTime, grid: Beats) -> BeatTime {
        let lines = ((beat - self.bar.start).0 - TOLERANCE_BEATS) / grid.0;
        self.bar.start + Beats(lines.ceil() * grid.0)
    }

    fn bars_to(&self, beat: BeatTime) -> f64 {
        (beat - self.bar.start).0 / self.signature.bar().0
    }

    fn renumbered(self, number: i64) -> Self {
        Self { bar: Bar { number, ..self.bar }, ..self }
    }
}
