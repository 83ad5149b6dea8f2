//! One step of learning: loss, gradient, Adam.

use anyhow::{Result, bail};
use candle_core::{Tensor, Var, backprop::GradStore};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use antiphon::model::classic::Network;

use super::{beginning::Variables, windows::Batch};

/// The published weights of the three losses.
const PITCH_WEIGHT: f64 = 0.05;
/// How hard a negative step or duration is pushed back up.
const PRESSURE: f64 = 10.0;
/// A longer gradient is shortened to this, so that one strange batch cannot throw the weights far.
pub const LONGEST_GRADIENT: f32 = 1.0;

/// The parts of a batch's loss, before they are weighed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loss {
    /// Nats.
    pub pitch: f32,
    /// Square seconds, with pressure.
    pub step: f32,
    /// Square seconds, with pressure.
    pub duration: f32,
}

/// What learns.
pub struct Learner {
    pub network: Network,
    vars: Vec<Var>,
    adam: AdamW,
    states: Vec<Tensor>,
}

impl Learner {
    pub fn new(network: Network, variables: &Variables, rows: usize) -> Result<Self> {
        let vars: Vec<Var> = variables.values().cloned().collect();
        let parameters = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
        let states = network.silence(rows)?;
        Ok(Self { network, adam: AdamW::new(vars.clone(), parameters)?, vars, states })
    }

    /// Learns from a batch at a rate. Fails, with the weights as they were, when the loss or its gradient is not finite.
    pub fn learn(&mut self, batch: &Batch, rate: f64) -> Result<Loss> {
        let states =
            self.states.iter().map(|s| s.broadcast_mul(&batch.carried)).collect::<Result<Vec<_>, _>>()?;
        let (known, after) = self.network.listen(&batch.x, &states)?;
        let heads = self.network.predict(&known.flatten(0, 1)?)?;
        let pitch = candle_nn::loss::cross_entropy(&heads.logits, &batch.keys)?;
        let step = under_pressure(&heads.step, &batch.steps)?;
        let duration = under_pressure(&heads.duration, &batch.durations)?;
        let total = (((&pitch * PITCH_WEIGHT)? + &step)? + &duration)?;
        check(total.to_scalar()?)?;
        let mut gradients = total.backward()?;
        self.shorten(&mut gradients)?;
        self.adam.set_learning_rate(rate);
        self.adam.step(&gradients)?;
        self.states = after;
        Ok(Loss { pitch: pitch.to_scalar()?, step: step.to_scalar()?, duration: duration.to_scalar()? })
    }

    fn shorten(&self, gradients: &mut GradStore) -> Result<()> {
        let mut square = 0.0;
        for var in &self.vars {
            if let Some(gradient) = gradients.get(var) {
                square += gradient.sqr()?.sum_all()?.to_scalar::<f32>()?;
            }
        }
        let length = square.sqrt();
        check(length)?;
        if length <= LONGEST_GRADIENT {
            return Ok(());
        }
        for var in &self.vars {
            if let Some(gradient) = gradients.remove(var) {
                gradients.insert(var, (gradient * f64::from(LONGEST_GRADIENT / length))?);
            }
        }
        Ok(())
    }
}

fn check(number: f32) -> Result<()> {
    if number.is_finite() {
        return Ok(());
    }
    bail!(
        "the loss is no longer a number: begin again from the last checkpoint with `--init` and a lower `--rate`"
    )
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

    use antiphon::{
        model::{Chance, classic::CLASSIC_25},
        music::note::{Key, Velocity},
    };

    use super::*;
    use crate::{
        corpus::GridNote,
        train::{beginning, windows::Windows},
    };

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let note = |n: u8| GridNote {
            step: 20,
            key: Key::saturating(60 + n % 3 * 4),
            velocity: Velocity::saturating(64),
            duration: 30,
        };
        let mut chance = Chance::seed_from_u64(1);
        let variables = beginning::drawn(CLASSIC_25, &mut chance).expect("shapes fit");
        let network =
            Network::new(CLASSIC_25, |name| Ok(variables[name].as_tensor().clone())).expect("complete");
        let mut learner = Learner::new(network, &variables, 8).expect("shapes fit");
        let mut windows =
            Windows::new(vec![(0..99).map(note).collect()], 8, 12, chance).expect("long enough");
        let losses: Vec<Loss> = (0..60)
            .map(|_| learner.learn(&windows.next().expect("endless"), 1e-2).expect("finite"))
            .collect();
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
