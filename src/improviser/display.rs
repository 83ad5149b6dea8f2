//! What the improviser shows to who looks on, when there is nothing else to do.

use std::sync::Arc;

use super::Improviser;
use crate::{key_predictions::KeyPredictions, music::scale::KeyEstimate};

/// So many notes of a window that slides are heard at once, before the worker looks for a request again.
const AT_ONCE: usize = 4;

/// What is shown, and whether it is of now.
pub(super) struct Display {
    key_predictions: Arc<KeyPredictions>,
    is_old: bool,
}

impl Display {
    /// One at which nobody looks.
    pub fn new() -> Self {
        Self { key_predictions: Arc::default(), is_old: true }
    }

    /// What is shown is no longer of now.
    pub fn grow_old(&mut self) {
        self.is_old = true;
    }
}

impl Improviser {
    /// From now on shows there what is expected, while somebody watches.
    pub fn show_predictions_on(&mut self, key_predictions: Arc<KeyPredictions>) {
        self.display = Display { key_predictions, is_old: true };
    }

    /// Shows which scale the player keeps to.
    pub(super) fn tell_scale(&self) {
        self.end.telemetry.scale.tell(KeyEstimate::of(self.memory.keys_of_player()));
    }

    /// Shows how likely each next key is after all that is remembered, where that is not shown yet: a part of the work at
    /// a time; false if there is nothing to do.
    pub(super) fn show(&mut self) -> bool {
        let now = self.now_after(&self.memory);
        let Self { display, caches, memory, generation, .. } = self;
        if !display.is_old || !display.key_predictions.is_watched() {
            return false;
        }
        let cache = caches.of(generation.model);
        if cache.hear(memory, generation.memory.into(), AT_ONCE) > 0 {
            return true;
        }
        cache.state.now = now;
        let odds = if memory.is_empty() { None } else { cache.model.foresee(&mut cache.state) };
        display.key_predictions.show_keys(odds.as_ref());
        display.is_old = false;
        true
    }

    /// Shows the odds among which the newest note of the answer was chosen.
    pub(super) fn show_choice(&mut self) {
        let Self { display, caches, generation, .. } = self;
        if display.key_predictions.is_watched() {
            display.key_predictions.show_keys(caches.of(generation.model).state.odds.as_ref());
        }
        display.grow_old();
    }
}
