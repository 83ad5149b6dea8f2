//! Model files: safetensors, whose metadata names the preset and the representation.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::{Model, Preset, classic::Classic};

/// What the numbers that go into and out of a network mean. A file of another version cannot be played.
pub const REPRESENTATION: &str = "1";

const CLASSIC_25: &[u8] = include_bytes!("../../models/classic-25.safetensors");
const CLASSIC_150: &[u8] = include_bytes!("../../models/classic-150.safetensors");

/// The models inside the plugin, in the order in which they are offered. All instances share them.
pub fn embedded() -> &'static [Arc<dyn Model>] {
    static EMBEDDED: LazyLock<[Arc<dyn Model>; 2]> = LazyLock::new(|| {
        [CLASSIC_25, CLASSIC_150].map(|bytes| load(bytes).expect("a test loads every embedded model"))
    });
    &*EMBEDDED
}

/// Reads a model file that may hold anything, and makes it ready to play.
pub fn load(bytes: &[u8]) -> Result<Arc<dyn Model>, ModelError> {
    let weights = read(bytes)?;
    match weights.preset {
        Preset::Classic(preset) => Ok(Arc::new(Classic::new(preset, &weights))),
        Preset::Antiphon => Err(ModelError::Silent(weights.name)),
    }
}

/// The embedded model file of this name.
pub fn embedded_file(name: &str) -> Option<&'static [u8]> {
    match name {
        "classic-25" => Some(CLASSIC_25),
        "classic-150" => Some(CLASSIC_150),
        _ => None,
    }
}

/// Reads a model file that may hold anything: afterwards every tensor of the preset is there, in shape and finite.
pub fn read(bytes: &[u8]) -> Result<Weights, ModelError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let preset = metadata.get("preset").ok_or(ModelError::NotOurs)?;
    let version = metadata.get("representation").ok_or(ModelError::NotOurs)?;
    if version != REPRESENTATION {
        return Err(ModelError::Representation { found: version.clone() });
    }
    let preset = Preset::named(preset).ok_or_else(|| ModelError::UnknownPreset(preset.clone()))?;
    let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
    let mut tensors = BTreeMap::new();
    for (name, shape) in preset.tensors() {
        let numbers = tensor(&file, &name, &shape)?;
        tensors.insert(name, numbers);
    }
    let name = metadata.get("name").map_or(preset.name(), String::as_str).to_owned();
    Ok(Weights { name, preset, tensors })
}

/// The contents of a model file, complete and finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub name: String,
    pub preset: Preset,
    tensors: BTreeMap<String, Vec<f32>>,
}

impl Weights {
    /// A tensor of the preset, row by row.
    pub fn numbers(&self, name: &str) -> &[f32] {
        &self.tensors[name]
    }
}

fn tensor(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
    let Ok(view) = file.tensor(name) else { return Err(ModelError::Missing(name.to_owned())) };
    if view.shape() != shape || view.dtype() != Dtype::F32 {
        return Err(ModelError::Shape {
            name: name.to_owned(),
            found: format!("{:?} {:?}", view.dtype(), view.shape()),
            expected: format!("F32 {shape:?}"),
        });
    }
    let numbers: Vec<f32> =
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    match numbers.iter().all(|x| x.is_finite()) {
        true => Ok(numbers),
        false => Err(ModelError::NotFinite(name.to_owned())),
    }
}

fn unreadable(error: SafeTensorError) -> ModelError {
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
    #[error("the model's preset `{0}` is unknown: update Antiphon, or train one of {known}", known = Preset::known())]
    UnknownPreset(String),
    #[error(
        "the model speaks representation {found}, this Antiphon speaks {REPRESENTATION}: train it again with this version"
    )]
    Representation { found: String },
    #[error("the model lacks its tensor `{0}`: export or train it again")]
    Missing(String),
    #[error("the model's tensor `{name}` is {found} instead of {expected}: export or train it again")]
    Shape { name: String, found: String, expected: String },
    #[error("the model `{0}` can be scored, but this Antiphon cannot play it: choose a classic")]
    Silent(String),
    #[error("the model's tensor `{0}` holds a number that is not finite: use an earlier checkpoint")]
    NotFinite(String),
}

#[cfg(test)]
mod tests;
