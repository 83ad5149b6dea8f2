//! The networks: what a model can do, and where models come from.
//!
//! A model is state in, state out: it owns its weights alone, so any number of instances share one.

mod affine;
pub mod antiphon;
pub mod classic;
mod key_odds;
mod limits;
pub mod lstm;
pub mod personal;
pub mod preset;
pub(crate) mod product;
pub mod sampling;
mod storage;
mod taste;
pub mod vector;
pub mod weights;

pub use self::{
    key_odds::KeyOdds,
    limits::{Chord, Limits, StepCells},
    preset::Preset,
    taste::{Pull, Sampling, Taste},
    weights::{embedded, load},
};
use crate::music::{conditions::Conditions, grid::GridNote, note::RelativeNote};

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

    /// Hears one note. Notes of one onset come in the order of their keys. Realtime-safe.
    fn hear(&self, state: &mut State, note: GridNote);

    /// Whether it knows how pieces end.
    fn knows_endings(&self) -> bool {
        false
    }

    /// Draws whether the piece is over after all that `state` has heard; a model that knows no endings never says so.
    /// Realtime-safe.
    fn is_over(&self, _state: &mut State, _taste: &Taste, _chance: &mut Chance) -> bool {
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
    fn draw(&self, state: &mut State, taste: &Taste, limits: &Limits, chance: &mut Chance) -> RelativeNote;
}

/// What a model knows after the notes it has heard, with its scratch space.
#[derive(Debug, Clone)]
pub struct State {
    /// Their layout is the model's own.
    pub numbers: Vec<f32>,
    /// What sounds, for a model that asks; otherwise silence.
    pub scene: antiphon::Scene,
    /// What is known where steps count from: at the newest onset. Whoever asks what comes next says it before.
    pub now: Conditions,
    /// Of the key that was drawn last.
    pub odds: Option<KeyOdds>,
}

impl State {
    /// A state of these numbers in a silent scene.
    pub fn of(numbers: Vec<f32>) -> Self {
        Self { numbers, scene: antiphon::Scene::SILENCE, now: Conditions::UNKNOWN, odds: None }
    }

    /// The next note is the first of a piece, before which nothing was heard. Realtime-safe.
    pub fn begin_piece(&mut self) {
        self.scene = antiphon::Scene::BEGINNING;
    }

    /// Comes to know what another state of the same model knows. Realtime-safe.
    pub fn copy_from(&mut self, other: &Self) {
        self.numbers.copy_from_slice(&other.numbers);
        self.scene.clone_from(&other.scene);
    }
}
