//! The network note by note, for playing: the graph of `network`, one step at a time and without an allocation.

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
    experts::{Places, Shares},
    scene::{Features, KEY, Scene},
    vocabulary::{Bin, OVER, STEPS, TIMES},
};
use crate::{
    model::{Chance, KeyOdds, Limits, Model, SamplingSettings, State, layers::Packed, sampling, vector},
    music::{
        conditions::Conditions,
        note::{GridNote, RelativeNote, seconds},
        time::Seconds,
    },
};

/// Half a cell: what is left of a note that begins late in its cell.
const SHORTEST: Seconds = Seconds(0.005);

/// Shorter steps may still join the newest chord. Their bins are one cell each.
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

/// What the network knows after the notes it has heard, with its scratch space.
#[derive(Debug)]
struct NetworkState {
    /// What [`layer::split`] cuts into its parts.
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

/// What tells one attribute of the next note.
#[derive(Debug, Clone)]
struct Head {
    hidden: Packed,
    /// (told, hidden); empty for a head that is told of nothing.
    table: Vec<f32>,
    output: Packed,
}

impl AntiphonModel {
    /// Packs weights, all of which are there by the names of [`super::tensors`].
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
        // Before the first note, the memory is asked too.
        let mut silence = model.silence.clone();
        model.think(&mut layer::split(&mut silence.numbers), 0);
        model.silence = silence;
        model
    }

    /// From what the first LSTM knows to all that is known before the next note, but for the last look at the memory.
    fn think(&self, parts: &mut Parts, heard: usize) {
        let Parts { layers, known, scratch, .. } = parts;
        known.copy_from_slice(layers[0].hidden);
        for (n, (layer, part)) in self.layers.iter().zip(layers).enumerate() {
            if n > 0 {
                layer.hear(known, part, scratch);
                vector::add(known, 1.0, part.hidden);
            }
            layer.ask(known, part);
            if n + 1 < LAYERS {
                layer.read(heard, known, part, scratch);
                vector::layer_norm(scratch.sum, known);
            }
        }
    }

    /// Takes the last look at the memory, which only a draw needs.
    fn read_memory(&self, parts: &mut Parts, heard: usize) {
        let last = LAYERS - 1;
        self.layers[last].read(heard, parts.known, &parts.layers[last], &mut parts.scratch);
        vector::layer_norm(parts.scratch.sum, parts.scratch.context);
    }

    /// The logits of a head that is told of `told`.
    fn head_logits<'a>(&self, head: usize, told: &Features, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let Head { hidden, table, output } = &self.heads[head];
        let thought = &mut scratch.thought[..hidden.outputs()];
        hidden.apply(scratch.context, thought);
        if !table.is_empty() {
            vector::embedding_bag(table, told.items(), thought);
        }
        thought.iter_mut().for_each(|number| *number = number.max(0.0));
        let logits = &mut scratch.logits[..output.outputs()];
        output.apply(thought, logits);
        logits
    }

    /// The logits of the choices for a step, by both experts.
    fn step_logits<'a>(&self, now: &Conditions, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let logits = self.head_logits(0, &Features::default(), scratch);
        let (choices, experts) = logits.split_at_mut(STEPS);
        if let Some(pulse) = now.pulse {
            Shares::fold(choices, experts, &Places::after(pulse, 0));
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

    fn silence(&self) -> State {
        State::of(self.silence.clone())
    }

    fn forget(&self, state: &mut State) {
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
            layer.remember(place, parts.embedding, parts.scratch.value, part);
        }
        self.layers[0].hear(parts.embedding, &mut parts.layers[0], &mut parts.scratch);
        scene.hear(&note);
        self.think(&mut parts, scene.heard());
    }

    fn knows_endings(&self) -> bool {
        true
    }

    fn is_over(&self, state: &mut State, sampling: &SamplingSettings, chance: &mut Chance) -> bool {
        let State { own, now, .. } = state;
        let NetworkState { numbers, scene } = own.of_type();
        let mut parts = layer::split(numbers);
        self.read_memory(&mut parts, scene.heard());
        let logits = self.step_logits(now, &mut parts.scratch);
        sampling::draw(logits, &sampling.timing, chance.random()) == OVER
    }

    /// After the likeliest step that begins no part of the newest chord, whose time is over when anybody looks.
    fn foresee(&self, state: &mut State) -> Option<KeyOdds> {
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
        Some(KeyOdds::of(self.head_logits(1, &told, &mut parts.scratch)))
    }

    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        chance: &mut Chance,
    ) -> RelativeNote {
        let State { own, now, odds } = state;
        let NetworkState { numbers, scene } = own.of_type();
        let mut parts = layer::split(numbers);
        self.read_memory(&mut parts, scene.heard());
        let scratch = &mut parts.scratch;
        let mut choice = Choice { scene, sampling, limits, chance };
        let mut told = Features::default();
        let (step, dither) = choice.step(self.head_logits(0, &told, scratch), now.pulse);
        let conditions = now.after(seconds(step));
        scene.tell_step(step, &mut told);
        scene.tell_conditions(&conditions, &mut told);
        let mut told_of_keys = told.clone();
        scene.tell_recent(KEY, &mut told_of_keys);
        let logits = self.head_logits(1, &told_of_keys, scratch);
        *odds = Some(KeyOdds::of(logits));
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
