//! The weights of a model, and the safetensors file that holds them. The metadata of the file names the
//! architecture, which is one of the networks here, and the representation.

use std::{collections::BTreeMap, sync::Arc};

use candle_core::{Device, Tensor};
use half::f16;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::{
    Model,
    antiphon::{self, inference::AntiphonModel},
    classic::{self, Classic},
    layers::Named,
};

/// The version of the meaning of a network's inputs and outputs. A file of an unknown version cannot be
/// played.
pub const REPRESENTATION: &str = "2";
/// The version before, see [`antiphon::first_tensors`]. For the classics, both mean the same.
const FIRST_REPRESENTATION: &str = "1";

/// A network that a model file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    Antiphon,
    Classic(classic::Config),
}

impl Architecture {
    pub const ALL: [Self; 3] =
        [Self::Antiphon, Self::Classic(classic::CLASSIC_25), Self::Classic(classic::CLASSIC_150)];

    /// The architecture of this name; `None` for an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Antiphon => antiphon::NAME,
            Self::Classic(classic) => classic.name,
        }
    }

    /// Every tensor of a model file with its shape. Initial weights are drawn in this order.
    pub fn tensors(self) -> Vec<Named> {
        match self {
            Self::Antiphon => antiphon::tensors(),
            Self::Classic(classic) => classic.tensors(),
        }
    }

    /// Number of parameters in all tensors.
    pub fn parameters(self) -> usize {
        self.tensors().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// The names of all architectures, for an error message.
    pub fn known() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// The contents of a model file, complete and finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub name: String,
    pub architecture: Architecture,
    tensors: BTreeMap<String, Vec<f32>>,
}

impl Weights {
    /// Reads a whole model from a file with untrusted contents: afterwards every tensor of the architecture
    /// is there, with its shape and finite.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let architecture = metadata.get("preset").ok_or(ModelError::NotOurs)?;
        let version = metadata.get("representation").ok_or(ModelError::NotOurs)?;
        let is_first = version == FIRST_REPRESENTATION;
        if !is_first && version != REPRESENTATION {
            return Err(ModelError::Representation { found: version.clone() });
        }
        let architecture = Architecture::named(architecture)
            .ok_or_else(|| ModelError::UnknownArchitecture(architecture.clone()))?;
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let is_older = is_first && architecture == Architecture::Antiphon;
        let shapes = if is_older { antiphon::first_tensors() } else { architecture.tensors() };
        let mut tensors = BTreeMap::new();
        for ((name, shape), (_, shape_today)) in shapes.into_iter().zip(architecture.tensors()) {
            let numbers = numbers_of(&file, &name, &shape)?;
            let numbers = if is_older { antiphon::upgraded(&name, &shape_today, numbers) } else { numbers };
            tensors.insert(name, numbers);
        }
        let name = metadata.get("name").map_or(architecture.name(), String::as_str).to_owned();
        Ok(Self { name, architecture, tensors })
    }

    /// A tensor of the architecture, row by row. Panics where the architecture has none of this name.
    pub fn numbers(&self, name: &str) -> &[f32] {
        &self.tensors[name]
    }

    /// Mutable [`Weights::numbers`]. Panics as that does.
    pub(super) fn numbers_mut(&mut self, name: &str) -> &mut [f32] {
        self.tensors.get_mut(name).expect("a tensor of the preset")
    }

    /// A hash of the numbers alone (FNV-1a over their bits), whatever precision a file kept them in.
    pub fn fingerprint(&self) -> u64 {
        const BEGINNING: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let numbers = self.tensors.values().flatten();
        numbers.fold(BEGINNING, |hash, number| (hash ^ u64::from(number.to_bits())).wrapping_mul(PRIME))
    }

    /// Makes a model from the weights that is ready to play. Allocates.
    pub fn playable(&self) -> Arc<dyn Model> {
        match self.architecture {
            Architecture::Classic(config) => {
                Arc::new(Classic::new(config, &self.name, |name| self.numbers(name)))
            }
            Architecture::Antiphon => Arc::new(AntiphonModel::new(&self.name, |name| self.numbers(name))),
        }
    }

    /// A tensor of the architecture with its shape, on the CPU, for a graph.
    pub fn tensor(&self, name: &str) -> candle_core::Result<Tensor> {
        let mut tensors = self.architecture.tensors().into_iter();
        let (_, shape) = tensors.find(|(found, _)| found == name).expect("a tensor of the preset");
        Tensor::from_slice(self.numbers(name), shape, &Device::Cpu)
    }
}

/// The numbers of a tensor of this shape, all finite.
pub(super) fn numbers_of(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
    let Ok(view) = file.tensor(name) else { return Err(ModelError::Missing(name.to_owned())) };
    let numbers: Option<Vec<f32>> = match view.dtype() {
        _ if view.shape() != shape => None,
        Dtype::F32 => {
            Some(view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        }
        Dtype::F16 => {
            Some(view.data().as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect())
        }
        _ => None,
    };
    let Some(numbers) = numbers else {
        return Err(ModelError::Shape {
            name: name.to_owned(),
            found: format!("{:?} {:?}", view.dtype(), view.shape()),
            expected: format!("F32 or F16 {shape:?}"),
        });
    };
    match numbers.iter().all(|x| x.is_finite()) {
        true => Ok(numbers),
        false => Err(ModelError::NotFinite(name.to_owned())),
    }
}

pub(super) fn unreadable(error: SafeTensorError) -> ModelError {
    match error {
        SafeTensorError::InvalidHeaderLength
        | SafeTensorError::HeaderTooSmall
        | SafeTensorError::MetadataIncompleteBuffer => ModelError::Cut,
        _ => ModelError::NotSafetensors,
    }
}

/// Why a model file cannot be played, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("the model file ends too early: copy or download it again")]
    Cut,
    #[error("this is not a safetensors file: choose a model made by `cargo xtask train`")]
    NotSafetensors,
    #[error(
        "this safetensors file does not say which preset and representation it is: choose a model made by `cargo xtask train`"
    )]
    NotOurs,
    #[error("the model's preset `{0}` is unknown: update Antiphon, or train one of {known}", known = Architecture::known())]
    UnknownArchitecture(String),
    #[error(
        "the model speaks representation {found}, this Antiphon speaks {REPRESENTATION} and the one before: update Antiphon, or train it again with this version"
    )]
    Representation { found: String },
    #[error("the model lacks its tensor `{0}`: train it again with this version")]
    Missing(String),
    #[error("the model's tensor `{name}` is {found} instead of {expected}: train it again with this version")]
    Shape { name: String, found: String, expected: String },
    #[error("the model's tensor `{0}` holds a number that is not finite: copy or train it again")]
    NotFinite(String),
    #[error("this is no personal model: choose a file made by `cargo xtask adapt`")]
    NotPersonal,
    #[error(
        "the personal model was made by another version: make it again, from the same music, with `cargo xtask adapt`"
    )]
    PersonalVersion,
    #[error(
        "the personal model is a difference to another `{base}` than this one: make it again, from the same music, with `cargo xtask adapt`"
    )]
    OtherBase { base: String },
}

#[cfg(test)]
mod tests;
