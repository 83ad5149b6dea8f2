//! How the worker does: how long a note takes it, and how much of its time it works.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use atomic_float::AtomicF32;

use crate::music::time::Seconds;

/// The median is that of so many steps.
const STEPS: usize = 63;
/// The share is that of so long.
const PERIOD: Duration = Duration::from_secs(1);

/// How the worker does: written by it alone, read by any thread.
#[derive(Debug)]
pub struct Health {
    /// NaN before the first step.
    step: AtomicF32,
    share: AtomicF32,
}

impl Health {
    /// How long the model takes for a note, heard or made: the median of the newest 63; `None` before the first, and
    /// offline, where the audio thread does the work.
    pub fn step(&self) -> Option<Seconds> {
        let step = self.step.load(Ordering::Relaxed);
        (!step.is_nan()).then_some(Seconds(step))
    }

    /// How much of the last second the worker has worked, 0..=1 of one core.
    pub fn share(&self) -> f32 {
        self.share.load(Ordering::Relaxed)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { step: AtomicF32::new(f32::NAN), share: AtomicF32::new(0.0) }
    }
}

/// Takes the worker's time.
pub(super) struct Stopwatch {
    health: Arc<Health>,
    /// A ring of the newest steps, in seconds.
    steps: [f32; STEPS],
    taken: usize,
    busy: Duration,
    since: Instant,
}

impl Stopwatch {
    pub fn new(health: Arc<Health>) -> Self {
        Self { health, steps: [0.0; STEPS], taken: 0, busy: Duration::ZERO, since: Instant::now() }
    }

    /// Something took from `begun` until now; with a step of the model, or without.
    pub fn work(&mut self, begun: Instant, is_step: bool) {
        let took = begun.elapsed();
        self.busy += took;
        if is_step {
            self.steps[self.taken % STEPS] = took.as_secs_f32();
            self.taken += 1;
            self.health.step.store(self.median(), Ordering::Relaxed);
        }
        self.look();
    }

    /// Tells the share, where a period is over.
    pub fn look(&mut self) {
        let passed = self.since.elapsed();
        if passed >= PERIOD {
            let share = self.busy.as_secs_f32() / passed.as_secs_f32();
            self.health.share.store(share.min(1.0), Ordering::Relaxed);
            (self.busy, self.since) = (Duration::ZERO, Instant::now());
        }
    }

    fn median(&self) -> f32 {
        let mut steps = self.steps;
        let steps = &mut steps[..self.taken.min(STEPS)];
        *steps.select_nth_unstable_by(steps.len() / 2, f32::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_step_does_not_hide_how_quick_the_others_are() {
        let health = Arc::new(Health::default());
        let mut watch = Stopwatch::new(health.clone());
        assert_eq!(health.step(), None);
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(9)) else { return };
        watch.work(long_ago, true);
        assert!(health.step().is_some_and(|step| step.0 >= 9.0));
        (0..4).for_each(|_| watch.work(Instant::now(), true));
        assert!(health.step().is_some_and(|step| step.0 < 9.0));
    }
}
