//! Where things go.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Arguments;
use crate::{bundle, file, picture};

/// The files of one take, or the names that those of several are made from.
#[derive(Debug, Clone)]
pub struct Files {
    pub midi: PathBuf,
    pub plot: Option<PathBuf>,
    pub sheet: Option<PathBuf>,
    pub wav: Option<PathBuf>,
    takes: u32,
}

impl Files {
    /// # Errors
    /// When something cannot be written there: that is better known before than after.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let midi = match &arguments.output {
            Some(path) => path.clone(),
            None => bundle::target_folder()?.join("generate").join(default_name(arguments)),
        };
        let Arguments { plot, sheet, wav, count, .. } = arguments.clone();
        let files = Self { midi, plot, sheet, wav, takes: count };
        if let Some(plot) = &files.plot {
            picture::Format::of(plot)?;
        }
        for path in files.of(0).all() {
            let unwritable = || format!("{} cannot be written", path.display());
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).with_context(unwritable)?;
            }
            ensure!(!path.is_dir(), "{} is a folder: give a file's name", path.display());
            file::try_path(path).with_context(unwritable)?;
        }
        Ok(files)
    }

    /// Those of one take.
    pub fn of(&self, turn: u32) -> Self {
        let path = |path: &PathBuf| numbered(path, turn, self.takes);
        let [plot, sheet, wav] = [&self.plot, &self.sheet, &self.wav].map(|file| file.as_ref().map(path));
        Self { midi: path(&self.midi), plot, sheet, wav, takes: 1 }
    }

    /// All that are written.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        let others = [&self.plot, &self.sheet, &self.wav].into_iter().flatten();
        std::iter::once(&self.midi).chain(others).map(PathBuf::as_path)
    }
}

fn default_name(arguments: &Arguments) -> PathBuf {
    let stem = arguments.file.as_deref().and_then(Path::file_stem);
    Path::new(stem.unwrap_or("nothing".as_ref())).with_extension("mid")
}

/// Of several takes, `a.mid` becomes `a-01.mid`.
fn numbered(path: &Path, turn: u32, takes: u32) -> PathBuf {
    if takes == 1 {
        return path.to_owned();
    }
    let digits = takes.to_string().len().max(2);
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{:0digits$}", turn + 1));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}
