//! From a performance's own time to that of the host.

use antiphon::music::swing::Swing;

/// When each beat of a song falls, in seconds. Between two of them, and beyond the ends, time runs evenly.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// At least two, in order.
    beats: Vec<f64>,
}

/// How a performance is played otherwise than it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retiming {
    /// A steady tempo instead of the player's, in beats per minute.
    pub tempo: Option<f64>,
    pub swing: Swing,
    /// By how much the tempo is multiplied from bar to bar.
    pub growth: f64,
}

impl Retiming {
    /// As it was played.
    #[cfg(test)]
    pub const NONE: Self = Self { tempo: None, swing: Swing::STRAIGHT, growth: 1.0 };

    /// Whether it takes beats to do it.
    pub fn needs_beats(&self) -> bool {
        self.tempo.is_some() || self.swing != Swing::STRAIGHT || self.growth != 1.0
    }
}

impl Clock {
    /// `None` where there are no two beats.
    pub fn new(beats: Vec<f64>) -> Option<Self> {
        (beats.len() > 1).then_some(Self { beats })
    }

    /// So many beats of the same length, from `start` on.
    pub fn steady(start: f64, tempo: f64, beats: usize) -> Self {
        Self { beats: (0..=beats.max(1)).map(|beat| start + beat as f64 * 60.0 / tempo).collect() }
    }

    /// The same song, its first beat at 0, as `retiming` has it. `bars` are the beats at which bars begin.
    pub fn retimed(&self, retiming: &Retiming, bars: &[usize]) -> Self {
        let (mut beats, mut now) = (vec![0.0], 0.0);
        for (beat, pair) in self.beats.windows(2).enumerate() {
            let bar = bars.partition_point(|&start| start <= beat).saturating_sub(1);
            let period = retiming.tempo.map_or(pair[1] - pair[0], |tempo| 60.0 / tempo);
            now += period / retiming.growth.powf(bar as f64);
            beats.push(now);
        }
        Self { beats }
    }

    /// When a beat falls, in seconds.
    pub fn second(&self, beat: f64) -> f64 {
        let index = (beat.floor().max(0.0) as usize).min(self.beats.len() - 2);
        let (start, end) = (self.beats[index], self.beats[index + 1]);
        start + (beat - index as f64) * (end - start)
    }

    /// The beat of a moment in seconds.
    pub fn beat(&self, second: f64) -> f64 {
        let next = self.beats.partition_point(|&beat| beat <= second);
        let index = next.saturating_sub(1).min(self.beats.len() - 2);
        let (start, end) = (self.beats[index], self.beats[index + 1]);
        index as f64 + (second - start) / (end - start)
    }

    /// Its beats, the last one included.
    pub fn beats(&self) -> &[f64] {
        &self.beats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_and_its_second_are_the_same_moment_within_and_beyond() {
        let clock = Clock::new(vec![1.0, 2.0, 2.5, 4.0]).expect("beats");
        for (beat, second) in [(-1.0, 0.0), (0.25, 1.25), (1.5, 2.25), (2.0, 2.5), (3.0, 4.0), (4.0, 5.5)] {
            assert!((clock.second(beat) - second).abs() < 1e-12, "{beat}");
            assert!((clock.beat(second) - beat).abs() < 1e-12, "{second}");
        }
    }

    #[test]
    fn a_song_keeps_its_tempo_or_takes_another_that_may_grow_with_each_bar() {
        let clock = Clock::new(vec![1.0, 2.0, 2.5, 4.0]).expect("beats");
        assert_eq!(clock.retimed(&Retiming::NONE, &[0, 2]).beats(), [0.0, 1.0, 1.5, 3.0]);
        let grown = Retiming { tempo: Some(60.0), growth: 2.0, ..Retiming::NONE };
        assert_eq!(clock.retimed(&grown, &[0, 2]).beats(), [0.0, 1.0, 2.0, 2.5]);
    }
}
