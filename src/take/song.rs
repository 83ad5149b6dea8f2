//! Where the song was: tempo, beats and bars on the clock of a take.

use std::collections::VecDeque;

use crate::{
    event_log::{Measure, Song},
    music::{
        bars::Signature,
        time::{BeatTime, Beats, SampleRate, SampleTime, Tempo},
    },
};

/// So many changes of the song and of its bars are kept each; the oldest goes first. 4 MiB and 4 MiB: ten minutes of
/// a tempo that never rests, or any song.
pub const MOST_BEARINGS: usize = 100_000;
/// Two points that lie closer than this are one, in beats.
const SAME_BEATS: f64 = 1.0 / 1_000.0;

/// How the song went, from one change to the next.
#[derive(Debug, Clone)]
pub struct SongMap {
    rate: SampleRate,
    bearings: VecDeque<(SampleTime, Song)>,
    measures: VecDeque<(SampleTime, Measure)>,
}

/// A line of the song on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub at: SampleTime,
    pub kind: LineKind,
}

/// What begins at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A bar; the song's first one has the number 0, as hosts count it 1.
    Bar(i32),
    /// Another beat of a bar, of the signature's note value.
    Beat,
}

/// A stretch on which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    pub from: SampleTime,
    /// `None` for the last one.
    pub until: Option<SampleTime>,
    pub song: Song,
}

impl SongMap {
    pub fn new(rate: SampleRate) -> Self {
        Self { rate, bearings: VecDeque::new(), measures: VecDeque::new() }
    }

    /// The host's tempo at a point, or the last one it had told; the default before the first.
    pub fn tempo(&self, at: SampleTime) -> Tempo {
        self.bearing(at).map_or(Tempo::DEFAULT, |(_, song)| song.tempo)
    }

    /// The host's beat at a point, in quarter notes; `None` where the transport stood still.
    pub fn beat(&self, at: SampleTime) -> Option<BeatTime> {
        let (since, song) = self.bearing(at)?;
        song.beat_after(at - since, self.rate)
    }

    /// The signature at a point; 4/4 where none was told.
    pub fn signature(&self, at: SampleTime) -> Signature {
        self.measure(at).map_or(Signature::COMMON, |(_, measure)| measure.signature)
    }

    /// The number of the bar at a point, and how many of the signature's beats of it have passed; `None` where the
    /// transport stood still. The song's first bar has the number 0.
    pub fn place(&self, at: SampleTime) -> Option<(i32, f64)> {
        let beat = self.beat(at)?;
        let (_, Measure { line, number, signature }) = self.measure(at)?;
        let bars = ((beat - line).0 + SAME_BEATS) / signature.bar().0;
        let within = (bars - bars.floor()) * f64::from(signature.beats());
        // A song of two thousand million bars is none.
        Some((number.saturating_add(bars.floor() as i32), within))
    }

    /// The bar lines and beat lines from one point to another, in the order of time; the newest stretch is thought on into
    /// the future. None where the transport stood still.
    pub fn lines(&self, from: SampleTime, until: SampleTime) -> Vec<Line> {
        let mut lines = Vec::new();
        for stretch in self.stretches_from(from) {
            let end = stretch.until.map_or(until, |end| end.min(until));
            let begin = stretch.from.max(from);
            if begin >= end && stretch.from >= until {
                break;
            }
            self.lines_of(&stretch, begin, end, &mut lines);
        }
        lines
    }

    /// The host's song is there from now on.
    pub(super) fn bear(&mut self, at: SampleTime, song: Song) {
        push(&mut self.bearings, at, song);
    }

    /// Bars are counted so from now on.
    pub(super) fn count(&mut self, at: SampleTime, measure: Measure) {
        push(&mut self.measures, at, measure);
    }

    /// The stretches from the one that holds a point on.
    pub(super) fn stretches_from(&self, at: SampleTime) -> impl Iterator<Item = Stretch> {
        let first = self.bearings.partition_point(|(since, _)| *since <= at).saturating_sub(1);
        (first..self.bearings.len()).map(|place| {
            let (from, song) = self.bearings[place];
            Stretch { from, until: self.bearings.get(place + 1).map(|(next, _)| *next), song }
        })
    }

    /// The changes of how bars are counted, oldest first.
    pub(super) fn measures(&self) -> impl Iterator<Item = (SampleTime, Measure)> {
        self.measures.iter().copied()
    }

    fn lines_of(&self, stretch: &Stretch, from: SampleTime, until: SampleTime, lines: &mut Vec<Line>) {
        let Some(first) = stretch.song.beat_after(from - stretch.from, self.rate) else { return };
        let Some((_, Measure { line, number, signature })) = self.measure(from) else { return };
        let (beat, per_bar) = (signature.beat(), i64::from(signature.beats()));
        let mut count = (((first - line).0 - SAME_BEATS) / beat.0).ceil() as i64;
        loop {
            let ahead = line + Beats(count as f64 * beat.0) - stretch.song.beat.unwrap_or(first);
            let at = stretch.from + ahead.samples(stretch.song.tempo, self.rate);
            if at >= until {
                break;
            }
            let bar = i64::from(number) + count.div_euclid(per_bar);
            let kind = match count.rem_euclid(per_bar) {
                0 => LineKind::Bar(i32::try_from(bar).unwrap_or(i32::MAX)),
                _ => LineKind::Beat,
            };
            lines.push(Line { at, kind });
            count += 1;
        }
    }

    fn bearing(&self, at: SampleTime) -> Option<(SampleTime, Song)> {
        last_before(&self.bearings, at)
    }

    /// The last one at or before a point; the first one where there is none.
    pub(super) fn measure(&self, at: SampleTime) -> Option<(SampleTime, Measure)> {
        last_before(&self.measures, at).or_else(|| self.measures.front().copied())
    }
}

fn push<T>(changes: &mut VecDeque<(SampleTime, T)>, at: SampleTime, change: T) {
    // Of two changes at one point the later one holds.
    if changes.back().is_some_and(|(last, _)| *last == at) {
        changes.pop_back();
    }
    if changes.len() == MOST_BEARINGS {
        changes.pop_front();
    }
    changes.push_back((at, change));
}

fn last_before<T: Copy>(changes: &VecDeque<(SampleTime, T)>, at: SampleTime) -> Option<(SampleTime, T)> {
    let place = changes.partition_point(|(since, _)| *since <= at);
    changes.get(place.checked_sub(1)?).copied()
}
