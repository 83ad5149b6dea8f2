//! The files of a training: the model, and the checkpoint. The checkpoint has all that a training needs to go
//! on as if it had never stopped.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor, Var};
use safetensors::SafeTensors;
use serde::{Serialize, de::DeserializeOwned};

use antiphon::model::weights::{Architecture, REPRESENTATION};

use super::{
    card::{self, Card},
    initialisation::Variables,
};
use crate::file;

/// The names of the output files, all beside the model.
pub struct Output {
    model: PathBuf,
}

/// The precision of the matrices of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Single,
    Half,
}

impl Output {
    /// The names beside a model. Fails early when files could not be written later, or would replace
    /// something else.
    pub fn new(model: &Path) -> Result<Self> {
        if model.extension().is_none_or(|extension| extension != "safetensors") || model.is_dir() {
            bail!("{} is no name for a model: give an `--output` that ends in .safetensors", model.display());
        }
        file::try_path(model)
            .with_context(|| format!("{} cannot be written: choose another `--output`", model.display()))?;
        Ok(Self { model: model.to_owned() })
    }

    /// The name of the model, as the plugin shows it.
    pub fn name(&self) -> String {
        self.model.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub fn model(&self) -> &Path {
        &self.model
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.model.with_extension("checkpoint")
    }

    pub fn table(&self) -> PathBuf {
        self.model.with_extension("csv")
    }

    pub fn picture(&self) -> PathBuf {
        self.model.with_extension("png")
    }

    /// The model and its card as new files. The card is replaced first, so that an old card never lies beside
    /// new weights.
    pub fn with_card(&self, card: &Card, model: Vec<u8>) -> Result<[file::New; 2]> {
        let card = toml::to_string_pretty(card)?.into_bytes();
        Ok([(card::card_of(&self.model), card), (self.model.clone(), model)])
    }
}

/// The bytes of a model file.
pub fn model_file(
    name: &str,
    architecture: Architecture,
    variables: &Variables,
    precision: Precision,
) -> Result<Vec<u8>> {
    let tensors = architecture.tensors().into_iter().map(|(name, _)| {
        let tensor = variables[&name].as_tensor();
        let tensor = if is_halved(tensor, precision) { tensor.to_dtype(DType::F16)? } else { tensor.clone() };
        Ok((name, tensor))
    });
    let tensors: Vec<(String, Tensor)> = tensors.collect::<Result<_>>()?;
    let pairs = [("preset", architecture.name()), ("representation", REPRESENTATION), ("name", name)];
    let metadata: HashMap<_, _> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Ok(safetensors::serialize(tensors, Some(metadata))?)
}

/// Rounds the weights to the precision of the file, so that what is scored is what is written.
pub fn round(variables: &Variables, precision: Precision) -> Result<()> {
    for var in variables.values().filter(|var| is_halved(var.as_tensor(), precision)) {
        var.set(&var.to_dtype(DType::F16)?.to_dtype(DType::F32)?)?;
    }
    Ok(())
}

fn is_halved(tensor: &Tensor, precision: Precision) -> bool {
    precision == Precision::Half && tensor.rank() == 2
}

/// A checkpoint: named tensors, and facts as JSON. Its file is a safetensors file with metadata.
#[derive(Default)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
    facts: HashMap<String, String>,
}

impl Checkpoint {
    /// Fails where there is no file, or where it is no checkpoint.
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

    /// Stores a fact under a unique name.
    pub fn keep(&mut self, name: &str, fact: &impl Serialize) -> Result<()> {
        self.facts.insert(name.to_owned(), serde_json::to_string(fact)?);
        Ok(())
    }

