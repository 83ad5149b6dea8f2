//! Bars: signatures, bar lines, and how bars are counted.

use super::time::{BeatTime, Beats};

/// Distance below which two points count as one, in beats: less than the shortest note, more than half a
/// sample.
pub const SAME_BEATS: f64 = 1.0 / 1_000.0;

/// A time signature such as 6/8: the number of beats in a bar, and the note value of a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    beats: u8,
    value: u8,
}

/// A bar as the host reports it. The song's first bar has the number 0; bars of a pre-roll have numbers
/// below 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    pub number: i64,
    pub start: BeatTime,
}

/// Bars of one signature, endless in both directions and numbered from one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bars {
    bar: Bar,
    signature: Signature,
}

impl Signature {
    /// 4/4, for hosts that report no signature.
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

    /// Length of a beat in quarter notes, as all lengths are.
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

    /// The song's bars around `beat`. A bar from the host that does not hold the beat is ignored, since
    /// some hosts report nonsense and others nothing. Bars are then counted from beat 0.
    pub fn of_song(beat: BeatTime, told: Option<Bar>, signature: Signature) -> Self {
        let length = signature.bar().0;
        let holds = |bar: &Bar| (-SAME_BEATS..length + SAME_BEATS).contains(&(beat - bar.start).0);
        let bar = told.filter(holds).unwrap_or_else(|| {
            let number = (beat.0 / length).floor();
            Bar { number: number as i64, start: BeatTime(number * length) }
        });
        Self { bar, signature }
    }

    /// These bars, numbered on from earlier ones through a change of signature. Where nothing has changed,
    /// these are the earlier bars, so that no rounding depends on where blocks are cut.
    pub fn counted_on(self, earlier: Self) -> Self {
        let bars = earlier.bars_to(self.bar.start);
        let apart = (bars - bars.round()).abs() * earlier.signature.bar().0;
        if apart < SAME_BEATS && self.signature == earlier.signature {
            return earlier;
        }
        // A bar that is cut short counts as one.
        let passed = if apart < SAME_BEATS { bars.round() } else { bars.ceil() };
        self.renumbered(earlier.bar.number + passed as i64)
    }

    /// These bars after a loop: numbered on at `to` from where the earlier ones were left, at `from`.
    pub fn counted_through(self, earlier: Self, from: BeatTime, to: BeatTime) -> Self {
        let (left, entered) = (earlier.number_at(from), self.number_at(to));
        let into = |bars: &Self, number, beat: BeatTime| (beat - bars.line(number)).0.max(0.0);
        // A bar that is cut short counts as one.
        let cut = into(&self, entered, to) + SAME_BEATS < into(&earlier, left, from);
        self.renumbered(left + i64::from(cut) - (entered - self.bar.number))
    }

    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Number of the bar at a beat; a line within the tolerance counts as reached.
    pub fn number_at(&self, beat: BeatTime) -> i64 {
        let reached = self.bars_to(beat) + SAME_BEATS / self.signature.bar().0;
        self.bar.number + reached.floor() as i64
    }

    /// Where a bar begins.
    pub fn line(&self, number: i64) -> BeatTime {
        self.bar.start + Beats((number - self.bar.number) as f64 * self.signature.bar().0)
    }

    /// The next line of a grid of bars or beats at a beat or after it.
    pub fn aligned(&self, beat: BeatTime, grid: Beats) -> BeatTime {
        let lines = ((beat - self.bar.start).0 - SAME_BEATS) / grid.0;
        self.bar.start + Beats(lines.ceil() * grid.0)
    }

    fn bars_to(&self, beat: BeatTime) -> f64 {
        (beat - self.bar.start).0 / self.signature.bar().0
    }

    fn renumbered(self, number: i64) -> Self {
        Self { bar: Bar { number, ..self.bar }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(beats: i32, value: i32, number: i64, start: f64) -> Bars {
        let signature = Signature::new(beats, value).expect("a signature");
        Bars::of_song(BeatTime(start), Some(Bar { number, start: BeatTime(start) }), signature)
    }

    #[test]
    fn a_bar_that_the_host_tells_is_believed_where_it_holds_the_beat_alone() {
        let told = Some(Bar { number: 7, start: BeatTime(21.5) });
        let common = Signature::COMMON;
        assert_eq!(Bars::of_song(BeatTime(22.0), told, common).number_at(BeatTime(22.0)), 7);
        assert_eq!(Bars::of_song(BeatTime(40.0), told, common).number_at(BeatTime(40.0)), 10);
        assert_eq!(Bars::of_song(BeatTime(13.0), None, common).line(3), BeatTime(12.0));
    }

    #[test]
    fn bars_of_a_pre_roll_have_numbers_below_nought() {
        let bars = Bars::of_song(BeatTime(-3.0), None, Signature::COMMON);
        assert_eq!(bars.number_at(BeatTime(-3.0)), -1);
        assert_eq!(bars.number_at(BeatTime(0.0)), 0);
    }

    #[test]
    fn a_change_of_signature_counts_on() {
        let (four, three) = (bars(4, 4, 0, 0.0), bars(3, 4, 4, 16.0));
        assert_eq!(three.counted_on(four).number_at(BeatTime(22.5)), 6);
        let wrongly_numbered = bars(3, 4, 99, 16.0);
        assert_eq!(wrongly_numbered.counted_on(four).number_at(BeatTime(16.0)), 4);
        let in_the_middle = bars(6, 8, 0, 14.0);
        assert_eq!(in_the_middle.counted_on(four).number_at(BeatTime(14.0)), 4, "the bar cut short counts");
    }

    #[test]
    fn the_same_bars_told_later_are_the_same_bars() {
        let first = bars(7, 8, 0, 0.0);
        assert_eq!(bars(7, 8, 5, 17.5).counted_on(first), first);
    }

    #[test]
    fn a_loop_counts_on_as_if_the_song_were_unrolled() {
        let song = bars(4, 4, 0, 0.0);
        let looped = |length: f64| song.counted_through(song, BeatTime(length), BeatTime(0.0));
        assert_eq!(looped(16.0).number_at(BeatTime(0.0)), 4);
        assert_eq!(looped(16.0).number_at(BeatTime(5.0)), 5);
        assert_eq!(looped(6.0).number_at(BeatTime(0.0)), 2, "the bar cut short counts");
        let inside = song.counted_through(song, BeatTime(13.0), BeatTime(1.0));
        assert_eq!(inside.number_at(BeatTime(1.0)), 3, "the bar goes on");
    }

    #[test]
    fn the_next_line_of_a_grid_is_the_one_that_is_just_reached() {
        let bars = bars(6, 8, 0, 0.0);
        let beat = bars.signature().beat();
        assert_eq!(beat, Beats(0.5));
        assert_eq!(bars.aligned(BeatTime(1.0), beat), BeatTime(1.0));
        assert_eq!(bars.aligned(BeatTime(1.1), beat), BeatTime(1.5));
        assert_eq!(bars.aligned(BeatTime(1.1), bars.signature().bar()), BeatTime(3.0));
    }
}
