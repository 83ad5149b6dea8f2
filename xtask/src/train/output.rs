//! The files that a training leaves.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use candle_core::{DType, Tensor};

use antiphon::model::weights::{Architecture, REPRESENTATION};

use super::{
    card::{self, Card},
    initialisation::Variables,
};
use crate::file;

/// Names of files, all beside the model.
pub struct Output {
    model: PathBuf,
}

/// How the matrices of a model are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Single,
    Half,
}

impl Output {
    /// Fails early when files could not be written later, or would replace something else.
    pub fn new(model: &Path) -> Result<Self> {
        if model.extension().is_none_or(|extension| extension != "safetensors") || model.is_dir() {
            bail!("{} is no name for a model: give an `--output` that ends in .safetensors", model.display());
        }
        file::try_path(model)
            .with_context(|| format!("{} cannot be written: choose another `--output`", model.display()))?;
        Ok(Self { model: model.to_owned() })
    }

    /// What the plugin shows.
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

    /// The model and its card; the card is replaced first, so that an old one never lies beside new weights.
    pub fn with_card(&self, card: &Card, model: Vec<u8>) -> Result<[file::New; 2]> {
        let card = toml::to_string_pretty(card)?.into_bytes();
        Ok([(card::card_of(&self.model), card), (self.model.clone(), model)])
    }
}

/// The bytes of a model file.
pub fn model_file(
    name: &str,
    preset: Architecture,
    variables: &Variables,
    precision: Precision,
) -> Result<Vec<u8>> {
    let tensors = preset.tensors().into_iter().map(|(name, _)| {
        let tensor = variables[&name].as_tensor();
        let tensor = if is_halved(tensor, precision) { tensor.to_dtype(DType::F16)? } else { tensor.clone() };
        Ok((name, tensor))
    });
    let tensors: Vec<(String, Tensor)> = tensors.collect::<Result<_>>()?;
    let pairs = [("preset", preset.name()), ("representation", REPRESENTATION), ("name", name)];
    let metadata: HashMap<_, _> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Ok(safetensors::serialize(tensors, Some(metadata))?)
}

/// Makes the weights what is left of them in a file, so that what is scored is what is written.
pub fn round(variables: &Variables, precision: Precision) -> Result<()> {
    for var in variables.values().filter(|var| is_halved(var.as_tensor(), precision)) {
        var.set(&var.to_dtype(DType::F16)?.to_dtype(DType::F32)?)?;
    }
    Ok(())
}

fn is_halved(tensor: &Tensor, precision: Precision) -> bool {
    precision == Precision::Half && tensor.rank() == 2
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::SeedableRng;
    use safetensors::{Dtype, SafeTensors};

    use antiphon::model::{Chance, classic::CLASSIC_25, registry, weights::Weights};

    use super::*;
    use crate::train::initialisation;

    const PRESET: Architecture = Architecture::Classic(CLASSIC_25);

    fn variables() -> Variables {
        initialisation::drawn(PRESET, &mut Chance::seed_from_u64(1)).expect("shapes fit")
    }

    fn file(variables: &Variables, precision: Precision) -> Vec<u8> {
        model_file("mine", PRESET, variables, precision).expect("complete")
    }

    #[test]
    fn a_model_file_is_read_as_it_was_written() {
        let variables = variables();
        let read: Weights = registry::read(&file(&variables, Precision::Single)).expect("complete");
        assert_eq!((read.name.as_str(), read.preset), ("mine", PRESET));
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
}
