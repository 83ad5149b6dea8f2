//! The published baselines: one or two LSTMs that read pitch, step and duration as three plain numbers.

#[cfg(test)]
mod tests;

use candle_core::{Result, Tensor};
use rand::RngExt;

use super::{
    KeyProbabilities, Limits, Model, Rng, SamplingSettings, State,
    layers::{Named, Packed, affine_tensors, lstm_tensors},
    lstm::Lstm,
    operations::Affine,
    product::Precision,
    sampling, vector,
};
use crate::music::{
    note::{GridNote, Key, RelativeNote, Velocity},
    time::Seconds,
};

/// Number of input features: pitch, step, duration.
pub const INPUTS: usize = 3;
/// The heads, in the order of their outputs.
const HEADS: [&str; 3] = ["pitch", "step", "duration"];
/// Longest step and duration that is heard and learnt; longer ones count as this. Otherwise the square of one
/// long rest would outweigh a thousand notes.
pub const LONGEST: Seconds = Seconds(4.0);

pub const CLASSIC_25: Config = Config { name: "classic-25", window: 25, layers: 1, hidden: 128, dense: None };
pub const CLASSIC_150: Config =
    Config { name: "classic-150", window: 150, layers: 2, hidden: 128, dense: Some(256) };

/// Shortest duration that is played: a shorter note is a click, and the heads know no limit.
const SHORTEST: Seconds = Seconds(0.03);
/// The velocity that is played where no velocity was heard.
const MEZZO_FORTE: u8 = 64;

/// Number of heard velocities from which a model borrows, since it has no dynamics of its own.
const RECENT: usize = 32;

/// The shape of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    pub name: &'static str,
    /// Length of the window in notes.
    pub window: usize,
    pub layers: usize,
    /// Hidden units of each LSTM.
    pub hidden: usize,
    /// Units of the layer between the last LSTM and the heads.
    pub dense: Option<usize>,
}

impl Config {
    /// Number of inputs of an LSTM, without its own hidden state.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 { INPUTS } else { self.hidden }
    }

    /// Every tensor of a model file with its shape.
    pub fn tensors(&self) -> Vec<Named> {
        let lstms = (0..self.layers).flat_map(|layer| lstm_tensors(layer, self.hidden, self.inputs(layer)));
        let dense = self.dense.into_iter().flat_map(|dense| affine_tensors("dense", dense, self.hidden));
        let read = self.dense.unwrap_or(self.hidden);
        let heads = HEADS.into_iter().zip([Key::COUNT, 1, 1]);
        let heads = heads.flat_map(|(head, outputs)| affine_tensors(head, outputs, read));
        lstms.chain(dense).chain(heads).collect()
    }
}

/// The input features of a note.
pub fn features(key: Key, step: Seconds, duration: Seconds) -> [f32; INPUTS] {
    [f32::from(key.number()) / 128.0, bounded(step).0, bounded(duration).0]
}

/// Clamps a time to 0..=[`LONGEST`]; NaN becomes 0.
fn bounded(time: Seconds) -> Seconds {
    time.max(Seconds::ZERO).min(LONGEST)
}

/// A baseline, ready to play: its weights are packed for one note at a time.
#[derive(Debug, Clone)]
pub struct Classic {
    name: String,
    layout: Layout,
    lstms: Vec<Packed>,
    dense: Option<Packed>,
    /// Outputs: 128 logits, the step in seconds, the duration in seconds.
    heads: Packed,
}

impl Classic {
    /// Packs the weights of a network; `numbers` must have all tensors of [`Config::tensors`] by name.
    pub fn new<'a>(config: Config, name: &str, numbers: impl Fn(&str) -> &'a [f32]) -> Self {
        Self {
            name: name.to_owned(),
            layout: Layout::new(config),
            lstms: (0..config.layers).map(|layer| Packed::lstm(layer, &numbers)).collect(),
            dense: config.dense.map(|_| Packed::affine(&["dense"], &numbers)),
            heads: Packed::affine(&HEADS, &numbers),
        }
    }

    /// Runs the heads on what `state` has heard, and returns their outputs, which lie in the state.
    /// Realtime-safe.
    fn predict<'a>(&self, state: &'a mut State) -> &'a mut [f32] {
        let parts = self.layout.split(state.own_mut::<Vec<f32>>());
        let top = &parts.units[parts.units.len() - self.layout.hidden..];
        match &self.dense {
            Some(dense) => {
                dense.apply(top, parts.dense);
                parts.dense.iter_mut().for_each(|x| *x = x.max(0.0));
                self.heads.apply(parts.dense, parts.heads);
            }
            None => self.heads.apply(top, parts.heads),
        }
        parts.heads
    }
}

