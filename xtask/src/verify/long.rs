//! The checks that take hours. What they found last is kept beside the page until they are run again: nobody soaks for an
//! hour to mend a word.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    promises::{self, Outcomes},
    soak, tools,
};

/// From the root of the project.
const FILE: &str = "docs/trust.toml";
const HEAD: &str =
    "# What the long checks found last. `cargo xtask verify --long` and `--only` write this file.\n\n";

/// A check that takes minutes to hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LongCheck {
    /// An hour in real time, or as long as ANTIPHON_SOAK_MINUTES says
    Soak,
    /// A day of sessions at fast time
    Day,
    /// A hundred times as many cases of every property
    Cases,
    /// Ten minutes of each fuzz target
    Fuzz,
}

/// What all long checks found last, in the order of their first runs.
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

impl LongCheck {
    pub const ALL: [Self; 4] = [Self::Soak, Self::Day, Self::Cases, Self::Fuzz];

    /// Runs it and keeps what it found.
    ///
    /// # Errors
    /// When that cannot be kept; what fails is kept as failed.
    pub fn run(self, root: &Path) -> Result<()> {
        match self {
            Self::Soak => {
                let found = soak::Plan::of_environment().and_then(soak::play);
                Records::keep(root, "In real time", &found)
            }
            Self::Day => Records::keep(root, "A day at fast time", &day()),
            Self::Cases => Records::keep(root, "A hundred times as many cases of every property", &cases()),
            Self::Fuzz => tools::FUZZ_TARGETS.into_iter().try_for_each(|(target, seeds)| {
                let found = tools::fuzz(target, seeds, tools::LONG_FUZZ_SECONDS);
                Records::keep(root, &format!("Fuzz target `{target}`"), &found)
            }),
        }
    }
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
    fn keep(root: &Path, what: &str, outcome: &Result<String>) -> Result<()> {
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

fn day() -> Result<String> {
    const SESSION: &str = "session::in_a_session_the_plugin_keeps_to_all_that_was_asked_for";
    let outcomes = Outcomes::of([SESSION], Some(("ANTIPHON_SESSION_MINUTES", "1440")))?;
    outcomes.figures_of(SESSION).context("a session has broken a law: run its test by itself")
}

fn cases() -> Result<String> {
    const CASES: &str = "25600";
    let outcomes = Outcomes::of(promises::tests(), Some(("PROPTEST_CASES", CASES)))?;
    let broken: Vec<&str> = outcomes.broken().collect();
    ensure!(broken.is_empty(), "{} broken", broken.join(", "));
    Ok(format!("the tests of every promise hold, each property for {CASES} cases"))
}
