//! Weights laid out for one note at a time.

use crate::model::vector::{self, WIDTH};

/// A matrix and a bias, in blocks of [`WIDTH`] outputs whose columns lie one after the other, so that a product reads
/// memory once, from front to back.
#[derive(Debug, Clone)]
pub struct Packed {
    inputs: usize,
    outputs: usize,
    /// (blocks, inputs, WIDTH)
    columns: Vec<[f32; WIDTH]>,
    /// (blocks, WIDTH)
    bias: Vec<[f32; WIDTH]>,
}

impl Packed {
    /// `rows` gives the weights of output after output, each as long as `inputs`; `bias` has one number for each.
    pub fn new(inputs: usize, rows: &[Vec<f32>], bias: &[f32]) -> Self {
        assert!(rows.len() == bias.len() && rows.iter().all(|row| row.len() == inputs));
        let blocks = rows.len().div_ceil(WIDTH);
        let mut packed = Self {
            inputs,
            outputs: rows.len(),
            columns: vec![[0.0; WIDTH]; blocks * inputs],
            bias: vec![[0.0; WIDTH]; blocks],
        };
        for (n, (row, &bias)) in rows.iter().zip(bias).enumerate() {
            let (block, lane) = (n / WIDTH, n % WIDTH);
            packed.bias[block][lane] = bias;
            for (column, &weight) in packed.columns[block * inputs..].iter_mut().zip(row) {
                column[lane] = weight;
            }
        }
        packed
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `output = matrix · input + bias`. Realtime-safe.
    pub fn apply(&self, input: &[f32], output: &mut [f32]) {
        let blocks = self.columns.chunks_exact(self.inputs).zip(&self.bias);
        for ((columns, bias), output) in blocks.zip(output[..self.outputs].chunks_mut(WIDTH)) {
            let mut sums = *bias;
            vector::multiply(columns, input, &mut sums);
            output.copy_from_slice(&sums[..output.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_does_not_change_a_product() {
        for outputs in [1, 63, 64, 130] {
            let rows: Vec<Vec<f32>> =
                (0..outputs).map(|r| (0..7).map(|k| ((r * 7 + k) as f32 * 0.7).sin()).collect()).collect();
            let bias: Vec<f32> = (0..outputs).map(|r| r as f32 * 0.1).collect();
            let input: Vec<f32> = (0..7).map(|k| (k as f32).cos()).collect();
            let mut output = vec![0.0; outputs];
            Packed::new(7, &rows, &bias).apply(&input, &mut output);
            for (r, row) in rows.iter().enumerate() {
                let expected = bias[r] + row.iter().zip(&input).map(|(w, x)| w * x).sum::<f32>();
                assert!((output[r] - expected).abs() < 1e-4);
            }
        }
    }
}
