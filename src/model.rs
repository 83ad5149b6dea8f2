//! The networks: what a model can do.
//!
//! A model is state in, state out: it owns its weights alone, so any number of instances share one.

pub mod antiphon;
pub mod classic;
mod layers;
pub mod lstm;
mod operations;
pub mod personal;
pub(crate) mod product;
pub mod registry;
pub mod sampling;
mod sampling_settings;
pub mod vector;
pub mod weights;

use std::{any::Any, fmt::Debug};

pub use self::{
    sampling::{Chord, Limits, StepCells},
    sampling_settings::{Sampling, SamplingSettings, VelocityPull},
};
use crate::music::{
    conditions::Conditions,
    note::{GridNote, Key, RelativeNote},
};

/// Why a state cannot be used: each goes back to the model that it came from.
const ANOTHER_MODELS: &str = "a state of the same model";

/// The source of all chance: seeded from above, so that a take can be replayed.
pub type Chance = rand_pcg::Pcg32;

/// A network with its weights. Never allocates after [`Model::silence`].
pub trait Model: Send + Sync {
    /// The name of its card, such as `classic-150`.
    fn name(&self) -> &str;

    /// How many notes it hears: a window that slides over the newest ones, heard anew for each draw. None for a
    /// network that carries what it knows from note to note, and hears on.
    fn window(&self) -> Option<usize>;

    /// The state before the first note, with all the room that a step needs. Allocates.
    fn silence(&self) -> State;

    /// Back to the state before the first note. Realtime-safe.
    fn forget(&self, state: &mut State);

    /// The next note is the first of a piece, before which nothing was heard. Realtime-safe.
    fn begin_piece(&self, _state: &mut State) {}

    /// Hears one note. Notes of one onset come in the order of their keys. Realtime-safe.
    fn hear(&self, state: &mut State, note: GridNote);

    /// Whether it knows how pieces end.
    fn knows_endings(&self) -> bool {
        false
    }

    /// Draws whether the piece is over after all that `state` has heard; a model that knows no endings never says so.
    /// Realtime-safe.
    fn is_over(&self, _state: &mut State, _sampling: &SamplingSettings, _chance: &mut Chance) -> bool {
        false
    }

    /// How likely each key is to be the next one, after all that `state` has heard; `None` from a model that does not
    /// tell. Realtime-safe.
    fn foresee(&self, _state: &mut State) -> Option<KeyOdds> {
        None
    }

    /// Draws the next note after all that `state` has heard. Realtime-safe.
    ///
    /// It leaves the odds among which the key was chosen in [`State::odds`], if it has any.
    ///
    /// It keeps the limits, its step as far as the model's grid allows; its duration is one that an instrument speaks.
    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        chance: &mut Chance,
    ) -> RelativeNote;
}

/// What a model knows after the notes it has heard, with its scratch space.
#[derive(Debug)]
pub struct State {
    own: Box<dyn Own>,
    /// What is known where steps count from: at the newest onset. Whoever asks what comes next says it before.
    pub now: Conditions,
    /// Of the key that was drawn last.
    pub odds: Option<KeyOdds>,
}

impl State {
    /// A state of the model's own type. Between two states of one model, its `clone_from` must not allocate.
    pub fn of<T: Any + Clone + Debug + Send + Sync>(own: T) -> Self {
        Self { own: Box::new(own), now: Conditions::UNKNOWN, odds: None }
    }

    /// What it is to its model. Panics where that is of another type. Realtime-safe.
    pub fn own<T: Any>(&self) -> &T {
        (&*self.own as &dyn Any).downcast_ref().expect(ANOTHER_MODELS)
    }

    /// [`State::own`], to change it.
    pub fn own_mut<T: Any>(&mut self) -> &mut T {
        self.own.of_type()
    }

    /// Comes to know what another state of the same model knows. Realtime-safe.
    pub fn copy_from(&mut self, other: &Self) {
        (*self.own).copy_from(&*other.own);
    }
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self { own: (*self.own).boxed(), now: self.now, odds: self.odds.clone() }
    }
}

/// The odds of all keys as the network judges them, before temperature, focus and any limit. They sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyOdds([f32; Key::COUNT]);

impl KeyOdds {
    /// From the logits of all keys. Realtime-safe.
    pub fn of(logits: &[f32]) -> Self {
        let mut odds = [f32::NEG_INFINITY; Key::COUNT];
        for (odds, logit) in odds.iter_mut().zip(logits) {
            *odds = *logit;
        }
        let sum = vector::softmax_unscaled(&mut odds);
        vector::softmax_scale(&mut odds, sum);
        Self(odds)
    }

    /// How likely a key is, 0..=1.
    pub fn of_key(&self, key: Key) -> f32 {
        self.0[key.index()]
    }

    /// In the order of the keys.
    pub fn all(&self) -> &[f32; Key::COUNT] {
        &self.0
    }
}

/// A state of one model, of whatever type.
trait Own: Any + Debug + Send + Sync {
    fn boxed(&self) -> Box<dyn Own>;

    fn copy_from(&mut self, other: &dyn Own);
}

impl<T: Any + Clone + Debug + Send + Sync> Own for T {
    fn boxed(&self) -> Box<dyn Own> {
        Box::new(self.clone())
    }

    fn copy_from(&mut self, other: &dyn Own) {
        self.clone_from((other as &dyn Any).downcast_ref().expect(ANOTHER_MODELS));
    }
}

impl dyn Own {
    fn of_type<T: Any>(&mut self) -> &mut T {
        (self as &mut dyn Any).downcast_mut().expect(ANOTHER_MODELS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_of_all_keys_sum_to_one_and_follow_the_logits() {
        let mut logits = [0.0; Key::COUNT];
        logits[60] = 127f32.ln();
        let odds = KeyOdds::of(&logits);
        assert!((odds.all().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((odds.of_key(Key::saturating(60)) - 0.5).abs() < 1e-5);
    }
}
