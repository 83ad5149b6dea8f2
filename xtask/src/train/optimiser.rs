//! The optimiser of all networks: gradient clipping, then Adam, or Muon for the matrices of our own network.

use anyhow::{Result, bail};
use candle_core::{Tensor, Var, backprop::GradStore};
use rayon::prelude::*;
use serde::Serialize;

use antiphon::model::{
    product::{Matrix, MatrixMut, Output, Precision, Sizes, par_product},
    vector::{self, ADAM, AdamStep},
};

use super::{initialisation::Variables, output::Checkpoint};

pub const NO_NUMBER: &str = "the loss is no longer a number: give a lower `--rate`";

/// Momentum: the part of the running sum of gradients that stays from step to step.
const MUON_MOMENTUM: f32 = 0.95;
/// Root mean square of Muon's steps as a part of the learning rate, which is that of Adam's steps.
const MUON_LENGTH: f32 = 0.2;
const MUON_ITERATIONS: usize = 5;
/// Coefficients of its iteration: A = X·Xᵀ, B = b·A + c·A², X ← a·X + B·X (Jordan et al., 2024).
const MUON_COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// The weights, and how they are updated.
pub struct Optimiser {
    parameters: Vec<Parameter>,
    /// Weight decay of a step at rate 1 (Loshchilov and Hutter, 2019).
    decay: f64,
    steps: i32,
}

/// How the parameters are updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Method {
    Adam,
    /// Muon for the hidden matrices of a network, Adam for the rest.
    Muon,
}

/// A tensor of weights.
struct Parameter {
    name: String,
    var: Var,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    rule: Rule,
}

/// The update rule of a parameter, with its state.
enum Rule {
    /// Kingma and Ba (2015): the running means of the gradient and of its square.
    Adam { mean: Vec<f32>, square: Vec<f32> },
    /// The running sum of the gradient of matrices (rows, columns), one below the other.
    Muon { sum: Vec<f32>, shape: (usize, usize) },
}

impl Optimiser {
    pub fn new(variables: &Variables, method: Method, decay: f64) -> Result<Self> {
        let parameter = |(name, var): (&String, &Var)| {
            let weights: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let gradient = vec![0.0; weights.len()];
            let rule = Rule::new(name, var.dims(), method);
            Ok(Parameter { name: name.clone(), var: var.clone(), weights, gradient, rule })
        };
        Ok(Self { parameters: variables.iter().map(parameter).collect::<Result<_>>()?, decay, steps: 0 })
    }

    /// Does one step with the sum of some gradients. Fails, and leaves the weights as they were, when it is
    /// not finite.
    pub fn step(&mut self, gradients: &[&GradStore], rate: f64) -> Result<()> {
        self.parameters.par_iter_mut().try_for_each(|parameter| parameter.collect(gradients))?;
        let squares =
            self.parameters.iter().map(|parameter| vector::dot(&parameter.gradient, &parameter.gradient));
        let length = squares.map(f64::from).sum::<f64>().sqrt() as f32;
        check(length)?;
        self.steps += 1;
        let step = ADAM.step(self.steps, length, rate as f32, (1.0 - rate * self.decay) as f32);
        self.parameters.par_iter_mut().try_for_each(|parameter| parameter.step(&step, rate as f32))
    }

    /// Saves the state of the optimiser in a checkpoint.
    pub fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.keep("descent.steps", &self.steps)?;
        self.parameters.iter().try_for_each(|parameter| {
            let mut numbers = parameter.rule.numbers().into_iter();
            numbers.try_for_each(|(kind, numbers)| {
                checkpoint.keep_numbers(&format!("{kind}.{}", parameter.name), numbers)
            })
        })
    }

    /// Reverses [`Optimiser::keep`].
    pub fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.steps = checkpoint.fact("descent.steps")?;
        self.parameters.iter_mut().try_for_each(|parameter| {
            for (kind, numbers) in parameter.rule.numbers_mut() {
                *numbers = checkpoint.numbers(&format!("{kind}.{}", parameter.name), numbers.len())?;
            }
            Ok(())
        })
    }
}

/// Fails when a loss or a gradient norm is not finite.
pub fn check(number: f32) -> Result<()> {
    if number.is_finite() {
        return Ok(());
    }
    bail!(NO_NUMBER)
}

impl Parameter {
    fn collect(&mut self, gradients: &[&GradStore]) -> Result<()> {
        self.gradient.fill(0.0);
        for gradient in gradients.iter().filter_map(|store| store.get(&self.var)) {
            let gradient: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
            vector::add(&mut self.gradient, 1.0, &gradient);
        }
        Ok(())
    }

