//! What is known at a note besides the notes: beat, harmony, style, and who plays. Each may be missing.

use std::num::NonZeroU16;

use super::{keys::PITCH_CLASSES, scale::Root, time::Seconds};

/// Number of ticks in a beat, in which positions are counted.
pub const TICKS_PER_BEAT: f64 = 960.0;
/// Number of units in a second, in which the period of a beat is counted: tenths of a millisecond.
pub const PERIOD_UNITS_PER_SECOND: f64 = 10_000.0;
/// Number of positions within a beat that the network tells apart.
pub const PLACES: usize = 48;
/// Number of sixteenths of a bar that the network tells apart; later ones count as the last.
pub const SIXTEENTHS: usize = 32;

/// What is known at one point, such as the onset of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions {
    pub pulse: Option<Pulse>,
    pub harmony: Option<Harmony>,
    pub style: Option<Style>,
    pub who: Option<Who>,
}

/// A point in the bar, and how fast the beats go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Ticks since the bar began, below `bar`.
    place: u16,
    /// Ticks of a bar.
    bar: NonZeroU16,
    /// Length of a beat, in tenths of a millisecond.
    period: NonZeroU16,
    swing: Swing,
}

/// The pitch classes of a chord, and its root if it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Harmony(NonZeroU16);

/// What kind of music it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Classical,
    JazzPiano,
    /// A single line over changes.
    JazzLine,
    Pop,
}

/// Who played a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Player,
    Plugin,
}

impl Conditions {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { pulse: None, harmony: None, style: None, who: None };

    /// The conditions `length` later: the pulse moves on. Realtime-safe.
    pub fn after(self, length: Seconds) -> Self {
        Self { pulse: self.pulse.map(|pulse| pulse.after(length)), ..self }
    }
}

impl Pulse {
    /// `beat` counts from a bar line, `beats_in_bar` is the length of a bar in beats, `period` that of a
    /// beat in seconds. `None` for a bar or a tempo that cannot be stored: a bar has up to 64 beats, a beat
    /// lasts from 20 ms to 6 s.
    pub fn new(beat: f64, beats_in_bar: f64, period: f64) -> Option<Self> {
        if !(0.25..=64.0).contains(&beats_in_bar) || !(0.02..=6.0).contains(&period) || !beat.is_finite() {
            return None;
        }
        let bar = NonZeroU16::new((beats_in_bar * TICKS_PER_BEAT).round() as u16)?;
        let place = (beat * TICKS_PER_BEAT).round().rem_euclid(f64::from(bar.get())) as u16;
        let period = NonZeroU16::new((period * PERIOD_UNITS_PER_SECOND).round() as u16)?;
        Some(Self { place, bar, period, swing: Swing::STRAIGHT })
    }

    /// The point `length` later at this tempo, or earlier where the length is negative. Realtime-safe.
    pub fn after(self, length: Seconds) -> Self {
        let moved = f64::from(self.place) + f64::from(length.0) * self.ticks_per_second();
        let place = moved.round().rem_euclid(f64::from(self.bar.get()));
        Self { place: place as u16, ..self }
    }

    /// The same point with swung eighths. Realtime-safe.
    pub fn swung(self, swing: Swing) -> Self {
        Self { swing, ..self }
    }

    /// How its eighths swing.
    pub fn swing(self) -> Swing {
        self.swing
    }

    /// The same point where a beat takes `by` times as long. Realtime-safe.
    pub fn stretched(self, by: f64) -> Self {
        let period = (f64::from(self.period.get()) * by).round() as u16;
        Self { period: NonZeroU16::new(period).unwrap_or(self.period), ..self }
    }

    /// Beats since the bar line.
    pub fn beat(self) -> f64 {
        f64::from(self.place) / TICKS_PER_BEAT
    }

    pub fn beats_in_bar(self) -> f64 {
        f64::from(self.bar.get()) / TICKS_PER_BEAT
    }

    /// The length of a beat in seconds.
    pub fn period(self) -> f64 {
        f64::from(self.period.get()) / PERIOD_UNITS_PER_SECOND
    }

    /// Time that `beats` beats, as they are written, take from here. Realtime-safe.
    pub fn lasting(self, beats: f64) -> Seconds {
        let later = self.swing.played(self.swing.written(self.beat()) + beats);
        Seconds(((later - self.beat()) * self.period()) as f32)
    }

