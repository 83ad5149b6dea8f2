//! One step down the gradient, the same for all networks: clipping, Adam.

use anyhow::{Result, bail};
use candle_core::{Tensor, Var, backprop::GradStore};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::beginning::Variables;

/// A longer gradient is shortened to this, so that one strange batch cannot throw the weights far.
pub const LONGEST_GRADIENT: f32 = 1.0;

/// The weights and what Adam knows of them.
pub struct Descent {
    vars: Vec<Var>,
    adam: AdamW,
}

impl Descent {
    pub fn new(variables: &Variables) -> Result<Self> {
        let vars: Vec<Var> = variables.values().cloned().collect();
        let parameters = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
        Ok(Self { adam: AdamW::new(vars.clone(), parameters)?, vars })
    }

    /// Fails, with the weights as they were, when the loss or its gradient is not finite.
    pub fn step(&mut self, loss: &Tensor, rate: f64) -> Result<()> {
        check(loss.to_scalar()?)?;
        let mut gradients = loss.backward()?;
        self.shorten(&mut gradients)?;
        self.adam.set_learning_rate(rate);
        self.adam.step(&gradients)?;
        Ok(())
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
