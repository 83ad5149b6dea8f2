//! Predictions for the window, made when there is nothing else to do: the probability of each next key, and
//! the scale.
//!
//! The worker writes and any thread reads, without a lock. A reader may see probabilities of two moments at
//! once, which nobody notices. Nothing is computed while nobody watches.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use atomic_float::AtomicF32;

use super::Improviser;
use crate::{
    model::KeyProbabilities,
    music::{note::Key, scale::KeyEstimate},
};

/// Number of notes of a sliding window that are heard at once, before the worker looks for a request again.
const AT_ONCE: usize = 4;

/// The probability of each next key, for one instance.
#[derive(Debug)]
pub struct KeyPredictions {
    watchers: AtomicU32,
    keys: [AtomicF32; Key::COUNT],
}

/// Predictions are computed until this is dropped.
#[derive(Debug)]
pub struct Watch(Arc<KeyPredictions>);

impl KeyPredictions {
    /// Has predictions computed from now on. For the window, while it is open.
    pub fn watch(self: &Arc<Self>) -> Watch {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watch(self.clone())
    }

    /// Realtime-safe.
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Probability that each key is struck next, 0..=1, in the order of the keys. It holds after the newest
    /// note that was heard; during an answer, it is the one from which the newest note was drawn. All 0 while
    /// nothing is known.
    pub fn keys(&self) -> [f32; Key::COUNT] {
        std::array::from_fn(|key| self.keys[key].load(Ordering::Relaxed))
    }

    /// Shows the probability of each next key; `None` where nothing is known. Realtime-safe.
    pub(crate) fn show_keys(&self, odds: Option<&KeyProbabilities>) {
        for (place, shown) in self.keys.iter().enumerate() {
            shown.store(odds.map_or(0.0, |odds| odds.all()[place]), Ordering::Relaxed);
        }
    }
}

impl Default for KeyPredictions {
    fn default() -> Self {
        Self { watchers: AtomicU32::new(0), keys: std::array::from_fn(|_| AtomicF32::new(0.0)) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where predictions are shown, and whether they are out of date.
pub(super) struct Display {
    key_predictions: Arc<KeyPredictions>,
    is_old: bool,
}

impl Display {
    /// A display that nobody watches.
    pub fn new() -> Self {
        Self { key_predictions: Arc::default(), is_old: true }
    }

    /// Marks the predictions as out of date.
    pub fn grow_old(&mut self) {
        self.is_old = true;
    }
}

impl Improviser {
    /// Shows predictions there from now on, while somebody watches.
    pub fn show_predictions_on(&mut self, key_predictions: Arc<KeyPredictions>) {
        self.display = Display { key_predictions, is_old: true };
    }

    /// Publishes the scale that the player keeps to.
    pub(super) fn tell_scale(&self) {
        self.end.telemetry.scale.tell(KeyEstimate::of(self.memory.keys_of_player()));
    }

    /// Brings the shown probabilities up to date with the memory, a part of the work at a time; false if
    /// there is nothing to do.
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
        let odds = if memory.is_empty() { None } else { cache.model.key_probabilities(&mut cache.state) };
        display.key_predictions.show_keys(odds.as_ref());
        display.is_old = false;
        true
    }

    /// Shows the probabilities from which the newest note of the answer was drawn.
    pub(super) fn show_choice(&mut self) {
        let Self { display, caches, generation, .. } = self;
        if display.key_predictions.is_watched() {
            display.key_predictions.show_keys(caches.of(generation.model).state.key_probabilities.as_ref());
        }
        display.grow_old();
    }
}
