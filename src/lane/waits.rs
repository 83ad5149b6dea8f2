//! How long the first notes of answers are waited for.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::music::time::Seconds;

/// So many of the newest waits are kept.
const KEPT: usize = 1024;

/// The waits from an answer's asking until its first note lies in the lane. The audio thread begins them, the worker ends
/// them, any thread reads them.
#[derive(Debug)]
pub struct Waits {
    epoch: Instant,
    /// Since the epoch.
    begun_us: AtomicU64,
    /// A ring.
    newest_us: [AtomicU32; KEPT],
    count: AtomicU32,
    /// A wait that is rarely exceeded: the longest of late, which is slowly forgotten.
    rare_us: AtomicU32,
}

/// At each wait so much of the longest one is forgotten.
const FORGOTTEN: u32 = 16;

impl Waits {
    /// An answer is asked for now. What orders this before [`Self::end`] is the lane that carries the request, so this is
    /// called first. Realtime-safe: it reads a clock.
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
        // Whoever reads the count reads the waits that it counts.
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

impl Default for Waits {
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
        let waits = Waits::default();
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
