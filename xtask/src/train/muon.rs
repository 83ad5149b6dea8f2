//! Muon: steps of equal length along all directions of a matrix (Jordan et al., 2024), as long as Adam's are (Liu et
//! al., 2025).

use anyhow::Result;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use antiphon::model::vector;

/// Of the running sum of gradients, what stays from step to step.
const MOMENTUM: f32 = 0.95;
/// The root mean square of Adam's steps, as a part of the rate.
const LENGTH: f64 = 0.2;
const ITERATIONS: usize = 5;

/// Takes a step from `weights`, matrices of one shape (rows, columns) one below the other, and leaves the direction in
/// `gradient`. `sum` is what is left of the gradients before; `kept` is what is left of a weight.
pub fn descend(
    weights: &mut [f32],
    gradient: &mut [f32],
    sum: &mut [f32],
    shape: (usize, usize),
    (rate, kept): (f32, f32),
) -> Result<()> {
    vector::scale_and_add(sum, MOMENTUM, gradient);
    // Nesterov's: the sum as it will be if the gradient stays.
    vector::add(gradient, MOMENTUM, sum);
    let matrices = weights.par_chunks_mut(shape.0 * shape.1).zip(gradient.par_chunks(shape.0 * shape.1));
    matrices.try_for_each(|(weights, direction)| {
        let steps = weights.iter_mut().zip(step(direction, shape)?);
        steps.for_each(|(weight, step)| *weight = kept * *weight - rate * step);
        Ok(())
    })
}

/// A step at rate 1 in the direction of a matrix (rows, columns).
fn step(direction: &[f32], (rows, columns): (usize, usize)) -> Result<Vec<f32>> {
    let direction = Tensor::from_slice(direction, (rows, columns), &Device::Cpu)?;
    let level = match rows > columns {
        true => orthogonal(&direction.t()?.contiguous()?)?.t()?,
        false => orthogonal(&direction)?,
    };
    let level = (level * (LENGTH * (rows.max(columns) as f64).sqrt()))?;
    Ok(level.flatten_all()?.to_vec1()?)
}

/// The matrix with all its singular values brought near 1, by a quintic iteration. It has no more rows than columns.
fn orthogonal(matrix: &Tensor) -> Result<Tensor> {
    let length = matrix.sqr()?.sum_all()?.to_scalar::<f32>()?.sqrt();
    let mut x = (matrix / f64::from(length.max(f32::MIN_POSITIVE)))?;
    for _ in 0..ITERATIONS {
        let square = x.matmul(&x.t()?)?;
        let fourth = square.matmul(&square)?;
        let bend = ((square * -4.775)? + (fourth * 2.0315)?)?;
        x = ((&x * 3.4445)? + bend.matmul(&x)?)?;
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use antiphon::model::Chance;

    use super::*;

    #[test]
    fn all_directions_are_gone_equally_far() {
        let mut chance = Chance::seed_from_u64(1);
        for (rows, columns) in [(16, 40), (40, 16)] {
            let direction: Vec<f32> = (0..rows * columns).map(|_| chance.random_range(-1.0..1.0)).collect();
            let step = step(&direction, (rows, columns)).expect("a matrix");
            let step = Tensor::from_vec(step, (rows, columns), &Device::Cpu).expect("a matrix");
            let step = (step / (LENGTH * 40f64.sqrt())).expect("a matrix");
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
