//! What becomes of the worker after a fault of its own: a panic within a step.

use super::{Improviser, StepResult, struck::Onsets};

/// Faults without a note between them from which forgetting the answer alone does not help.
const PATIENCE_FAULTS: u32 = 2;
/// So many faults without a note between them, and there is no hope.
const HOPELESS_FAULTS: u32 = 8;

impl Improviser {
    /// Whether it has failed so often that it does nothing any more.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.faults >= HOPELESS_FAULTS
    }

    /// Gives up what was being made, so that the turn ends, and has every model begin from silence. What was heard is
    /// kept, and the player's own model too, unless that did not help the last time. Allocates nothing.
    pub(super) fn recover(&mut self) -> StepResult {
        self.faults += 1;
        self.end.telemetry.faults.raise();
        let unfinished = self.answer.take().filter(|answer| !answer.is_complete());
        self.given_up = unfinished.map(|answer| answer.turn).or(self.given_up);
        self.is_awaited = false;
        self.lately = Onsets::new();
        self.mask = None;
        self.sounding.clear();
        self.silence = None;
        self.caches.begin_anew();
        if self.faults >= PATIENCE_FAULTS {
            self.memory.clear();
            self.caches.user = None;
        }
        self.display.grow_old();
        StepResult::Worked
    }
}
