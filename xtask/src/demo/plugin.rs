//! The plugin's settings for a take.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use stage::{Clap, Host};

use super::{Arguments, BEATS_PER_BAR, turns::Turns};

const PLUGIN: &str = "audio.antiphon.midi";
/// The state's field for a model file.
const MODEL_FILE: &str = "model-file";

/// What is set before a take: parameters in the plugin's own names and texts, and a model file.
#[derive(Debug)]
pub struct Settings {
    parameters: Vec<(&'static str, String)>,
    model_file: Option<PathBuf>,
    title: String,
}

impl Settings {
    /// # Errors
    /// When the model file is not a model.
    pub fn new(arguments: &Arguments, turns: &Turns) -> Result<Self> {
        let mut parameters = vec![
            ("Memory", arguments.memory.to_string()),
            ("Temperature", arguments.temperature.to_string()),
            ("Patience", arguments.patience.to_string()),
            ("Silence", arguments.silence.to_string()),
            ("Length", (turns.call_bars * BEATS_PER_BAR).to_string()),
            ("Seed", arguments.seed.to_string()),
            // The demo knows what it plays: what comes out is the answer alone.
            ("Thru", "off".to_owned()),
        ];
        let path = Path::new(&arguments.model);
        let is_embedded = names().contains(&arguments.model);
        let model_file = if is_embedded { None } else { Some(checked(path)?) };
        if is_embedded {
            parameters.push(("Model", arguments.model.clone()));
        }
        let model = path.file_stem().unwrap_or_default().to_string_lossy();
        let title = format!(
            "{model}, temperature {}, memory of {} notes, seed {}",
            arguments.temperature, arguments.memory, arguments.seed
        );
        Ok(Self { parameters, model_file, title })
    }

    /// The settings in one line.
    pub fn title(&self) -> String {
        self.title.clone()
    }

    /// A fresh instance with these settings.
    ///
    /// # Errors
    /// When the bundle cannot be loaded or refuses a setting.
    pub fn load(&self, bundle: &Path) -> Result<Clap> {
        let mut clap = Clap::open(bundle, PLUGIN)?;
        for (name, text) in &self.parameters {
            clap.set_text(name, text)?;
        }
        if let Some(path) = &self.model_file {
            let state = stage::state::with_field(&clap.save()?, MODEL_FILE, &path.to_string_lossy())?;
            clap.load(&state)?;
        }
        Ok(clap)
    }
}

/// The path of a model file, which is read once to see that it is one.
fn checked(path: &Path) -> Result<PathBuf> {
    let name = path.display();
    ensure!(path.exists(), "{name} is neither a file nor one of the models {}", names().join(", "));
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    antiphon::model::load(&bytes).map_err(|error| anyhow!("{name}: {error}"))?;
    Ok(std::path::absolute(path)?)
}

/// The embedded models.
fn names() -> Vec<String> {
    antiphon::model::embedded().iter().map(|model| model.name().to_owned()).collect()
}
