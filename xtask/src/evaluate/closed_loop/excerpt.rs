//! An excerpt: a stretch of a performance in the host's time.

use std::ops::Range;

use anyhow::Result;

use antiphon::music::conditions::Swing;

use super::passage::{HeardNote, sustain};
use crate::corpus::{
    Convention, LeftOut, Note,
    beats::{BeatUnit, Beats},
    collection::{Performance, Source},
};

/// Tempo of the bars of common time that are assumed where no beats are known, in beats per minute.
const UNKNOWN_TEMPO: f64 = 120.0;
const COMMON: usize = 4;
/// A note that is struck at most this much before a bar belongs to the bar, in seconds.
const EARLY_S: f64 = 0.05;

/// Some successive bars of a performance. The first beat is at 0 seconds.
#[derive(Debug, Clone)]
pub struct Excerpt {
    /// The notes with the moments at which keys go down and up.
    pub keys: Vec<HeardNote>,
    /// The same notes as they sound, the pedal included.
    pub notes: Vec<HeardNote>,
    /// The stretches of time in which the pedal is down, in seconds.
    pub pedal: Vec<Range<f64>>,
    pub beat_map: BeatMap,
    /// The beats at which bars begin, the end of the last bar included.
    pub bars: Vec<usize>,
    /// Whether its beats are known; otherwise its bars are only a measure of time.
    pub has_beats: bool,
    /// Whether its bars are felt in dotted quarters.
    pub is_compound: bool,
    retiming: Retiming,
}

impl Excerpt {
    /// An excerpt from the middle of a performance, and what was left out of the whole of it. `None` where
    /// the performance has fewer successive bars, or where the retiming needs beats that are not known.
    ///
    /// # Errors
    /// When the performance or its beats cannot be read.
    pub fn read(source: &Source, bars: u32, retiming: &Retiming) -> Result<(Option<Self>, LeftOut)> {
        let performance = source.performance(Convention::KeyUp)?;
        let beats = source.annotations.read()?.beats;
        Ok((Self::of(&performance, beats.as_ref(), bars as usize, retiming), performance.left_out))
    }

    fn of(
        performance: &Performance,
        beats: Option<&Beats>,
        bars: usize,
        retiming: &Retiming,
    ) -> Option<Self> {
        let (from, bars) = match beats {
            Some(beats) => in_quarters(known(beats, bars)?, beats.unit())?,
            None if retiming.needs_beats() => return None,
            None => unknown(&performance.notes, bars)?,
        };
        let to = from.retimed(retiming, &bars);
        let moved = |second: f64| to.second(retiming.swing.played(from.beat(second)));
        let within = from.beats()[0]..from.beats()[from.beats().len() - 1];
        let note = |note: &Note| HeardNote {
            onset: moved(note.onset).max(0.0),
            end: moved(note.end.min(within.end)),
            key: note.key.number(),
            velocity: note.velocity.value(),
            beat: beats.is_some().then(|| from.beat(note.onset)),
            off_eighth: beats.is_some().then(|| off_eighth(&to, retiming, moved(note.onset).max(0.0))),
        };
        let is_within = |note: &&Note| within.contains(&(note.onset + EARLY_S));
        let keys: Vec<HeardNote> = performance.notes.iter().filter(is_within).map(note).collect();
        let pedal =
            performance.pedal.iter().filter(|down| down.start < within.end && down.end > within.start);
        let pedal: Vec<Range<f64>> =
            pedal.map(|down| moved(down.start.max(within.start))..moved(down.end.min(within.end))).collect();
        let mut notes = keys.clone();
        sustain(&mut notes, &pedal);
        let (has_beats, unit) = (beats.is_some(), beats.map_or(BeatUnit::Quarter, Beats::unit));
        let is_compound = unit != BeatUnit::Quarter;
        Some(Self { keys, notes, pedal, beat_map: to, bars, has_beats, is_compound, retiming: *retiming })
    }

    /// The meter as it is written. 3/4 and 6/8 are told apart by the beat, since their bars are equally long.
    pub fn meter(&self) -> (u8, u8) {
        let quarters = u8::try_from(self.bars[1] - self.bars[0]).unwrap_or(u8::MAX);
        if self.is_compound { (2 * quarters, 8) } else { (quarters, 4) }
    }

    /// The end of the last bar, in seconds.
    pub fn end(&self) -> f64 {
        self.bar(self.bars.len() - 1)
    }

    /// When a bar begins, in seconds.
    pub fn bar(&self, number: usize) -> f64 {
        self.beat_map.second(self.bars[number] as f64)
    }

