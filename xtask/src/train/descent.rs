//! One step down the gradient, the same for all networks: clipping, then Adam, or Muon for the matrices of ours.

use anyhow::{Result, bail};
use candle_core::{Tensor, Var, backprop::GradStore};
use rayon::prelude::*;
use serde::Serialize;

use antiphon::model::vector::{self, AdamStep};

use super::{beginning::Variables, checkpoint::Checkpoint, muon};

/// A longer gradient, of all weights together, is clipped to this, so that one strange batch cannot throw the weights far.
pub const LONGEST_GRADIENT: f32 = 1.0;

pub const NO_NUMBER: &str = "the loss is no longer a number: give a lower `--rate`";

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.99;
const EPSILON: f32 = 1e-8;

/// The weights and how they go down.
pub struct Descent {
    parts: Vec<Part>,
    /// What a step at rate 1 would take off every weight (Loshchilov and Hutter, 2019).
    decay: f64,
    steps: i32,
}

/// A tensor of weights.
struct Part {
    name: String,
    var: Var,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    way: Way,
}

/// How a part goes down, and what it remembers.
enum Way {
    /// Kingma and Ba (2015): the running means of the gradient and of its square.
    Adam { mean: Vec<f32>, square: Vec<f32> },
    /// The running sum of the gradient of matrices (rows, columns), one below the other.
    Muon { sum: Vec<f32>, shape: (usize, usize) },
}

/// How the parts go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Method {
    Adam,
    /// Muon for what lies between the layers, Adam for the rest.
    Muon,
}

impl Descent {
    pub fn new(variables: &Variables, method: Method, decay: f64) -> Result<Self> {
        let part = |(name, var): (&String, &Var)| {
            let weights: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let gradient = vec![0.0; weights.len()];
            let way = Way::new(name, var.dims(), method);
            Ok(Part { name: name.clone(), var: var.clone(), weights, gradient, way })
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
        self.parts.par_iter_mut().try_for_each(|part| part.step(&step, rate as f32))
    }

    /// Keeps what it remembers of the gradients.
    pub fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.keep("descent.steps", &self.steps)?;
        self.parts.iter().try_for_each(|part| {
            let mut numbers = part.way.numbers().into_iter();
            numbers.try_for_each(|(kind, numbers)| {
                checkpoint.keep_numbers(&format!("{kind}.{}", part.name), numbers)
            })
        })
    }

