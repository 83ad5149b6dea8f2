//! A classic learns as it was published: cross-entropy for pitch, squared errors for the times.

use anyhow::Result;
use candle_core::Tensor;

use antiphon::model::classic::{Network, Preset};

use super::{
    beginning::Variables,
    checkpoint::Checkpoint,
    descent::{self, Descent, Method},
    pupil::{Lesson, Pupil},
    windows::{Batch, Windows},
};
use crate::{
    corpus::GridNote,
    score::{self, Figure, Score},
};

/// The published weights of the three losses.
const PITCH_WEIGHT: f64 = 0.05;
/// How hard a negative step or duration is pushed back up.
const PRESSURE: f64 = 10.0;

/// The parts of a batch's loss, before they are weighed.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    /// Nats.
    pitch: f32,
    /// Square seconds, with pressure.
    step: f32,
    /// Square seconds, with pressure.
    duration: f32,
}

pub struct Classic {
    network: Network,
    descent: Descent,
    states: Vec<Tensor>,
    windows: Windows,
}

impl Classic {
    pub fn new(preset: Preset, variables: &Variables, windows: Windows) -> Result<Self> {
        let network = Network::new(preset, |name| Ok(variables[name].as_tensor().clone()))?;
        let states = network.silence(windows.rows())?;
        Ok(Self { network, descent: Descent::new(variables, Method::Adam, 0.0)?, states, windows })
    }

    fn learn_from(&mut self, batch: &Batch, rate: f64) -> Result<Loss> {
        let states =
            self.states.iter().map(|s| s.broadcast_mul(&batch.carried)).collect::<Result<Vec<_>, _>>()?;
        let (known, after) = self.network.listen(&batch.x, &states)?;
        let heads = self.network.predict(&known.flatten(0, 1)?)?;
        let pitch = candle_nn::loss::cross_entropy(&heads.logits, &batch.keys)?;
        let step = under_pressure(&heads.step, &batch.steps)?;
        let duration = under_pressure(&heads.duration, &batch.durations)?;
        let total = (((&pitch * PITCH_WEIGHT)? + &step)? + &duration)?;
        descent::check(total.to_scalar()?)?;
        self.descent.step(&[&total.backward()?], rate)?;
        self.states = after;
        Ok(Loss { pitch: pitch.to_scalar()?, step: step.to_scalar()?, duration: duration.to_scalar()? })
    }
}

impl Pupil for Classic {
    fn learn(&mut self, rate: f64) -> Result<Lesson> {
        let batch = self.windows.next()?;
        let Loss { pitch, step, duration } = self.learn_from(&batch, rate)?;
        let parts = [("pitch", "nats", pitch), ("step loss", "s²", step), ("duration loss", "s²", duration)];
        let loss = parts.map(|(name, unit, value)| Figure::new(name, unit, value.into())).into();
        Ok(Lesson { notes: batch.keys.elem_count(), loss })
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        score::unbounded(&self.network, pieces, |_| ())
    }

    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.descent.keep(checkpoint)?;
        self.states.iter().enumerate().for_each(|(n, state)| checkpoint.keep_tensor(&state_name(n), state));
        self.windows.keep(checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.descent.recall(checkpoint)?;
        for (n, state) in self.states.iter_mut().enumerate() {
            *state = checkpoint.tensor(&state_name(n), state)?;
        }
        self.windows.recall(checkpoint)
    }
}

fn state_name(layer: usize) -> String {
    format!("state.{layer}")
}

/// Mean squared error, and a push upwards on what is negative.
fn under_pressure(predicted: &Tensor, truth: &Tensor) -> Result<Tensor> {
    let error = (predicted - truth)?.sqr()?.mean_all()?;
    let pressure = (predicted.neg()?.relu()?.mean_all()? * PRESSURE)?;
    Ok((error + pressure)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::SeedableRng;

    use antiphon::model::{self, Chance, classic::CLASSIC_25};

    use super::*;
    use crate::train::{beginning, material::Training, pupil::melody};

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let mut chance = Chance::seed_from_u64(1);
        let preset = model::Preset::Classic(CLASSIC_25);
        let variables = beginning::drawn(preset, &mut chance).expect("shapes fit");
        let windows = Windows::new(Training::of(vec![melody()]).into(), 8, 12, chance).expect("long enough");
        let mut pupil = Classic::new(CLASSIC_25, &variables, windows).expect("shapes fit");
        let mut lesson = || {
            let batch = pupil.windows.next().expect("endless");
            pupil.learn_from(&batch, 1e-2).expect("finite")
        };
        let losses: Vec<Loss> = (0..60).map(|_| lesson()).collect();
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
}
