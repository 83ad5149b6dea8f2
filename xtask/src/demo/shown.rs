//! What the picture tells of the settings.

use antiphon::music::{
    keys::Keys,
    manner::Register,
    note::Key,
    scale::{Root, Scale},
};
use anyhow::{Context, Result};
use stage::{Clap, Host};

/// Told elsewhere in the picture, or the same in every take.
const LEFT_OUT: [&str; 3] = ["Model", "Mode", "Thru"];

#[derive(Debug, Clone)]
pub struct Shown {
    pub title: String,
    /// The model, and every setting that differs from what the plugin comes with.
    pub settings: String,
    /// What the answer may play.
    pub keys: Keys,
}

impl Shown {
    /// # Errors
    /// When the plugin does not tell its parameters.
    pub fn new(clap: &mut Clap, title: String, model: &str) -> Result<Self> {
        let changed = clap.changed()?.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let changed = changed.map(|(name, text)| format!("{name} {text}"));
        let settings = std::iter::once(model.to_owned()).chain(changed).collect::<Vec<_>>().join(", ");
        Ok(Self { title, settings, keys: keys(clap)? })
    }
}

/// The keys of register and scale.
fn keys(clap: &mut Clap) -> Result<Keys> {
    let scale = place(clap, "Scale", Scale::ALL.len())?;
    let root = Root::new(place(clap, "Key", Root::NAMES.len())? as u8);
    let mut end = |name| Ok::<_, anyhow::Error>(Key::saturating(place(clap, name, Key::COUNT)? as u8));
    let register = Register::between(end("Register low")?, end("Register high")?);
    let scale = Scale::ALL.get(scale).context("the plugin knows the scales")?;
    Ok(register.keys().and(scale.on(root).keys()))
}

/// Which of so many values a parameter has, from 0.
fn place(clap: &mut Clap, name: &str, count: usize) -> Result<usize> {
    let id = clap.parameter(name)?.id;
    Ok((clap.get(id)? * (count - 1) as f64).round() as usize)
}
