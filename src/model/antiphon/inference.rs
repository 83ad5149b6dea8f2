//! The network for playing: the graph of `network`, computed one note at a time and without allocations.

mod choice;
mod layer;
mod motives;
#[cfg(test)]
mod tests;

use rand::RngExt;

use self::{
    choice::Choice,
    layer::{Layer, Parts, Scratch},
};
use super::{
    HEADS, LAYERS, MEMORY,
    experts::{BeatPlaces, Shares},
    scene::{Features, KEY, Scene},
    vocabulary::{Bin, OVER, STEPS, TIMES},
};
use crate::{
    model::{
        KeyProbabilities, Limits, Model, Rng, SamplingSettings, State, layers::Packed, sampling, vector,
    },
    music::{
        conditions::Conditions,
        note::{GridNote, RelativeNote, seconds},
        time::Seconds,
    },
};

/// Shortest duration: half a cell, which is left of a note that begins late in its cell.
const SHORTEST: Seconds = Seconds(0.005);

/// First bin of a step that certainly does not join the newest chord. All bins up to it are one cell each.
const FIRST_LATER_BIN: usize = 5;

/// Our own network, ready to play: its weights are packed for one note at a time.
#[derive(Debug, Clone)]
pub struct AntiphonModel {
    name: String,
    /// (HEARD, EMBEDDING)
    hear: Vec<f32>,
    layers: Vec<Layer>,
    heads: Vec<Head>,
    /// The state before the first note.
    silence: NetworkState,
}

/// The state of the network after the notes that it has heard, with its scratch space.
#[derive(Debug)]
struct NetworkState {
    /// All numbers of the state, which [`layer::split`] cuts into parts.
    numbers: Vec<f32>,
    scene: Scene,
}

impl Clone for NetworkState {
    fn clone(&self) -> Self {
        Self { numbers: self.numbers.clone(), scene: self.scene.clone() }
    }

    /// Allocates nothing.
    fn clone_from(&mut self, other: &Self) {
        self.numbers.copy_from_slice(&other.numbers);
        self.scene.clone_from(&other.scene);
    }
}

/// A head, which gives the logits of one attribute of the next note.
#[derive(Debug, Clone)]
struct Head {
    hidden: Packed,
    /// (told, hidden); empty for a head without input features of its own.
    table: Vec<f32>,
    output: Packed,
}

impl AntiphonModel {
    /// Packs the weights; `numbers` must have all tensors of [`super::tensors`] by name.
    pub fn new<'a>(name: &str, numbers: impl Fn(&str) -> &'a [f32]) -> Self {
        let head = |head: &super::Head| Head {
            hidden: Packed::affine(&[&format!("{}.hidden", head.name)], &numbers),
            table: match head.told {
                0 => Vec::new(),
                _ => numbers(&format!("{}.table", head.name)).to_vec(),
            },
            output: Packed::affine(&[head.name], &numbers),
        };
        let mut model = Self {
            name: name.to_owned(),
            hear: numbers("hear.table").to_vec(),
            layers: (0..LAYERS).map(|layer| Layer::new(layer, &numbers)).collect(),
            heads: HEADS.iter().map(head).collect(),
            silence: NetworkState { numbers: vec![0.0; layer::length()], scene: Scene::SILENCE },
        };
        // The memory is read before the first note as well.
        let mut silence = model.silence.clone();
        model.run_layers(&mut layer::split(&mut silence.numbers), 0);
        model.silence = silence;
        model
    }

    /// Runs all layers from the hidden state of the first LSTM, except for the last read of the memory.
    fn run_layers(&self, parts: &mut Parts, heard: usize) {
        let Parts { layers, known, scratch, .. } = parts;
        known.copy_from_slice(layers[0].hidden);
        for (n, (layer, part)) in self.layers.iter().zip(layers).enumerate() {
            if n > 0 {
                layer.step_lstm(known, part, scratch);
                vector::add(known, 1.0, part.hidden);
            }
            layer.project(known, part);
            if n + 1 < LAYERS {
                layer.attend(heard, known, part, scratch);
                vector::layer_norm(scratch.sum, known);
            }
        }
    }

    /// Does the last read of the memory, which only predictions need: a draw, the end and the key
    /// probabilities.
    fn read_memory(&self, parts: &mut Parts, heard: usize) {
        let last = LAYERS - 1;
        self.layers[last].attend(heard, parts.known, &parts.layers[last], &mut parts.scratch);
        vector::layer_norm(parts.scratch.sum, parts.scratch.context);
    }

    /// The logits of a head with the input features `told`.
    fn head_logits<'a>(&self, head: usize, told: &Features, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let Head { hidden, table, output } = &self.heads[head];
        let head_hidden = &mut scratch.head_hidden[..hidden.outputs()];
        hidden.apply(scratch.context, head_hidden);
        if !table.is_empty() {
            vector::embedding_bag(table, told.items(), head_hidden);
        }
        head_hidden.iter_mut().for_each(|number| *number = number.max(0.0));
        let logits = &mut scratch.logits[..output.outputs()];
        output.apply(head_hidden, logits);
        logits
    }

    /// The logits of the choices for a step, with both experts folded in.
    fn step_logits<'a>(&self, now: &Conditions, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let logits = self.head_logits(0, &Features::default(), scratch);
        let (choices, experts) = logits.split_at_mut(STEPS);
        if let Some(pulse) = now.pulse {
            Shares::fold(choices, experts, &BeatPlaces::after(pulse, 0));
        }
        choices
    }
}

