//! The difference while it is learnt, with low-rank factors (LoRA) and Adam. The network reads whole
//! matrices; the gradient of each is passed on to the two factors of its difference.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor, Var, backprop::GradStore};
use rand::RngExt;
use rayon::prelude::*;

use crate::model::{
    Rng,
    personal::Part,
    product::{Matrix, MatrixMut, Output, Sizes, product},
    vector::{self, ADAM, AdamStep},
    weights::Weights,
};

/// The parts of a difference, by the names of their tensors.
pub type Parts = BTreeMap<String, Part>;

/// Rank of the difference of a matrix.
const RANK: usize = 8;
/// Rank for the tables, which is lower since their rows are rarely read.
const RANK_OF_TABLES: usize = 4;

/// The difference of all tensors, and the network's tensors that it changes.
pub struct Difference {
    tensors: BTreeMap<String, Tensor>,
    matrices: Vec<LearntTensor>,
    steps: i32,
}

/// A tensor, its base and its difference.
struct LearntTensor {
    name: String,
    /// The tensor that the network reads: base plus difference.
    var: Var,
    base: Vec<f32>,
    shape: Shape,
    /// The difference of a bias, or the first factor of that of a matrix, (O, rank).
    up: AdamVariable,
    /// The second factor of the difference of a matrix, (rank, I); empty for a bias.
    down: AdamVariable,
}

#[derive(Clone, Copy)]
enum Shape {
    /// A difference for each number.
    Sum,
    Factors {
        outputs: usize,
        inputs: usize,
        rank: usize,
    },
}

/// Numbers that are optimised by Adam, with their gradient and its running means.
#[derive(Default)]
struct AdamVariable {
    numbers: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Difference {
    /// A difference of 0 to a base.
    pub fn to(base: &Weights, rng: &mut Rng) -> Result<Self> {
        let (mut tensors, mut matrices) = (BTreeMap::new(), Vec::new());
        for (name, shape) in base.architecture.tensors() {
            let var = Var::from_tensor(&base.tensor(&name)?)?;
            tensors.insert(name.clone(), var.as_tensor().clone());
            let base = base.numbers(&name).to_vec();
            let (shape, up, down) = match shape[..] {
                [outputs, inputs] if !name.ends_with(".age") => {
                    let rank = if name.ends_with("table") { RANK_OF_TABLES } else { RANK };
                    let reach = (3.0 / inputs as f32).sqrt();
                    let down = (0..rank * inputs).map(|_| rng.random_range(-reach..reach)).collect();
                    (Shape::Factors { outputs, inputs, rank }, vec![0.0; outputs * rank], down)
                }
                _ => (Shape::Sum, vec![0.0; base.len()], Vec::new()),
            };
            matrices.push(LearntTensor {
                name,
                var,
                base,
                shape,
                up: AdamVariable::at(up),
                down: AdamVariable::at(down),
            });
        }
        Ok(Self { tensors, matrices, steps: 0 })
    }

    /// A tensor of the network, which changes while it is learnt.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        Ok(self.tensors[name].clone())
    }

    /// Does one step of Adam with the sum of some gradients. Where it is not finite, returns false and
    /// changes nothing.
    pub fn step(&mut self, gradients: &[&GradStore], rate: f32) -> Result<bool> {
        self.matrices.par_iter_mut().try_for_each(|matrix| matrix.collect(gradients))?;
        let squares = self.matrices.iter().flat_map(|matrix| [&matrix.up, &matrix.down]);
        let squares = squares.map(|moving| f64::from(vector::dot(&moving.gradient, &moving.gradient)));
        let length = squares.sum::<f64>().sqrt() as f32;
        if !length.is_finite() {
            return Ok(false);
        }
        self.steps += 1;
        let step = ADAM.step(self.steps, length, rate, 1.0);
        self.matrices.par_iter_mut().try_for_each(|matrix| matrix.step(&step))?;
        Ok(true)
    }

    /// Resets the difference to an earlier one. Fails where the tensors cannot be set.
    pub fn restore(&mut self, parts: &Parts) -> Result<()> {
        self.matrices.par_iter_mut().try_for_each(|matrix| {
            match &parts[&matrix.name] {
                Part::Sum(numbers) => matrix.up.numbers.clone_from(numbers),
                Part::Factors { up, down, .. } => {
                    matrix.up.numbers.clone_from(up);
                    matrix.down.numbers.clone_from(down);
                }
            }
            matrix.lay_out()
        })
    }

    /// The difference learnt up to now.
    pub fn parts(&self) -> Parts {
        self.matrices.iter().map(|matrix| (matrix.name.clone(), matrix.part())).collect()
    }
}

impl LearntTensor {
    /// Sums the gradients of the tensor, and passes the sum on to the factors of its difference.
    fn collect(&mut self, gradients: &[&GradStore]) -> Result<()> {
        let mut whole = vec![0.0; self.base.len()];
        for gradient in gradients.iter().filter_map(|store| store.get(&self.var)) {
            let gradient: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
            vector::add(&mut whole, 1.0, &gradient);
        }
        let Shape::Factors { outputs, inputs, rank } = self.shape else {
            self.up.gradient = whole;
            return Ok(());
        };
        let down = Matrix::rows(&self.down.numbers, inputs).transposed();
        let output = MatrixMut { numbers: &mut self.up.gradient, row: rank };
        let sizes = Sizes { rows: outputs, depth: inputs, columns: rank };
        product(sizes, Matrix::rows(&whole, inputs), down, output, Output::Overwrite);
        let up = Matrix::rows(&self.up.numbers, rank).transposed();
        let output = MatrixMut { numbers: &mut self.down.gradient, row: inputs };
        let sizes = Sizes { rows: rank, depth: outputs, columns: inputs };
        product(sizes, up, Matrix::rows(&whole, inputs), output, Output::Overwrite);
        Ok(())
    }

    fn step(&mut self, step: &AdamStep) -> Result<()> {
        self.up.step(step);
        self.down.step(step);
        self.lay_out()
    }

    /// Sets the tensor that the network reads to the base plus the difference.
    fn lay_out(&mut self) -> Result<()> {
        let (mut numbers, outputs) = (self.base.clone(), self.outputs());
        self.part().add_to(&mut numbers, outputs, 1.0);
        self.var.set(&Tensor::from_vec(numbers, self.var.shape(), self.var.device())?)
    }

    fn outputs(&self) -> usize {
        match self.shape {
            Shape::Sum => self.base.len(),
            Shape::Factors { outputs, .. } => outputs,
        }
    }

    fn part(&self) -> Part {
        match self.shape {
            Shape::Sum => Part::Sum(self.up.numbers.clone()),
            Shape::Factors { rank, .. } => {
                Part::Factors { up: self.up.numbers.clone(), down: self.down.numbers.clone(), rank }
            }
        }
    }
}

impl AdamVariable {
    fn at(numbers: Vec<f32>) -> Self {
        let zeros = || vec![0.0; numbers.len()];
        Self { gradient: zeros(), mean: zeros(), square: zeros(), numbers }
    }

    fn step(&mut self, step: &AdamStep) {
        let Self { numbers, gradient, mean, square } = self;
        vector::adam(step, numbers, gradient, mean, square);
    }
}
