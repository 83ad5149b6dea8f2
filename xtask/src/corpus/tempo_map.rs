//! What the ticks of a file are worth.

use midly::Timing;

use super::Refusal;

/// From ticks to seconds and back, for a whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct TempoMap {
    unit: Unit,
    /// By tick; the first one at 0.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Ticks per quarter note: the tempo decides.
    Musical(u16),
    /// SMPTE: ticks are parts of a film frame, whatever the tempo.
    Absolute,
}

/// From here to the next one, ticks are equally long.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    tick: u64,
    seconds: f64,
    seconds_per_tick: f64,
}

/// Where a file names no tempo, it is 120 quarter notes a minute.
const DEFAULT_MICROSECONDS_PER_QUARTER: u32 = 500_000;

impl TempoMap {
    /// One tempo throughout.
    pub fn steady(microseconds_per_quarter: u32, ticks_per_quarter: u16) -> Self {
        let seconds_per_tick = f64::from(microseconds_per_quarter) * 1e-6 / f64::from(ticks_per_quarter);
        let stretches = vec![Stretch { tick: 0, seconds: 0.0, seconds_per_tick }];
        Self { unit: Unit::Musical(ticks_per_quarter), stretches }
    }

    /// `None` for a file in film frames.
    pub fn ticks_per_quarter(&self) -> Option<u16> {
        match self.unit {
            Unit::Musical(ticks) => Some(ticks),
            Unit::Absolute => None,
        }
    }

    /// Every tempo with its tick, in microseconds per quarter note; none for a file in film frames.
    pub fn tempos(&self) -> impl Iterator<Item = (u64, f64)> {
        let ticks = self.ticks_per_quarter();
        let tempo =
            move |stretch: &Stretch| Some((stretch.tick, stretch.seconds_per_tick * 1e6 * f64::from(ticks?)));
        self.stretches.iter().filter_map(tempo)
    }

    pub fn seconds_at(&self, tick: f64) -> f64 {
        let next = self.stretches.partition_point(|stretch| stretch.tick as f64 <= tick);
        let stretch = self.stretches[next.saturating_sub(1)];
        stretch.seconds + (tick - stretch.tick as f64) * stretch.seconds_per_tick
    }

    /// Between ticks too; 0 before the beginning.
    pub fn tick_at(&self, seconds: f64) -> f64 {
        let next = self.stretches.partition_point(|stretch| stretch.seconds <= seconds);
        let stretch = self.stretches[next.saturating_sub(1)];
        // A tempo of no length has ticks that take no time.
        let per_tick = stretch.seconds_per_tick.max(f64::MIN_POSITIVE);
        (stretch.tick as f64 + (seconds - stretch.seconds) / per_tick).max(0.0)
    }
}

/// Reads a file's ticks in the order of time, and keeps the map.
pub struct Clock {
    map: TempoMap,
    tick: u64,
    seconds: f64,
}

impl Clock {
    pub fn new(timing: Timing) -> Result<Self, Refusal> {
        let map = match timing {
            Timing::Metrical(ticks) if ticks.as_int() > 0 => {
                TempoMap::steady(DEFAULT_MICROSECONDS_PER_QUARTER, ticks.as_int())
            }
            Timing::Timecode(frames, parts) if parts > 0 => {
                // 29 stands for 30 drop-frame, of which 1001 pass in the time of 1000.
                let frames = if frames.as_int() == 29 { 30.0 / 1.001 } else { f64::from(frames.as_int()) };
                let seconds_per_tick = 1.0 / (frames * f64::from(parts));
                let stretches = vec![Stretch { tick: 0, seconds: 0.0, seconds_per_tick }];
                TempoMap { unit: Unit::Absolute, stretches }
            }
            _ => return Err(Refusal::NoTime),
        };
        Ok(Self { map, tick: 0, seconds: 0.0 })
    }

    /// The seconds of a tick that is not earlier than the one before.
    pub fn advance(&mut self, tick: u64) -> f64 {
        let passed = tick - self.tick;
        self.seconds += passed as f64 * self.newest().seconds_per_tick;
        self.tick = tick;
        self.seconds
    }

    pub fn set_tempo(&mut self, microseconds_per_quarter: u32) {
        let Unit::Musical(ticks) = self.map.unit else { return };
        let seconds_per_tick = f64::from(microseconds_per_quarter) * 1e-6 / f64::from(ticks);
        let (tick, seconds) = (self.tick, self.seconds);
        let stretch = Stretch { tick, seconds, seconds_per_tick };
        match self.newest() {
            newest if newest.tick == tick => *newest = stretch,
            newest if newest.seconds_per_tick == seconds_per_tick => {}
            _ => self.map.stretches.push(stretch),
        }
    }

    pub fn map(self) -> TempoMap {
        self.map
    }

    fn newest(&mut self) -> &mut Stretch {
        self.map.stretches.last_mut().expect("a map has a first stretch")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(tempos: &[(u64, u32)]) -> TempoMap {
        let mut clock = Clock::new(Timing::Metrical(480.into())).expect("a unit of time");
        for &(passed, microseconds) in tempos {
            clock.advance(clock.tick + passed);
            clock.set_tempo(microseconds);
        }
        clock.map()
    }

    proptest! {
        #[test]
        fn the_way_back_leads_to_the_same_tick(
            tempos in prop::collection::vec((0u64..2000, 100_000u32..2_000_000), 0..9),
            tick in 0u32..30_000,
        ) {
            let map = map(&tempos);
            let back = map.tick_at(map.seconds_at(tick.into()));
            prop_assert!((back - f64::from(tick)).abs() < 1e-6, "{back} of {tick}");
        }
    }

    #[test]
    fn a_tempo_that_is_named_again_is_no_change() {
        let tempos: Vec<_> = map(&[(0, 500_000), (480, 500_000), (480, 400_000)]).tempos().collect();
        assert_eq!(tempos.len(), 2);
        assert!((tempos[1].1 - 400_000.0).abs() < 1e-6 && tempos[1].0 == 960);
    }
}
