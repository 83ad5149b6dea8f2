//! The networks, and the trait by which all of them are played.
//!
//! A model owns only its weights; what it has heard lies in a [`State`]. So any number of instances share one
//! model.

pub mod antiphon;
pub mod classic;
mod layers;
pub mod lstm;
mod operations;
pub mod personal;
pub mod product;
pub mod registry;
pub mod sampling;
mod sampling_settings;
pub mod vector;
pub mod weights;

use std::{any::Any, fmt::Debug};

pub use self::{
    sampling::{Chord, Limits, Sampling, StepCells},
    sampling_settings::{SamplingSettings, VelocityPull},
};
use crate::music::{
    conditions::Conditions,
    note::{GridNote, Key, RelativeNote},
};

/// What a state must be: one that the same model made. The message of the panic where it is not.
const ANOTHER_MODELS: &str = "a state of the same model";

/// The random generator of all draws. Its seed comes from the caller, so that a take can be replayed.
pub type Rng = rand_pcg::Pcg32;

/// A network with its weights. Never allocates after [`Model::initial_state`].
pub trait Model: Send + Sync {
    /// The name of its card, such as `classic-150`.
    fn name(&self) -> &str;

    /// The length of its window in notes, for a model that hears the newest notes anew for each draw. `None`
    /// for a recurrent model, whose state carries on from note to note.
    fn window(&self) -> Option<usize>;

    /// The state before the first note, with all the memory that a step needs. Allocates.
    fn initial_state(&self) -> State;

    /// Resets to the state before the first note. Realtime-safe.
    fn reset(&self, state: &mut State);

    /// Says that the next note is the first of a piece, with nothing before it. Realtime-safe.
    fn begin_piece(&self, _state: &mut State) {}

    /// Hears one note. Notes of one onset come in the order of their keys. Realtime-safe.
    fn hear(&self, state: &mut State, note: GridNote);

    /// Whether the model can predict the end of a piece.
    fn knows_endings(&self) -> bool {
        false
    }

    /// Draws whether the piece is over after all that `state` has heard. A model that cannot predict the end
    /// always answers no. Realtime-safe.
    fn is_over(&self, _state: &mut State, _sampling: &SamplingSettings, _chance: &mut Rng) -> bool {
        false
    }

    /// The probability of each key to be the next one, after all that `state` has heard. `None` from a model
    /// that does not offer this. Realtime-safe.
    fn key_probabilities(&self, _state: &mut State) -> Option<KeyProbabilities> {
        None
    }

    /// Draws the next note after all that `state` has heard. Realtime-safe.
    ///
    /// The probabilities from which the key was drawn are left in [`State::key_probabilities`], if the model
    /// has any.
    ///
    /// The note keeps the limits; its step does so as far as the model's grid allows. Its duration is never
    /// too short for an instrument to sound.
    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        rng: &mut Rng,
    ) -> RelativeNote;
}

/// The state of a model after the notes that it has heard, with its scratch space.
#[derive(Debug)]
pub struct State {
    own: Box<dyn Own>,
    /// The conditions at the newest onset, from which steps count. Set this before asking for the next note.
    pub now: Conditions,
    /// The probabilities from which the newest key was drawn.
    pub key_probabilities: Option<KeyProbabilities>,
}

impl State {
    /// Wraps a state of the model's own type. Its `clone_from` must not allocate between two states of one
    /// model.
    pub fn of<T: Any + Clone + Debug + Send + Sync>(own: T) -> Self {
        Self { own: Box::new(own), now: Conditions::UNKNOWN, key_probabilities: None }
    }

    /// The state as the model's own type. Panics where it is of another type. Realtime-safe.
    pub fn own<T: Any>(&self) -> &T {
        (&*self.own as &dyn Any).downcast_ref().expect(ANOTHER_MODELS)
    }

    /// [`State::own`], mutable.
    pub fn own_mut<T: Any>(&mut self) -> &mut T {
        self.own.of_type()
    }

    /// Copies what another state of the same model knows. Realtime-safe.
    pub fn copy_from(&mut self, other: &Self) {
        (*self.own).copy_from(&*other.own);
    }
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self { own: (*self.own).boxed(), now: self.now, key_probabilities: self.key_probabilities.clone() }
    }
}

/// The probabilities of all keys, which sum to 1, as the network gives them: before temperature, focus and
/// limits.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyProbabilities([f32; Key::COUNT]);

impl KeyProbabilities {
    /// The softmax of the logits of all keys. Realtime-safe.
    pub fn of(logits: &[f32]) -> Self {
        let mut probabilities = [f32::NEG_INFINITY; Key::COUNT];
        for (probabilities, logit) in probabilities.iter_mut().zip(logits) {
            *probabilities = *logit;
        }
        let sum = vector::softmax_unscaled(&mut probabilities);
        vector::softmax_scale(&mut probabilities, sum);
        Self(probabilities)
    }

    /// The probability of a key, 0..=1.
    pub fn of_key(&self, key: Key) -> f32 {
        self.0[key.index()]
    }

    /// All probabilities, in the order of the keys.
    pub fn all(&self) -> &[f32; Key::COUNT] {
        &self.0
    }
}

/// A model's own state behind a trait object, so that [`State`] can hold any type.
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
        let probabilities = KeyProbabilities::of(&logits);
        assert!((probabilities.all().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((probabilities.of_key(Key::saturating(60)) - 0.5).abs() < 1e-5);
    }
}
