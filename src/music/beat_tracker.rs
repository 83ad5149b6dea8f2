//! The beat of a player who has no song to play to.

use std::f64::consts::TAU;

use super::{
    metre::{Beating, Metre},
    note::Note,
};

/// Fewest strikes that tell a beat.
const FEWEST: usize = 8;
/// Number of newest strikes in which a beat is sought.
const MOST: usize = 24;
/// Span of these strikes, in seconds; older ones are left out.
const SPAN_S: f64 = 8.0;
/// Once a beat is found, older strikes tell its length more exactly: those that lie no farther than this from
/// the nearest line, in steps.
const KEPT: f64 = 0.25;
/// Span of these older strikes, in seconds before the newest one.
const LONG_SPAN_S: f64 = 20.0;
/// Strikes that lie closer together than this, in seconds, belong to one chord.
const CHORD_S: f64 = 0.05;
/// Shortest beat that is tried, in seconds.
const SHORTEST_S: f64 = 0.3;
/// Longest beat that is tried, in seconds.
const LONGEST_S: f64 = 1.2;
/// Each beat that is tried is this many times as long as the one before.
const STRIDE: f64 = 1.005;
/// The usual beat, in seconds, which is preferred to those that are an octave away.
const USUAL_S: f64 = 0.7;
/// Standard deviation of that preference, in octaves.
const OCTAVES: f64 = 1.0;
/// Numbers of parts into which a beat may be divided, each with its weight: on finer grids, more strikes
/// fit by chance.
const PARTS: [(u8, f64); 4] = [(1, 1.0), (2, 0.98), (3, 0.86), (4, 0.94)];
/// How much of a grid's weight depends on how many of its lines are struck.
const FILLED: f64 = 0.5;
/// How much of a grid's weight depends on whether its beats are stressed more than what lies between them.
const STRESSED: f64 = 0.6;
/// Smallest squared mean direction, times the number of strikes, that tells a beat. By chance, the best of
/// all grids reaches it in less than one of twenty cases.
const CHANCE: f64 = 7.5;
/// Number of beats that a bar is assumed to have.
const BAR: usize = 4;
/// A long note is an accent: a second of it counts as this many notes of a chord.
const LENGTH: f64 = 8.0;

/// Finds the metre of a player's newest notes; `None` where they keep to none. Realtime-safe.
pub fn track(notes: &[Note]) -> Option<Metre> {
    let strikes = Strikes::newest_of(notes);
    if strikes.count < FEWEST {
        return None;
    }
    let mut best = (0.0, None);
    let mut period = SHORTEST_S;
    while period <= LONGEST_S {
        for (parts, worth) in PARTS {
            let grid = strikes.grid(period, parts);
            let worth = worth * grid.fit * strikes.likes(&grid);
            if worth > best.0 {
                best = (worth, Some(grid));
            }
        }
        period *= STRIDE;
    }
    let grid = best.1.filter(|grid| grid.fit.powi(2) * strikes.count as f64 >= CHANCE)?;
    strikes.metre(&grid, notes)
}

/// A strike of one key or of a chord.
#[derive(Debug, Clone, Copy)]
struct Strike {
    /// Time since the newest strike, in seconds; never above 0.
    at: f64,
    accent: f64,
}

/// The newest strikes, the newest one first. Never allocates.
struct Strikes {
    all: [Strike; MOST],
    count: usize,
}

/// A grid of lines, `parts` to the beat, and how well strikes keep to it.
#[derive(Debug, Clone, Copy)]
struct BeatGrid {
    parts: u8,
    /// Time from line to line, in seconds.
    step: f64,
    /// Where the lines lie, in steps.
    phase: f64,
    /// How well strikes keep to the lines, 0..=1.
    fit: f64,
}

impl Strikes {
    fn newest_of(notes: &[Note]) -> Self {
        let mut strikes = Self { all: [Strike { at: 0.0, accent: 0.0 }; MOST], count: 0 };
        let Some(newest) = notes.last() else { return strikes };
        for note in notes.iter().rev() {
            let at = note.onset.0 - newest.onset.0;
            let later = strikes.count.checked_sub(1).map(|last| strikes.all[last].at);
            if later.is_some_and(|later| later - at < CHORD_S) {
                strikes.all[strikes.count - 1].accent += 1.0;
                continue;
            }
            if strikes.count == MOST || at < -SPAN_S {
                break;
            }
            let length = later.map_or(0.0, |later| (later - at).min(1.0));
            strikes.all[strikes.count] = Strike { at, accent: 1.0 + LENGTH * length };
            strikes.count += 1;
        }
        strikes
    }

