//! Initial weights: random ones, or those of a model file.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, Var};
use rand::RngExt;

use antiphon::model::{
    Rng,
    classic::{self, INPUTS},
    registry, vector,
    weights::Architecture,
};

/// The limit of the weights of sparse features. With fifty features set at a time, their sums are near 1.
const FEW_FEATURES: f32 = 0.25;

/// The trainable tensors, by the names of [`Architecture::tensors`].
pub type Variables = BTreeMap<String, Var>;

/// Random initial weights as in Keras: Glorot's uniform distribution, orthogonal recurrent weights, forget
/// gates open. Exceptions are the tables and the age biases, and what reads the notes of a classic, see
/// [`tell_keys_apart`].
pub fn drawn(architecture: Architecture, rng: &mut Rng) -> Result<Variables> {
    let mut variables = Variables::new();
    for (name, shape) in architecture.tensors() {
        let mut numbers = match shape[..] {
            [_, inputs] if name.ends_with("weight_hh") => orthogonal(shape[0], inputs, rng),
            // Few of these features are set at a time.
            [_, _] if name.ends_with("table") => uniform(shape[0] * shape[1], FEW_FEATURES, rng),
            // All ages and the sink begin with the same bias.
            [_, _] if name.ends_with("age") => vec![0.0; shape[0] * shape[1]],
            [outputs, inputs] => glorot(outputs, inputs, rng),
            _ => vec![0.0; shape[0]],
        };
        if name.starts_with("lstm") && name.ends_with("bias") {
            let hidden = numbers.len() / 4;
            numbers[hidden..2 * hidden].fill(1.0);
        }
        variables.insert(name, variable(numbers, &shape)?);
    }
    if let Architecture::Classic(config) = architecture {
        tell_keys_apart(config, &mut variables, rng)?;
    }
    Ok(variables)
}

/// The weights of a model file to begin with, which must be of the same architecture.
pub fn read(path: &Path, architecture: Architecture) -> Result<Variables> {
    let bytes = fs::read(path)
        .with_context(|| format!("{} cannot be read: give a model file to `--init`", path.display()))?;
    let weights = registry::read(&bytes).with_context(|| path.display().to_string())?;
    if weights.architecture != architecture {
        bail!(
            "{} is a {}, not a {}: choose the same `--preset`",
            path.display(),
            weights.architecture.name(),
            architecture.name()
        );
    }
    let variable = |(name, _): (String, _)| {
        let var = Var::from_tensor(&weights.tensor(&name)?)?;
        Ok((name, var))
    };
    architecture.tensors().into_iter().map(variable).collect()
}

/// Moves the variables to a device.
pub fn moved(variables: Variables, device: &Device) -> Result<Variables> {
    let moved = variables.into_iter().map(|(name, var)| match device {
        Device::Cpu => Ok((name, var)),
        _ => Ok((name, Var::from_tensor(&var.to_device(device)?)?)),
    });
    moved.collect()
}

/// Lets the first layer distinguish keys from the start. Pitch arrives as one number between 0 and 1, so
/// neighbouring keys differ by 1/128, and weights near 0.1 would take very long to grow. Each unit that reads
/// gets a threshold at a random key of the piano and a random sharpness. The network and its training are
/// unchanged.
fn tell_keys_apart(config: classic::Config, variables: &mut Variables, rng: &mut Rng) -> Result<()> {
    const LOWEST: f32 = 21.0 / 128.0;
    const HIGHEST: f32 = 108.0 / 128.0;
    let hidden = config.hidden;
    let weights = &variables["lstm.0.weight_ih"];
    let biases = &variables["lstm.0.bias"];
    let mut numbers: Vec<f32> = weights.flatten_all()?.to_vec1()?;
    let mut bias: Vec<f32> = biases.to_vec1()?;
    for (row, weights) in numbers.chunks_exact_mut(INPUTS).enumerate() {
        // The order is input, forget, candidate, output. The forget gates keep their weights: they begin
        // without a threshold.
        let (softest, sharpest): (f32, f32) = match row / hidden {
            1 => continue,
            2 => (8.0, 256.0),
            _ => (2.0, 32.0),
        };
        let sharpness = softest * (sharpest / softest).powf(rng.random::<f32>());
        let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
        weights[0] = sign * sharpness;
        bias[row] -= weights[0] * (LOWEST + (HIGHEST - LOWEST) * rng.random::<f32>());
        weights[1] = rng.random_range(-4.0..4.0);
        weights[2] = rng.random_range(-2.0..2.0);
    }
    weights.set(&Tensor::from_vec(numbers, weights.shape(), &Device::Cpu)?)?;
    biases.set(&Tensor::from_vec(bias, biases.shape(), &Device::Cpu)?)?;
    Ok(())
}

fn variable(numbers: Vec<f32>, shape: &[usize]) -> Result<Var> {
    Ok(Var::from_tensor(&Tensor::from_vec(numbers, shape, &Device::Cpu)?)?)
}

fn glorot(outputs: usize, inputs: usize, rng: &mut Rng) -> Vec<f32> {
    let limit = (6.0 / (outputs + inputs) as f32).sqrt();
    uniform(outputs * inputs, limit, rng)
}

fn uniform(count: usize, limit: f32, rng: &mut Rng) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-limit..limit)).collect()
}

/// A matrix with orthonormal columns, by Gram-Schmidt.
fn orthogonal(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f32> {
    let mut basis: Vec<Vec<f32>> = Vec::with_capacity(columns);
    while basis.len() < columns {
        let mut column: Vec<f32> = (0..rows).map(|_| normal(rng)).collect();
        for earlier in &basis {
            let along = vector::dot(&column, earlier);
            vector::add(&mut column, -along, earlier);
        }
        let length = vector::dot(&column, &column).sqrt();
        column.iter_mut().for_each(|x| *x /= length);
        basis.push(column);
    }
    (0..rows).flat_map(|row| basis.iter().map(move |column| column[row])).collect()
}

fn normal(rng: &mut Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_recurrent_weights_begin_orthogonal() {
        let (rows, columns) = (32, 8);
        let w = orthogonal(rows, columns, &mut Rng::seed_from_u64(1));
        for a in 0..columns {
            for b in 0..columns {
                let product: f32 = (0..rows).map(|r| w[r * columns + a] * w[r * columns + b]).sum();
                assert!((product - f32::from(u8::from(a == b))).abs() < 1e-5);
            }
        }
    }
}
