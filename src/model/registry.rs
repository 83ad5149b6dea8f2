//! Loads models: those embedded in the plugin, and files.

use std::sync::{Arc, LazyLock};

use super::{
    Model,
    personal::Personal,
    weights::{ModelError, Weights},
};

const ANTIPHON: &[u8] = include_bytes!("../../models/antiphon.safetensors");
const CLASSIC_25: &[u8] = include_bytes!("../../models/classic-25.safetensors");
const CLASSIC_150: &[u8] = include_bytes!("../../models/classic-150.safetensors");

/// The models embedded in the plugin, in the order in which they are offered. All instances share them.
pub fn embedded() -> &'static [Arc<dyn Model>] {
    static EMBEDDED: LazyLock<[Arc<dyn Model>; 3]> = LazyLock::new(|| {
        [ANTIPHON, CLASSIC_25, CLASSIC_150]
            .map(|bytes| load(bytes).expect("a test loads every embedded model"))
    });
    &*EMBEDDED
}

/// Reads a model file with untrusted contents, and makes it ready to play. Fails as [`read`] does. Allocates.
pub fn load(bytes: &[u8]) -> Result<Arc<dyn Model>, ModelError> {
    read(bytes).map(|weights| weights.playable())
}

/// The embedded model file of this name.
pub fn embedded_file(name: &str) -> Option<&'static [u8]> {
    match name {
        "antiphon" => Some(ANTIPHON),
        "classic-25" => Some(CLASSIC_25),
        "classic-150" => Some(CLASSIC_150),
        _ => None,
    }
}

/// The weights of the embedded model with this fingerprint, to which a personal model may belong.
pub fn embedded_base(fingerprint: u64) -> Option<Weights> {
    let weights = || [ANTIPHON, CLASSIC_25, CLASSIC_150].into_iter().filter_map(|bytes| read(bytes).ok());
    weights().find(|weights| weights.fingerprint() == fingerprint)
}

/// Reads a model file with untrusted contents: afterwards every tensor of the architecture is there, with its
/// shape and finite. A [`Personal`] model is read with its whole difference, where its base is embedded in
/// the plugin.
pub fn read(bytes: &[u8]) -> Result<Weights, ModelError> {
    if !Personal::is_one(bytes) {
        return Weights::read(bytes);
    }
    let personal = Personal::read(bytes)?;
    let base = embedded_base(personal.base.fingerprint);
    let base = base.ok_or_else(|| ModelError::OtherBase { base: personal.base.name.clone() })?;
    personal.applied(&base, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_model_loads_under_its_name() {
        let names: Vec<&str> = embedded().iter().map(|model| model.name()).collect();
        assert_eq!(names, ["antiphon", "classic-25", "classic-150"]);
    }
}
