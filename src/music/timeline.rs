//! The one place where sample clock, beats and seconds meet.

#[cfg(test)]
mod tests;

use super::{
    bars::{Bar, Bars, Signature},
    metre::{Beating, Metre},
    time::{Anchor, BeatTime, Beats, Moment, SampleRate, SampleTime, Samples, Seconds, Tempo},
};

/// How far the host's beat may stray from the expected one before it counts as a jump, in beats. The
/// shortest loops in use are 0.25 long. A deviation that a change of tempo within the block explains is
/// allowed on top.
const JUMP_BEATS: f64 = 1.0 / 32.0;

/// Largest difference of two anchors when nothing has happened, in beats: more than a sample.
const ROUNDING_BEATS: f64 = 1.0 / 1_000.0;

/// How far the host's beat may stray before the anchor is set anew, in samples. Up to half a sample, the
/// old anchor stays, which gives every partition into blocks the same rounding.
const DRIFT_SAMPLES: f64 = 0.5;

/// The host's transport at the first sample of a block; the host may leave out much of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Transport {
    pub playing: bool,
    pub tempo: Option<Tempo>,
    pub position: Option<BeatTime>,
    pub signature: Option<Signature>,
    /// The bar that holds the position.
    pub bar: Option<Bar>,
    /// Length of the loop, where one is switched on.
    pub cycle: Option<Beats>,
}

/// How musical time went on from one block to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Motion {
    /// It goes on as expected, or stands still as before.
    Steady,
    Started,
    Stopped,
    /// A jump back to the start of the loop, with the length by which the beat moved.
    Looped(Beats),
    /// A seek, with the length by which the beat moved.
    Sought(Beats),
}

/// A point that follows the music: a beat while the transport runs, a sample while it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    Beat(BeatTime),
    Sample(SampleTime),
}

/// The instance's sample clock, and where the host's beat lies on it.
#[derive(Debug, Clone)]
pub struct Timeline {
    rate: SampleRate,
    now: SampleTime,
    /// The first sample of the previous block.
    before: SampleTime,
    tempo: Tempo,
    anchor: Option<Anchor>,
    /// The song's bars. Their numbers go on through loops, and come from the host after a start or a seek.
    bars: Bars,
}

impl Position {
    /// The same place after the beat has jumped by a length; the sample clock does not jump.
    pub fn moved(self, by: Beats) -> Self {
        match self {
            Self::Beat(beat) => Self::Beat(beat + by),
            Self::Sample(_) => self,
        }
    }
}

impl Timeline {
    pub fn new(rate: SampleRate) -> Self {
        Self::going_on(rate, Moment(0.0))
    }

    /// A timeline whose clock goes on from a moment of an earlier one.
    pub fn going_on(rate: SampleRate, from: Moment) -> Self {
        let clock = SampleTime(0) + rate.samples_between(Moment(0.0), from);
        Self { rate, now: clock, before: clock, tempo: Tempo::DEFAULT, anchor: None, bars: Bars::FREE }
    }

    /// Takes the transport of the block that begins now. Realtime-safe.
    pub fn begin_block(&mut self, transport: &Transport) -> Motion {
        self.tempo = transport.tempo.unwrap_or(self.tempo);
        let heard = match *transport {
            Transport { playing: true, tempo: Some(tempo), position: Some(beat), .. } => {
                self.believe(beat).map(|beat| Anchor { sample: self.now, beat, tempo })
            }
            _ => None,
        };
        let (anchor, motion) = match (self.anchor, heard) {
            (None, None) => (None, Motion::Steady),
            (None, Some(new)) => (Some(new), Motion::Started),
            (Some(_), None) => (None, Motion::Stopped),
            (Some(old), Some(new)) => self.follow(old, new, transport.cycle),
        };
        if let Some(new) = heard {
            self.bars = self.count(transport, new.beat, motion);
        }
        self.anchor = anchor;
        motion
    }

    /// Moves the clock to the end of the block. Realtime-safe.
    pub fn end_block(&mut self, length: Samples) {
        self.before = self.now;
        self.now = self.now + length;
    }

