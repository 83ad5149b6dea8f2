//! Models by name: embedded ones, or files.

use std::{borrow::Cow, fs, sync::Arc};

use antiphon::model::{self, Model, weights};
use anyhow::{Context, Result};

/// The bytes of these models, or of all embedded ones, each with its name.
///
/// # Errors
/// When a name is neither that of an embedded model nor of a file that can be read; the sentence names the models.
pub fn files(names: &[String]) -> Result<Vec<(String, Cow<'static, [u8]>)>> {
    let all = weights::embedded().iter().map(|model| model.name().to_owned()).collect::<Vec<_>>();
    let names = if names.is_empty() { &all } else { names };
    let file = |name: &String| {
        let bytes = match weights::embedded_file(name) {
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

/// These models, or all embedded ones, ready to play.
///
/// # Errors
/// As [`files`], and when a file holds no model.
pub fn load(names: &[String]) -> Result<Vec<Arc<dyn Model>>> {
    let load = |(name, bytes): (String, Cow<[u8]>)| model::load(&bytes).context(name);
    files(names)?.into_iter().map(load).collect()
}
