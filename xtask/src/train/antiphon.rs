//! Training of our own network on whole notes: the loss is what evaluation measures.

use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{Tensor, backprop::GradStore};
use rand::{RngExt, SeedableRng};

use antiphon::{
    model::{
        Rng,
        antiphon::{Dropout, Network, Pass, RecurrentState},
        product::Precision,
    },
    thread_pool::{PoolThread, run_each},
};

use super::{
    StepResult, TrainableModel,
    config::Hyperparameters,
    initialisation::Variables,
    loader::PassageLoader,
    optimiser::{self, Optimiser},
    output::Checkpoint,
};
use crate::{
    corpus::GridNote,
    score::{self, Metric, Score},
};

pub struct TrainableAntiphon {
    network: Network,
    optimiser: Optimiser,
    threads: Vec<PoolThread<Shard>>,
}

/// The rows of a minibatch that one thread learns from.
struct Shard {
    loader: PassageLoader,
    past: RecurrentState,
    /// The part of the activations that dropout sets to 0; `rng` chooses them.
    dropout: f32,
    rng: Rng,
}

/// The gradient and the loss of a shard's part of a minibatch.
struct ShardResult {
    gradient: GradStore,
    notes: usize,
    /// Loss of step, pitch, velocity and duration in nats, summed over the notes.
    nats: [f32; 4],
}

impl TrainableAntiphon {
    /// A network that learns from all loaders at once, each on its own thread.
    pub fn new(
        variables: &Variables,
        hyperparameters: &Hyperparameters,
        loaders: Vec<PassageLoader>,
        mut rng: Rng,
    ) -> Result<Self> {
        let network = Network::new(|name| Ok(variables[name].as_tensor().clone()))?;
        let thread = |loader: PassageLoader| {
            let past = RecurrentState::initial(loader.rows(), network.device())?;
            let rng = Rng::seed_from_u64(rng.random());
            Ok(PoolThread::new(Shard { past, loader, dropout: hyperparameters.dropout, rng })?)
        };
        Ok(Self {
            optimiser: Optimiser::new(variables, hyperparameters.method, hyperparameters.decay)?,
            threads: loaders.into_iter().map(thread).collect::<Result<_>>()?,
            network,
        })
    }
}

impl Shard {
    /// `whole` is the number of notes of a full minibatch: so each note counts the same, whichever shard it
    /// is in.
    fn learn(&mut self, network: &Network, whole: usize) -> Result<ShardResult> {
        let (minibatch, going_on) = self.loader.next();
        let past = self.past.going_on(&going_on)?;
        let dropout = Dropout::Part(self.dropout, &mut self.rng);
        let pass = Pass { dropout, precision: Precision::Mixed };
        let (logits, after) = network.rehearse(&minibatch, &past, pass)?;
        let sums: Vec<Tensor> =
            minibatch.nats(&logits)?.iter().map(Tensor::sum_all).collect::<Result<_, _>>()?;
        let total = (((&sums[0] + &sums[1])? + &sums[2])? + &sums[3])?;
        optimiser::check(total.to_scalar()?)?;
        let gradient = (total / whole as f64)?.backward()?;
        self.past = after;
        let mut nats = [0.0; 4];
        for (nats, sum) in nats.iter_mut().zip(&sums) {
            *nats = sum.to_scalar()?;
        }
        Ok(ShardResult { gradient, notes: minibatch.notes, nats })
    }

    fn keep(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.past
            .tensors()?
            .iter()
            .for_each(|(part, tensor)| checkpoint.keep_tensor(&format!("{name}.{part}"), tensor));
        checkpoint.keep(&format!("{name}.chance"), &self.rng)?;
        self.loader.keep(name, checkpoint)
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let tensors = self.past.tensors()?.into_iter().map(|(part, like)| {
            let tensor = checkpoint.tensor(&format!("{name}.{part}"), &like)?;
            Ok((part, tensor))
        });
        let tensors: BTreeMap<String, Tensor> = tensors.collect::<Result<_>>()?;
        self.past = RecurrentState::of(|part| Ok(tensors[part].clone()))?;
        self.rng = checkpoint.fact(&format!("{name}.chance"))?;
        self.loader.recall(name, checkpoint)
    }
}

impl TrainableModel for TrainableAntiphon {
    fn learn(&mut self, rate: f64) -> Result<StepResult> {
        let whole = self.threads.iter().map(|thread| thread.state.loader.notes()).sum();
        let network = &self.network;
        let results = run_each(&mut self.threads, |shard| shard.learn(network, whole))?;
        let gradients: Vec<&GradStore> = results.iter().map(|result| &result.gradient).collect();
        self.optimiser.step(&gradients, rate)?;
        let notes = results.iter().map(|result| result.notes).sum::<usize>();
        let mean =
            |n: usize| results.iter().map(|result| f64::from(result.nats[n])).sum::<f64>() / notes as f64;
        let nats = [0, 1, 2, 3].map(mean);
        let parts = ["step", "pitch", "velocity", "duration"].into_iter().zip(nats);
        let parts = parts.chain([("total", nats.iter().sum())]);
        Ok(StepResult { notes, loss: parts.map(|(name, nats)| Metric::new(name, "nats", nats)).collect() })
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        score::unbounded(&self.network, pieces, |_| ())
    }

    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.optimiser.keep(checkpoint)?;
        self.threads
            .iter()
            .enumerate()
            .try_for_each(|(n, thread)| thread.state.keep(&format!("desk.{n}"), checkpoint))
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.optimiser.recall(checkpoint)?;
        self.threads
            .iter_mut()
            .enumerate()
            .try_for_each(|(n, thread)| thread.state.recall(&format!("desk.{n}"), checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use antiphon::model::weights::Architecture;

    use super::*;
    use crate::train::{
        augmentation::Augmentation, data_set::TrainingSet, initialisation, optimiser::Method, tests::melody,
    };

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let piece = melody();
        let mut rng = Rng::seed_from_u64(1);
        let variables = initialisation::drawn(Architecture::Antiphon, &mut rng).expect("shapes fit");
        let loaders = [1, 2].map(|seed| {
            let (training, rng) = (TrainingSet::of(vec![piece.clone()]), Rng::seed_from_u64(seed));
            PassageLoader::new(training.into(), (2, 24), Augmentation::ALL, rng)
        });
        let loaders = loaders.map(|loader| loader.expect("a note"));
        let hyperparameters = Hyperparameters {
            batch: 4,
            window: 24,
            shortest: 1,
            rate: 3e-3,
            method: Method::Muon,
            decay: 0.1,
            dropout: 0.1,
        };
        let mut model =
            TrainableAntiphon::new(&variables, &hyperparameters, loaders.into(), rng).expect("shapes fit");
        let total = |model: &TrainableAntiphon| {
            model.score(std::slice::from_ref(&piece)).expect("shapes fit").total().expect("a likelihood")
        };
        let before = total(&model);
        for _ in 0..25 {
            model.learn(3e-3).expect("finite");
        }
        let after = total(&model);
        assert!(before > 15.0 && after < 8.0, "{before} and {after}");
    }
}
