//! Counters and measurements of one instance: written by the audio thread and the worker without a lock, read
//! by any thread.

use std::{
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use atomic_float::AtomicF64;

use crate::music::{
    conditions::Harmony,
    scale::KeyEstimate,
    time::{Moment, SampleTime, Seconds},
};

/// Number of newest waits that are kept.
const KEPT: usize = 1024;

/// Each wait shrinks the longest recent one by one part in this number.
const FORGOTTEN: u32 = 16;

/// Counts and measurements so far: written by the audio thread and the worker, read by any thread.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Notes of the player.
    pub heard: Counter,
    /// Notes of answers that sounded.
    pub answered: Counter,
    /// Notes of answers that came out later than planned.
    pub late: Counter,
    /// Those of them that came more than 5 ms late: somebody may hear it.
    pub audibly_late: Counter,
    /// Notes of answers that were given up: too late, refused by the host, without room, or on a key that was
    /// not free or no longer allowed.
    pub dropped: Counter,
    /// Events of the player that the host did not take back.
    pub refused: Counter,
    /// Strikes that came in and were the plugin's own: its output is routed to its input.
    pub echoes: Counter,
    /// Requests that found no room: the worker has stalled or died.
    pub unsent: Counter,
    /// Steps of the worker that panicked: an answer was given up, or the model's state was computed anew.
    pub faults: Counter,
    /// Records of the event log that found no room: the take and the window lack them.
    pub untold: Counter,
    /// The newest harmony.
    pub harmony: SharedHarmony,
    /// The scale that the player keeps to.
    pub scale: SharedScale,
    /// The end of the newest block on the instance's clock.
    pub clock: SharedClock,
    /// The same in the time of the answer that was asked for last.
    pub answered_until: SharedMoment,
    pub first_notes: WaitTimes,
}

/// The instance's clock: the audio thread sets it, any thread reads it. It goes on through activations and
/// begins anew for a bounce.
#[derive(Debug, Default)]
pub struct SharedClock(AtomicU64);

impl SharedClock {
    /// Realtime-safe.
    pub fn set(&self, now: SampleTime) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    pub fn now(&self) -> SampleTime {
        SampleTime(self.0.load(Ordering::Relaxed))
    }
}

/// A harmony: the audio thread sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct SharedHarmony(AtomicU32);

impl SharedHarmony {
    /// Realtime-safe.
    pub fn tell(&self, harmony: Harmony) {
        self.0.store(harmony.bits().into(), Ordering::Relaxed);
    }

    /// `None` where no harmony was reported.
    pub fn now(&self) -> Option<Harmony> {
        Harmony::of_bits(self.0.load(Ordering::Relaxed) as u16)
    }
}

/// A scale: the worker sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct SharedScale(AtomicU8);

impl SharedScale {
    /// Realtime-safe.
    pub fn tell(&self, scale: Option<KeyEstimate>) {
        self.0.store(scale.map_or(0, |scale| scale.number()), Ordering::Relaxed);
    }

    /// Its name among musicians; `None` where too little was heard. Allocates.
    pub fn name(&self) -> Option<String> {
        KeyEstimate::name_of(self.0.load(Ordering::Relaxed))
    }
}

/// How far an answer has come: the audio thread sets it, the worker reads it.
#[derive(Debug)]
pub struct SharedMoment(AtomicF64);

impl SharedMoment {
    /// Realtime-safe.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::Relaxed);
    }

    /// Realtime-safe.
    pub fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }
}

impl Default for SharedMoment {
    fn default() -> Self {
        Self(AtomicF64::new(Moment::EARLIEST.0))
    }
}

/// A count that one thread raises and any thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU32);

impl Counter {
    /// Realtime-safe.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits from the request of an answer until its first note lies in the lane. The audio thread begins a wait,
/// the worker ends it, any thread reads them.
#[derive(Debug)]
pub struct WaitTimes {
    epoch: Instant,
    /// When the newest wait began, in microseconds since the epoch.
    begun_us: AtomicU64,
    /// A ring buffer of the newest waits.
    newest_us: [AtomicU32; KEPT],
    count: AtomicU32,
    /// A wait that is rarely exceeded: the longest recent one, which decays slowly.
    rare_us: AtomicU32,
}

impl WaitTimes {
    /// An answer is asked for now. Call this before the request is sent: the lane that carries the request
    /// orders this before [`Self::end`]. Realtime-safe: it reads a clock.
    pub fn begin(&self) {
        self.begun_us.store(self.now_us(), Ordering::Relaxed);
    }

    /// The first note of the answer that was asked for last lies in the lane. Realtime-safe.
    pub fn end(&self) {
        let waited = self.now_us().saturating_sub(self.begun_us.load(Ordering::Relaxed));
        let waited = u32::try_from(waited).unwrap_or(u32::MAX);
        let rare = self.rare_us.load(Ordering::Relaxed);
        self.rare_us.store(waited.max(rare - rare / FORGOTTEN), Ordering::Relaxed);
        let count = self.count.load(Ordering::Relaxed);
        let place = &self.newest_us[count as usize % KEPT];
        place.store(waited, Ordering::Relaxed);
        // A thread that reads the count also reads the waits that it counts.
        self.count.store(count.wrapping_add(1), Ordering::Release);
    }

    /// A wait that the worker rarely exceeds. Realtime-safe.
    pub fn rarely_exceeded(&self) -> Seconds {
        Seconds(Duration::from_micros(self.rare_us.load(Ordering::Relaxed).into()).as_secs_f32())
    }

    /// How many waits have ended.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// The newest waits, to a microsecond, in no order; at most 1,024. Allocates.
    pub fn newest(&self) -> Vec<Duration> {
        let known = (self.count() as usize).min(KEPT);
        let micros = self.newest_us[..known].iter().map(|wait| wait.load(Ordering::Relaxed));
        micros.map(|micros| Duration::from_micros(micros.into())).collect()
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Default for WaitTimes {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            begun_us: AtomicU64::new(0),
            newest_us: [const { AtomicU32::new(0) }; KEPT],
            count: AtomicU32::new(0),
            rare_us: AtomicU32::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_waits_once_and_the_newest_waits_are_kept() {
        let waits = WaitTimes::default();
        assert!(waits.newest().is_empty());
        for _ in 0..KEPT + 3 {
            waits.begin();
            waits.end();
        }
        assert_eq!((waits.count() as usize, waits.newest().len()), (KEPT + 3, KEPT));
        let longest = waits.newest().into_iter().max();
        assert!(longest.is_some_and(|longest| longest <= waits.epoch.elapsed()));
    }
}