impl Model for Classic {
    fn name(&self) -> &str {
        &self.name
    }

    fn window(&self) -> Option<usize> {
        Some(self.layout.window)
    }

    fn initial_state(&self) -> State {
        State::of(vec![0_f32; self.layout.len()])
    }

    fn reset(&self, state: &mut State) {
        state.own_mut::<Vec<f32>>().fill(0.0);
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        let parts = self.layout.split(state.own_mut::<Vec<f32>>());
        parts.units[..INPUTS].copy_from_slice(&features(
            note.key,
            note.step_seconds(),
            note.duration_seconds(),
        ));
        let hidden = self.layout.hidden;
        let mut below = 0;
        for (lstm, cell) in self.lstms.iter().zip(parts.cells.chunks_exact_mut(hidden)) {
            let above = below + lstm.inputs();
            lstm.apply(&parts.units[below..above], parts.gates);
            vector::lstm_cell(parts.gates, cell, &mut parts.units[above - hidden..above]);
            below = above - hidden;
        }
        parts.velocities.push(note.velocity);
    }

    fn key_probabilities(&self, state: &mut State) -> Option<KeyProbabilities> {
        Some(KeyProbabilities::of(&self.predict(state)[..Key::COUNT]))
    }

    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        rng: &mut Rng,
    ) -> RelativeNote {
        let heads = self.predict(state);
        let (logits, times) = heads.split_at_mut(Key::COUNT);
        let step = limits.step(bounded(Seconds(times[0])));
        let duration = bounded(Seconds(times[1]))
            .max(SHORTEST)
            .max(limits.shortest_duration)
            .min(limits.longest_duration);
        let odds = KeyProbabilities::of(logits);
        let key = sampling::draw_key(logits, limits.keys_after(step), &sampling.pitch, rng.random());
        state.key_probabilities = Some(odds);
        let velocities = self.layout.split(state.own_mut::<Vec<f32>>()).velocities;
        let velocity = velocities.draw(rng).unwrap_or(Velocity::saturating(MEZZO_FORTE));
        RelativeNote { step, duration, key, velocity }
    }
}

/// The sizes that the lengths of the parts of a state follow from.
#[derive(Debug, Clone, Copy)]
struct Layout {
    window: usize,
    hidden: usize,
    layers: usize,
    dense: usize,
}

impl Layout {
    fn new(config: Config) -> Self {
        let Config { window, hidden, layers, dense, .. } = config;
        Self { window, hidden, layers, dense: dense.unwrap_or(0) }
    }

    /// Number of numbers in a state.
    fn len(&self) -> usize {
        self.lengths().iter().sum()
    }

    /// Cuts a state of [`Layout::len`] numbers into its parts. Realtime-safe.
    fn split<'a>(&self, state: &'a mut [f32]) -> Parts<'a> {
        let [units, cells, gates, dense, heads, _] = self.lengths();
        let (units, rest) = state.split_at_mut(units);
        let (cells, rest) = rest.split_at_mut(cells);
        let (gates, rest) = rest.split_at_mut(gates);
        let (dense, rest) = rest.split_at_mut(dense);
        let (heads, recent) = rest.split_at_mut(heads);
        Parts { units, cells, gates, dense, heads, velocities: Velocities(recent) }
    }

    fn lengths(&self) -> [usize; 6] {
        let all = self.layers * self.hidden;
        [INPUTS + all, all, 4 * self.hidden, self.dense, Key::COUNT + 2, 1 + RECENT]
    }
}

/// The parts of a state.
struct Parts<'a> {
    /// The features of the newest note, then the hidden units of each LSTM. Each LSTM reads what stands
    /// before its own units.
    units: &'a mut [f32],
    cells: &'a mut [f32],
    /// Scratch space.
    gates: &'a mut [f32],
    /// Scratch space.
    dense: &'a mut [f32],
    /// Scratch space.
    heads: &'a mut [f32],
    velocities: Velocities<'a>,
}

/// The newest velocities: the number heard since silence, then a ring buffer of them.
struct Velocities<'a>(&'a mut [f32]);

