//! Where the song's beats and bars lie in the instance's time.

use std::{collections::VecDeque, num::NonZeroU16};

use super::{
    conditions::{Pulse, Swing, TICKS_PER_BEAT},
    time::Moment,
};

/// Deviation of the beat below which a metre counts as unchanged, in beats: a quarter of a place of the beat.
const STRAYED_BEATS: f64 = 0.005;
/// Deviation of the length of a beat below which a metre counts as unchanged, as a part of that length.
const STRAYED_TEMPO: f64 = 0.002;
/// Number of newest changes that are kept: more than come while a memory is filled.
const CHANGES: usize = 256;

/// Beats and bars of the song from a moment on, until the next change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metre {
    pub at: Moment,
    /// `None` where no song runs.
    pub beats: Option<Beating>,
}

/// Position, length and swing of a song's beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beating {
    /// Beats since the bar line.
    beat: f32,
    /// Length of a beat in seconds: exact to a tenth of a millisecond in half an hour.
    period: f32,
    /// Ticks of a bar, 960 to the beat.
    bar: NonZeroU16,
    swing: Swing,
}

/// The changes of a song's metre, the newest last. Never allocates after [`Metres::new`].
#[derive(Debug, Clone)]
pub struct Metres(VecDeque<Metre>);

impl Beating {
    /// `beat` counts from the bar line, `beats_in_bar` is the length of a bar in beats, `period` that of a
    /// beat in seconds. `None` for a bar or a beat that cannot be.
    pub fn new(beat: f64, beats_in_bar: f64, period: f64) -> Option<Self> {
        let ticks = (beats_in_bar * TICKS_PER_BEAT).round();
        let bar = NonZeroU16::new(if (1.0..65_535.0).contains(&ticks) { ticks as u16 } else { 0 })?;
        (beat.is_finite() && period > 0.0).then_some(Self {
            beat: beat as f32,
            period: period as f32,
            bar,
            swing: Swing::STRAIGHT,
        })
    }

    /// The beat `seconds` later, counted on through bar lines.
    fn beat_after(&self, seconds: f64) -> f64 {
        f64::from(self.beat) + seconds / f64::from(self.period)
    }

    fn beats_in_bar(&self) -> f64 {
        f64::from(self.bar.get()) / TICKS_PER_BEAT
    }
}

impl Metre {
    /// No song runs.
    pub fn none(at: Moment) -> Self {
        Self { at, beats: None }
    }

    /// Position of a moment in its bar; `None` where no song runs. Realtime-safe.
    pub fn pulse(&self, moment: Moment) -> Option<Pulse> {
        let beats = self.beats?;
        let pulse =
            Pulse::new(beats.beat_after(moment.0 - self.at.0), beats.beats_in_bar(), beats.period.into());
        pulse.map(|pulse| pulse.swung(beats.swing))
    }

    /// The same metre with swung eighths. Realtime-safe.
    pub fn swung(self, swing: Swing) -> Self {
        Self { beats: self.beats.map(|beats| Beating { swing, ..beats }), ..self }
    }

    /// Whether this metre is, closely enough, what follows from an earlier one. Realtime-safe.
    pub fn follows_from(&self, earlier: &Self) -> bool {
        let (now, then) = match (self.beats, earlier.beats) {
            (None, None) => return true,
            (Some(now), Some(then)) => (now, then),
            _ => return false,
        };
        let strayed = then.beat_after(self.at.0 - earlier.at.0) - f64::from(now.beat);
        let bars = now.beats_in_bar();
        let strayed = strayed - (strayed / bars).round() * bars;
        now.bar == then.bar
            && strayed.abs() < STRAYED_BEATS
            && f64::from(now.period / then.period - 1.0).abs() < STRAYED_TEMPO
    }
}

impl Metres {
    /// No song has run yet. Allocates all it will ever need.
    pub fn new() -> Self {
        Self(VecDeque::with_capacity(CHANGES))
    }

    /// Adds a change of the metre; a full list drops its oldest one. Realtime-safe.
    pub fn change(&mut self, metre: Metre) {
        if self.0.len() == CHANGES {
            self.0.pop_front();
        }
        self.0.push_back(metre);
    }

    /// The metre at a moment. Realtime-safe.
    pub fn metre(&self, moment: Moment) -> Metre {
        let then = self.0.iter().rev().find(|metre| metre.at.0 <= moment.0);
        then.copied().unwrap_or(Metre::none(moment))
    }
}

impl Default for Metres {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metre(at: f64, beat: f64, period: f64) -> Metre {
        Metre { at: Moment(at), beats: Beating::new(beat, 4.0, period) }
    }

    #[test]
    fn a_moment_lies_where_the_song_of_its_time_had_it() {
        let mut metres = Metres::new();
        metres.change(metre(10.0, 0.0, 0.5));
        metres.change(metre(12.0, 2.0, 1.0));
        metres.change(Metre::none(Moment(20.0)));
        let beat = |at| metres.metre(Moment(at)).pulse(Moment(at)).map(Pulse::beat);
        assert_eq!([9.0, 11.0, 13.0, 20.0].map(beat), [None, Some(2.0), Some(3.0), None]);
    }

    #[test]
    fn an_even_song_tells_no_news_for_hours_and_a_jump_does() {
        let first = metre(0.0, 1.0, 0.61);
        let hour = 3600.0;
        assert!(metre(hour, (1.0 + hour / 0.61) % 4.0, 0.61).follows_from(&first));
        assert!(!metre(hour, (1.1 + hour / 0.61) % 4.0, 0.61).follows_from(&first));
        assert!(!metre(0.0, 1.0, 0.62).follows_from(&first));
        assert!(!Metre::none(Moment(1.0)).follows_from(&first));
    }
}
