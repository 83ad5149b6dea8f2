//! What the long checks found last, kept beside the page: nobody soaks for an hour to mend a word.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// From the root of the project.
const FILE: &str = "docs/trust.toml";
const HEAD: &str =
    "# What the long checks found last. `cargo xtask verify --long` and `--only` write this file.\n\n";

/// Of all long checks, in the order of their first runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Records {
    #[serde(default, rename = "check")]
    pub all: Vec<Record>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    pub what: String,
    pub passed: bool,
    pub figures: String,
    /// The day, in UTC.
    pub on: String,
}

impl Records {
    /// None where there is no file yet.
    ///
    /// # Errors
    /// When the file is not as it was written.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(Self::default()) };
        toml::from_str(&text).with_context(|| format!("{} is broken: delete it", path.display()))
    }

    /// What failed when it was last run.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|record| !record.passed).map(|record| record.what.as_str())
    }

    /// Has the outcome of a check take the place of its last one. The file is read anew, since another check may have
    /// ended meanwhile.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(root: &Path, what: &str, outcome: &Result<String>) -> Result<()> {
        let mut records = Self::read(root)?;
        let figures = match outcome {
            Ok(figures) => figures.clone(),
            Err(error) => format!("{error:#}"),
        };
        let on = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let record = Record { what: what.to_owned(), passed: outcome.is_ok(), figures, on };
        match records.all.iter_mut().find(|known| known.what == what) {
            Some(known) => *known = record,
            None => records.all.push(record),
        }
        let path = root.join(FILE);
        fs::write(&path, HEAD.to_owned() + &toml::to_string(&records)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
