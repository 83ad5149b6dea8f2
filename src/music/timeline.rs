//! The one place where sample clock, beats and seconds meet.

use super::time::{Anchor, BeatTime, Beats, Moment, SampleRate, SampleTime, Samples, Seconds, Tempo};

/// How far the host's beat may stray from the expected one before it counts as a jump, in beats.
/// The shortest loops in use are 0.25 long. What a change of tempo within the block explains comes on top.
const JUMP_BEATS: f64 = 1.0 / 32.0;

/// How far it may stray before the anchor is set anew, in samples. Below half a sample, the old anchor
/// gives every partition into blocks the same rounding.
const DRIFT_SAMPLES: f64 = 0.5;

/// What the host says of its transport at the first sample of a block; it may say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Transport {
    pub playing: bool,
    pub tempo: Option<Tempo>,
    pub position: Option<BeatTime>,
}

/// What became of musical time from one block to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It goes on as expected, or stands still as before.
    Steady,
    Started,
    Stopped,
    /// A seek or a loop: beats from before mean nothing now.
    Jumped,
}

/// A point that follows the music: on the beat while the transport runs, on the sample clock while not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    Beat(BeatTime),
    Sample(SampleTime),
}

/// The instance's clock and the host's beat upon it.
#[derive(Debug, Clone)]
pub struct Timeline {
    rate: SampleRate,
    now: SampleTime,
    /// The first sample of the block before.
    before: SampleTime,
    tempo: Tempo,
    anchor: Option<Anchor>,
}

impl Timeline {
    pub fn new(rate: SampleRate) -> Self {
        Self { rate, now: SampleTime(0), before: SampleTime(0), tempo: Tempo::DEFAULT, anchor: None }
    }

    /// Takes the transport of the block that begins now. Realtime-safe.
    pub fn begin_block(&mut self, transport: &Transport) -> Motion {
        self.tempo = transport.tempo.unwrap_or(self.tempo);
        let heard = match *transport {
            Transport { playing: true, tempo: Some(tempo), position: Some(beat) } if beat.0.is_finite() => {
                Some(Anchor { sample: self.now, beat, tempo })
            }
            _ => None,
        };
        let (anchor, motion) = match (self.anchor, heard) {
            (None, None) => (None, Motion::Steady),
            (None, Some(new)) => (Some(new), Motion::Started),
            (Some(_), None) => (None, Motion::Stopped),
            (Some(old), Some(new)) => self.follow(old, new),
        };
        self.anchor = anchor;
        motion
    }

    /// Moves the clock behind the block. Realtime-safe.
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

    /// The host's tempo, or the last one it told.
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

    /// The position that lies a number of seconds after another, where the beat goes at a tempo.
    pub fn after_seconds(&self, position: Position, length: Seconds, tempo: Tempo) -> Position {
        match position {
            Position::Beat(beat) => Position::Beat(beat + Beats::from_seconds(length, tempo)),
            Position::Sample(at) => Position::Sample(at + self.rate.samples(length)),
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

    fn follow(&self, old: Anchor, new: Anchor) -> (Option<Anchor>, Motion) {
        let strayed = new.beat - old.beat_at(self.now, self.rate);
        let explained = new.tempo.gain_on(old.tempo, self.now - self.before, self.rate);
        if strayed.0.abs() > JUMP_BEATS + explained.0.abs() {
            return (Some(new), Motion::Jumped);
        }
        let expected = old.sample_at(new.beat, self.rate);
        let strayed_samples = (expected.0 as f64 - self.now.0 as f64).abs();
        let unchanged = old.tempo == new.tempo && strayed_samples <= DRIFT_SAMPLES;
        (Some(if unchanged { old } else { new }), Motion::Steady)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(48_000.0);

    fn playing(beat: f64, tempo: f64) -> Transport {
        Transport { playing: true, tempo: Tempo::new(tempo), position: Some(BeatTime(beat)) }
    }

    #[test]
    fn a_beat_falls_on_the_same_sample_in_every_partition_into_blocks() {
        let due = |blocks: &[u64]| {
            let mut timeline = Timeline::new(RATE);
            for &length in blocks {
                timeline.begin_block(&playing(timeline.now().0 as f64 / 24_000.0, 120.0));
                timeline.end_block(Samples(length));
            }
            timeline.sample(Position::Beat(BeatTime(1.234_567)))
        };
        assert_eq!(due(&[512; 20]), due(&[1, 7, 137, 4096, 33, 2048]));
        assert_eq!(due(&[64]), SampleTime(29_630));
    }

    #[test]
    fn a_position_on_a_beat_follows_a_change_of_tempo() {
        let mut timeline = Timeline::new(RATE);
        timeline.begin_block(&playing(0.0, 120.0));
        assert_eq!(timeline.sample(Position::Beat(BeatTime(2.0))), SampleTime(48_000));
        timeline.end_block(Samples(24_000));
        assert_eq!(timeline.begin_block(&playing(1.0, 60.0)), Motion::Steady);
        assert_eq!(timeline.sample(Position::Beat(BeatTime(2.0))), SampleTime(72_000));
    }

    #[test]
    fn a_loop_is_a_jump_and_a_ramp_is_none() {
        let mut timeline = Timeline::new(RATE);
        assert_eq!(timeline.begin_block(&playing(-1.0, 120.0)), Motion::Started);
        timeline.end_block(Samples(4_096));
        let beat = -1.0 + 4_096.0 / 24_000.0;
        assert_eq!(timeline.begin_block(&playing(beat + 0.004, 124.0)), Motion::Steady);
        timeline.end_block(Samples(4_096));
        assert_eq!(timeline.begin_block(&playing(-1.0, 124.0)), Motion::Jumped);
    }

    #[test]
    fn a_step_of_the_tempo_within_a_long_block_is_no_jump() {
        let mut timeline = Timeline::new(RATE);
        timeline.begin_block(&playing(0.0, 60.0));
        timeline.end_block(Samples(8_192));
        let beat = 8_192.0 / RATE.0 * 2.5;
        assert_eq!(timeline.begin_block(&playing(beat, 180.0)), Motion::Steady);
    }

    #[test]
    fn a_transport_without_a_position_leaves_the_sample_clock_in_charge() {
        let mut timeline = Timeline::new(RATE);
        let bare = Transport { playing: true, tempo: Tempo::new(90.0), position: None };
        assert_eq!(timeline.begin_block(&bare), Motion::Steady);
        assert_eq!(timeline.pin(SampleTime(10)), Position::Sample(SampleTime(10)));
        let later = timeline.after(Position::Sample(SampleTime(0)), Beats(1.5));
        assert_eq!(later, Position::Sample(SampleTime(48_000)));
    }
}
