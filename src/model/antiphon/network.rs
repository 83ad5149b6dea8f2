//! The network over whole sequences, with gradients, for training and scoring.

use candle_core::{DType, Device, Result, Tensor};

use super::{ATTENTION, EMBEDDING, HEADS, HIDDEN, LAYERS, MEMORY, attention::attend, minibatch::Minibatch};
use crate::model::{
    lstm::Lstm,
    operations::{Affine, Dropout, embedding_bag, layer_norm, relu},
    product::Precision,
};

/// The network as a graph over tensors, which may be trainable variables.
#[derive(Debug, Clone)]
pub struct Network {
    /// (HEARD, EMBEDDING)
    hear: Tensor,
    layers: Vec<Layer>,
    heads: Vec<Head>,
}

/// An LSTM and its attention: four affine maps, and a bias for the age of a pair.
#[derive(Debug, Clone)]
struct Layer {
    lstm: Lstm,
    query: Affine,
    key: Affine,
    value: Affine,
    output: Affine,
    /// (heads, M + 1)
    age: Tensor,
}

#[derive(Debug, Clone)]
struct Head {
    hidden: Affine,
    /// (told, hidden), for a head with input features of its own.
    table: Option<Tensor>,
    output: Affine,
}

/// How a minibatch passes through the network.
pub struct Pass<'a> {
    pub dropout: Dropout<'a>,
    /// Of all products but those of the attention.
    pub precision: Precision,
}

impl Pass<'_> {
    /// For scoring and playing.
    fn plain() -> Self {
        Self { dropout: Dropout::Nothing, precision: Precision::Single }
    }
}

/// The recurrent state of B sequences after some of their notes. Carries no gradient.
#[derive(Debug, Clone)]
pub struct RecurrentState {
    /// The state of each LSTM, (2, B, H).
    states: Vec<Tensor>,
    /// The pairs of each attention, (B, M, 2A), the newest last.
    pairs: Vec<Tensor>,
    /// Number of pairs of each sequence.
    heard: Vec<usize>,
}

impl RecurrentState {
    /// The state before the first note of `batch` sequences.
    pub fn initial(batch: usize, device: &Device) -> Result<Self> {
        let zeros = |shape: (usize, usize, usize)| {
            (0..LAYERS).map(|_| Tensor::zeros(shape, DType::F32, device)).collect::<Result<_>>()
        };
        Ok(Self {
            states: zeros((2, batch, HIDDEN))?,
            pairs: zeros((batch, MEMORY, 2 * ATTENTION))?,
            heard: vec![0; batch],
        })
    }

    /// All tensors by name, for a checkpoint.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let named = |name: &str, tensors: &[Tensor]| -> Vec<(String, Tensor)> {
            tensors.iter().enumerate().map(|(n, tensor)| (format!("{name}.{n}"), tensor.clone())).collect()
        };
        let heard = self.heard.iter().map(|&heard| u32::try_from(heard).expect("a memory is short"));
        let heard = Tensor::from_iter(heard, &Device::Cpu)?;
        Ok([named("state", &self.states), named("pairs", &self.pairs), vec![("heard".into(), heard)]]
            .concat())
    }

    /// Reverses [`RecurrentState::tensors`]; `tensor` gives a tensor by its name.
    pub fn of(tensor: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let named =
            |name: &str| (0..LAYERS).map(|n| tensor(&format!("{name}.{n}"))).collect::<Result<Vec<_>>>();
        let heard = tensor("heard")?.to_vec1::<u32>()?;
        let heard = heard.into_iter().map(|heard| usize::try_from(heard).expect("32 bits fit"));
        Ok(Self { states: named("state")?, pairs: named("pairs")?, heard: heard.collect() })
    }

    /// Only the first `batch` sequences.
    pub fn first(&self, batch: usize) -> Result<Self> {
        Ok(Self {
            states: self.states.iter().map(|state| state.narrow(1, 0, batch)).collect::<Result<_>>()?,
            pairs: self.pairs.iter().map(|pairs| pairs.narrow(0, 0, batch)).collect::<Result<_>>()?,
            heard: self.heard[..batch].to_vec(),
        })
    }

    /// Resets the sequences that do not go on; `rows` has one entry for each.
    pub fn going_on(&self, rows: &[bool]) -> Result<Self> {
        let kept: Vec<f32> = rows.iter().map(|&goes_on| f32::from(u8::from(goes_on))).collect();
        let kept = Tensor::from_vec(kept, (1, rows.len(), 1), self.states[0].device())?;
        let states = self.states.iter().map(|state| state.broadcast_mul(&kept));
        let heard = self.heard.iter().zip(rows).map(|(&heard, &goes_on)| if goes_on { heard } else { 0 });
        Ok(Self { states: states.collect::<Result<_>>()?, pairs: self.pairs.clone(), heard: heard.collect() })
    }
}

impl Network {
    /// Builds the graph; `tensor` gives each tensor of [`super::tensors`] by its name.
    pub fn new(tensor: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let layer = |layer: usize| -> Result<Layer> {
            let part = |part: &str| Affine::named(&format!("attention.{layer}.{part}"), &tensor);
            Ok(Layer {
                lstm: Lstm::numbered(layer, &tensor)?,
                query: part("query")?,
                key: part("key")?,
                value: part("value")?,
                output: part("output")?,
                age: tensor(&format!("attention.{layer}.age"))?,
            })
        };
        let head = |head: &super::Head| -> Result<Head> {
            let table = || tensor(&format!("{}.table", head.name));
            Ok(Head {
                hidden: Affine::named(&format!("{}.hidden", head.name), &tensor)?,
                table: if head.told > 0 { Some(table()?) } else { None },
                output: Affine::named(head.name, &tensor)?,
            })
        };
        Ok(Self {
            hear: tensor("hear.table")?,
            layers: (0..LAYERS).map(layer).collect::<Result<_>>()?,
            heads: HEADS.iter().map(head).collect::<Result<_>>()?,
        })
    }

