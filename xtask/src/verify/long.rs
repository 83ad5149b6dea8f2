//! The checks that take hours. What they found last stands on the page until they are run again.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use super::{fuzzing, promises, record::Records, soak, tests_run::Outcomes};

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
            Self::Fuzz => fuzzing::TARGETS.into_iter().try_for_each(|(target, seeds)| {
                let found = fuzzing::run(target, seeds, fuzzing::LONG_SECONDS);
                Records::keep(root, &format!("Fuzz target `{target}`"), &found)
            }),
        }
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
