//! Training of a classic, as it was published: cross-entropy for pitch, squared errors for the times, on
//! windows of notes.

use std::{mem, sync::Arc};

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use rand::{RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use antiphon::model::{
    Rng,
    classic::{self, Config, INPUTS, Network},
};

use super::{
    StepResult, TrainableModel,
    data_set::TrainingSet,
    initialisation::Variables,
    optimiser::{self, Method, Optimiser},
    output::Checkpoint,
};
use crate::{
    corpus::GridNote,
    score::{self, Metric, Score},
};

/// The published weights of the three losses.
const PITCH_WEIGHT: f64 = 0.05;
/// Factor of the penalty on negative steps and durations.
const PRESSURE: f64 = 10.0;

pub struct Classic {
    network: Network,
    optimiser: Optimiser,
    states: Vec<Tensor>,
    windows: WindowLoader,
}

/// The parts of a minibatch's loss, before they are weighted.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    /// In nats.
    pitch: f32,
    /// In square seconds, with the penalty.
    step: f32,
    /// In square seconds, with the penalty.
    duration: f32,
}

impl Classic {
    pub fn new(config: Config, variables: &Variables, windows: WindowLoader) -> Result<Self> {
        let network = Network::new(config, |name| Ok(variables[name].as_tensor().clone()))?;
        let states = network.silence(windows.rows)?;
        Ok(Self { network, optimiser: Optimiser::new(variables, Method::Adam, 0.0)?, states, windows })
    }

    fn learn_from(&mut self, batch: &Minibatch, rate: f64) -> Result<Loss> {
        let states =
            self.states.iter().map(|s| s.broadcast_mul(&batch.carried)).collect::<Result<Vec<_>, _>>()?;
        let (known, after) = self.network.listen(&batch.x, &states)?;
        let heads = self.network.predict(&known.flatten(0, 1)?)?;
        let pitch = candle_nn::loss::cross_entropy(&heads.logits, &batch.keys)?;
        let step = under_pressure(&heads.step, &batch.steps)?;
        let duration = under_pressure(&heads.duration, &batch.durations)?;
        let total = (((&pitch * PITCH_WEIGHT)? + &step)? + &duration)?;
        optimiser::check(total.to_scalar()?)?;
        self.optimiser.step(&[&total.backward()?], rate)?;
        self.states = after;
        Ok(Loss { pitch: pitch.to_scalar()?, step: step.to_scalar()?, duration: duration.to_scalar()? })
    }
}

impl TrainableModel for Classic {
    fn learn(&mut self, rate: f64) -> Result<StepResult> {
        let batch = self.windows.next()?;
        let Loss { pitch, step, duration } = self.learn_from(&batch, rate)?;
        let parts = [("pitch", "nats", pitch), ("step loss", "s²", step), ("duration loss", "s²", duration)];
        let loss = parts.map(|(name, unit, value)| Metric::new(name, unit, value.into())).into();
        Ok(StepResult { notes: batch.keys.elem_count(), loss })
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        score::unbounded(&self.network, pieces, |_| ())
    }

    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.optimiser.keep(checkpoint)?;
        self.states.iter().enumerate().for_each(|(n, state)| checkpoint.keep_tensor(&state_name(n), state));
        self.windows.keep(checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.optimiser.recall(checkpoint)?;
        for (n, state) in self.states.iter_mut().enumerate() {
            *state = checkpoint.tensor(&state_name(n), state)?;
        }
        self.windows.recall(checkpoint)
    }
}

fn state_name(layer: usize) -> String {
    format!("state.{layer}")
}

/// Mean squared error, plus a penalty on negative predictions.
fn under_pressure(predicted: &Tensor, truth: &Tensor) -> Result<Tensor> {
    let error = (predicted - truth)?.sqr()?.mean_all()?;
    let pressure = (predicted.neg()?.relu()?.mean_all()? * PRESSURE)?;
    Ok((error + pressure)?)
}

/// A minibatch of windows.
struct Minibatch {
    /// (B, T, 3)
    x: Tensor,
    /// (B * T)
    keys: Tensor,
    /// (B * T), seconds.
    steps: Tensor,
    /// (B * T), seconds.
    durations: Tensor,
    /// For each sequence: 1 where it goes on from the batch before, 0 where it begins in silence. (1, B, 1)
    carried: Tensor,
}

