//! Where what a baseline remembers stands in its state.

use rand::RngExt;

use super::preset::{INPUTS, Preset};
use crate::{
    model::Chance,
    music::note::{Key, Velocity},
};

/// How many velocities a model without dynamics of its own borrows from.
const RECENT: usize = 32;

/// The lengths of the parts of a state.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub window: usize,
    pub hidden: usize,
    layers: usize,
    dense: usize,
}

impl Layout {
    pub fn new(preset: Preset) -> Self {
        let Preset { window, hidden, layers, dense, .. } = preset;
        Self { window, hidden, layers, dense: dense.unwrap_or(0) }
    }

    /// How many numbers a state has.
    pub fn len(&self) -> usize {
        self.lengths().iter().sum()
    }

    /// Cuts a state of [`Layout::len`] numbers. Realtime-safe.
    pub fn split<'a>(&self, state: &'a mut [f32]) -> Parts<'a> {
        let [units, cells, gates, dense, heads, _] = self.lengths();
        let (units, rest) = state.split_at_mut(units);
        let (cells, rest) = rest.split_at_mut(cells);
        let (gates, rest) = rest.split_at_mut(gates);
        let (dense, rest) = rest.split_at_mut(dense);
        let (heads, recent) = rest.split_at_mut(heads);
        Parts { units, cells, gates, dense, heads, velocities: Velocities(recent) }
    }

    fn lengths(&self) -> [usize; 6] {
        let all = self.layers * self.hidden;
        [INPUTS + all, all, 4 * self.hidden, self.dense, Key::COUNT + 2, 1 + RECENT]
    }
}

/// A state, part by part.
pub struct Parts<'a> {
    /// The newest note, then the hidden units of one LSTM after the other: each reads what stands before its own.
    pub units: &'a mut [f32],
    pub cells: &'a mut [f32],
    /// Scratch.
    pub gates: &'a mut [f32],
    /// Scratch.
    pub dense: &'a mut [f32],
    /// Scratch.
    pub heads: &'a mut [f32],
    pub velocities: Velocities<'a>,
}

/// The newest velocities: how many were heard since silence, then a ring of them.
pub struct Velocities<'a>(&'a mut [f32]);

impl Velocities<'_> {
    /// Adds the newest one. Realtime-safe.
    pub fn push(self, velocity: Velocity) {
        let (heard, ring) = self.0.split_at_mut(1);
        // Small whole numbers, exact in f32; counted past the ring's end only to know that it is full.
        let place = heard[0] as usize % RECENT;
        ring[place] = f32::from(velocity.value());
        heard[0] = if place + 1 == RECENT { RECENT as f32 } else { heard[0] + 1.0 };
    }

    /// One of them; `None` when there are none. Realtime-safe.
    pub fn draw(self, chance: &mut Chance) -> Option<Velocity> {
        let (heard, ring) = self.0.split_at_mut(1);
        let known = (heard[0] as usize).min(RECENT);
        // Drawn in every case, so that the same chance draws the same keys whatever was heard.
        let drawn = chance.random::<f32>();
        let place = (drawn * known as f32) as usize;
        ring[..known].get(place).map(|&velocity| Velocity::saturating(velocity as u8))
    }
}
