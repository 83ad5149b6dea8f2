//! The network note by note, for playing: the graph of `network`, one step at a time and without an allocation.

mod choice;
mod layer;
mod layout;
mod repeats;
#[cfg(test)]
mod tests;

use rand::RngExt;

use self::{
    choice::Choice,
    layer::Layer,
    layout::{Parts, Scratch},
};
use super::{
    experts::{Places, Shares},
    features::Features,
    scene::KEY,
    shape::{HEADS, LAYERS, MEMORY},
    vocabulary::{Bin, OVER, STEPS, TIMES},
};
use crate::{
    model::{Chance, KeyOdds, Limits, Model, State, Taste, lstm::Packed, sampling, vector, weights::Weights},
    music::{
        conditions::Conditions,
        grid::{GridNote, seconds},
        note::RelativeNote,
        time::Seconds,
    },
};

/// Half a cell: what is left of a note that begins late in its cell.
const SHORTEST: Seconds = Seconds(0.005);

/// Bins of a step this short are one cell each, and hold the notes of one chord.
const CHORD_CELLS: usize = 5;

/// Our own network, ready to play: its weights are packed for one note at a time.
#[derive(Debug, Clone)]
pub struct Antiphon {
    name: String,
    /// (HEARD, EMBEDDING)
    hear: Vec<f32>,
    layers: Vec<Layer>,
    heads: Vec<Head>,
    /// The state before the first note.
    silence: State,
}

/// What tells one attribute of the next note.
#[derive(Debug, Clone)]
struct Head {
    hidden: Packed,
    /// (told, hidden); empty for a head that is told of nothing.
    table: Vec<f32>,
    output: Packed,
}

impl Antiphon {
    /// Packs weights that [`crate::model::weights::read`] has found complete.
    pub fn new(weights: &Weights) -> Self {
        let head = |head: &super::shape::Head| Head {
            hidden: weights.affine(&[&format!("{}.hidden", head.name)]),
            table: match head.told {
                0 => Vec::new(),
                _ => weights.numbers(&format!("{}.table", head.name)).to_vec(),
            },
            output: weights.affine(&[head.name]),
        };
        let mut model = Self {
            name: weights.name.clone(),
            hear: weights.numbers("hear.table").to_vec(),
            layers: (0..LAYERS).map(|layer| Layer::new(layer, weights)).collect(),
            heads: HEADS.iter().map(head).collect(),
            silence: State::of(vec![0.0; layout::length()]),
        };
        // Before the first note, the memory is asked too.
        let mut silence = model.silence.clone();
        model.think(&mut layout::split(&mut silence.numbers), 0);
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
                vector::normalise(scratch.sum, known);
            }
        }
    }

    /// Takes the last look at the memory, which only a draw needs.
    fn look_back(&self, parts: &mut Parts, heard: usize) {
        let last = LAYERS - 1;
        self.layers[last].read(heard, parts.known, &parts.layers[last], &mut parts.scratch);
        vector::normalise(parts.scratch.sum, parts.scratch.context);
    }

    /// The logits of a head that is told of `told`.
    fn say<'a>(&self, head: usize, told: &Features, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let Head { hidden, table, output } = &self.heads[head];
        let thought = &mut scratch.thought[..hidden.outputs()];
        hidden.apply(scratch.context, thought);
        if !table.is_empty() {
            vector::gather(table, told.items(), thought);
        }
        thought.iter_mut().for_each(|number| *number = number.max(0.0));
        let logits = &mut scratch.logits[..output.outputs()];
        output.apply(thought, logits);
        logits
    }
}

impl Antiphon {
    /// The logits of the choices for a step, by both experts.
    fn say_step<'a>(&self, now: &Conditions, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let logits = self.say(0, &Features::default(), scratch);
        let (choices, experts) = logits.split_at_mut(STEPS);
        if let Some(pulse) = now.pulse {
            Shares::fold(choices, experts, &Places::after(pulse, 0));
        }
        choices
    }
}

impl Model for Antiphon {
    fn name(&self) -> &str {
        &self.name
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        self.silence.clone()
    }

    fn forget(&self, state: &mut State) {
        state.copy_from(&self.silence);
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        let State { numbers, scene, .. } = state;
        let mut features = Features::default();
        scene.tell_step(note.step, &mut features);
        scene.tell_conditions(&note.conditions, &mut features);
        scene.tell_key(note.step, note.key, &mut features);
        scene.tell_velocity(note.step, note.velocity, &mut features);
        scene.tell_duration(note.step, note.duration, &mut features);
        scene.tell_who(&note.conditions, &mut features);
        let mut parts = layout::split(numbers);
        parts.embedding.fill(0.0);
        vector::gather(&self.hear, features.items(), parts.embedding);
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

    fn is_over(&self, state: &mut State, taste: &Taste, chance: &mut Chance) -> bool {
        let State { numbers, scene, now, .. } = state;
        let mut parts = layout::split(numbers);
        self.look_back(&mut parts, scene.heard());
        let logits = self.say_step(now, &mut parts.scratch);
        sampling::draw(logits, &taste.timing, chance.random()) == OVER
    }

    /// After the likeliest step that begins no part of the newest chord, whose time is over when anybody looks.
    fn foresee(&self, state: &mut State) -> Option<KeyOdds> {
        let State { numbers, scene, now, .. } = state;
        let mut parts = layout::split(numbers);
        self.look_back(&mut parts, scene.heard());
        let steps = &self.say_step(now, &mut parts.scratch)[..TIMES];
        let later = steps.iter().enumerate().skip(CHORD_CELLS);
        let likeliest = later.max_by(|one, other| one.1.total_cmp(other.1));
        let step = Bin::at(likeliest.map_or(CHORD_CELLS, |(bin, _)| bin)).first_cell;
        let mut told = Features::default();
        scene.tell_step(step, &mut told);
        scene.tell_conditions(&now.after(seconds(step)), &mut told);
        scene.tell_recent(KEY, &mut told);
        Some(KeyOdds::of(self.say(1, &told, &mut parts.scratch)))
    }

    fn draw(&self, state: &mut State, taste: &Taste, limits: &Limits, chance: &mut Chance) -> RelativeNote {
        let State { numbers, scene, now, odds } = state;
        let mut parts = layout::split(numbers);
        self.look_back(&mut parts, scene.heard());
        let scratch = &mut parts.scratch;
        let mut choice = Choice { scene, taste, limits, chance };
        let mut told = Features::default();
        let (step, dither) = choice.step(self.say(0, &told, scratch), now.pulse);
        let conditions = now.after(seconds(step));
        scene.tell_step(step, &mut told);
        scene.tell_conditions(&conditions, &mut told);
        let mut told_of_keys = told.clone();
        scene.tell_recent(KEY, &mut told_of_keys);
        let logits = self.say(1, &told_of_keys, scratch);
        *odds = Some(KeyOdds::of(logits));
        let key = choice.key(logits, step);
        scene.tell_key(step, key, &mut told);
        let velocity = choice.velocity(self.say(2, &told, scratch));
        scene.tell_velocity(step, velocity, &mut told);
        let duration = choice.duration(self.say(3, &told, scratch), step, conditions.pulse);
        let note = GridNote { step, key, velocity, duration, conditions };
        let step = limits.step(Seconds(note.step_seconds().0 + dither.0).max(Seconds::ZERO));
        let end = Seconds(note.step_seconds().0 + note.duration_seconds().0);
        RelativeNote { step, duration: Seconds(end.0 - step.0).max(SHORTEST), key, velocity }
    }
}