    /// The way back from [`Descent::keep`].
    pub fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.steps = checkpoint.fact("descent.steps")?;
        self.parts.iter_mut().try_for_each(|part| {
            for (kind, numbers) in part.way.numbers_mut() {
                *numbers = checkpoint.numbers(&format!("{kind}.{}", part.name), numbers.len())?;
            }
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

    fn step(&mut self, step: &AdamStep, rate: f32) -> Result<()> {
        let Self { weights, gradient, way, .. } = self;
        match way {
            Way::Adam { mean, square } => vector::adam(step, weights, gradient, mean, square),
            Way::Muon { sum, shape } => {
                gradient.iter_mut().for_each(|number| *number *= step.shortening);
                muon::descend(weights, gradient, sum, *shape, (rate, step.kept))?;
            }
        }
        let weights = Tensor::from_slice(&self.weights, self.var.shape(), self.var.device())?;
        self.var.set(&weights)?;
        Ok(())
    }
}

impl Way {
    fn new(name: &str, dims: &[usize], method: Method) -> Self {
        let zeros = || vec![0.0; dims.iter().product()];
        let blocks = match name {
            _ if method == Method::Adam => None,
            // Four gates.
            _ if name.starts_with("lstm") => Some(4),
            _ if name.starts_with("attention") || name.contains(".hidden.") => Some(1),
            _ => None,
        };
        match (blocks, dims) {
            (Some(blocks), &[rows, columns]) if !name.ends_with(".age") => {
                Self::Muon { sum: zeros(), shape: (rows / blocks, columns) }
            }
            _ => Self::Adam { mean: zeros(), square: zeros() },
        }
    }

    fn numbers(&self) -> Vec<(&'static str, &[f32])> {
        match self {
            Self::Adam { mean, square } => vec![("mean", mean), ("square", square)],
            Self::Muon { sum, .. } => vec![("sum", sum)],
        }
    }

    fn numbers_mut(&mut self) -> Vec<(&'static str, &mut Vec<f32>)> {
        match self {
            Self::Adam { mean, square } => vec![("mean", mean), ("square", square)],
            Self::Muon { sum, .. } => vec![("sum", sum)],
        }
    }
}

/// Fails when a loss or the length of a gradient is not finite.
pub fn check(number: f32) -> Result<()> {
    if number.is_finite() {
        return Ok(());
    }
    bail!(NO_NUMBER)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use candle_nn::{AdamW, Optimizer, ParamsAdamW};

    use super::*;

    const RATE: f64 = 0.01;
    const DECAY: f64 = 0.1;

    fn var() -> Var {
        Var::from_vec(vec![0.5f32, -0.25, 2.0, -1.0, 0.125, 0.75], (2, 3), &Device::Cpu).expect("a shape")
    }

    /// Of half the sum of squares, times a factor: the gradient is the weights, so much longer.
    fn gradient(var: &Var, factor: f64) -> GradStore {
        let loss = var.sqr().and_then(|squares| squares.sum_all()? * (0.5 * factor));
        loss.and_then(|loss| loss.backward()).expect("a sum")
    }

    fn numbers(var: &Var) -> Vec<f32> {
        var.flatten_all().and_then(|var| var.to_vec1()).expect("numbers")
    }

    fn descent(var: &Var) -> Descent {
        let variables = Variables::from([("head.weight".to_owned(), var.clone())]);
        Descent::new(&variables, Method::Adam, DECAY).expect("numbers")
    }

    #[test]
    fn adam_goes_where_the_adam_of_candle_goes() {
        let (ours, theirs) = (var(), var());
        let mut descent = descent(&ours);
        let params = ParamsAdamW {
            lr: RATE,
            beta1: BETA_1.into(),
            beta2: BETA_2.into(),
            eps: EPSILON.into(),
            weight_decay: DECAY,
        };
        let mut adam = AdamW::new(vec![theirs.clone()], params).expect("a variable");
        for factor in [0.3, -0.1, 0.2, 0.35, 0.05] {
            descent.step(&[&gradient(&ours, factor)], RATE).expect("finite");
            adam.step(&gradient(&theirs, factor)).expect("finite");
        }
        assert!(numbers(&ours).iter().zip(numbers(&theirs)).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(numbers(&ours).iter().zip(numbers(&var())).all(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    fn a_gradient_that_is_too_long_goes_as_far_as_the_longest() {
        // Its length is 1 where the factor is that of the weights' own.
        let length = f64::from(numbers(&var()).iter().map(|weight| weight * weight).sum::<f32>()).sqrt();
        let after = |factor: f64| {
            let var = var();
            let mut descent = descent(&var);
            // The second step tells: Adam's first one is as long whatever the gradient.
            descent.step(&[&gradient(&var, factor)], RATE).expect("finite");
            descent.step(&[&gradient(&var, 0.01)], RATE).expect("finite");
            numbers(&var)
        };
        let (longest, longer, short) = (after(1.0 / length), after(1000.0), after(0.1 / length));
        assert!(longest.iter().zip(&longer).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(longest.iter().zip(&short).any(|(a, b)| (a - b).abs() > 1e-4));
    }

    #[test]
    fn a_gradient_that_is_not_finite_leaves_the_weights() {
        let var = var();
        let refused = descent(&var).step(&[&gradient(&var, f64::INFINITY)], RATE);
        assert_eq!(refused.expect_err("it is not finite").to_string(), NO_NUMBER);
        assert_eq!(numbers(&var), numbers(&self::var()));
    }
}
