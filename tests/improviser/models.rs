//! Models for tests of the improviser.

use antiphon::{
    model::{Limits, Model, Rng, SamplingSettings, State},
    music::{
        note::{GridNote, Key, RelativeNote, Velocity},
        time::Seconds,
    },
};
use rand::RngExt;

use super::MEZZO_FORTE;

/// Number of notes after which a [`ShortPiece`] is over.
const NOTES_OF_A_PIECE: f32 = 4.0;

/// A model whose key is the number of notes it has heard. Its velocity is random and its steps are fixed.
pub struct Tally {
    pub window: Option<usize>,
    pub step: Seconds,
}

impl Model for Tally {
    fn name(&self) -> &str {
        "tally"
    }

    fn window(&self) -> Option<usize> {
        self.window
    }

    fn initial_state(&self) -> State {
        State::of(0_f32)
    }

    fn reset(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut::<f32>() += 1.0;
    }

    fn draw(&self, state: &mut State, _: &SamplingSettings, limits: &Limits, rng: &mut Rng) -> RelativeNote {
        RelativeNote {
            step: limits.step(self.step),
            duration: Seconds(0.2),
            key: Key::saturating(*state.own_mut::<f32>() as u8),
            velocity: Velocity::saturating(rng.random_range(1..=127)),
        }
    }
}

/// A model that plays key 1 where a piece begins, and key 0 elsewhere.
pub struct Opener;

impl Model for Opener {
    fn name(&self) -> &str {
        "opener"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn initial_state(&self) -> State {
        State::of(false)
    }

    fn reset(&self, state: &mut State) {
        *state.own_mut() = false;
    }

    fn begin_piece(&self, state: &mut State) {
        *state.own_mut() = true;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut() = false;
    }

    fn draw(&self, state: &mut State, _: &SamplingSettings, _: &Limits, _: &mut Rng) -> RelativeNote {
        RelativeNote {
            step: Seconds(0.5),
            duration: Seconds(0.2),
            key: Key::saturating(u8::from(*state.own::<bool>())),
            velocity: MEZZO_FORTE,
        }
    }
}

/// A model that says after four notes that the piece is over, and plays on if it is not asked.
pub struct ShortPiece;

impl Model for ShortPiece {
    fn name(&self) -> &str {
        "short piece"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn initial_state(&self) -> State {
        State::of(0_f32)
    }

    fn reset(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut::<f32>() += 1.0;
    }

    fn is_over(&self, state: &mut State, _: &SamplingSettings, _: &mut Rng) -> bool {
        *state.own_mut::<f32>() >= NOTES_OF_A_PIECE
    }

    fn draw(&self, _: &mut State, _: &SamplingSettings, limits: &Limits, _: &mut Rng) -> RelativeNote {
        RelativeNote {
            step: Seconds(0.3).max(limits.least_step),
            duration: Seconds(0.2),
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
        }
    }
}

/// A model that panics when it draws.
pub struct StageFright;

impl Model for StageFright {
    fn name(&self) -> &str {
        "stage fright"
    }

    fn window(&self) -> Option<usize> {
        Some(25)
    }

    fn initial_state(&self) -> State {
        State::of(())
    }

    fn reset(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn draw(&self, _: &mut State, _: &SamplingSettings, _: &Limits, _: &mut Rng) -> RelativeNote {
        panic!("stage fright, as this test wants it");
    }
}
