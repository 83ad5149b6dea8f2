//! The published baselines: one or two LSTMs that read (pitch, step, duration) as three plain numbers.

mod layout;
mod network;
mod preset;
#[cfg(test)]
mod tests;

use rand::RngExt;

pub use network::{Network, Prediction};
pub use preset::{CLASSIC_25, CLASSIC_150, INPUTS, LONGEST, Preset, features};

use self::layout::Layout;
use super::{Chance, KeyOdds, Limits, Model, State, Taste, lstm::Packed, sampling, vector, weights::Weights};
use crate::music::{
    grid::GridNote,
    note::{Key, RelativeNote, Velocity},
    time::Seconds,
};

/// Below this an answer's note is a click; the heads know no limit.
const SHORTEST: Seconds = Seconds(0.03);
/// What is played by a model that has heard no velocity.
const MEZZO_FORTE: u8 = 64;

/// A baseline, ready to play: its weights are packed for one note at a time.
#[derive(Debug, Clone)]
pub struct Classic {
    name: String,
    layout: Layout,
    lstms: Vec<Packed>,
    dense: Option<Packed>,
    /// 128 logits, the step in seconds, the duration in seconds.
    heads: Packed,
}

impl Classic {
    /// Packs the weights of a preset, which [`super::weights::read`] has found complete.
    pub fn new(preset: Preset, weights: &Weights) -> Self {
        Self {
            name: weights.name.clone(),
            layout: Layout::new(preset),
            lstms: (0..preset.layers).map(|layer| weights.lstm(layer)).collect(),
            dense: preset.dense.map(|_| weights.affine(&["dense"])),
            heads: weights.affine(&preset::HEADS),
        }
    }

    /// Runs the heads on what `state` has heard and leaves their numbers in it. Realtime-safe.
    fn predict<'a>(&self, state: &'a mut State) -> &'a mut [f32] {
        let parts = self.layout.split(&mut state.numbers);
        let top = &parts.units[parts.units.len() - self.layout.hidden..];
        match &self.dense {
            Some(dense) => {
                dense.apply(top, parts.dense);
                parts.dense.iter_mut().for_each(|x| *x = x.max(0.0));
                self.heads.apply(parts.dense, parts.heads);
            }
            None => self.heads.apply(top, parts.heads),
        }
        parts.heads
    }
}

impl Model for Classic {
    fn name(&self) -> &str {
        &self.name
    }

    fn window(&self) -> Option<usize> {
        Some(self.layout.window)
    }

    fn silence(&self) -> State {
        State::of(vec![0.0; self.layout.len()])
    }

    fn forget(&self, state: &mut State) {
        state.numbers.fill(0.0);
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        let parts = self.layout.split(&mut state.numbers);
        parts.units[..INPUTS].copy_from_slice(&features(
            note.key,
            note.step_seconds(),
            note.duration_seconds(),
        ));
        let hidden = self.layout.hidden;
        let mut below = 0;
        for (lstm, cell) in self.lstms.iter().zip(parts.cells.chunks_exact_mut(hidden)) {
            let above = below + lstm.inputs();
            lstm.apply(&parts.units[below..above], parts.gates);
            vector::cell(parts.gates, cell, &mut parts.units[above - hidden..above]);
            below = above - hidden;
        }
        parts.velocities.push(note.velocity);
    }

    fn foresee(&self, state: &mut State) -> Option<KeyOdds> {
        Some(KeyOdds::of(&self.predict(state)[..Key::COUNT]))
    }

    fn draw(&self, state: &mut State, taste: &Taste, limits: &Limits, chance: &mut Chance) -> RelativeNote {
        let heads = self.predict(state);
        let (logits, times) = heads.split_at_mut(Key::COUNT);
        let step = limits.step(preset::bounded(Seconds(times[0])));
        let duration = preset::bounded(Seconds(times[1])).max(SHORTEST).min(limits.longest_duration);
        let odds = KeyOdds::of(logits);
        let key = sampling::draw_key(logits, limits.keys_after(step), &taste.pitch, chance.random());
        state.odds = Some(odds);
        let velocities = self.layout.split(&mut state.numbers).velocities;
        let velocity = velocities.draw(chance).unwrap_or(Velocity::saturating(MEZZO_FORTE));
        RelativeNote { step, duration, key, velocity }
    }
}