impl Velocities<'_> {
    /// Adds a velocity. Realtime-safe.
    fn push(self, velocity: Velocity) {
        let (heard, ring) = self.0.split_at_mut(1);
        // A small whole number, which is exact in f32. It is counted past the end of the ring buffer only to
        // show that the buffer is full.
        let place = heard[0] as usize % RECENT;
        ring[place] = f32::from(velocity.value());
        heard[0] = if place + 1 == RECENT { RECENT as f32 } else { heard[0] + 1.0 };
    }

    /// Draws one of the velocities; `None` when there are none. Realtime-safe.
    fn draw(self, rng: &mut Rng) -> Option<Velocity> {
        let (heard, ring) = self.0.split_at_mut(1);
        let known = (heard[0] as usize).min(RECENT);
        // Drawn in every case, so that a seed draws the same keys whatever was heard.
        let drawn = rng.random::<f32>();
        let place = (drawn * known as f32) as usize;
        ring[..known].get(place).map(|&velocity| Velocity::saturating(velocity as u8))
    }
}

/// A baseline over whole sequences, as a graph over tensors that may be trainable variables: for training and
/// scoring.
#[derive(Debug, Clone)]
pub struct Network {
    config: Config,
    lstms: Vec<Lstm>,
    dense: Option<Affine>,
    heads: [Affine; 3],
}

/// The outputs of the heads for each note.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The logits of the keys, (N, 128).
    pub logits: Tensor,
    /// (N), seconds.
    pub step: Tensor,
    /// (N), seconds.
    pub duration: Tensor,
}

impl Network {
    /// Builds the graph; `tensor` gives each tensor of [`Config::tensors`] by its name.
    pub fn new(config: Config, tensor: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [pitch, step, duration] = HEADS.map(|head| Affine::named(head, &tensor));
        Ok(Self {
            config,
            lstms: (0..config.layers).map(|layer| Lstm::numbered(layer, &tensor)).collect::<Result<_>>()?,
            dense: config.dense.map(|_| Affine::named("dense", &tensor)).transpose()?,
            heads: [pitch?, step?, duration?],
        })
    }

    pub fn config(&self) -> Config {
        self.config
    }

    /// The states of all LSTMs before the first note of `batch` sequences.
    pub fn silence(&self, batch: usize) -> Result<Vec<Tensor>> {
        let state = |lstm: &Lstm| {
            Tensor::zeros((2, batch, self.config.hidden), lstm.bias.dtype(), lstm.bias.device())
        };
        self.lstms.iter().map(state).collect()
    }

    /// The hidden state *before* each of the notes `x` (B, T, 3), as (B, T, H), and the states after them.
    pub fn listen(&self, x: &Tensor, states: &[Tensor]) -> Result<(Tensor, Vec<Tensor>)> {
        let mut hidden = x.clone();
        let mut after = Vec::with_capacity(states.len());
        for (lstm, state) in self.lstms.iter().zip(states) {
            let (outputs, state) = lstm.forward(&hidden, state, Precision::Single)?;
            hidden = outputs;
            after.push(state);
        }
        let before = states[states.len() - 1].get(0)?.unsqueeze(1)?;
        let time = x.dim(1)?;
        let known = match time {
            1 => before,
            _ => Tensor::cat(&[before, hidden.narrow(1, 0, time - 1)?], 1)?,
        };
        Ok((known, after))
    }

    /// The outputs of the heads for `hidden` (N, H).
    pub fn predict(&self, hidden: &Tensor) -> Result<Prediction> {
        let hidden = match &self.dense {
            Some(dense) => dense.forward(hidden, Precision::Single)?.relu()?,
            None => hidden.clone(),
        };
        // One matrix product for all heads, since two of them are a single row each.
        let weights: Vec<&Tensor> = self.heads.iter().map(|head| &head.weight).collect();
        let biases: Vec<&Tensor> = self.heads.iter().map(|head| &head.bias).collect();
        let heads = Affine { weight: Tensor::cat(&weights, 0)?, bias: Tensor::cat(&biases, 0)? };
        let all = heads.forward(&hidden, Precision::Single)?;
        Ok(Prediction {
            logits: all.narrow(1, 0, Key::COUNT)?,
            step: all.narrow(1, Key::COUNT, 1)?.squeeze(1)?,
            duration: all.narrow(1, Key::COUNT + 1, 1)?.squeeze(1)?,
        })
    }
}
