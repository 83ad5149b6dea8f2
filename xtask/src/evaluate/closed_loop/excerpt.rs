//! A stretch of a performance in the host's time.

use std::ops::Range;

use anyhow::Result;

use super::{
    clock::{Clock, Retiming},
    sounded::{self, Sounded},
};
use crate::corpus::{
    Convention, LeftOut, Note,
    beats::{Beats, Value},
    collection::{Performance, Source},
};

/// Where no beats are known, bars are those of common time at this tempo, in beats per minute.
const UNKNOWN_TEMPO: f64 = 120.0;
const COMMON: usize = 4;
/// What is struck so little before a bar belongs to it.
const EARLY_S: f64 = 0.05;

/// So many bars of a performance. Its first beat is at 0 seconds.
#[derive(Debug, Clone)]
pub struct Excerpt {
    /// When keys go down and up.
    pub keys: Vec<Sounded>,
    /// The same notes as they sound.
    pub notes: Vec<Sounded>,
    /// When the pedal is down.
    pub pedal: Vec<Range<f64>>,
    pub clock: Clock,
    /// The beats at which bars begin, the end of the last bar included.
    pub bars: Vec<usize>,
    /// Whether its beats are known; otherwise its bars are only a measure of time.
    pub has_beats: bool,
    /// Whether its bars are felt in dotted quarters.
    pub is_compound: bool,
    retiming: Retiming,
}

impl Excerpt {
    /// From the middle of a performance, and what the whole of it is without; `None` where it has not so many bars on end, or
    /// where its beats would have to be known.
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
            Some(beats) => in_quarters(known(beats, bars)?, beats.value())?,
            None if retiming.needs_beats() => return None,
            None => unknown(&performance.notes, bars)?,
        };
        let to = from.retimed(retiming, &bars);
        let moved = |second: f64| to.second(retiming.swing.played(from.beat(second)));
        let within = from.beats()[0]..from.beats()[from.beats().len() - 1];
        let note = |note: &Note| Sounded {
            onset: moved(note.onset).max(0.0),
            end: moved(note.end.min(within.end)),
            key: note.key.number(),
            velocity: note.velocity.value(),
            beat: beats.is_some().then(|| from.beat(note.onset)),
            off_eighth: beats.is_some().then(|| off_eighth(&to, retiming, moved(note.onset).max(0.0))),
        };
        let is_within = |note: &&Note| within.contains(&(note.onset + EARLY_S));
        let keys: Vec<Sounded> = performance.notes.iter().filter(is_within).map(note).collect();
        let pedal =
            performance.pedal.iter().filter(|down| down.start < within.end && down.end > within.start);
        let pedal: Vec<Range<f64>> =
            pedal.map(|down| moved(down.start.max(within.start))..moved(down.end.min(within.end))).collect();
        let mut notes = keys.clone();
        sounded::sustain(&mut notes, &pedal);
        let (has_beats, value) = (beats.is_some(), beats.map_or(Value::Quarter, Beats::value));
        let is_compound = value != Value::Quarter;
        Some(Self { keys, notes, pedal, clock: to, bars, has_beats, is_compound, retiming: *retiming })
    }

    /// As it is written: 3/4 and 6/8 are as long.
    pub fn meter(&self) -> (u8, u8) {
        let quarters = u8::try_from(self.bars[1] - self.bars[0]).unwrap_or(u8::MAX);
        if self.is_compound { (2 * quarters, 8) } else { (quarters, 4) }
    }

    /// Seconds.
    pub fn end(&self) -> f64 {
        self.bar(self.bars.len() - 1)
    }

    /// When a bar begins, in seconds.
    pub fn bar(&self, number: usize) -> f64 {
        self.clock.second(self.bars[number] as f64)
    }

    /// How far a moment lies from the nearest eighth, in seconds; `None` where no beats are known.
    pub fn off_eighth(&self, second: f64) -> Option<f64> {
        self.has_beats.then(|| off_eighth(&self.clock, &self.retiming, second))
    }

    /// The beat of a moment, swing taken out; `None` where no beats are known.
    pub fn beat(&self, second: f64) -> Option<f64> {
        self.has_beats.then(|| self.retiming.swing.written(self.clock.beat(second)))
    }
}

