//! Whether the host runs ahead of real time. Then it renders, whatever it says of itself, and there is time to wait.

use std::{
    hint,
    time::{Duration, Instant},
};

use super::{Partner, Performer};
use crate::music::time::Seconds;

/// A host that is so far ahead of the clock on the wall does not play live; buffers run ahead by less.
const AHEAD: Seconds = Seconds(1.0);
/// A lead beyond this is not counted, so that a host which goes live after a render is soon known to be live.
const LARGEST_LEAD: Seconds = Seconds(1.1);
/// A lead is forgotten at this rate, since no two clocks run alike for hours.
const FORGOTTEN: Seconds = Seconds(10.0);
/// How long one wait for the worker may last.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What is known of a host's pace.
#[derive(Debug)]
pub enum Pace {
    /// It keeps real time, or a simulation of it.
    Live,
    /// It may render without saying so.
    Watched(Lead),
}

/// How far a host has run ahead of the clock on the wall.
#[derive(Debug, Default)]
pub struct Lead {
    last_block: Option<Instant>,
    ahead: Seconds,
}

impl Pace {
    /// A block of so long begins now.
    pub(super) fn begin_block(&mut self, length: Seconds) {
        if let Self::Watched(lead) = self {
            lead.begin_block(length, Instant::now());
        }
    }

    fn is_rendering(&self) -> bool {
        matches!(self, Self::Watched(lead) if lead.is_rendering())
    }
}

impl Lead {
    /// A block of so long begins at `now`.
    fn begin_block(&mut self, length: Seconds, now: Instant) {
        let passed = self.last_block.map_or(length.0, |last| (now - last).as_secs_f32());
        let kept = 1.0 - (length.0 / FORGOTTEN.0).min(1.0);
        self.ahead = Seconds((self.ahead.0 * kept + length.0 - passed).clamp(0.0, LARGEST_LEAD.0));
        self.last_block = Some(now);
    }

    fn is_rendering(&self) -> bool {
        self.ahead >= AHEAD
    }
}

impl Performer {
    /// Waits for the worker's next reply, but only in a host that renders without saying so: live, this returns at
    /// once. A worker that does not reply in time is not awaited again in this turn.
    pub(super) fn await_worker(&mut self) {
        let Partner::Worker(pace) = &self.partner else { return };
        let answer = self.awaited.is_some() && self.awaited == self.turns.current().map(|ask| ask.turn);
        let awaits = answer || (self.wonder.open && self.turns.is_silent());
        if !pace.is_rendering() || !awaits {
            return;
        }
        let begun = Instant::now();
        let replies = &self.lanes.replies;
        while replies.is_empty() && !replies.is_abandoned() && begun.elapsed() < LONGEST_WAIT {
            // No system call even here: a worker that wakes up goes before a thread that has long been running.
            hint::spin_loop();
        }
        if replies.is_empty() {
            self.awaited = None;
            self.wonder.open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Seconds = Seconds(0.01);

    /// Runs so many seconds of blocks, one every `every` seconds of the wall.
    fn after(seconds: f32, every: f64) -> Lead {
        let (mut pace, mut now) = (Lead::default(), Instant::now());
        for _ in 0..(seconds / BLOCK.0) as usize {
            pace.begin_block(BLOCK, now);
            now += Duration::from_secs_f64(every);
        }
        pace
    }

    #[test]
    fn a_live_host_never_renders_however_its_clock_drifts() {
        assert!(!after(3_600.0, 0.01).is_rendering());
        assert!(!after(3_600.0, 0.009_99).is_rendering());
    }

    #[test]
    fn a_host_that_runs_twice_as_fast_renders_after_some_seconds() {
        assert!(!after(1.0, 0.005).is_rendering());
        assert!(after(5.0, 0.005).is_rendering());
    }

    #[test]
    fn a_host_that_goes_live_after_a_render_is_live_within_two_seconds() {
        let (mut pace, mut now) = (Lead::default(), Instant::now());
        for block in 0..6_200 {
            pace.begin_block(BLOCK, now);
            now += Duration::from_millis(if block < 6_000 { 1 } else { 10 });
        }
        assert!(!pace.is_rendering());
    }

    #[test]
    fn a_pause_makes_up_for_what_was_gained() {
        let (mut pace, mut now) = (Lead::default(), Instant::now());
        for block in 0..200 {
            pace.begin_block(BLOCK, now);
            now += Duration::from_millis(if block == 199 { 2_000 } else { 1 });
        }
        assert!(pace.is_rendering());
        pace.begin_block(BLOCK, now);
        assert!(!pace.is_rendering());
    }
}
