//! One step down the gradient, the same for all networks: clipping, Adam.

use anyhow::{Result, bail};
use candle_core::{Tensor, Var, backprop::GradStore};
use rayon::prelude::*;

use antiphon::model::vector::{self, AdamStep};

use super::{beginning::Variables, checkpoint::Checkpoint};

/// A longer gradient is shortened to this, so that one strange batch cannot throw the weights far.
pub const LONGEST_GRADIENT: f32 = 1.0;

pub const NO_NUMBER: &str = "the loss is no longer a number: give a lower `--rate`";

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.99;
const EPSILON: f32 = 1e-8;

/// The weights and what Adam (Kingma and Ba, 2015) knows of them.
pub struct Descent {
    parts: Vec<Part>,
    /// What a step at rate 1 would take off every weight (Loshchilov and Hutter, 2019).
    decay: f64,
    steps: i32,
}

/// A tensor of weights, and the running means of its gradient and of the gradient's square.
struct Part {
    name: String,
    var: Var,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Descent {
    pub fn new(variables: &Variables, decay: f64) -> Result<Self> {
        let part = |(name, var): (&String, &Var)| {
            let weights: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let zeros = vec![0.0; weights.len()];
            Ok(Part {
                name: name.clone(),
                var: var.clone(),
                weights,
                gradient: zeros.clone(),
                mean: zeros.clone(),
                square: zeros,
            })
        };
        Ok(Self { parts: variables.iter().map(part).collect::<Result<_>>()?, decay, steps: 0 })
    }

    /// One step along the sum of some gradients. Fails, with the weights as they were, when it is not finite.
    pub fn step(&mut self, gradients: &[&GradStore], rate: f64) -> Result<()> {
        self.parts.par_iter_mut().try_for_each(|part| part.collect(gradients))?;
        let squares = self.parts.iter().map(|part| vector::dot(&part.gradient, &part.gradient));
        let length = squares.map(f64::from).sum::<f64>().sqrt() as f32;
        check(length)?;
        self.steps += 1;
        let correction = |beta: f32| 1.0 - beta.powi(self.steps);
        // The corrections for the means' beginning at 0, as one factor: Kingma and Ba, end of section 2.
        let step = AdamStep {
            shortening: (LONGEST_GRADIENT / length).min(1.0),
            beta_1: BETA_1,
            beta_2: BETA_2,
            rate: rate as f32 * correction(BETA_2).sqrt() / correction(BETA_1),
            epsilon: EPSILON,
            kept: (1.0 - rate * self.decay) as f32,
        };
        self.parts.par_iter_mut().try_for_each(|part| part.step(&step))
    }

    pub fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.keep("descent.steps", &self.steps)?;
        self.parts.iter().try_for_each(|part| {
            checkpoint.keep_numbers(&format!("mean.{}", part.name), &part.mean)?;
            checkpoint.keep_numbers(&format!("square.{}", part.name), &part.square)
        })
    }

    pub fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.steps = checkpoint.fact("descent.steps")?;
        self.parts.iter_mut().try_for_each(|part| {
            part.mean = checkpoint.numbers(&format!("mean.{}", part.name), part.mean.len())?;
            part.square = checkpoint.numbers(&format!("square.{}", part.name), part.square.len())?;
            Ok(())
        })
    }
}

impl Part {
    fn collect(&mut self, gradients: &[&GradStore]) -> Result<()> {
        self.gradient.fill(0.0);
        for gradient in gradients.iter().filter_map(|store| store.get(&self.var)) {
            let gradient: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
            vector::add(&mut self.gradient, 1.0, &gradient);
        }
        Ok(())
    }

    fn step(&mut self, step: &AdamStep) -> Result<()> {
        vector::adam(step, &mut self.weights, &self.gradient, &mut self.mean, &mut self.square);
        let weights = Tensor::from_slice(&self.weights, self.var.shape(), self.var.device())?;
        self.var.set(&weights)?;
        Ok(())
    }
}

/// Fails when a loss or the length of a gradient is not finite.
pub fn check(number: f32) -> Result<()> {
    if number.is_finite() {
        return Ok(());
    }
    bail!(NO_NUMBER)
}
