//! Bar lines on the music: the next one, and whose bar it is.

use super::Position;
use crate::music::{
    bars::{Bars, Signature},
    time::{Anchor, BeatTime, Beats, SampleRate, SampleTime},
};

/// Bars as they lie on the music: the song's, or free ones on the sample clock.
#[derive(Debug, Clone, Copy)]
pub struct Barlines {
    pub(super) bars: Bars,
    pub(super) anchor: Anchor,
    pub(super) hold: Hold,
    pub(super) rate: SampleRate,
}

/// Where a bar begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub number: i64,
    pub at: Position,
}

/// What bars hang on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hold {
    Song,
    Clock,
}

impl Barlines {
    /// The number of the bar at a sample.
    pub fn number_at(&self, at: SampleTime) -> i64 {
        self.bars.number_at(self.beat_at(at))
    }

    /// The beat at a sample.
    pub fn beat_at(&self, at: SampleTime) -> BeatTime {
        self.anchor.beat_at(at, self.rate)
    }

    /// Where the bar at a sample begins, in the beats that it is counted in.
    pub fn line_at(&self, at: SampleTime) -> BeatTime {
        self.bars.line(self.number_at(at))
    }

    /// The line of a bar.
    pub fn line(&self, number: i64) -> Line {
        Line { number, at: self.position(self.bars.line(number)) }
    }

    /// The first bar line from bar 0 on that falls on a sample or later and whose number is `phase` modulo `period`.
    pub fn next_line(&self, at: SampleTime, phase: i64, period: i64) -> Line {
        let mut number = self.number_at(at).max(0);
        if self.anchor.sample_at(self.bars.line(number), self.rate) < at {
            number += 1;
        }
        self.line(number + (phase - number).rem_euclid(period))
    }

    /// The first bar line behind a position whose number is `phase` modulo `period`.
    pub fn line_behind(&self, position: Position, phase: i64, period: i64) -> Line {
        let next = self.bars.number_at(self.beat_of(position)) + 1;
        self.line(next + (phase - next).rem_euclid(period))
    }

    /// The next line of a grid of bars or beats at a position or after it.
    pub fn aligned(&self, position: Position, grid: Beats) -> Position {
        self.position(self.bars.aligned(self.beat_of(position), grid))
    }

    pub fn signature(&self) -> Signature {
        self.bars.signature()
    }

    fn beat_of(&self, position: Position) -> BeatTime {
        match position {
            Position::Beat(beat) => beat,
            Position::Sample(at) => self.beat_at(at),
        }
    }

    fn position(&self, beat: BeatTime) -> Position {
        match self.hold {
            Hold::Song => Position::Beat(beat),
            Hold::Clock => Position::Sample(self.anchor.sample_at(beat, self.rate)),
        }
    }
}