    /// How far a moment lies from the nearest eighth, in seconds; `None` where no beats are known.
    pub fn off_eighth(&self, second: f64) -> Option<f64> {
        self.has_beats.then(|| off_eighth(&self.beat_map, &self.retiming, second))
    }

    /// The beat of a moment, swing taken out; `None` where no beats are known.
    pub fn beat(&self, second: f64) -> Option<f64> {
        self.has_beats.then(|| self.retiming.swing.written(self.beat_map.beat(second)))
    }
}

/// The time of each beat of a song, in seconds. Time runs evenly between two beats and beyond the ends.
#[derive(Debug, Clone, PartialEq)]
pub struct BeatMap {
    /// At least two, in order.
    beats: Vec<f64>,
}

/// Changes of the timing of a performance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retiming {
    /// A steady tempo instead of the player's, in beats per minute.
    pub tempo: Option<f64>,
    pub swing: Swing,
    /// Factor on the tempo from one bar to the next.
    pub growth: f64,
}

impl Retiming {
    /// No change: as it was played.
    #[cfg(test)]
    pub const NONE: Self = Self { tempo: None, swing: Swing::STRAIGHT, growth: 1.0 };

    /// Whether the beats must be known for these changes.
    pub fn needs_beats(&self) -> bool {
        self.tempo.is_some() || self.swing != Swing::STRAIGHT || self.growth != 1.0
    }
}

impl BeatMap {
    /// A map of these beats; `None` where there are fewer than two.
    pub fn new(beats: Vec<f64>) -> Option<Self> {
        (beats.len() > 1).then_some(Self { beats })
    }

    /// A map of `beats` beats of the same length, from `start` on.
    pub fn steady(start: f64, tempo: f64, beats: usize) -> Self {
        Self { beats: (0..=beats.max(1)).map(|beat| start + beat as f64 * 60.0 / tempo).collect() }
    }

    /// The same song with the timing of `retiming`, its first beat at 0. `bars` are the beats at which bars
    /// begin.
    pub fn retimed(&self, retiming: &Retiming, bars: &[usize]) -> Self {
        let (mut beats, mut now) = (vec![0.0], 0.0);
        for (beat, pair) in self.beats.windows(2).enumerate() {
            let bar = bars.partition_point(|&start| start <= beat).saturating_sub(1);
            let period = retiming.tempo.map_or(pair[1] - pair[0], |tempo| 60.0 / tempo);
            now += period / retiming.growth.powf(bar as f64);
            beats.push(now);
        }
        Self { beats }
    }

    /// When a beat falls, in seconds.
    pub fn second(&self, beat: f64) -> f64 {
        let index = (beat.floor().max(0.0) as usize).min(self.beats.len() - 2);
        let (start, end) = (self.beats[index], self.beats[index + 1]);
        start + (beat - index as f64) * (end - start)
    }

    /// The beat of a moment in seconds.
    pub fn beat(&self, second: f64) -> f64 {
        let next = self.beats.partition_point(|&beat| beat <= second);
        let index = next.saturating_sub(1).min(self.beats.len() - 2);
        let (start, end) = (self.beats[index], self.beats[index + 1]);
        index as f64 + (second - start) / (end - start)
    }

    /// The beats of the map, the last one included.
    pub fn beats(&self) -> &[f64] {
        &self.beats
    }
}

/// How far a moment lies from the nearest eighth, in seconds. Swing moves the eighths.
fn off_eighth(beat_map: &BeatMap, retiming: &Retiming, second: f64) -> f64 {
    let eighth = (retiming.swing.written(beat_map.beat(second)) * 2.0).round() / 2.0;
    (second - beat_map.second(retiming.swing.played(eighth))).abs()
}

/// The beats of some bars, and the indices of those that begin a bar.
type Stretch = (BeatMap, Vec<usize>);

/// `count` bars from the middle of the longest stretch of whole bars.
fn known(beats: &Beats, count: usize) -> Option<Stretch> {
    let stretch = beats.stretches().into_iter().rev().max_by_key(Vec::len)?;
    let before = stretch.len().checked_sub(count)? / 2;
    let chosen = &stretch[before..before + count];
    let (first, last) = (chosen[0].start, chosen[count - 1].end);
    let times = beats.times().skip(first).take(last + 1 - first).collect();
    let bars = chosen.iter().map(|bar| bar.start - first).chain([last - first]).collect();
    Some((BeatMap::new(times)?, bars))
}