    fn step(&mut self, step: &AdamStep, rate: f32) -> Result<()> {
        let Self { weights, gradient, rule, .. } = self;
        match rule {
            Rule::Adam { mean, square } => vector::adam(step, weights, gradient, mean, square),
            Rule::Muon { sum, shape } => {
                gradient.iter_mut().for_each(|number| *number *= step.clip_scale);
                muon(weights, gradient, sum, *shape, (rate, step.kept));
            }
        }
        let weights = Tensor::from_slice(&self.weights, self.var.shape(), self.var.device())?;
        self.var.set(&weights)?;
        Ok(())
    }
}

impl Rule {
    fn new(name: &str, dims: &[usize], method: Method) -> Self {
        let zeros = || vec![0.0; dims.iter().product()];
        let blocks = match name {
            _ if method == Method::Adam => None,
            // The four gates are separate matrices.
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

/// Does one step of Muon, which is equally long along all directions of a matrix (Jordan et al., 2024) and as
/// long as Adam's (Liu et al., 2025).
///
/// `weights` are matrices of one shape (rows, columns), one below the other. The direction of the step is
/// left in `gradient`. `sum` is the momentum of the gradients before, and `kept` what weight decay leaves of
/// a weight.
fn muon(
    weights: &mut [f32],
    gradient: &mut [f32],
    sum: &mut [f32],
    shape: (usize, usize),
    (rate, kept): (f32, f32),
) {
    vector::scale_and_add(sum, MUON_MOMENTUM, gradient);
    // Nesterov momentum: the sum as it will be if the gradient stays the same.
    vector::add(gradient, MUON_MOMENTUM, sum);
    let matrices = weights.par_chunks_mut(shape.0 * shape.1).zip(gradient.par_chunks(shape.0 * shape.1));
    matrices.for_each(|(weights, direction)| {
        let change = scaled(&muon_step(direction, shape), -rate);
        vector::scale_and_add(weights, kept, &change);
    });
}

/// A step at rate 1 in the direction of a matrix (rows, columns).
fn muon_step(direction: &[f32], shape: (usize, usize)) -> Vec<f32> {
    let length = MUON_LENGTH * (shape.0.max(shape.1) as f32).sqrt();
    scaled(&orthogonal(direction, shape), length)
}

/// The matrix (rows, columns) with all its singular values brought near 1 by Muon's iteration, in mixed
/// precision as in its source.
fn orthogonal(matrix: &[f32], (rows, columns): (usize, usize)) -> Vec<f32> {
    let mut x = scaled(matrix, 1.0 / vector::dot(matrix, matrix).sqrt().max(f32::MIN_POSITIVE));
    let (short, long) = (rows.min(columns), rows.max(columns));
    let is_tall = rows > columns;
    let [factor_x, factor_a, factor_a2] = MUON_COEFFICIENTS;
    let (mut a, mut a2) = (vec![0.0; short * short], vec![0.0; short * short]);
    let mut next = vec![0.0; x.len()];
    for _ in 0..MUON_ITERATIONS {
        let matrix = Matrix::rows(&x, columns);
        // Of a tall matrix A = Xᵀ·X, and X ← a·X + X·B.
        let (left, right) =
            if is_tall { (matrix.transposed(), matrix) } else { (matrix, matrix.transposed()) };
        multiply(Sizes { rows: short, depth: long, columns: short }, left, right, &mut a);
        let gram = Matrix::rows(&a, short);
        multiply(Sizes { rows: short, depth: short, columns: short }, gram, gram, &mut a2);
        let mut b = scaled(&a2, factor_a2);
        vector::add(&mut b, factor_a, &a);
        let b = Matrix::rows(&b, short);
        let (left, right) = if is_tall { (matrix, b) } else { (b, matrix) };
        multiply(Sizes { rows, depth: short, columns }, left, right, &mut next);
        vector::add(&mut next, factor_x, &x);
        std::mem::swap(&mut x, &mut next);
    }
    x
}

fn scaled(numbers: &[f32], factor: f32) -> Vec<f32> {
    let mut scaled = vec![0.0; numbers.len()];
    vector::add(&mut scaled, factor, numbers);
    scaled
}

/// `output = a · b`, with rows of `output` one after the other.
fn multiply(sizes: Sizes, a: Matrix, b: Matrix, output: &mut [f32]) {
    let output = MatrixMut { numbers: output, row: sizes.columns };
    par_product(sizes, a, b, output, Output::Overwrite, Precision::Mixed);
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use candle_nn::{AdamW, Optimizer, ParamsAdamW};
    use rand::{RngExt, SeedableRng};

    use antiphon::model::Rng;

    use super::*;

    const RATE: f64 = 0.01;
    const DECAY: f64 = 0.1;

    fn var() -> Var {
        Var::from_vec(vec![0.5f32, -0.25, 2.0, -1.0, 0.125, 0.75], (2, 3), &Device::Cpu).expect("a shape")
    }

    /// The gradient of half the sum of squares times `factor`: the weights times `factor`.
    fn gradient(var: &Var, factor: f64) -> GradStore {
        let loss = var.sqr().and_then(|squares| squares.sum_all()? * (0.5 * factor));
        loss.and_then(|loss| loss.backward()).expect("a sum")
    }

    fn numbers(var: &Var) -> Vec<f32> {
        var.flatten_all().and_then(|var| var.to_vec1()).expect("numbers")
    }

    fn optimiser(var: &Var) -> Optimiser {
        let variables = Variables::from([("head.weight".to_owned(), var.clone())]);
        Optimiser::new(&variables, Method::Adam, DECAY).expect("numbers")
    }

    #[test]
    fn adam_goes_where_the_adam_of_candle_goes() {
        let (ours, theirs) = (var(), var());
        let mut optimiser = optimiser(&ours);
        let params = ParamsAdamW {
            lr: RATE,
            beta1: ADAM.beta_1.into(),
            beta2: ADAM.beta_2.into(),
            eps: ADAM.epsilon.into(),
            weight_decay: DECAY,
        };
        let mut adam = AdamW::new(vec![theirs.clone()], params).expect("a variable");
        for factor in [0.3, -0.1, 0.2, 0.35, 0.05] {
            optimiser.step(&[&gradient(&ours, factor)], RATE).expect("finite");
            adam.step(&gradient(&theirs, factor)).expect("finite");
        }
        assert!(numbers(&ours).iter().zip(numbers(&theirs)).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(numbers(&ours).iter().zip(numbers(&var())).all(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    fn a_gradient_that_is_too_long_goes_as_far_as_the_longest() {
        // The gradient norm is 1 for the factor `1.0 / length`.
        let length = f64::from(numbers(&var()).iter().map(|weight| weight * weight).sum::<f32>()).sqrt();
        let after = |factor: f64| {
            let var = var();
            let mut optimiser = optimiser(&var);
            // Only the second step shows it: Adam's first step has the same length for any gradient.
            optimiser.step(&[&gradient(&var, factor)], RATE).expect("finite");
            optimiser.step(&[&gradient(&var, 0.01)], RATE).expect("finite");
            numbers(&var)
        };
        let (longest, longer, short) = (after(1.0 / length), after(1000.0), after(0.1 / length));
        assert!(longest.iter().zip(&longer).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(longest.iter().zip(&short).any(|(a, b)| (a - b).abs() > 1e-4));
    }

    #[test]
    fn a_gradient_that_is_not_finite_leaves_the_weights() {
        let var = var();
        let refused = optimiser(&var).step(&[&gradient(&var, f64::INFINITY)], RATE);
        assert_eq!(refused.expect_err("it is not finite").to_string(), NO_NUMBER);
        assert_eq!(numbers(&var), numbers(&self::var()));
    }

    #[test]
    fn all_directions_are_gone_equally_far() {
        let mut rng = Rng::seed_from_u64(1);
        for (rows, columns) in [(16, 40), (40, 16)] {
            let direction: Vec<f32> = (0..rows * columns).map(|_| rng.random_range(-1.0..1.0)).collect();
            let step = muon_step(&direction, (rows, columns));
            let step = Tensor::from_vec(step, (rows, columns), &Device::Cpu).expect("a matrix");
            let step = (step / f64::from(MUON_LENGTH * 40f32.sqrt())).expect("a matrix");
            let square = if rows > columns {
                step.t().and_then(|t| t.matmul(&step))
            } else {
                step.t().and_then(|t| step.matmul(&t))
            };
            let square: Vec<Vec<f32>> = square.and_then(|square| square.to_vec2()).expect("a matrix");
            for (n, row) in square.iter().enumerate() {
                assert!((0.4..1.6).contains(&row[n]), "{}", row[n]);
                let across = row.iter().enumerate().filter(|&(m, _)| m != n);
                assert!(across.into_iter().all(|(_, number)| number.abs() < 0.4), "{row:?}");
            }
        }
    }
}
