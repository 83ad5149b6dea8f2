//! The plugin's settings for a take.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use stage::{Clap, Host};

use super::{Args, BEATS_PER_BAR, turns::Turns};

const PLUGIN: &str = "audio.antiphon.midi";
/// The state's field for a model file, in the framework's JSON.
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
    pub fn new(args: &Args, turns: &Turns) -> Result<Self> {
        let mut parameters = vec![
            ("Memory", args.memory.to_string()),
            ("Temperature", args.temperature.to_string()),
            ("Silence", args.silence.to_string()),
            ("Length", (turns.call_bars * BEATS_PER_BAR).to_string()),
            ("Seed", args.seed.to_string()),
            // The demo knows what it plays: what comes out is the answer alone.
            ("Thru", "off".to_owned()),
        ];
        let path = Path::new(&args.model);
        let model_file = if path.extension().is_some() { Some(checked(path)?) } else { None };
        if model_file.is_none() {
            parameters.push(("Model", args.model.clone()));
        }
        let model = path.file_stem().unwrap_or_default().to_string_lossy();
        let title = format!(
            "{model}, temperature {}, memory of {} notes, seed {}",
            args.temperature, args.memory, args.seed
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
            let state = with_model_file(&clap.save()?, path)?;
            clap.load(&state)?;
        }
        Ok(clap)
    }
}

/// The path of a model file, which is read once to see that it is one.
fn checked(path: &Path) -> Result<PathBuf> {
    std::fs::read(path).with_context(|| format!("the model {} cannot be read", path.display()))?;
    Ok(std::path::absolute(path)?)
}

/// The framework's state, an 8-byte length and JSON, with the path in its field.
fn with_model_file(state: &[u8], path: &Path) -> Result<Vec<u8>> {
    let json = state.get(8..).context("the plugin's state is too short")?;
    let mut state: serde_json::Value =
        serde_json::from_slice(json).context("the plugin's state is not JSON")?;
    // Fields are kept as JSON within the JSON.
    let field = serde_json::to_string(&path.to_string_lossy())?;
    state["fields"][MODEL_FILE] = field.into();
    let json = serde_json::to_vec(&state)?;
    Ok([&(json.len() as u64).to_le_bytes()[..], &json].concat())
}