    /// The device of the network's tensors.
    pub fn device(&self) -> &Device {
        self.hear.device()
    }

    /// The context *before* each note of a minibatch, as (N, H), and the recurrent state after them.
    ///
    /// The first LSTM hears the notes. Its attention and all later layers run one note behind: they read the
    /// hidden state that the first LSTM had before each note.
    pub fn listen(&self, minibatch: &Minibatch, past: &RecurrentState) -> Result<(Tensor, RecurrentState)> {
        self.listen_by(&mut Pass::plain(), minibatch, past)
    }

    /// The logits of the heads for each note of a minibatch, (N, outputs) each: step, pitch, velocity and
    /// duration.
    pub fn logits(&self, context: &Tensor, minibatch: &Minibatch) -> Result<[Tensor; 4]> {
        self.logits_by(&mut Pass::plain(), context, minibatch)
    }

    /// [`Network::listen`] and [`Network::logits`] for training: the logits, and the state after.
    pub fn rehearse(
        &self,
        minibatch: &Minibatch,
        past: &RecurrentState,
        mut pass: Pass,
    ) -> Result<([Tensor; 4], RecurrentState)> {
        let (context, after) = self.listen_by(&mut pass, minibatch, past)?;
        Ok((self.logits_by(&mut pass, &context, minibatch)?, after))
    }

    fn listen_by(
        &self,
        pass: &mut Pass,
        minibatch: &Minibatch,
        past: &RecurrentState,
    ) -> Result<(Tensor, RecurrentState)> {
        let (batch, time) = (minibatch.batch, minibatch.time);
        let Pass { dropout, precision } = pass;
        let embedding = embedding_bag(&minibatch.heard, &self.hear)?;
        let mut states = Vec::with_capacity(LAYERS);
        let mut pairs = Vec::with_capacity(LAYERS);
        let notes = embedding.reshape((batch, time, EMBEDDING))?;
        let (heard, state) = self.layers[0].lstm.forward(&notes, &past.states[0], *precision)?;
        states.push(state);
        let before = past.states[0].get(0)?.unsqueeze(1)?;
        let mut known =
            Tensor::cat(&[before, heard.narrow(1, 0, time - 1)?], 1)?.reshape((batch * time, HIDDEN))?;
        known = dropout.apply(&known)?;
        for (n, layer) in self.layers.iter().enumerate() {
            if n > 0 {
                let notes = known.reshape((batch, time, HIDDEN))?;
                let (thought, state) = layer.lstm.forward(&notes, &past.states[n], *precision)?;
                known = (known + dropout.apply(&thought.reshape((batch * time, HIDDEN))?)?)?;
                states.push(state);
            }
            let older = (&past.pairs[n], &past.heard[..]);
            let (read, newer) = layer.read(&known, &embedding, (batch, time), older, *precision)?;
            known = layer_norm(&(known + dropout.apply(&read)?)?)?;
            pairs.push(newer);
        }
        let heard = past.heard.iter().map(|&heard| MEMORY.min(heard + time)).collect();
        Ok((known, RecurrentState { states, pairs, heard }))
    }

    fn logits_by(&self, pass: &mut Pass, context: &Tensor, minibatch: &Minibatch) -> Result<[Tensor; 4]> {
        let Pass { dropout, precision } = pass;
        let mut logits = |n: usize| {
            let Head { hidden, table, output } = &self.heads[n];
            let mut thought = hidden.forward(context, *precision)?;
            if let Some(table) = table {
                thought = (thought + embedding_bag(&minibatch.told[n - 1], table)?)?;
            }
            output.forward(&dropout.apply(&relu(&thought)?)?, *precision)
        };
        Ok([logits(0)?, logits(1)?, logits(2)?, logits(3)?])
    }
}

impl Layer {
    /// What N = B · T notes read of the pairs before them, (N, H), and the newest pairs after them.
    ///
    /// A key is the hidden state before a note, and its value is that note: so a query finds what came after
    /// a moment like this one.
    fn read(
        &self,
        known: &Tensor,
        embedding: &Tensor,
        (batch, time): (usize, usize),
        (older, heard): (&Tensor, &[usize]),
        precision: Precision,
    ) -> Result<(Tensor, Tensor)> {
        let (keys, values) = (self.key.forward(known, precision)?, self.value.forward(embedding, precision)?);
        let newer = Tensor::cat(&[keys, values], 1)?;
        let pairs = Tensor::cat(&[older, &newer.reshape((batch, time, 2 * ATTENTION))?], 1)?;
        let queries = self.query.forward(known, precision)?.reshape((batch, time, ATTENTION))?;
        let seen = attend(&queries, &pairs, &self.age, heard)?.flatten(0, 1)?;
        let newest = pairs.detach().narrow(1, time, MEMORY)?.contiguous()?;
        Ok((self.output.forward(&seen, precision)?, newest))
    }
}
