//! The song on the clock of a take: tempo, beats and bars, and the ticks at which a MIDI file has them.

use std::collections::VecDeque;

use super::Take;
use crate::{
    event_log::{Measure, Song},
    music::{
        bars::{SAME_BEATS, Signature},
        time::{BeatTime, Beats, SampleRate, SampleTime, Tempo},
    },
};

/// Number of changes that are kept of the song, and of its bars; the oldest goes first. 4 MiB and 4 MiB: ten
/// minutes of a tempo that never rests, or any song.
pub const MOST_CHANGES: usize = 100_000;

/// The resolution of a saved take, in ticks a quarter note: what hosts use themselves.
pub const TICKS_PER_BEAT: u16 = 960;

/// The longest beat that a MIDI file can tell, in microseconds. A slower tempo is written as this one.
const LONGEST_BEAT_MICROS: f64 = 16_777_215.0;
/// A beat that is closer to a line than this part of a bar lies on it.
const WITHIN: f64 = 1e-6;
/// Two bar lines that lie closer than this are one, in ticks.
const SAME_TICKS: f64 = 1.0;

/// How the song went, from one change to the next.
#[derive(Debug, Clone)]
pub struct SongMap {
    rate: SampleRate,
    positions: VecDeque<(SampleTime, Song)>,
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
    /// A bar. The song's first bar has the number 0, which hosts show as 1.
    Bar(i32),
    /// Another beat of a bar, of the signature's note value.
    Beat,
}

/// A stretch on which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    from: SampleTime,
    /// `None` for the last one.
    until: Option<SampleTime>,
    song: Song,
}

impl SongMap {
    pub fn new(rate: SampleRate) -> Self {
        Self { rate, positions: VecDeque::new(), measures: VecDeque::new() }
    }

    /// The host's tempo at a point, or the last one that it had reported; the default before the first.
    pub fn tempo(&self, at: SampleTime) -> Tempo {
        self.position(at).map_or(Tempo::DEFAULT, |(_, song)| song.tempo)
    }

    /// The host's beat at a point, in quarter notes; `None` where the transport stood still.
    pub fn beat(&self, at: SampleTime) -> Option<BeatTime> {
        let (since, song) = self.position(at)?;
        song.beat_after(at - since, self.rate)
    }

    /// The number of the bar at a point, and how many of the signature's beats of it have passed. `None`
    /// where the transport stood still. The song's first bar has the number 0.
    pub fn place(&self, at: SampleTime) -> Option<(i32, f64)> {
        let beat = self.beat(at)?;
        let (_, Measure { line, number, signature }) = self.measure(at)?;
        let bars = ((beat - line).0 + SAME_BEATS) / signature.bar().0;
        let within = (bars - bars.floor()) * f64::from(signature.beats());
        // No song has two thousand million bars.
        Some((number.saturating_add(bars.floor() as i32), within))
    }

    /// The bar lines and beat lines from one point to another, in the order of time. The newest stretch is
    /// extended into the future. There are no lines where the transport stood still.
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

    /// Records the position and tempo of the host's song from `at` on.
    pub(super) fn locate(&mut self, at: SampleTime, song: Song) {
        push(&mut self.positions, at, song);
    }

    /// Records how bars are counted from `at` on.
    pub(super) fn count(&mut self, at: SampleTime, measure: Measure) {
        push(&mut self.measures, at, measure);
    }

    /// The stretches from the one that holds a point on.
    fn stretches_from(&self, at: SampleTime) -> impl Iterator<Item = Stretch> {
        let first = self.positions.partition_point(|(since, _)| *since <= at).saturating_sub(1);
        (first..self.positions.len()).map(|place| {
            let (from, song) = self.positions[place];
            Stretch { from, until: self.positions.get(place + 1).map(|(next, _)| *next), song }
        })
    }

    /// The changes of how bars are counted, oldest first.
    fn measures(&self) -> impl Iterator<Item = (SampleTime, Measure)> {
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

    fn position(&self, at: SampleTime) -> Option<(SampleTime, Song)> {
        last_before(&self.positions, at)
    }

    /// The last one at or before a point; the first one where there is none.
    fn measure(&self, at: SampleTime) -> Option<(SampleTime, Measure)> {
        last_before(&self.measures, at).or_else(|| self.measures.front().copied())
    }
}

fn push<T>(changes: &mut VecDeque<(SampleTime, T)>, at: SampleTime, change: T) {
    // Of two changes at one point the later one holds.
    if changes.back().is_some_and(|(last, _)| *last == at) {
        changes.pop_back();
    }
    if changes.len() == MOST_CHANGES {
        changes.pop_front();
    }
    changes.push_back((at, change));
}

fn last_before<T: Copy>(changes: &VecDeque<(SampleTime, T)>, at: SampleTime) -> Option<(SampleTime, T)> {
    let place = changes.partition_point(|(since, _)| *since <= at);
    changes.get(place.checked_sub(1)?).copied()
}

/// Converts points of a take to ticks of its file.
#[derive(Debug)]
pub(super) struct Ticks {
    rate: SampleRate,
    /// In the order of time; at least one.
    stretches: Vec<TickStretch>,
    signatures: Vec<(u32, Signature)>,
}

/// A stretch of one tempo.
#[derive(Debug, Clone, Copy)]
struct TickStretch {
    from: SampleTime,
    /// The tick of the first sample.
    tick: f64,
    tempo: Tempo,
}

/// An event of the file's first track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conducting {
    /// Microseconds a quarter note.
    Tempo(u32),
    Signature(Signature),
}