    fn iter(&self) -> impl Iterator<Item = &Strike> {
        self.all[..self.count].iter()
    }

    fn grid(&self, period: f64, parts: u8) -> BeatGrid {
        let step = period / f64::from(parts);
        let (fit, phase) = self.mean_direction(step, |_| 1.0);
        BeatGrid { parts, step, phase, fit }
    }

    /// How well strikes with these weights keep to lines that lie `step` seconds apart, 0..=1; and where
    /// these lines lie, in steps.
    fn mean_direction(&self, step: f64, weight: impl Fn(&Strike) -> f64) -> (f64, f64) {
        let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
        for strike in self.iter() {
            let (angle, weight) = (strike.at / step * TAU, weight(strike));
            (sine, cosine, all) = (sine + weight * angle.sin(), cosine + weight * angle.cos(), all + weight);
        }
        (sine.hypot(cosine) / all, sine.atan2(cosine) / TAU)
    }

    /// How natural a grid is, 0..=1: a usual tempo, with stressed beats and few lines without a strike.
    fn likes(&self, grid: &BeatGrid) -> f64 {
        let period = grid.step * f64::from(grid.parts);
        let octaves = (period / USUAL_S).log2() / OCTAVES;
        let stress = |period| self.mean_direction(period, |strike| strike.accent).0;
        // On a grid of sixteenths, every eighth may be stressed.
        let stress = if grid.parts < 4 { stress(period) } else { stress(period).max(stress(period / 2.0)) };
        let span = -self.all[self.count - 1].at;
        let filled = ((self.count - 1) as f64 * grid.step / span).min(1.0);
        (-0.5 * octaves * octaves).exp()
            * (1.0 - FILLED + FILLED * filled)
            * (1.0 - STRESSED + STRESSED * stress)
    }

    /// The metre of the grid where it fits best, with its beats and bars where the accents are.
    fn metre(&self, grid: &BeatGrid, notes: &[Note]) -> Option<Metre> {
        let newest = notes.last()?;
        let line = |strike: &Strike| (strike.at / grid.step - grid.phase).round();
        let mut lines = LineFit::default();
        self.iter().for_each(|strike| lines.add(line(strike), strike.at));
        let known = self.all[self.count - 1].at;
        let onsets = notes.iter().rev().map(|note| note.onset.0 - newest.onset.0);
        for at in onsets.skip_while(|at| *at >= known).take_while(|at| *at > -LONG_SPAN_S) {
            let (step, first) = lines.fitted();
            let place = (at - first) / step;
            if (place - place.round()).abs() <= KEPT {
                lines.add(place.round(), at);
            }
        }
        let (step, first) = lines.fitted();
        let parts = usize::from(grid.parts);
        let accents = |every: usize, place: usize| -> f64 {
            let stands = |strike: &&Strike| line(strike).rem_euclid(every as f64) as usize == place;
            self.iter().filter(stands).map(|strike| strike.accent).sum()
        };
        let strongest = |every: usize, places: &mut dyn Iterator<Item = usize>| {
            places.max_by(|&one, &other| accents(every, one).total_cmp(&accents(every, other)))
        };
        let beat = strongest(parts, &mut (0..parts))?;
        let bar = strongest(BAR * parts, &mut (0..BAR).map(|place| beat + place * parts))?;
        let lines = -first / step - bar as f64;
        let beats = (lines / parts as f64).rem_euclid(BAR as f64);
        Some(Metre { at: newest.onset, beats: Beating::new(beats, BAR as f64, step * parts as f64) })
    }
}

/// Sums over points, for the straight line that fits them best (least squares).
#[derive(Default)]
struct LineFit {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl LineFit {
    fn add(&mut self, x: f64, y: f64) {
        let Self { count, x: xs, y: ys, xx, xy } = self;
        (*count, *xs, *ys, *xx, *xy) = (*count + 1.0, *xs + x, *ys + y, *xx + x * x, *xy + x * y);
    }