    /// Twice the shorter eighth, in seconds: the beat itself where it does not swing. Realtime-safe.
    pub fn shortest_period(self) -> f64 {
        self.period() * 2.0 * self.swing.shorter()
    }

    /// The nearest place of the beat, 0..[`PLACES`], as it is written: a swung eighth is an eighth.
    /// Realtime-safe.
    pub fn place(self) -> usize {
        (self.swing.written(self.beat()) * PLACES as f64).round() as usize % PLACES
    }

    /// The nearest sixteenth of the bar as it is written, 0..[`SIXTEENTHS`]. Realtime-safe.
    pub fn sixteenth(self) -> usize {
        let sixteenth = (self.swing.written(self.beat()) * 4.0).round();
        let over = sixteenth >= self.beats_in_bar() * 4.0;
        if over { 0 } else { (sixteenth as usize).min(SIXTEENTHS - 1) }
    }

    fn ticks_per_second(self) -> f64 {
        TICKS_PER_BEAT / self.period()
    }
}

impl Harmony {
    /// The lowest twelve bits of `classes` are the pitch classes, from C on; `None` unless at least one is
    /// set.
    pub fn new(classes: u16, root: Option<u8>) -> Option<Self> {
        let classes = classes & 0xFFF;
        let root =
            root.filter(|&root| usize::from(root) < PITCH_CLASSES).map_or(0, |root| u16::from(root) + 1);
        if classes == 0 { None } else { NonZeroU16::new(classes | root << 12).map(Self) }
    }

    /// The harmony as a number above 0; [`Self::of_bits`] reads it back.
    pub fn bits(self) -> u16 {
        self.0.get()
    }

    pub fn of_bits(bits: u16) -> Option<Self> {
        Self::new(bits & 0xFFF, (bits >> 12).checked_sub(1).map(|root| root as u8))
    }

    /// The pitch classes, 0 for C. Realtime-safe.
    pub fn classes(self) -> impl Iterator<Item = usize> {
        (0..PITCH_CLASSES).filter(move |class| self.0.get() >> class & 1 == 1)
    }

    /// The pitch class of the root.
    pub fn root(self) -> Option<usize> {
        usize::from(self.0.get() >> 12).checked_sub(1)
    }

    /// The chord symbol, as far as the thirds, the fifth and the seventh tell it. Allocates.
    pub fn name(self) -> String {
        let root = self.root().or_else(|| self.classes().next()).unwrap_or(0);
        let has =
            |step: usize| self.classes().any(|class| (class + PITCH_CLASSES - root) % PITCH_CLASSES == step);
        let third = match (has(3), has(4)) {
            (true, false) if has(6) && !has(7) => "dim",
            (true, false) => "m",
            (false, true) if has(8) && !has(7) => "+",
            (false, false) if has(5) => "sus4",
            (false, false) if has(2) => "sus2",
            _ => "",
        };
        let seventh = match (has(10), has(11)) {
            (true, _) => "7",
            (false, true) => "maj7",
            _ => "",
        };
        format!("{}{third}{seventh}", Root::NAMES[root])
    }

    /// The same harmony, `semitones` higher.
    pub fn transposed(self, semitones: i16) -> Self {
        let by = semitones.rem_euclid(12) as u16;
        let classes = self.0.get() & 0xFFF;
        let classes = (classes << by | classes >> (12 - by)) & 0xFFF;
        let root = self.root().map(|root| (root as u8 + by as u8) % 12);
        Self::new(classes, root).unwrap_or(self)
    }
}

impl Style {
    pub const ALL: [Self; 4] = [Self::Classical, Self::JazzPiano, Self::JazzLine, Self::Pop];

    pub fn index(self) -> usize {
        self as usize
    }
}

impl Who {
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Where the second eighth of each beat is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swing(u16);

impl Swing {
    /// Both eighths have the same length.
    pub const STRAIGHT: Self = Self(480);

    /// Swing with the second eighth at this part of a beat, to the nearest tick of 960.
    pub fn at(part: f64) -> Self {
        Self((part * TICKS_PER_BEAT).round() as u16)
    }

    /// Length of the shorter eighth, as a part of a beat.
    fn shorter(self) -> f64 {
        let second = f64::from(self.0) / TICKS_PER_BEAT;
        second.min(1.0 - second)
    }

