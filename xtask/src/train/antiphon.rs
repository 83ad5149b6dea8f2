//! Our own network learns whole notes: the loss is what evaluation measures.

use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{Tensor, backprop::GradStore};
use rand::{RngExt, SeedableRng};

use antiphon::{
    desk::{Desk, side_by_side},
    model::{
        Chance,
        antiphon::{Dropout, Network, Past},
    },
};

use super::{
    Plan,
    beginning::Variables,
    checkpoint::Checkpoint,
    chunks::Chunks,
    descent::{self, Descent},
    pupil::{Lesson, Pupil},
};
use crate::{
    corpus::GridNote,
    score::{self, Figure, Score},
};

pub struct Antiphon {
    network: Network,
    descent: Descent,
    desks: Vec<Desk<Rows>>,
}

/// Some of the rows of a batch.
struct Rows {
    chunks: Chunks,
    past: Past,
    /// The part of its numbers that the network does without, and what decides which.
    dropout: f32,
    chance: Chance,
}

/// What has been learnt from a chunk.
struct Work {
    gradient: GradStore,
    notes: usize,
    /// Of step, pitch, velocity and duration, summed over the notes.
    nats: [f32; 4],
}

impl Antiphon {
    /// Learns from as many streams of chunks at once as there are.
    pub fn new(variables: &Variables, plan: &Plan, streams: Vec<Chunks>, mut chance: Chance) -> Result<Self> {
        let network = Network::new(|name| Ok(variables[name].as_tensor().clone()))?;
        let desk = |chunks: Chunks| {
            let past = Past::silence(chunks.rows(), network.device())?;
            let chance = Chance::seed_from_u64(chance.random());
            Ok(Desk::new(Rows { past, chunks, dropout: plan.dropout, chance })?)
        };
        Ok(Self {
            descent: Descent::new(variables, plan.method, plan.decay)?,
            desks: streams.into_iter().map(desk).collect::<Result<_>>()?,
            network,
        })
    }
}

impl Rows {
    /// `whole` is how many notes a full batch has: a note counts the same wherever it stands.
    fn learn(&mut self, network: &Network, whole: usize) -> Result<Work> {
        let (page, going_on) = self.chunks.next();
        let past = self.past.going_on(&going_on)?;
        let (logits, after) =
            network.rehearse(&page, &past, Dropout::Part(self.dropout, &mut self.chance))?;
        let sums: Vec<Tensor> = page.nats(&logits)?.iter().map(Tensor::sum_all).collect::<Result<_, _>>()?;
        let total = (((&sums[0] + &sums[1])? + &sums[2])? + &sums[3])?;
        descent::check(total.to_scalar()?)?;
        let gradient = (total / whole as f64)?.backward()?;
        self.past = after;
        let mut nats = [0.0; 4];
        for (nats, sum) in nats.iter_mut().zip(&sums) {
            *nats = sum.to_scalar()?;
        }
        Ok(Work { gradient, notes: page.notes, nats })
    }

    fn keep(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.past
            .tensors()?
            .iter()
            .for_each(|(part, tensor)| checkpoint.keep_tensor(&format!("{name}.{part}"), tensor));
        checkpoint.keep(&format!("{name}.chance"), &self.chance)?;
        self.chunks.keep(name, checkpoint)
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let tensors = self.past.tensors()?.into_iter().map(|(part, like)| {
            let tensor = checkpoint.tensor(&format!("{name}.{part}"), &like)?;
            Ok((part, tensor))
        });
        let tensors: BTreeMap<String, Tensor> = tensors.collect::<Result<_>>()?;
        self.past = Past::of(|part| Ok(tensors[part].clone()))?;
        self.chance = checkpoint.fact(&format!("{name}.chance"))?;
        self.chunks.recall(name, checkpoint)
    }
}

impl Pupil for Antiphon {
    fn learn(&mut self, rate: f64) -> Result<Lesson> {
        let whole = self.desks.iter().map(|desk| desk.seat.chunks.notes()).sum();
        let network = &self.network;
        let works = side_by_side(&mut self.desks, |rows| rows.learn(network, whole))?;
        let gradients: Vec<&GradStore> = works.iter().map(|work| &work.gradient).collect();
        self.descent.step(&gradients, rate)?;
        let notes = works.iter().map(|work| work.notes).sum::<usize>();
        let mean = |n: usize| works.iter().map(|work| f64::from(work.nats[n])).sum::<f64>() / notes as f64;
        let nats = [0, 1, 2, 3].map(mean);
        let parts = ["step", "pitch", "velocity", "duration"].into_iter().zip(nats);
        let parts = parts.chain([("total", nats.iter().sum())]);
        Ok(Lesson { notes, loss: parts.map(|(name, nats)| Figure::new(name, "nats", nats)).collect() })
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        score::unbounded(&self.network, pieces, |_| ())
    }

    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.descent.keep(checkpoint)?;
        self.desks
            .iter()
            .enumerate()
            .try_for_each(|(n, desk)| desk.seat.keep(&format!("desk.{n}"), checkpoint))
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.descent.recall(checkpoint)?;
        self.desks
            .iter_mut()
            .enumerate()
            .try_for_each(|(n, desk)| desk.seat.recall(&format!("desk.{n}"), checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use antiphon::model::Preset;

    use super::*;
    use crate::train::{beginning, descent::Method, material::Training, played::Variety, pupil::melody};

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let piece = melody();
        let mut chance = Chance::seed_from_u64(1);
        let variables = beginning::drawn(Preset::Antiphon, &mut chance).expect("shapes fit");
        let streams = [1, 2].map(|seed| {
            let (training, chance) = (Training::of(vec![piece.clone()]), Chance::seed_from_u64(seed));
            Chunks::new(training.into(), (2, 24), Variety::ALL, chance)
        });
        let streams = streams.map(|chunks| chunks.expect("a note"));
        let plan = Plan {
            batch: 4,
            window: 24,
            shortest: 1,
            rate: 3e-3,
            method: Method::Muon,
            decay: 0.1,
            dropout: 0.1,
        };
        let mut pupil = Antiphon::new(&variables, &plan, streams.into(), chance).expect("shapes fit");
        let total = |pupil: &Antiphon| {
            pupil.score(std::slice::from_ref(&piece)).expect("shapes fit").total().expect("a likelihood")
        };
        let before = total(&pupil);
        for _ in 0..25 {
            pupil.learn(3e-3).expect("finite");
        }
        let after = total(&pupil);
        assert!(before > 15.0 && after < 8.0, "{before} and {after}");
    }
}
