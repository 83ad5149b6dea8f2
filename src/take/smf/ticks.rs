//! From samples to ticks: the host's beats where the transport ran, its last tempo where it stood still.

use super::TICKS_PER_BEAT;
use crate::{
    event_log::Measure,
    music::{
        bars::Signature,
        time::{Beats, SampleRate, SampleTime, Tempo},
    },
    take::{SongMap, Take},
};

/// The longest beat that a MIDI file can tell, in microseconds. A slower tempo is written as this one.
const LONGEST_BEAT_MICROS: f64 = 16_777_215.0;
/// A beat within this part of a bar beside a line lies on it.
const WITHIN: f64 = 1e-6;
/// Two bar lines that lie closer than this are one, in ticks.
const SAME_TICKS: f64 = 1.0;

/// Where a take lies in its file.
#[derive(Debug)]
pub(super) struct Ticks {
    rate: SampleRate,
    /// In the order of time; at least one.
    stretches: Vec<Stretch>,
    signatures: Vec<(u32, Signature)>,
}

/// A stretch of one tempo.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: SampleTime,
    /// Of the first sample.
    tick: f64,
    tempo: Tempo,
}

/// What the first track tells.
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

    /// With the first event at tick 0, until it is known where bars lie.
    fn lay_out(&mut self, song: &SongMap, first: SampleTime) {
        self.stretches.push(Stretch { from: first, tick: 0.0, tempo: slowest(song.tempo(first)) });
        for stretch in song.stretches_from(first).filter(|stretch| stretch.from > first) {
            let tick = self.exact(stretch.from);
            self.stretches.push(Stretch { from: stretch.from, tick, tempo: slowest(stretch.song.tempo) });
        }
    }

    /// Moves everything so that bars begin where a bar of the file does, and notes where they begin anew.
    fn set_bars(&mut self, song: &SongMap, first: SampleTime) {
        let lines: Vec<(f64, Signature)> = self.lines(song, first);
        let (line, signature) = lines.first().copied().unwrap_or((0.0, Signature::COMMON));
        let offset = -line + (line / length(signature)).ceil().max(0.0) * length(signature);
        self.stretches.iter_mut().for_each(|stretch| stretch.tick += offset);
        self.signatures.push((0, signature));
        let (mut since, mut holding) = (0.0, signature);
        for (line, signature) in lines.into_iter().map(|(line, signature)| (line + offset, signature)) {
            let bars = (line - since) / length(holding);
            let is_on_line = (bars - bars.round()).abs() * length(holding) < SAME_TICKS;
            if line >= 0.0 && !(signature == holding && is_on_line) {
                self.signatures.push((line.round() as u32, signature));
                (since, holding) = (line, signature);
            }
        }
    }

    /// For the first event and for each later change of bars, the tick of a bar line: of the bar that holds the first event,
    /// or of the next one.
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

/// In ticks.
fn length(signature: Signature) -> f64 {
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
