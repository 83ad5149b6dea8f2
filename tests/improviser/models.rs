//! Models that are made for laws of the improviser.

use antiphon::{
    model::{Chance, Limits, Model, SamplingSettings, State},
    music::{
        note::{GridNote, Key, RelativeNote, Velocity},
        time::Seconds,
    },
};
use rand::RngExt;

use super::MEZZO_FORTE;

/// After so many a [`ShortPiece`] is over.
const NOTES_OF_A_PIECE: f32 = 4.0;

/// A model whose key tells how many notes it has heard, whose velocity is chance, and whose steps are fixed.
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

    fn silence(&self) -> State {
        State::of(0_f32)
    }

    fn forget(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut::<f32>() += 1.0;
    }

    fn draw(
        &self,
        state: &mut State,
        _: &SamplingSettings,
        limits: &Limits,
        chance: &mut Chance,
    ) -> RelativeNote {
        RelativeNote {
            step: limits.step(self.step),
            duration: Seconds(0.2),
            key: Key::saturating(*state.own_mut::<f32>() as u8),
            velocity: Velocity::saturating(chance.random_range(1..=127)),
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

    fn silence(&self) -> State {
        State::of(false)
    }

    fn forget(&self, state: &mut State) {
        *state.own_mut() = false;
    }

    fn begin_piece(&self, state: &mut State) {
        *state.own_mut() = true;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut() = false;
    }

    fn draw(&self, state: &mut State, _: &SamplingSettings, _: &Limits, _: &mut Chance) -> RelativeNote {
        RelativeNote {
            step: Seconds(0.5),
            duration: Seconds(0.2),
            key: Key::saturating(u8::from(*state.own::<bool>())),
            velocity: MEZZO_FORTE,
        }
    }
}

/// A model that holds a piece to be over after four notes, and plays on if nobody asks.
pub struct ShortPiece;

impl Model for ShortPiece {
    fn name(&self) -> &str {
        "short piece"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        State::of(0_f32)
    }

    fn forget(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut::<f32>() += 1.0;
    }

    fn is_over(&self, state: &mut State, _: &SamplingSettings, _: &mut Chance) -> bool {
        *state.own_mut::<f32>() >= NOTES_OF_A_PIECE
    }

    fn draw(&self, _: &mut State, _: &SamplingSettings, limits: &Limits, _: &mut Chance) -> RelativeNote {
        RelativeNote {
            step: Seconds(0.3).max(limits.least_step),
            duration: Seconds(0.2),
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
        }
    }
}

/// A model that cannot bear to play.
pub struct StageFright;

impl Model for StageFright {
    fn name(&self) -> &str {
        "stage fright"
    }

    fn window(&self) -> Option<usize> {
        Some(25)
    }

    fn silence(&self) -> State {
        State::of(())
    }

    fn forget(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn draw(&self, _: &mut State, _: &SamplingSettings, _: &Limits, _: &mut Chance) -> RelativeNote {
        panic!("stage fright, as this test wants it");
    }
}