    /// Reverses [`Checkpoint::keep`]. Fails where the fact is missing or of another type.
    pub fn fact<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let fact = self.facts.get(name).with_context(|| missing(name))?;
        serde_json::from_str(fact).with_context(|| missing(name))
    }

    pub fn keep_tensor(&mut self, name: &str, tensor: &Tensor) {
        self.tensors.insert(name.to_owned(), tensor.clone());
    }

    /// The tensor of this name, on the device of `like`. Fails when it is missing or has another shape than
    /// `like`.
    pub fn tensor(&self, name: &str, like: &Tensor) -> Result<Tensor> {
        Ok(self.shaped(name, like.dims())?.to_device(like.device())?)
    }

    pub fn keep_numbers(&mut self, name: &str, numbers: &[f32]) -> Result<()> {
        self.keep_tensor(name, &Tensor::new(numbers, &Device::Cpu)?);
        Ok(())
    }

    /// Reverses [`Checkpoint::keep_numbers`]. Fails unless there are exactly `count` numbers.
    pub fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        Ok(self.shaped(name, &[count])?.to_vec1()?)
    }

    pub fn keep_weights(&mut self, variables: &Variables) {
        variables.iter().for_each(|(name, var)| self.keep_tensor(&weights(name), var.as_tensor()));
    }

    /// Reverses [`Checkpoint::keep_weights`]. Fails where a tensor of the architecture is missing or has
    /// another shape.
    pub fn weights(&self, architecture: Architecture) -> Result<Variables> {
        let tensors = architecture.tensors().into_iter();
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
    use safetensors::Dtype;

    use antiphon::model::{Rng, classic::CLASSIC_25, registry, weights::Weights};

    use super::*;
    use crate::train::initialisation;

    const PRESET: Architecture = Architecture::Classic(CLASSIC_25);

    fn variables() -> Variables {
        initialisation::drawn(PRESET, &mut Rng::seed_from_u64(1)).expect("shapes fit")
    }

    fn file(variables: &Variables, precision: Precision) -> Vec<u8> {
        model_file("mine", PRESET, variables, precision).expect("complete")
    }

    #[test]
    fn a_model_file_is_read_as_it_was_written() {
        let variables = variables();
        let read: Weights = registry::read(&file(&variables, Precision::Single)).expect("complete");
        assert_eq!((read.name.as_str(), read.architecture), ("mine", PRESET));
        for (name, var) in &variables {
            let numbers: Vec<f32> = var.flatten_all().and_then(|var| var.to_vec1()).expect("numbers");
            assert_eq!(read.numbers(name), numbers);
        }
    }

    #[test]
    fn half_precision_halves_matrices_alone() {
        let bytes = file(&variables(), Precision::Half);
        let read = SafeTensors::deserialize(&bytes).expect("complete");
        for (name, tensor) in read.tensors() {
            let expected = if tensor.shape().len() == 2 { Dtype::F16 } else { Dtype::F32 };
            assert_eq!(tensor.dtype(), expected, "{name}");
        }
        assert!(registry::read(&bytes).is_ok());
    }

    #[test]
    fn what_is_rounded_is_what_is_written() {
        let variables = variables();
        let before = file(&variables, Precision::Half);
        round(&variables, Precision::Half).expect("shapes fit");
        let after = file(&variables, Precision::Half);
        let tensors = |bytes| {
            let tensors = SafeTensors::deserialize(bytes).expect("complete").tensors();
            tensors
                .into_iter()
                .map(|(name, tensor)| (name, tensor.data().to_vec()))
                .collect::<BTreeMap<_, _>>()
        };
        assert!(tensors(&before) == tensors(&after));
        let exact = |name: &str| variables[name].to_vec2::<f32>().expect("a matrix");
        let matrix = exact("pitch.weight");
        round(&variables, Precision::Single).expect("shapes fit");
        assert!(matrix == exact("pitch.weight"));
    }

    #[test]
    fn what_is_kept_is_found_again_bit_by_bit() {
        let mut rng = Rng::seed_from_u64(1);
        let numbers = [f32::MIN_POSITIVE, -0.0, 1.0 / 3.0];
        let _: u32 = rng.random();
        let mut checkpoint = Checkpoint::default();
        checkpoint.keep("chance", &rng).expect("JSON");
        checkpoint.keep_numbers("numbers", &numbers).expect("a tensor");
        let bytes = checkpoint.to_bytes().expect("memory takes all");
        let read = Checkpoint::from_bytes(&bytes).expect("whole");
        assert_eq!(read.fact::<Rng>("chance").expect("kept").random::<u64>(), rng.random::<u64>());
        let found = read.numbers("numbers", 3).expect("kept");
        assert!(found.iter().zip(numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(read.numbers("numbers", 2).is_err() && read.numbers("means", 3).is_err());
        assert!(Checkpoint::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