/// An endless data loader. The first half of a minibatch's rows go through whole pieces: each window follows
/// on the one before, with its state. The other half are windows from anywhere, which begin in silence as a
/// player's memory does.
pub struct WindowLoader {
    training: Arc<TrainingSet>,
    /// For each piece, the number of notes in all pieces up to its end.
    ends: Vec<usize>,
    /// The pieces that have not yet been begun in this round.
    order: Vec<usize>,
    /// The next windows of the rows that go through whole pieces.
    going_on: Vec<Window>,
    rows: usize,
    time: usize,
    rng: Rng,
}

/// A window of a piece.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Window {
    piece: usize,
    /// The index of its first note.
    at: usize,
}

impl WindowLoader {
    /// Fails when a piece is shorter than a window, or there is no piece.
    pub fn new(training: Arc<TrainingSet>, rows: usize, time: usize, rng: Rng) -> Result<Self> {
        let pieces = &training.pieces;
        if pieces.is_empty() || pieces.iter().any(|piece| piece.len() < time) {
            bail!("a file holds fewer than {time} notes: give longer files or a smaller `--window`");
        }
        let mut ends: Vec<usize> = pieces.iter().map(Vec::len).collect();
        for n in 1..ends.len() {
            ends[n] += ends[n - 1];
        }
        // At this position no window fits: so the first minibatch begins new pieces.
        let going_on = vec![Window { piece: 0, at: usize::MAX - time }; rows / 2];
        Ok(Self { training, ends, order: Vec::new(), going_on, rows, time, rng })
    }

