//! Finds the beats.
//!
//! A performance keeps no steady time. Beats are a compromise between onsets and regularity, found by dynamic
//! programming: D. P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36
//! (2007).

use std::f64::consts::TAU;

use crate::corpus::{Note, Signature, TempoMap};

/// Number of frames per second in which onsets are collected.
const FRAMES: f64 = 100.0;
/// Onsets are blurred over neighbouring frames with these weights, by the distance in frames.
const BLUR: [f64; 4] = [1.0, 0.8, 0.4, 0.1];
/// Shortest beat, in seconds.
const SHORTEST_S: f64 = 0.3;
/// Beat at which people tap most readily, in seconds.
const USUAL_S: f64 = 0.6;
/// Longest beat, in seconds.
const LONGEST_S: f64 = 1.2;
/// Standard deviation of the preference for the usual beat, in octaves.
const OCTAVES: f64 = 1.0;
/// A note that is less than this before a bar line, as a share of the bar, is on the line.
const SAME_LINE: f64 = 0.02;
/// Weight of regularity relative to onsets.
const TIGHTNESS: f64 = 60.0;

/// Numbers of parts into which a beat may be divided.
const PARTS: [f64; 5] = [2.0, 3.0, 4.0, 6.0, 12.0];
/// Least average closeness of onsets to the lines between these parts if the notes lie on the beats: 1 is on
/// the lines, 0 is anywhere.
const COUNTED: f64 = 0.3;
/// A few onsets may be close by chance: the closeness must be at least this many times the one expected by
/// chance.
const NO_CHANCE: f64 = 4.0;

/// Whether notes lie on the beats of a tempo map; notes that were recorded without a click do not.
pub fn lie_on(notes: &[Note], map: &TempoMap) -> bool {
    let Some(ticks) = map.ticks_per_quarter().map(f64::from) else { return false };
    let count = notes.len() as f64;
    let closeness = |parts: f64| {
        let phase = |note: &Note| (TAU * parts * map.tick_at(note.onset) / ticks).cos();
        notes.iter().map(phase).sum::<f64>() / count
    };
    let least = COUNTED.max(NO_CHANCE / count.sqrt());
    PARTS.into_iter().any(|parts| closeness(parts) > least)
}

/// Times of beats in seconds, in rising order; they begin before the first onset and end after the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Beats(Vec<f64>);

impl Beats {
    /// Beats at a steady tempo in quarter notes per minute, from the first onset on.
    pub fn steady(notes: &[Note], tempo: f64) -> Self {
        let first = notes.first().map_or(0.0, |note| note.onset);
        Self::around(vec![first, first + 60.0 / tempo], notes)
    }

    /// Beats of a tempo map in quarter notes, from the bar line before the first onset on.
    pub fn written(notes: &[Note], map: &TempoMap, signature: Signature) -> Self {
        let ticks = map.ticks_per_quarter().map_or(1.0, f64::from);
        let first = notes.first().map_or(0.0, |note| note.onset);
        let (bar, begin) = (signature.bar() * ticks, signature.tick as f64);
        let line = begin + ((map.tick_at(first) - begin) / bar + SAME_LINE).floor() * bar;
        let last = notes.iter().map(|note| note.end).fold(first, f64::max);
        let mut beats = vec![map.seconds_at(line)];
        // There must be two beats at least, and one beyond the last note.
        while beats.len() < 2 || beats[beats.len() - 1] <= last {
            beats.push(map.seconds_at(line + beats.len() as f64 * ticks));
        }
        Self(beats)
    }

    /// Beats where a listener would tap.
    pub fn found(notes: &[Note]) -> Self {
        let first = notes.first().map_or(0.0, |note| note.onset);
        let strength = strength(notes, first);
        let period = period(&strength);
        let frames = track(&strength, period);
        let mut beats: Vec<f64> = frames.into_iter().map(|frame| first + frame as f64 / FRAMES).collect();
        if beats.len() < 2 {
            beats = vec![first, first + period as f64 / FRAMES];
        }
        Self::around(beats, notes)
    }

    /// Extends the beats at both ends with the same period, until all onsets lie between beats.
    fn around(mut beats: Vec<f64>, notes: &[Note]) -> Self {
        let first = notes.first().map_or(0.0, |note| note.onset);
        let last = notes.iter().map(|note| note.end).fold(first, f64::max);
        let mut before = Vec::new();
        let step = beats[1] - beats[0];
        while beats[0] - step * before.len() as f64 > first + 1e-9 {
            before.push(beats[0] - step * (before.len() + 1) as f64);
        }
        before.reverse();
        before.append(&mut beats);
        let step = before[before.len() - 1] - before[before.len() - 2];
        while before[before.len() - 1] <= last {
            before.push(before[before.len() - 1] + step);
        }
        Self(before)
    }

