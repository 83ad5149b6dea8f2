//! Models by name: embedded ones, or files.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon::model::{Model, registry};
use anyhow::{Context, Result, anyhow, ensure};
use test_host::{Clap, Host};

/// The field of the plugin's state for a model file.
const MODEL_FILE: &str = "model-file";

/// The model that an instance of the plugin is to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Embedded(String),
    File(PathBuf),
}

impl Choice {
    /// # Errors
    /// When it is neither the name of an embedded model nor a model file.
    pub fn new(name: &str) -> Result<Self> {
        let embedded = embedded_names();
        if embedded.iter().any(|known| known == name) {
            return Ok(Self::Embedded(name.to_owned()));
        }
        let path = Path::new(name);
        ensure!(path.exists(), "{name} is neither a file nor one of the models {}", embedded.join(", "));
        let bytes = fs::read(path).with_context(|| format!("{name} cannot be read"))?;
        // The file is loaded once to check that it is a model.
        registry::load(&bytes).map_err(|error| anyhow!("{name}: {error}"))?;
        Ok(Self::File(std::path::absolute(path)?))
    }

    /// # Errors
    /// When the plugin refuses it.
    pub fn set(&self, clap: &mut Clap) -> Result<()> {
        match self {
            Self::Embedded(name) => clap.set_text("Model", name),
            Self::File(path) => {
                let state = test_host::clap::with_field(&clap.save()?, MODEL_FILE, &path.to_string_lossy())?;
                clap.load(&state)
            }
        }
    }

    /// Its name in tables.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(name) => name.clone(),
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

/// The bytes of these models, or of all embedded ones if `names` is empty, each with its name.
///
/// # Errors
/// When a name is neither that of an embedded model nor of a file that can be read; the sentence names the
/// models.
pub fn files(names: &[String]) -> Result<Vec<(String, Cow<'static, [u8]>)>> {
    let all = embedded_names();
    let names = if names.is_empty() { &all } else { names };
    let file = |name: &String| {
        let bytes = match registry::embedded_file(name) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(fs::read(name).with_context(|| {
                format!(
                    "`{name}` is neither an embedded model ({}) nor a file that can be read",
                    all.join(", ")
                )
            })?),
        };
        Ok((name.clone(), bytes))
    };
    names.iter().map(file).collect()
}

/// These models, or all embedded ones if `names` is empty, ready to play.
///
/// # Errors
/// As [`files`], and when a file holds no model.
pub fn load(names: &[String]) -> Result<Vec<Arc<dyn Model>>> {
    let load = |(name, bytes): (String, Cow<[u8]>)| registry::load(&bytes).context(name);
    files(names)?.into_iter().map(load).collect()
}

/// The names of the embedded models.
pub fn embedded_names() -> Vec<String> {
    registry::embedded().iter().map(|model| model.name().to_owned()).collect()
}