impl Ticks {
    pub fn new(take: &Take) -> Self {
        let first = first_event(take);
        let mut ticks = Self { rate: take.rate(), stretches: Vec::new(), signatures: Vec::new() };
        ticks.lay_out(take.song(), first);
        ticks.set_bars(take.song(), first);
        ticks
    }

    /// The tick of a point that is not before the first event.
    pub fn tick(&self, at: SampleTime) -> u32 {
        self.exact(at).round().max(0.0) as u32
    }

    /// Tempo and signatures, in the order of ticks; a tempo and a signature stand at tick 0.
    pub fn conducting(&self) -> Vec<(u32, Conducting)> {
        let mut all: Vec<(u32, Conducting)> = Vec::new();
        for (place, stretch) in self.stretches.iter().enumerate() {
            let micros = 60e6 / stretch.tempo.beats_per_minute();
            let tempo = Conducting::Tempo(micros.round().min(LONGEST_BEAT_MICROS) as u32);
            let tick = if place == 0 { 0 } else { stretch.tick.round().max(0.0) as u32 };
            if all.last().is_none_or(|(_, last)| *last != tempo) {
                all.push((tick, tempo));
            }
        }
        let signatures =
            self.signatures.iter().map(|(tick, signature)| (*tick, Conducting::Signature(*signature)));
        all.extend(signatures);
        all.sort_by_key(|(tick, _)| *tick);
        all
    }

    /// Lays out the stretches with the first event at tick 0, until it is known where bars lie.
    fn lay_out(&mut self, song: &SongMap, first: SampleTime) {
        self.stretches.push(TickStretch { from: first, tick: 0.0, tempo: slowest(song.tempo(first)) });
        for stretch in song.stretches_from(first).filter(|stretch| stretch.from > first) {
            let tick = self.exact(stretch.from);
            self.stretches.push(TickStretch { from: stretch.from, tick, tempo: slowest(stretch.song.tempo) });
        }
    }

    /// Moves everything so that bars begin on bars of the file, and adds a signature where bars begin anew.
    fn set_bars(&mut self, song: &SongMap, first: SampleTime) {
        let lines: Vec<(f64, Signature)> = self.lines(song, first);
        let (line, signature) = lines.first().copied().unwrap_or((0.0, Signature::COMMON));
        let offset = -line + (line / bar_ticks(signature)).ceil().max(0.0) * bar_ticks(signature);
        self.stretches.iter_mut().for_each(|stretch| stretch.tick += offset);
        self.signatures.push((0, signature));
        let (mut since, mut holding) = (0.0, signature);
        for (line, signature) in lines.into_iter().map(|(line, signature)| (line + offset, signature)) {
            let bars = (line - since) / bar_ticks(holding);
            let is_on_line = (bars - bars.round()).abs() * bar_ticks(holding) < SAME_TICKS;
            if line >= 0.0 && !(signature == holding && is_on_line) {
                self.signatures.push((line.round() as u32, signature));
                (since, holding) = (line, signature);
            }
        }
    }

    /// The ticks of bar lines: of the bar that holds the first event, and of the next bar after each later
    /// change of how bars are counted.
    fn lines(&self, song: &SongMap, first: SampleTime) -> Vec<(f64, Signature)> {
        let line = |at: SampleTime, Measure { line, signature, .. }: Measure, round: fn(f64) -> f64| {
            let beat = song.beat(at)?;
            let bars = round((beat - line).0 / signature.bar().0);
            let ahead = Beats((line - beat).0 + bars * signature.bar().0);
            Some((self.exact(at) + ahead.0 * f64::from(TICKS_PER_BEAT), signature))
        };
        let begun =
            song.measure(first).and_then(|(_, measure)| line(first, measure, |bars| (bars + WITHIN).floor()));
        let later = song.measures().filter(|(at, _)| *at > first);
        begun
            .into_iter()
            .chain(later.filter_map(|(at, measure)| line(at, measure, |bars| (bars - WITHIN).ceil())))
            .collect()
    }

    fn exact(&self, at: SampleTime) -> f64 {
        let place = self.stretches.partition_point(|stretch| stretch.from <= at).saturating_sub(1);
        let stretch = self.stretches[place];
        let beats = Beats::from_samples(at - stretch.from, stretch.tempo, self.rate);
        stretch.tick + beats.0 * f64::from(TICKS_PER_BEAT)
    }
}

/// The length of a bar in ticks.
fn bar_ticks(signature: Signature) -> f64 {
    signature.bar().0 * f64::from(TICKS_PER_BEAT)
}

/// The first thing of a take that is written.
fn first_event(take: &Take) -> SampleTime {
    let onsets = take.call().iter().chain(take.answer().iter()).map(|note| note.onset);
    let moved = take.pedals().map(|moved| moved.at);
    onsets.chain(moved).min().unwrap_or(take.now())
}

/// The tempo itself, or the slowest one that can be written.
fn slowest(tempo: Tempo) -> Tempo {
    let least = Tempo::new(60e6 / LONGEST_BEAT_MICROS).unwrap_or(Tempo::DEFAULT);
    if tempo.beats_per_minute() < least.beats_per_minute() { least } else { tempo }
}