/// The same stretch with quarters as beats, as a host counts them; `None` where a bar is no whole number of
/// quarters.
fn in_quarters((beat_map, bars): Stretch, unit: BeatUnit) -> Option<Stretch> {
    if unit == BeatUnit::Quarter {
        return Some((beat_map, bars));
    }
    let quarters = |beat: usize| beat as f64 * unit.quarters();
    let lines: Vec<f64> = bars.iter().map(|&bar| quarters(bar)).collect();
    let are_whole = lines.iter().all(|line| line.fract() == 0.0);
    let count = quarters(bars[bars.len() - 1]) as usize;
    let times = (0..=count).map(|quarter| beat_map.second(quarter as f64 / unit.quarters())).collect();
    let bars = lines.iter().map(|&line| line as usize).collect();
    BeatMap::new(times).filter(|_| are_whole).map(|beat_map| (beat_map, bars))
}

/// `count` bars from the middle of a performance whose beats are not known.
fn unknown(notes: &[Note], count: usize) -> Option<Stretch> {
    let (first, last) = (notes.first()?.onset, notes.last()?.onset);
    let length = (count * COMMON) as f64 * 60.0 / UNKNOWN_TEMPO;
    let spare = last - first - length;
    (spare >= 0.0).then(|| {
        let beat_map = BeatMap::steady(first + spare / 2.0, UNKNOWN_TEMPO, count * COMMON);
        (beat_map, (0..=count).map(|bar| bar * COMMON).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::beats::{BeatKind, BeatMark};

    #[test]
    fn the_bars_are_those_in_the_middle() {
        // A waltz: the beat of bar n is n + 1 tenths of a second long.
        let mut now = 0.0;
        let marks: Vec<BeatMark> = (0..8)
            .flat_map(|bar| {
                let beats = (0..3).map(|beat| (beat, now + f64::from(beat) * 0.1 * f64::from(bar + 1)));
                let marks = beats.map(|(beat, at)| BeatMark {
                    at,
                    what: if beat == 0 { BeatKind::Downbeat } else { BeatKind::Beat },
                });
                let marks: Vec<BeatMark> = marks.collect();
                now += 0.3 * f64::from(bar + 1);
                marks
            })
            .collect();
        let (beat_map, bars) = known(&Beats::new(&marks), 3).expect("there are seven whole bars");
        assert_eq!(bars, [0, 3, 6, 9]);
        assert!((beat_map.beats()[0] - 0.9).abs() < 1e-9);
        assert!((beat_map.beats()[9] - 4.5).abs() < 1e-9);
        assert!(known(&Beats::new(&marks), 8).is_none());
    }

    #[test]
    fn a_bar_of_six_eighths_has_three_quarters_however_its_beats_are_counted() {
        let dotted = (BeatMap::steady(0.0, 60.0, 4), vec![0, 2, 4]);
        let eighths = (BeatMap::steady(0.0, 180.0, 12), vec![0, 6, 12]);
        for (stretch, unit) in [(dotted, BeatUnit::DottedQuarter), (eighths, BeatUnit::Eighth)] {
            let (beat_map, bars) = in_quarters(stretch, unit).expect("whole bars");
            assert_eq!((&bars[..], beat_map.beats().len()), (&[0, 3, 6][..], 7), "{unit:?}");
            let apart = beat_map.beats().windows(2).map(|pair| pair[1] - pair[0] - 2.0 / 3.0);
            assert!(apart.into_iter().all(|apart| apart.abs() < 1e-9), "{unit:?}");
        }
        let nine = (BeatMap::steady(0.0, 60.0, 3), vec![0, 3]);
        assert_eq!(in_quarters(nine, BeatUnit::DottedQuarter), None, "four quarters and a half");
    }

    #[test]
    fn a_beat_and_its_second_are_the_same_moment_within_and_beyond() {
        let beat_map = BeatMap::new(vec![1.0, 2.0, 2.5, 4.0]).expect("beats");
        for (beat, second) in [(-1.0, 0.0), (0.25, 1.25), (1.5, 2.25), (2.0, 2.5), (3.0, 4.0), (4.0, 5.5)] {
            assert!((beat_map.second(beat) - second).abs() < 1e-12, "{beat}");
            assert!((beat_map.beat(second) - beat).abs() < 1e-12, "{second}");
        }
    }

    #[test]
    fn a_song_keeps_its_tempo_or_takes_another_that_may_grow_with_each_bar() {
        let beat_map = BeatMap::new(vec![1.0, 2.0, 2.5, 4.0]).expect("beats");
        assert_eq!(beat_map.retimed(&Retiming::NONE, &[0, 2]).beats(), [0.0, 1.0, 1.5, 3.0]);
        let grown = Retiming { tempo: Some(60.0), growth: 2.0, ..Retiming::NONE };
        assert_eq!(beat_map.retimed(&grown, &[0, 2]).beats(), [0.0, 1.0, 2.0, 2.5]);
    }
}