impl Model for AntiphonModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn initial_state(&self) -> State {
        State::of(self.silence.clone())
    }

    fn reset(&self, state: &mut State) {
        state.own_mut::<NetworkState>().clone_from(&self.silence);
    }

    fn begin_piece(&self, state: &mut State) {
        state.own_mut::<NetworkState>().scene = Scene::BEGINNING;
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        let NetworkState { numbers, scene } = state.own_mut();
        let mut features = Features::default();
        scene.tell_step(note.step, &mut features);
        scene.tell_conditions(&note.conditions, &mut features);
        scene.tell_key(note.step, note.key, &mut features);
        scene.tell_velocity(note.step, note.velocity, &mut features);
        scene.tell_duration(note.step, note.duration, &mut features);
        scene.tell_who(&note.conditions, &mut features);
        let mut parts = layer::split(numbers);
        parts.embedding.fill(0.0);
        vector::embedding_bag(&self.hear, features.items(), parts.embedding);
        let place = scene.heard() % MEMORY;
        for (layer, part) in self.layers.iter().zip(&mut parts.layers) {
            layer.write(place, parts.embedding, parts.scratch.value, part);
        }
        self.layers[0].step_lstm(parts.embedding, &mut parts.layers[0], &mut parts.scratch);
        scene.hear(&note);
        self.run_layers(&mut parts, scene.heard());
    }

    fn knows_endings(&self) -> bool {
        true
    }

    fn is_over(&self, state: &mut State, sampling: &SamplingSettings, rng: &mut Rng) -> bool {
        let State { own, now, .. } = state;
        let NetworkState { numbers, scene } = own.of_type();
        let mut parts = layer::split(numbers);
        self.read_memory(&mut parts, scene.heard());
        let logits = self.step_logits(now, &mut parts.scratch);
        sampling::draw(logits, &sampling.timing, rng.random()) == OVER
    }

    /// Computed after the likeliest step that does not join the newest chord: when this is shown, the time
    /// for joining is over.
    fn key_probabilities(&self, state: &mut State) -> Option<KeyProbabilities> {
        let State { own, now, .. } = state;
        let NetworkState { numbers, scene } = own.of_type();
        let mut parts = layer::split(numbers);
        self.read_memory(&mut parts, scene.heard());
        let steps = &self.step_logits(now, &mut parts.scratch)[..TIMES];
        let later = steps.iter().enumerate().skip(FIRST_LATER_BIN);
        let likeliest = later.max_by(|one, other| one.1.total_cmp(other.1));
        let step = Bin::at(likeliest.map_or(FIRST_LATER_BIN, |(bin, _)| bin)).first_cell;
        let mut told = Features::default();
        scene.tell_step(step, &mut told);
        scene.tell_conditions(&now.after(seconds(step)), &mut told);
        scene.tell_recent(KEY, &mut told);
        Some(KeyProbabilities::of(self.head_logits(1, &told, &mut parts.scratch)))
    }

    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        rng: &mut Rng,
    ) -> RelativeNote {
        let State { own, now, key_probabilities } = state;
        let NetworkState { numbers, scene } = own.of_type();
        let mut parts = layer::split(numbers);
        self.read_memory(&mut parts, scene.heard());
        let scratch = &mut parts.scratch;
        let mut choice = Choice { scene, sampling, limits, rng };
        let mut told = Features::default();
        let (step, dither) = choice.step(self.head_logits(0, &told, scratch), now.pulse);
        let conditions = now.after(seconds(step));
        scene.tell_step(step, &mut told);
        scene.tell_conditions(&conditions, &mut told);
        let mut told_of_keys = told.clone();
        scene.tell_recent(KEY, &mut told_of_keys);
        let logits = self.head_logits(1, &told_of_keys, scratch);
        *key_probabilities = Some(KeyProbabilities::of(logits));
        let key = choice.key(logits, step);
        scene.tell_key(step, key, &mut told);
        let velocity = choice.velocity(self.head_logits(2, &told, scratch));
        scene.tell_velocity(step, velocity, &mut told);
        let duration = choice.duration(self.head_logits(3, &told, scratch), step, conditions.pulse);
        let note = GridNote { step, key, velocity, duration, conditions };
        let step = limits.step(Seconds(note.step_seconds().0 + dither.0).max(Seconds::ZERO));
        let end = Seconds(note.step_seconds().0 + note.duration_seconds().0);
        RelativeNote { step, duration: Seconds(end.0 - step.0).max(SHORTEST), key, velocity }
    }
}
