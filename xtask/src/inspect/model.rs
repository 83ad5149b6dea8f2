//! Prints the card of a model file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use antiphon::model::{personal::Personal, registry, weights::Weights};

/// Endings of the names of model files.
const ENDINGS: [&str; 2] = ["safetensors", "antiphon"];

/// What is printed of a model file, for a person or a program.
struct Summary {
    head: String,
    card: Option<String>,
    facts: Value,
}

/// Whether a file is a model file, by its name.
pub fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|model| ending == *model))
}

/// Prints the cards of models.
///
/// # Errors
/// As [`summary`].
pub fn print(files: &[PathBuf], as_json: bool) -> Result<()> {
    let models = files.iter().map(|path| summary(path)).collect::<Result<Vec<_>>>()?;
    match as_json {
        true => println!(
            "{}",
            serde_json::to_string_pretty(&models.iter().map(Summary::json).collect::<Vec<_>>())?
        ),
        false => print!("{}", models.iter().map(Summary::text).collect::<Vec<_>>().join("\n")),
    }
    Ok(())
}

/// # Errors
/// Where it cannot be read, or is no model of a version that is known: a sentence that says what to do.
fn summary(path: &Path) -> Result<Summary> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("{shown} cannot be read: give a model file"))?;
    match Personal::is_one(&bytes) {
        true => of_personal(&bytes),
        false => of_model(path, &bytes),
    }
    .map_err(|error| anyhow!("{shown}: {error}"))
}

impl Summary {
    fn text(&self) -> String {
        let card = self.card.as_deref().unwrap_or("no card lies beside it\n");
        format!("{}\n\n{card}", self.head)
    }

    /// The card and the other facts as a JSON object.
    fn json(&self) -> Value {
        let mut facts = self.facts.clone();
        let card = self.card.as_ref().and_then(|card| card.parse::<toml::Table>().ok());
        facts["card"] = card.map_or(Value::Null, |card| json!(card));
        facts
    }
}

fn of_personal(bytes: &[u8]) -> Result<Summary> {
    let Personal { name, base, architecture, card, parts } = Personal::read(bytes)?;
    let (size, fingerprint) = (bytes.len().div_ceil(1000), format!("{:016x}", base.fingerprint));
    let (base, is_inside) = (base.name, registry::embedded_base(base.fingerprint).is_some());
    let inside = if is_inside { "inside this plugin" } else { "not inside this plugin" };
    Ok(Summary {
        head: format!("{name}: a personal model of {size} kB, a difference to {base}, which is {inside}"),
        card: Some(card),
        facts: json!({
            "kind": "personal",
            "name": name,
            "base": base,
            "fingerprint": fingerprint,
            "preset": architecture.name(),
            "tensors": parts.len(),
            "bytes": bytes.len(),
            "base_is_inside": is_inside,
        }),
    })
}

fn of_model(path: &Path, bytes: &[u8]) -> Result<Summary> {
    let weights = registry::read(bytes)?;
    let (architecture, fingerprint) = (weights.architecture, weights.fingerprint());
    let Weights { name, .. } = &weights;
    Ok(Summary {
        head: format!(
            "{name}: a model of {} parameters, preset {}, fingerprint {fingerprint:016x}",
            architecture.parameters(),
            architecture.name(),
        ),
        card: fs::read_to_string(path.with_extension("toml")).ok(),
        facts: json!({
            "kind": "model",
            "name": name,
            "fingerprint": format!("{fingerprint:016x}"),
            "preset": architecture.name(),
            "parameters": architecture.parameters(),
            "bytes": bytes.len(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::tests::assert_documented, file::tests::Folder};

    #[test]
    fn a_model_is_told_with_the_card_beside_it() {
        let folder = Folder::new("inspect-model");
        folder.write("a.safetensors", registry::embedded_file("classic-25").expect("it is inside"));
        let path = folder.join("a.safetensors");
        assert!(is_model(&path) && !is_model(Path::new("a.mid")));
        let without_card = summary(&path).expect("a model");
        assert!(without_card.text().ends_with("no card lies beside it\n"));
        assert_documented("inspect MODEL", &without_card.json());
        folder.write("a.toml", b"license = \"mine\"\n");
        let model = summary(&path).expect("a model");
        assert!(
            model.text().starts_with("classic-25: a model of")
                && model.text().ends_with("license = \"mine\"\n")
        );
        assert_eq!(model.json()["card"]["license"], "mine");
    }

    #[test]
    fn what_is_no_model_is_refused_with_its_name() {
        let folder = Folder::new("inspect-no-model");
        folder.write("a.antiphon", b"nothing of the kind");
        let refused = summary(&folder.join("a.antiphon")).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|sentence| sentence.contains("a.antiphon: ")));
    }
}