    /// The first sample of the block.
    pub fn now(&self) -> SampleTime {
        self.now
    }

    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// The host's tempo, or the last one it reported.
    pub fn tempo(&self) -> Tempo {
        self.tempo
    }

    pub fn moment(&self, at: SampleTime) -> Moment {
        self.rate.moment(at)
    }

    /// Ties a point of the clock to the music.
    pub fn pin(&self, at: SampleTime) -> Position {
        match self.anchor {
            Some(anchor) => Position::Beat(anchor.beat_at(at, self.rate)),
            None => Position::Sample(at),
        }
    }

    /// The sample on which a position falls, as far as is known now.
    pub fn sample(&self, position: Position) -> SampleTime {
        match (position, self.anchor) {
            (Position::Sample(at), _) => at,
            (Position::Beat(beat), Some(anchor)) => anchor.sample_at(beat, self.rate),
            // A stop drops everything that hangs on a beat; what is left is due at once.
            (Position::Beat(_), None) => self.now,
        }
    }

    /// The position that lies a number of beats after another; on the sample clock at the last tempo.
    pub fn after(&self, position: Position, length: Beats) -> Position {
        match position {
            Position::Beat(beat) => Position::Beat(beat + length),
            Position::Sample(at) => Position::Sample(at + length.samples(self.tempo, self.rate)),
        }
    }

    /// The position that lies a number of beats before another; the clock's beginning where there is none.
    pub fn earlier(&self, position: Position, length: Beats) -> Position {
        match position {
            Position::Beat(beat) => Position::Beat(beat + Beats(-length.0)),
            Position::Sample(at) => Position::Sample(at - length.samples(self.tempo, self.rate)),
        }
    }

    /// The position that lies a number of seconds after another, with beats at a tempo.
    pub fn after_seconds(&self, position: Position, length: Seconds, tempo: Tempo) -> Position {
        match position {
            Position::Beat(beat) => Position::Beat(beat + Beats::from_seconds(length, tempo)),
            Position::Sample(at) => Position::Sample(at + self.rate.samples(length)),
        }
    }

    /// The position that lies as long after another as `to` lies after `from`, with beats at a tempo.
    pub fn after_moments(&self, position: Position, from: Moment, to: Moment, tempo: Tempo) -> Position {
        match position {
            Position::Beat(beat) => Position::Beat(beat + Beats::between(from, to, tempo)),
            Position::Sample(at) => Position::Sample(at + self.rate.samples_between(from, to)),
        }
    }

    /// The moment that lies as long after `from` as `to` lies after a hand-over: the inverse of
    /// [`Self::after_moments`]. A position on the sample clock stays there when the transport starts or
    /// reports another tempo.
    pub fn moment_after(&self, hand_over: Position, from: Moment, to: Position, tempo: Tempo) -> Moment {
        match (hand_over, to) {
            (Position::Beat(begin), Position::Beat(beat)) => (beat - begin).after(from, tempo),
            _ => self.rate.later(from, self.sample(to) - self.sample(hand_over)),
        }
    }

    /// The beats from one position to another; `None` across a stop or a start.
    pub fn between(&self, from: Position, to: Position) -> Option<Beats> {
        match (from, to) {
            (Position::Beat(from), Position::Beat(to)) => Some(to - from),
            (Position::Sample(from), Position::Sample(to)) => {
                Some(Beats::from_samples(to - from, self.tempo, self.rate))
            }
            _ => None,
        }
    }

    /// The bars of the song while the transport runs; otherwise bars of 4/4 at a steady tempo, from a
    /// sample on.
    pub fn barlines(&self, free_from: SampleTime, free_tempo: Tempo) -> Barlines {
        let free = Anchor { sample: free_from, beat: BeatTime(0.0), tempo: free_tempo };
        self.song_bars().unwrap_or(Barlines {
            bars: Bars::FREE,
            anchor: free,
            hold: BarClock::Clock,
            rate: self.rate,
        })
    }

    /// How the bars of the song are counted, while the transport runs.
    pub fn count_of_bars(&self) -> Option<Bars> {
        self.anchor.map(|_| self.bars)
    }