    /// Saves the position of the loader in a checkpoint.
    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.keep("windows", &(&self.rng, &self.order, &self.going_on))
    }

    /// Reverses [`WindowLoader::keep`].
    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        (self.rng, self.order, self.going_on) = checkpoint.fact("windows")?;
        Ok(())
    }

    /// The next minibatch.
    fn next(&mut self) -> Result<Minibatch> {
        let mut windows = Vec::with_capacity(self.rows);
        let mut carried = vec![0f32; self.rows];
        let mut going_on = mem::take(&mut self.going_on);
        for (next, carried) in going_on.iter_mut().zip(&mut carried) {
            if next.at + self.time <= self.training.pieces[next.piece].len() {
                *carried = 1.0;
            } else {
                *next = self.begin();
            }
            windows.push(*next);
            next.at += self.time;
        }
        self.going_on = going_on;
        while windows.len() < self.rows {
            windows.push(self.anywhere());
        }
        self.batch(&windows, carried)
    }

    /// The first window of a piece that has not yet been played in this round. It begins at a random note of
    /// the piece's beginning, so that the borders of windows differ each time.
    fn begin(&mut self) -> Window {
        if self.order.is_empty() {
            self.order = (0..self.training.pieces.len()).collect();
            self.order.shuffle(&mut self.rng);
        }
        let piece = self.order.pop().expect("it has just been filled");
        let latest = (self.training.pieces[piece].len() - self.time).min(self.time);
        Window { piece, at: self.rng.random_range(0..=latest) }
    }

    /// A random window. Its first note is drawn from all notes with equal probability, and moved back near
    /// the end of a piece.
    fn anywhere(&mut self) -> Window {
        let total = *self.ends.last().expect("there is a piece");
        let note = self.rng.random_range(0..total);
        let piece = self.ends.partition_point(|&end| end <= note);
        let at = note - (self.ends[piece] - self.training.pieces[piece].len());
        Window { piece, at: at.min(self.training.pieces[piece].len() - self.time) }
    }

    fn batch(&self, windows: &[Window], carried: Vec<f32>) -> Result<Minibatch> {
        let count = self.rows * self.time;
        let notes = windows
            .iter()
            .flat_map(|window| &self.training.pieces[window.piece][window.at..window.at + self.time]);
        let mut x = Vec::with_capacity(count * INPUTS);
        let (mut keys, mut steps, mut durations) = (Vec::new(), Vec::new(), Vec::new());
        for note in notes {
            let [pitch, step, duration] =
                classic::features(note.key, note.step_seconds(), note.duration_seconds());
            x.extend([pitch, step, duration]);
            keys.push(u32::from(note.key.number()));
            steps.push(step);
            durations.push(duration);
        }
        Ok(Minibatch {
            x: Tensor::from_vec(x, (self.rows, self.time, INPUTS), &Device::Cpu)?,
            keys: Tensor::from_vec(keys, count, &Device::Cpu)?,
            steps: Tensor::from_vec(steps, count, &Device::Cpu)?,
            durations: Tensor::from_vec(durations, count, &Device::Cpu)?,
            carried: Tensor::from_vec(carried, (1, self.rows, 1), &Device::Cpu)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use antiphon::{
        model::{classic::CLASSIC_25, weights},
        music::note::{Key, Velocity},
    };

    use super::*;
    use crate::train::{initialisation, tests::melody};

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let mut rng = Rng::seed_from_u64(1);
        let architecture = weights::Architecture::Classic(CLASSIC_25);
        let variables = initialisation::drawn(architecture, &mut rng).expect("shapes fit");
        let windows =
            WindowLoader::new(TrainingSet::of(vec![melody()]).into(), 8, 12, rng).expect("long enough");
        let mut model = Classic::new(CLASSIC_25, &variables, windows).expect("shapes fit");
        let mut step = || {
            let batch = model.windows.next().expect("endless");
            model.learn_from(&batch, 1e-2).expect("finite")
        };
        let losses: Vec<Loss> = (0..60).map(|_| step()).collect();
        assert!(losses[0].pitch > 4.0);
        assert!(
            losses[59].pitch < 1.0 && losses[59].step < 0.01 && losses[59].duration < 0.01,
            "{:?}",
            losses[59]
        );
    }

    #[test]
    fn what_is_negative_is_pushed_up_harder_than_what_is_wrong() {
        let loss = |predicted: f32| {
            let tensor = |x| Tensor::new(&[x], &Device::Cpu).expect("a number");
            under_pressure(&tensor(predicted), &tensor(0.0f32))
                .and_then(|l| l.to_scalar::<f32>().map_err(Into::into))
                .expect("a number")
        };
        assert!((loss(0.5) - 0.25).abs() < 1e-6);
        assert!((loss(-0.5) - 5.25).abs() < 1e-6);
    }

    /// A piece in which the duration of a note identifies the piece and the place.
    fn piece(number: u32, length: u32) -> Vec<GridNote> {
        let note = |n| GridNote {
            step: 10,
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
            duration: 100 * number + n,
            conditions: Default::default(),
        };
        (0..length).map(note).collect()
    }

    fn windows(lengths: &[u32]) -> WindowLoader {
        let pieces = (1..).zip(lengths).map(|(number, &length)| piece(number, length)).collect();
        WindowLoader::new(TrainingSet::of(pieces).into(), 4, 8, Rng::seed_from_u64(1)).expect("long enough")
    }

    #[test]
    fn a_carried_window_follows_on_the_one_before() {
        let mut windows = windows(&[50, 40, 30]);
        let mut before: Option<Vec<Vec<f32>>> = None;
        for _ in 0..20 {
            let batch = windows.next().expect("endless");
            let carried: Vec<f32> = batch.carried.flatten_all().and_then(|c| c.to_vec1()).expect("numbers");
            let durations: Vec<Vec<f32>> =
                batch.durations.reshape((4, 8)).and_then(|d| d.to_vec2()).expect("numbers");
            for row in 0..4 {
                if carried[row] == 1.0 {
                    let last = before.as_ref().expect("the first batch begins in silence")[row][7];
                    assert!((durations[row][0] - last - 0.01).abs() < 1e-6);
                }
            }
            assert_eq!(carried[2..], [0.0, 0.0]);
            before = Some(durations);
        }
    }

    #[test]
    fn a_piece_shorter_than_a_window_is_refused() {
        assert!(
            WindowLoader::new(
                TrainingSet::of(vec![piece(1, 8), piece(2, 7)]).into(),
                4,
                8,
                Rng::seed_from_u64(1)
            )
            .is_err()
        );
    }
}
