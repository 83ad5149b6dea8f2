//! What the worker expects, for who looks on: how likely each next key is.
//!
//! The worker writes and any thread reads, without a lock. A reader may meet odds of two moments in one picture, which
//! nobody sees. Nothing is worked out while nobody watches.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use atomic_float::AtomicF32;

use crate::{model::KeyOdds, music::note::Key};

/// The worker's expectations of one instance.
#[derive(Debug)]
pub struct KeyPredictions {
    watchers: AtomicU32,
    keys: [AtomicF32; Key::COUNT],
}

/// Somebody watches, until this is dropped.
#[derive(Debug)]
pub struct Watch(Arc<KeyPredictions>);

impl KeyPredictions {
    /// From now on expectations are worked out. For the window, while it is open.
    pub fn watch(self: &Arc<Self>) -> Watch {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watch(self.clone())
    }

    /// Realtime-safe.
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// How likely each key is to be struck next, 0..=1, as of the newest note that was heard, or drawn for the answer: in
    /// the order of the keys. All 0 while nothing is known.
    pub fn keys(&self) -> [f32; Key::COUNT] {
        std::array::from_fn(|key| self.keys[key].load(Ordering::Relaxed))
    }

    /// Shows how likely each next key is; `None` where nothing is known. Realtime-safe.
    pub(crate) fn show_keys(&self, odds: Option<&KeyOdds>) {
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
