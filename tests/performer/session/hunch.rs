//! A partner that plays anything, and has a hunch of when the player goes on.

use antiphon::{
    model::{Chance, Expectation, Limits, Model, State, Taste},
    music::{grid::GridNote, note::RelativeNote},
};
use rand::{RngExt, SeedableRng};

use crate::rig::Dice;

/// How many times a step may have.
const TIMES: usize = 113;

/// What it expects hangs on the notes it has heard, and on nothing else.
pub struct Hunch;

impl Model for Hunch {
    fn name(&self) -> &str {
        "hunch"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        State::of(vec![0.0])
    }

    fn forget(&self, state: &mut State) {
        state.numbers[0] = 0.0;
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        state.numbers[0] = (state.numbers[0] * 3.0 + f32::from(note.key.number())) % 1_009.0;
    }

    fn expect(&self, state: &mut State) -> Option<Expectation> {
        let mut chance = Chance::seed_from_u64(state.numbers[0].to_bits().into());
        let mut weights = [1.0; TIMES];
        match chance.random_range(0..4) {
            0 => return None,
            1 => {}
            // Nearly certain of one time, up to a second and a half.
            _ => weights[chance.random_range(1..76)] = 1_000.0,
        }
        Some(Expectation::of(&weights))
    }

    fn draw(&self, state: &mut State, taste: &Taste, limits: &Limits, chance: &mut Chance) -> RelativeNote {
        Dice.draw(state, taste, limits, chance)
    }
}