    /// Slope and intercept of the line.
    fn fitted(&self) -> (f64, f64) {
        let Self { count, x, y, xx, xy } = *self;
        let slope = (count * xy - x * y) / (count * xx - x * x);
        (slope, (y - slope * x) / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        note::{Key, Velocity},
        time::{Moment, Seconds},
    };

    /// A random generator of uniform numbers in 0..1, the same at each run.
    fn rng(seed: u32) -> impl FnMut() -> f64 {
        let mut state = u64::from(seed) * 2 + 1;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        }
    }

    fn notes(onsets: impl IntoIterator<Item = f64>) -> Vec<Note> {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let note = |onset| Note { onset: Moment(onset), duration: Seconds(0.1), key, velocity };
        onsets.into_iter().map(note).collect()
    }

    /// How far the metre is off at a line, in beats, and its period in seconds.
    fn off(metre: &Metre, line: f64) -> (f64, f64) {
        let pulse = metre.pulse(Moment(line)).expect("a pulse");
        let beat = pulse.beat();
        ((beat - beat.round()).abs(), pulse.period())
    }

    const QUARTERS: (f64, &[f64]) = (1.0, &[0.0]);
    const QUAVERS: (f64, &[f64]) = (1.0, &[0.0, 0.5]);
    const SWING: (f64, &[f64]) = (1.0, &[0.0, 2.0 / 3.0]);
    const TUNE: (f64, &[f64]) = (4.0, &[0.0, 1.0, 1.5, 2.0, 3.0]);

    /// An octave of the tempo more or less is the same pulse.
    #[test]
    fn a_steady_player_is_followed_from_quarters_to_swing() {
        for (bpm, patterns) in [
            (60.0, &[QUARTERS, QUAVERS, TUNE][..]),
            (90.0, &[QUARTERS, QUAVERS, SWING, TUNE]),
            (120.0, &[QUARTERS, QUAVERS, SWING, TUNE]),
            (150.0, &[QUARTERS, QUAVERS, SWING, TUNE]),
            (180.0, &[QUARTERS, SWING, TUNE]),
        ] {
            for (beats, pattern) in patterns {
                let (mut rng, period) = (rng(bpm as u32), 60.0 / bpm);
                let beat = |n: usize| (n / pattern.len()) as f64 * beats + pattern[n % pattern.len()];
                let onsets = (0..20).map(|n| 3.3 + beat(n) * period + (rng() - 0.5) * 0.03);
                let metre = track(&notes(onsets)).unwrap_or_else(|| panic!("{bpm} {pattern:?}"));
                let (off, found) = off(&metre, 3.3 + 24.0 * period);
                let octave = (found / period).log2();
                let is_octave = (octave - octave.round()).abs() < 0.02 && octave.abs() < 1.1;
                assert!(is_octave, "{found} s at {bpm} {pattern:?}");
                let off = if octave > 0.5 { off.min(0.5 - off) } else { off };
                assert!(off < 0.08, "{off} beats at {bpm} {pattern:?}");
            }
        }
    }

    #[test]
    fn who_keeps_to_no_beat_is_given_none() {
        let given = (0..200).filter(|&seed| {
            let (mut rng, mut at) = (rng(seed), 0.0);
            let onsets = (0..24).map(|_| {
                at += 0.06 - 0.4 * (1.0 - rng()).ln();
                at
            });
            track(&notes(onsets.collect::<Vec<_>>())).is_some()
        });
        let given = given.count();
        assert!(given < 20, "{given} of 200");
        assert!(track(&notes([0.0, 0.5, 1.0, 1.5])).is_none());
        assert!(track(&[]).is_none());
    }

    #[test]
    fn the_bar_begins_where_the_chords_are() {
        let mut onsets = Vec::new();
        for beat in 0..16 {
            let strikes = if beat % 4 == 1 { 4 } else { 1 };
            onsets.extend((0..strikes).map(|_| f64::from(beat) * 0.5));
        }
        let metre = track(&notes(onsets)).expect("a beat");
        let beat = metre.pulse(Moment(4.5)).expect("a pulse").beat();
        assert!(!(0.05..=3.95).contains(&beat), "{beat}");
    }
}