    /// The song's metre from the first sample of the block on.
    pub fn metre(&self) -> Metre {
        let at = self.moment(self.now);
        let beats = self.song_bars().and_then(|bars| {
            let beat = bars.beat_at(self.now) - bars.line_at(self.now);
            let period = 60.0 / self.tempo.beats_per_minute();
            Beating::new(beat.0, bars.signature().bar().0, period)
        });
        Metre { at, beats }
    }

    /// The bars of the song, while the transport runs.
    pub fn song_bars(&self) -> Option<Barlines> {
        let Self { bars, rate, .. } = *self;
        Some(Barlines { bars, anchor: self.anchor?, hold: BarClock::Song, rate })
    }

    /// The host's beat. Where that cannot be in a song, the beat that is expected, if a song runs.
    fn believe(&self, beat: BeatTime) -> Option<BeatTime> {
        let expected = self.anchor.map(|anchor| anchor.beat_at(self.now, self.rate));
        if beat.is_in_a_song() { Some(beat) } else { expected }
    }

    fn follow(&self, old: Anchor, new: Anchor, cycle: Option<Beats>) -> (Option<Anchor>, Motion) {
        let strayed = new.beat - old.beat_at(self.now, self.rate);
        let explained = new.tempo.gain_on(old.tempo, self.now - self.before, self.rate);
        let slack = JUMP_BEATS + explained.0.abs();
        if strayed.0.abs() > slack {
            return (Some(new), looped(strayed, cycle, slack).unwrap_or(Motion::Sought(strayed)));
        }
        let expected = old.sample_at(new.beat, self.rate);
        let strayed_samples = (expected.0 as f64 - self.now.0 as f64).abs();
        let unchanged = old.tempo == new.tempo && strayed_samples <= DRIFT_SAMPLES;
        (Some(if unchanged { old } else { new }), Motion::Steady)
    }

    fn count(&self, transport: &Transport, beat: BeatTime, motion: Motion) -> Bars {
        let signature = transport.signature.unwrap_or(Signature::COMMON);
        let told = Bars::of_song(beat, transport.bar, signature);
        match motion {
            Motion::Steady => told.counted_on(self.bars),
            Motion::Looped(by) => told.counted_through(self.bars, beat + Beats(-by.0), beat),
            Motion::Started | Motion::Stopped | Motion::Sought(_) => told,
        }
    }
}

/// Takes a jump back by the length of the loop, or by a multiple of it, as a loop: a loop that is shorter
/// than the block goes round more than once.
fn looped(strayed: Beats, cycle: Option<Beats>, slack: f64) -> Option<Motion> {
    let cycle = cycle?.0;
    let by = -(-strayed.0 / cycle).round().max(1.0) * cycle;
    let apart = (strayed.0 - by).abs();
    // The exact length keeps what is on a line of the loop there, without the rounding of two anchors.
    let exact = if apart < ROUNDING_BEATS { by } else { strayed.0 };
    (apart <= slack).then_some(Motion::Looped(Beats(exact)))
}

/// Bars on the timeline: the song's bars, or free ones on the sample clock.
#[derive(Debug, Clone, Copy)]
pub struct Barlines {
    pub(super) bars: Bars,
    pub(super) anchor: Anchor,
    pub(super) hold: BarClock,
    pub(super) rate: SampleRate,
}

/// A bar line: the number of its bar, and where the bar begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub number: i64,
    pub at: Position,
}

/// What bars are tied to: the song's beat, or the sample clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum BarClock {
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

    /// The first bar line, from bar 0 on, that falls on a sample or later and whose number equals `phase`
    /// modulo `period`.
    pub fn next_line(&self, at: SampleTime, phase: i64, period: i64) -> Line {
        let mut number = self.number_at(at).max(0);
        if self.anchor.sample_at(self.bars.line(number), self.rate) < at {
            number += 1;
        }
        self.line(number + (phase - number).rem_euclid(period))
    }

    /// The first bar line after a position whose number equals `phase` modulo `period`.
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
            BarClock::Song => Position::Beat(beat),
            BarClock::Clock => Position::Sample(self.anchor.sample_at(beat, self.rate)),
        }
    }
}