/// How far a moment lies from the nearest eighth, in seconds, wherever swing has put that.
fn off_eighth(clock: &Clock, retiming: &Retiming, second: f64) -> f64 {
    let eighth = (retiming.swing.written(clock.beat(second)) * 2.0).round() / 2.0;
    (second - clock.second(retiming.swing.played(eighth))).abs()
}

/// When the beats of so many bars fall, and which of them begin a bar.
type Stretch = (Clock, Vec<usize>);

/// From the middle of the longest stretch of whole bars.
fn known(beats: &Beats, count: usize) -> Option<Stretch> {
    let stretch = beats.stretches().into_iter().rev().max_by_key(Vec::len)?;
    let before = stretch.len().checked_sub(count)? / 2;
    let chosen = &stretch[before..before + count];
    let (first, last) = (chosen[0].start, chosen[count - 1].end);
    let times = beats.times().skip(first).take(last + 1 - first).collect();
    let bars = chosen.iter().map(|bar| bar.start - first).chain([last - first]).collect();
    Some((Clock::new(times)?, bars))
}

/// The same where beats are quarters, as a host counts them; `None` where a bar holds no whole number of these.
fn in_quarters((clock, bars): Stretch, value: Value) -> Option<Stretch> {
    if value == Value::Quarter {
        return Some((clock, bars));
    }
    let quarters = |beat: usize| beat as f64 * value.quarters();
    let lines: Vec<f64> = bars.iter().map(|&bar| quarters(bar)).collect();
    let are_whole = lines.iter().all(|line| line.fract() == 0.0);
    let count = quarters(bars[bars.len() - 1]) as usize;
    let times = (0..=count).map(|quarter| clock.second(quarter as f64 / value.quarters())).collect();
    let bars = lines.iter().map(|&line| line as usize).collect();
    Clock::new(times).filter(|_| are_whole).map(|clock| (clock, bars))
}

/// From the middle of the performance.
fn unknown(notes: &[Note], count: usize) -> Option<Stretch> {
    let (first, last) = (notes.first()?.onset, notes.last()?.onset);
    let length = (count * COMMON) as f64 * 60.0 / UNKNOWN_TEMPO;
    let spare = last - first - length;
    (spare >= 0.0).then(|| {
        let clock = Clock::steady(first + spare / 2.0, UNKNOWN_TEMPO, count * COMMON);
        (clock, (0..=count).map(|bar| bar * COMMON).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::beats::{Kind, Mark};

    #[test]
    fn the_bars_are_those_in_the_middle() {
        // A waltz: the beat of bar n is n + 1 tenths of a second long.
        let mut now = 0.0;
        let marks: Vec<Mark> = (0..8)
            .flat_map(|bar| {
                let beats = (0..3).map(|beat| (beat, now + f64::from(beat) * 0.1 * f64::from(bar + 1)));
                let marks = beats
                    .map(|(beat, at)| Mark { at, what: if beat == 0 { Kind::Downbeat } else { Kind::Beat } });
                let marks: Vec<Mark> = marks.collect();
                now += 0.3 * f64::from(bar + 1);
                marks
            })
            .collect();
        let (clock, bars) = known(&Beats::new(&marks), 3).expect("there are seven whole bars");
        assert_eq!(bars, [0, 3, 6, 9]);
        assert!((clock.beats()[0] - 0.9).abs() < 1e-9);
        assert!((clock.beats()[9] - 4.5).abs() < 1e-9);
        assert!(known(&Beats::new(&marks), 8).is_none());
    }

    #[test]
    fn a_bar_of_six_eighths_has_three_quarters_however_its_beats_are_counted() {
        let dotted = (Clock::steady(0.0, 60.0, 4), vec![0, 2, 4]);
        let eighths = (Clock::steady(0.0, 180.0, 12), vec![0, 6, 12]);
        for (stretch, value) in [(dotted, Value::DottedQuarter), (eighths, Value::Eighth)] {
            let (clock, bars) = in_quarters(stretch, value).expect("whole bars");
            assert_eq!((&bars[..], clock.beats().len()), (&[0, 3, 6][..], 7), "{value:?}");
            let apart = clock.beats().windows(2).map(|pair| pair[1] - pair[0] - 2.0 / 3.0);
            assert!(apart.into_iter().all(|apart| apart.abs() < 1e-9), "{value:?}");
        }
        let nine = (Clock::steady(0.0, 60.0, 3), vec![0, 3]);
        assert_eq!(in_quarters(nine, Value::DottedQuarter), None, "four quarters and a half");
    }
}
