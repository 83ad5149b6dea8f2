//! The layers that all networks are made of: their tensors in a model file, and their weights packed for
//! inference.

use super::vector::{self, WIDTH};

/// The tensors of an LSTM: (4H, I), (4H, H), (4H).
pub const LSTM: [&str; 3] = ["weight_ih", "weight_hh", "bias"];
/// The tensors of an affine layer: (O, I), (O).
pub const AFFINE: [&str; 2] = ["weight", "bias"];

/// The name of a tensor in a model file, and its shape.
pub type Named = (String, Vec<usize>);

/// The name of a tensor of an LSTM in a model file.
pub fn lstm_tensor(layer: usize, part: &str) -> String {
    format!("lstm.{layer}.{part}")
}

/// The name of a tensor of an affine layer in a model file.
pub fn affine_tensor(name: &str, part: &str) -> String {
    format!("{name}.{part}")
}

/// The names and shapes of the tensors of an LSTM with `hidden` units.
pub fn lstm_tensors(layer: usize, hidden: usize, inputs: usize) -> impl Iterator<Item = Named> {
    let gates = 4 * hidden;
    let shapes = [vec![gates, inputs], vec![gates, hidden], vec![gates]];
    LSTM.into_iter().zip(shapes).map(move |(part, shape)| (lstm_tensor(layer, part), shape))
}

/// The names and shapes of the tensors of an affine layer.
pub fn affine_tensors(name: &str, outputs: usize, inputs: usize) -> impl Iterator<Item = Named> {
    let shapes = [vec![outputs, inputs], vec![outputs]];
    AFFINE.into_iter().zip(shapes).map(move |(part, shape)| (affine_tensor(name, part), shape))
}

/// A matrix and a bias, packed for one note at a time: in blocks of [`WIDTH`] outputs, whose columns lie one
/// after the other. So a product reads memory once, from front to back.
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
    /// Packs `rows`, one for each output and each of the length `inputs`; `bias` has one number for each row.
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

    /// The LSTM of the number `layer` in a model file; `numbers` gives each tensor by its name. It reads its
    /// input, then its hidden units.
    pub fn lstm<'a>(layer: usize, numbers: &impl Fn(&str) -> &'a [f32]) -> Self {
        let [w_ih, w_hh, bias] = LSTM.map(|part| numbers(&lstm_tensor(layer, part)));
        let [inputs, hidden] = [w_ih, w_hh].map(|weight| weight.chunks_exact(weight.len() / bias.len()));
        let rows: Vec<Vec<f32>> =
            inputs.zip(hidden).map(|(inputs, hidden)| [inputs, hidden].concat()).collect();
        Self::new(rows[0].len(), &rows, bias)
    }

    /// Several affine layers with the same input, packed as one.
    pub fn affine<'a>(names: &[&str], numbers: &impl Fn(&str) -> &'a [f32]) -> Self {
        let [weight, bias] = AFFINE.map(|part| -> Vec<f32> {
            names.iter().flat_map(|name| numbers(&affine_tensor(name, part))).copied().collect()
        });
        let inputs = weight.len() / bias.len();
        let rows: Vec<Vec<f32>> = weight.chunks_exact(inputs).map(<[f32]>::to_vec).collect();
        Self::new(inputs, &rows, &bias)
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
