//! What the next note is, chosen among what the heads offer.

use rand::RngExt;

use super::repeats;
use crate::{
    model::{
        Chance, Taste,
        antiphon::{
            scene::Scene,
            vocabulary::{Bin, TIMES, velocity_of},
        },
        sampling,
    },
    music::note::{Key, Velocity},
};

/// One note's choices. Each takes the logits of its head, which it overwrites. Realtime-safe.
pub struct Choice<'a> {
    pub scene: &'a Scene,
    pub taste: &'a Taste,
    pub chance: &'a mut Chance,
}

impl Choice<'_> {
    /// The cells from the newest onset to the note, of which so many are over.
    pub fn step(&mut self, logits: &mut [f32], elapsed: u32) -> u32 {
        for (index, logit) in logits.iter_mut().enumerate() {
            *logit += Bin::at(index).part_ahead(elapsed).ln();
        }
        Bin::at(self.one_of(logits)).cell(elapsed, self.chance.random())
    }

    /// Neither one that is out of order, nor one that would go on with a loop.
    pub fn key(&mut self, logits: &mut [f32], step: u32) -> Key {
        for key in repeats::worn_out(self.scene, step) {
            logits[key.index()] = f32::NEG_INFINITY;
        }
        // No key is struck twice at once.
        let lowest = (self.scene.lowest(step) + usize::from(step == 0)).min(Key::COUNT - 1);
        let key = lowest + self.one_of(&mut logits[lowest..]);
        Key::saturating(u8::try_from(key).unwrap_or(u8::MAX))
    }

    pub fn velocity(&mut self, logits: &mut [f32]) -> Velocity {
        velocity_of(self.one_of(logits), self.chance.random())
    }

    /// In cells: a length, or up to where another note ends.
    pub fn duration(&mut self, logits: &mut [f32], step: u32) -> u32 {
        let lengths = self.scene.lengths(step);
        let (_, pointers) = logits.split_at_mut(TIMES);
        for (logit, _) in pointers.iter_mut().zip(lengths).filter(|(_, length)| *length == 0) {
            *logit = f32::NEG_INFINITY;
        }
        let (end, drawn) = (self.one_of(logits), self.chance.random());
        match end.checked_sub(TIMES) {
            Some(pointer) => lengths[pointer],
            None => 1 + Bin::at(end).cell(0, drawn),
        }
    }

    fn one_of(&mut self, logits: &mut [f32]) -> usize {
        sampling::draw(logits, self.taste, self.chance.random())
    }
}
