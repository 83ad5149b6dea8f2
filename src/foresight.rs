//! What the worker expects, for who looks on: how likely each next key is, and how sure it is that a call is over.
//!
//! The worker writes and any thread reads, without a lock. A reader may meet odds of two moments in one picture, which
//! nobody sees. Nothing is worked out while nobody watches.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use atomic_float::AtomicF32;

use crate::{
    model::KeyOdds,
    music::{note::Key, time::Seconds},
};

/// A silence is judged at so many points, this far apart: up to four seconds.
const POINTS: usize = 33;
const BETWEEN_POINTS: Seconds = Seconds(0.125);

/// The worker's expectations of one instance.
#[derive(Debug)]
pub struct Foresight {
    watchers: AtomicU32,
    keys: [AtomicF32; Key::COUNT],
    over: [AtomicF32; POINTS],
}

/// Somebody watches, until this is dropped.
#[derive(Debug)]
pub struct Watch(Arc<Foresight>);

impl Foresight {
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

    /// How sure the worker is that the call is over once the player has been silent for so long since the last release,
    /// 0..=1, in the silence of now or the one before. The plugin takes the floor where this reaches *Patience*. Always 0
    /// with a model without odds.
    pub fn over(&self, silence: Seconds) -> f32 {
        let place = (silence.0 / BETWEEN_POINTS.0).clamp(0.0, (POINTS - 1) as f32);
        let (point, part) = (place as usize, place.fract());
        let at = |point: usize| self.over[point.min(POINTS - 1)].load(Ordering::Relaxed);
        at(point) + (at(point + 1) - at(point)) * part
    }

    /// Shows how likely each next key is; `None` where nothing is known. Realtime-safe.
    pub(crate) fn show_keys(&self, odds: Option<&KeyOdds>) {
        for (place, shown) in self.keys.iter().enumerate() {
            shown.store(odds.map_or(0.0, |odds| odds.all()[place]), Ordering::Relaxed);
        }
    }

    /// Shows how sure the worker is after each silence. Realtime-safe.
    pub(crate) fn show_over(&self, sureness: impl Fn(Seconds) -> f32) {
        for (point, shown) in (0u8..).zip(&self.over) {
            let silence = Seconds(BETWEEN_POINTS.0 * f32::from(point));
            shown.store(sureness(silence), Ordering::Relaxed);
        }
    }
}

impl Default for Foresight {
    fn default() -> Self {
        let none = |_| AtomicF32::new(0.0);
        Self { watchers: AtomicU32::new(0), keys: std::array::from_fn(none), over: std::array::from_fn(none) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}