    /// The position of a second, in beats from the first beat.
    pub fn at(&self, seconds: f64) -> f64 {
        let next = self.0.partition_point(|beat| *beat <= seconds).clamp(1, self.0.len() - 1);
        let (before, after) = (self.0[next - 1], self.0[next]);
        (next - 1) as f64 + (seconds - before) / (after - before)
    }

    /// The median tempo, in beats per minute.
    pub fn tempo(&self) -> f64 {
        let mut steps: Vec<f64> = self.0.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        60.0 / steps[steps.len() / 2]
    }

    /// Number of beats of the first bar before the first beat, chosen so that long, low and loud notes fall
    /// on the downbeats of bars of `bar` beats.
    pub fn pickup(&self, notes: &[Note], bar: u32) -> u32 {
        let bar = bar.max(1) as usize;
        let mut weights = vec![0.0; bar];
        for note in notes {
            let at = self.at(note.onset);
            if (at - at.round()).abs() < 0.15 {
                weights[at.round() as usize % bar] += weight(note) * note.duration().min(2.0);
            }
        }
        let heaviest = (0..bar).rev().max_by(|&one, &other| weights[one].total_cmp(&weights[other]));
        u32::try_from((bar - heaviest.unwrap_or(0)) % bar).unwrap_or(0)
    }
}

/// Weight of a note for the beat: loud and low notes carry it.
fn weight(note: &Note) -> f64 {
    let low = (72.0 - f64::from(note.key.number())).max(0.0) / 24.0;
    f64::from(note.velocity.value()) / 127.0 * (1.0 + low)
}

/// Onset strength in each frame from the first onset on, scaled to a standard deviation of 1.
fn strength(notes: &[Note], first: f64) -> Vec<f64> {
    let last = notes.last().map_or(first, |note| note.onset);
    let mut strength = vec![0.0; ((last - first) * FRAMES) as usize + BLUR.len() + 1];
    for note in notes {
        let frame = ((note.onset - first) * FRAMES).round() as usize;
        for (far, blur) in BLUR.into_iter().enumerate() {
            let places = [frame.checked_sub(far), Some(frame + far).filter(|_| far > 0)];
            for place in places.into_iter().flatten() {
                if let Some(strength) = strength.get_mut(place) {
                    *strength += blur * weight(note);
                }
            }
        }
    }
    let mean = strength.iter().sum::<f64>() / strength.len() as f64;
    let variance = strength.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / strength.len() as f64;
    let scale = if variance > 0.0 { variance.sqrt().recip() } else { 0.0 };
    strength.iter_mut().for_each(|one| *one *= scale);
    strength
}

/// The period of the beat in frames: the lag with the largest autocorrelation of the onsets, weighted by
/// preference.
fn period(strength: &[f64]) -> usize {
    let likeness = |lag: usize| -> f64 {
        let (early, late) = (strength.iter(), strength.iter().skip(lag));
        early.zip(late).map(|(one, other)| one * other).sum()
    };
    let readiness = |lag: usize| {
        let octaves = (lag as f64 / FRAMES / USUAL_S).log2() / OCTAVES;
        (-0.5 * octaves * octaves).exp()
    };
    // Periods of a half bar and a bar that agree with the beat support it.
    let worth =
        |lag: usize| readiness(lag) * (likeness(lag) + 0.5 * likeness(2 * lag) + 0.25 * likeness(4 * lag));
    let lags = (SHORTEST_S * FRAMES) as usize..=(LONGEST_S * FRAMES) as usize;
    let best = lags.map(|lag| (lag, worth(lag))).max_by(|one, other| one.1.total_cmp(&other.1));
    best.filter(|(_, worth)| *worth > 0.0).map_or((USUAL_S * FRAMES) as usize, |(lag, _)| lag)
}

/// The frames of the beats: the chain with the most onsets and the least deviation from the period.
fn track(strength: &[f64], period: usize) -> Vec<usize> {
    let mut worth = strength.to_vec();
    let mut before: Vec<Option<usize>> = vec![None; strength.len()];
    let price: Vec<f64> =
        (0..=2 * period).map(|step| TIGHTNESS * (step.max(1) as f64 / period as f64).ln().powi(2)).collect();
    for frame in 0..strength.len() {
        let candidates = frame.saturating_sub(2 * period)..frame.saturating_sub(period / 2);
        let best = candidates
            .map(|earlier| (earlier, worth[earlier] - price[frame - earlier]))
            .max_by(|one, other| one.1.total_cmp(&other.1));
        // If a chain costs more than it gains, a new one begins.
        if let Some((earlier, gain)) = best.filter(|(_, gain)| *gain > 0.0) {
            worth[frame] += gain;
            before[frame] = Some(earlier);
        }
    }
    let last = (0..strength.len()).max_by(|&one, &other| worth[one].total_cmp(&worth[other]));
    let mut beats: Vec<usize> = std::iter::successors(last, |&frame| before[frame]).collect();
    beats.reverse();
    beats
}
