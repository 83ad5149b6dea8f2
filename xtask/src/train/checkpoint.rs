//! A training on disk: all that it needs to go on as if it had never stopped.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, Var};
use safetensors::SafeTensors;
use serde::{Serialize, de::DeserializeOwned};

use antiphon::model::weights::Architecture;

use super::initialisation::Variables;

/// Named tensors, and facts as JSON: a safetensors file with metadata.
#[derive(Default)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
    facts: HashMap<String, String>,
}

impl Checkpoint {
    /// Fails where there is no file, or another one.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            bail!("{} does not exist, so nothing can be resumed: leave `--resume` out", path.display());
        }
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::from_bytes(&bytes).with_context(|| {
            format!("{} is no checkpoint: remove it and begin anew, or restore it", path.display())
        })
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(safetensors::serialize(&self.tensors, Some(self.facts.clone()))?)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
        Ok(Self {
            tensors: tensors.into_iter().collect(),
            facts: header.metadata().clone().unwrap_or_default(),
        })
    }

    /// Keeps a fact under a name of its own.
    pub fn keep(&mut self, name: &str, fact: &impl Serialize) -> Result<()> {
        self.facts.insert(name.to_owned(), serde_json::to_string(fact)?);
        Ok(())
    }

    /// The way back from [`Checkpoint::keep`]. Fails where it was not kept, or is of another type.
    pub fn fact<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let fact = self.facts.get(name).with_context(|| missing(name))?;
        serde_json::from_str(fact).with_context(|| missing(name))
    }

    pub fn keep_tensor(&mut self, name: &str, tensor: &Tensor) {
        self.tensors.insert(name.to_owned(), tensor.clone());
    }

    /// Fails when it is not there in the shape of another; comes to where that is.
    pub fn tensor(&self, name: &str, like: &Tensor) -> Result<Tensor> {
        Ok(self.shaped(name, like.dims())?.to_device(like.device())?)
    }

    pub fn keep_numbers(&mut self, name: &str, numbers: &[f32]) -> Result<()> {
        self.keep_tensor(name, &Tensor::new(numbers, &Device::Cpu)?);
        Ok(())
    }

    /// The way back from [`Checkpoint::keep_numbers`]. Fails where there are not so many.
    pub fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        Ok(self.shaped(name, &[count])?.to_vec1()?)
    }

    pub fn keep_weights(&mut self, variables: &Variables) {
        variables.iter().for_each(|(name, var)| self.keep_tensor(&weights(name), var.as_tensor()));
    }

    /// The way back from [`Checkpoint::keep_weights`]. Fails where a tensor of the preset is not there in its shape.
    pub fn weights(&self, preset: Architecture) -> Result<Variables> {
        let tensors = preset.tensors().into_iter();
        let variable = |(name, shape): (String, Vec<usize>)| {
            let var = Var::from_tensor(self.shaped(&weights(&name), &shape)?)?;
            Ok((name, var))
        };
        tensors.map(variable).collect()
    }

    fn shaped(&self, name: &str, shape: &[usize]) -> Result<&Tensor> {
        let tensor = self.tensors.get(name).filter(|tensor| tensor.dims() == shape);
        tensor.with_context(|| missing(name))
    }
}

fn weights(name: &str) -> String {
    format!("weights.{name}")
}

fn missing(name: &str) -> String {
    format!(
        "the checkpoint has no `{name}` that fits, since another version of this program made it: begin anew with the \
         model beside it as `--init`, and another `--output`"
    )
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use antiphon::model::Chance;

    use super::*;

    #[test]
    fn what_is_kept_is_found_again_bit_by_bit() {
        let mut chance = Chance::seed_from_u64(1);
        let numbers = [f32::MIN_POSITIVE, -0.0, 1.0 / 3.0];
        let _: u32 = chance.random();
        let mut checkpoint = Checkpoint::default();
        checkpoint.keep("chance", &chance).expect("JSON");
        checkpoint.keep_numbers("numbers", &numbers).expect("a tensor");
        let bytes = checkpoint.to_bytes().expect("memory takes all");
        let read = Checkpoint::from_bytes(&bytes).expect("whole");
        assert_eq!(read.fact::<Chance>("chance").expect("kept").random::<u64>(), chance.random::<u64>());
        let found = read.numbers("numbers", 3).expect("kept");
        assert!(found.iter().zip(numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(read.numbers("numbers", 2).is_err() && read.numbers("means", 3).is_err());
        assert!(Checkpoint::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