    /// The played position of a written beat: the inverse of [`Self::written`].
    pub fn played(self, beat: f64) -> f64 {
        let (whole, place) = (beat.floor(), beat - beat.floor());
        let second = f64::from(self.0) / TICKS_PER_BEAT;
        whole + if place < 0.5 { place * 2.0 * second } else { 1.0 - (1.0 - place) * 2.0 * (1.0 - second) }
    }

    /// The written position of a played beat: the second eighth is written at a half. Realtime-safe.
    pub fn written(self, beat: f64) -> f64 {
        if self == Self::STRAIGHT {
            return beat;
        }
        let (whole, place) = (beat.floor(), beat - beat.floor());
        let second = f64::from(self.0) / TICKS_PER_BEAT;
        let written = if place < second { place / second } else { 1.0 + (place - second) / (1.0 - second) };
        whole + written / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_goes_round_the_bar_at_its_tempo() {
        let pulse = Pulse::new(3.5, 4.0, 0.5).expect("a bar");
        let later = pulse.after(Seconds(0.5));
        assert!((later.beat() - 0.5).abs() < 0.01, "{}", later.beat());
        assert_eq!(later.after(Seconds(-0.5)), pulse);
        assert_eq!((pulse.place(), pulse.sixteenth()), (24, 14));
    }

    #[test]
    fn a_swung_beat_counts_as_twice_its_shorter_eighth() {
        let pulse = Pulse::new(0.0, 4.0, 0.6).expect("a bar");
        assert_eq!(pulse.shortest_period(), pulse.period());
        let swung = |part| pulse.swung(Swing::at(part)).shortest_period() / pulse.period();
        assert!([0.4, 0.6].into_iter().all(|part| (swung(part) - 0.8).abs() < 1e-9));
    }

    #[test]
    fn from_a_swung_eighth_to_the_next_beat_is_shorter_than_from_the_beat_to_it() {
        let eighth =
            |beat| Pulse::new(beat, 4.0, 0.6).map(|pulse| pulse.swung(Swing::at(2.0 / 3.0)).lasting(0.5).0);
        let [first, second] = [0.0, 2.0 / 3.0].map(|beat| eighth(beat).expect("a bar"));
        assert!((first - 0.4).abs() < 0.002 && (second - 0.2).abs() < 0.002, "{first} {second}");
    }

    #[test]
    fn just_before_a_line_is_on_it() {
        let pulse = Pulse::new(3.995, 4.0, 0.5).expect("a bar");
        assert_eq!((pulse.place(), pulse.sixteenth()), (0, 0));
        let waltz = Pulse::new(-0.01, 3.0, 0.5).expect("a bar");
        assert_eq!((waltz.place(), waltz.sixteenth()), (0, 0));
    }

    #[test]
    fn a_bar_or_a_tempo_that_cannot_be_is_none() {
        for (beat, beats, period) in
            [(f64::NAN, 4.0, 0.5), (0.0, 0.0, 0.5), (0.0, 65.0, 0.5), (0.0, 4.0, 7.0)]
        {
            assert_eq!(Pulse::new(beat, beats, period), None);
        }
    }

    #[test]
    fn a_harmony_has_the_name_that_musicians_write() {
        let name = |classes: &[u8], root| {
            let bits = classes.iter().fold(0, |bits, class| bits | 1 << class);
            Harmony::new(bits, Some(root)).map(Harmony::name)
        };
        assert_eq!(name(&[0, 4, 7], 0).as_deref(), Some("C"));
        assert_eq!(name(&[9, 0, 4, 7], 9).as_deref(), Some("Am7"));
        assert_eq!(name(&[5, 9, 0, 4], 5).as_deref(), Some("Fmaj7"));
        assert_eq!(name(&[11, 2, 5], 11).as_deref(), Some("Bdim"));
    }

    #[test]
    fn a_harmony_moves_with_its_root() {
        let c_major = Harmony::new(0b1001_0001, Some(0)).expect("a chord");
        let a_flat = c_major.transposed(-4);
        assert_eq!(a_flat.classes().collect::<Vec<_>>(), [0, 3, 8]);
        assert_eq!(a_flat.root(), Some(8));
        assert_eq!(c_major.transposed(12), c_major);
        assert_eq!(Harmony::new(0, Some(3)), None);
    }
}
