//! Detects a host that runs ahead of real time: it renders offline, whatever it reports, and there is time
//! to wait.
//!
//! A live host lets about the length of a block pass between two calls. A host that does so once counts as
//! live at once.

use std::{
    hint,
    time::{Duration, Instant},
};

use super::{Partner, Performer};
use crate::music::time::Seconds;

/// How far ahead of the wall clock a host must be to count as rendering; live buffers run ahead by less.
const AHEAD: Seconds = Seconds(1.0);
/// Part of a block's length that must pass between two calls for a host to count as live.
const KEPT: f32 = 0.8;
/// How long one wait for the worker may last.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How far a host has run ahead of the wall clock.
#[derive(Debug, Default)]
pub struct RenderDetector {
    /// When the previous block was done.
    done: Option<Instant>,
    ahead: Seconds,
}

impl RenderDetector {
    /// Begins a block of `length` at `now`. Time that the performer itself has waited does not count as the
    /// host's.
    pub(super) fn begin_block(&mut self, length: Seconds, now: Instant) {
        let passed = self.done.map_or(length.0, |done| now.saturating_duration_since(done).as_secs_f32());
        let is_live = passed >= length.0 * KEPT;
        self.ahead =
            if is_live { Seconds::ZERO } else { Seconds(self.ahead.0 + length.0 - passed).min(AHEAD) };
    }

    /// The block is done.
    pub(super) fn end_block(&mut self, now: Instant) {
        self.done = Some(now);
    }

    fn is_rendering(&self) -> bool {
        self.ahead >= AHEAD
    }
}

impl Performer {
    /// Waits for the worker's next reply, but only in a host that renders without saying so; in a live
    /// host, this returns at once. A worker that does not reply in time is not awaited again in this turn.
    pub(super) fn await_worker(&mut self) {
        let Partner::Watched(detector) = &self.partner else { return };
        let answer = self.awaited.is_some() && self.awaited == self.turns.current().map(|ask| ask.turn);
        let awaits = answer || (self.silence.open && self.turns.is_silent());
        if !detector.is_rendering() || !awaits {
            return;
        }
        let begun = Instant::now();
        let replies = &self.lanes.replies;
        while replies.is_empty() && !replies.is_abandoned() && begun.elapsed() < LONGEST_WAIT {
            // No system call even here: the scheduler prefers a worker that wakes up to a thread that has
            // long been running.
            hint::spin_loop();
        }
        if replies.is_empty() {
            self.awaited = None;
            self.silence.open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Seconds = Seconds(0.01);

    /// Runs `seconds` of blocks, with `between` seconds of wall-clock time between two of them.
    fn after(seconds: f32, between: f64) -> (RenderDetector, Instant) {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        for _ in 0..(seconds / BLOCK.0) as usize {
            detector.begin_block(BLOCK, now);
            detector.end_block(now);
            now += Duration::from_secs_f64(between);
        }
        (detector, now)
    }

    #[test]
    fn a_live_host_never_renders_however_its_clock_drifts() {
        assert!(!after(3_600.0, 0.01).0.is_rendering());
        assert!(!after(3_600.0, 0.009_99).0.is_rendering());
        assert!(!after(3_600.0, 0.009).0.is_rendering());
    }

    #[test]
    fn a_live_host_that_cuts_its_buffers_into_blocks_never_renders() {
        let (mut detector, mut now) = (RenderDetector::default(), Instant::now());
        for block in 0..100_000 {
            detector.begin_block(BLOCK, now);
            detector.end_block(now);
            assert!(!detector.is_rendering());
            now += Duration::from_millis(if block % 16 == 15 { 160 } else { 0 });
        }
    }

    #[test]
    fn a_host_that_runs_twice_as_fast_renders_after_some_seconds() {
        assert!(!after(1.0, 0.005).0.is_rendering());
        assert!(after(5.0, 0.005).0.is_rendering());
    }

    #[test]
    fn a_host_that_goes_live_after_a_render_is_live_at_once() {
        let (mut detector, now) = after(60.0, 0.001);
        assert!(detector.is_rendering());
        detector.begin_block(BLOCK, now + Duration::from_millis(8));
        assert!(!detector.is_rendering());
    }

    #[test]
    fn what_the_performer_has_waited_makes_no_render_live() {
        let (mut detector, mut now) = after(60.0, 0.001);
        for _ in 0..100 {
            detector.begin_block(BLOCK, now);
            assert!(detector.is_rendering());
            now += Duration::from_millis(500);
            detector.end_block(now);
        }
    }
}
