//! Runs the tests that the promises name.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::{Context, Result, bail};

use super::{
    cargo,
    promises::{self, Promise},
};

/// A test tells its figures in a line that begins so.
const PROVED: &str = "proved: ";

#[derive(Debug, Default)]
pub struct Outcomes {
    passed: BTreeMap<String, bool>,
    figures: BTreeMap<String, Vec<String>>,
}

impl Outcomes {
    /// Runs tests, with a variable of the environment if they are asked for more than usual. Takes minutes, or hours.
    pub fn of<'a>(tests: impl IntoIterator<Item = &'a str>, more: Option<(&str, &str)>) -> Result<Self> {
        let mut command = cargo();
        command.args(["test", "--workspace", "--no-fail-fast", "--", "--exact", "--show-output"]);
        command.args(tests).envs(more);
        let told = command.stderr(Stdio::inherit()).output().context("there is no cargo")?;
        let outcomes = Self::read(&String::from_utf8_lossy(&told.stdout));
        if outcomes.passed.is_empty() {
            bail!("the tests do not build: run cargo test --workspace");
        }
        Ok(outcomes)
    }

    fn read(told: &str) -> Self {
        let mut outcomes = Self::default();
        let mut telling = String::new();
        for line in told.lines() {
            if let Some((name, outcome)) =
                line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
            {
                outcomes.passed.insert(name.to_owned(), outcome == "ok");
            } else if let Some(name) =
                line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"))
            {
                telling = name.to_owned();
            } else if let Some(figure) = line.strip_prefix(PROVED) {
                outcomes.figures.entry(telling.clone()).or_default().push(figure.to_owned());
            }
        }
        outcomes
    }

    /// Of a promise, for its line of the table.
    pub fn figures(&self, promise: &Promise) -> String {
        let passed = promise.tests.iter().filter(|test| self.has_passed(test)).count();
        let all = promise.tests.len();
        let figures = promise.tests.iter().filter_map(|test| self.figures.get(*test)).flatten();
        let verdict = if passed == all {
            format!("{all} of {all} hold")
        } else {
            format!("**{passed} of {all} hold**")
        };
        [verdict].into_iter().chain(figures.cloned()).collect::<Vec<_>>().join("; ")
    }

    /// The tests of promises that failed, or were not there.
    pub fn broken(&self) -> impl Iterator<Item = &'static str> {
        promises::tests().filter(|test| !self.has_passed(test))
    }

    /// What one test has proved; none if it failed.
    pub fn figures_of(&self, test: &str) -> Option<String> {
        self.figures.get(test).filter(|_| self.has_passed(test)).map(|figures| figures.join("; "))
    }

    fn has_passed(&self, test: &str) -> bool {
        self.passed.get(test) == Some(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_belong_to_the_test_that_tells_them_and_a_test_that_is_not_there_is_broken() {
        let told =
            "test a::one ... ok\ntest a::two ... FAILED\n---- a::one stdout ----\nnoise\nproved: 12 cases\n";
        let outcomes = Outcomes::read(told);
        let promise = Promise { text: "", tests: &["a::one", "a::two", "a::three"] };
        assert_eq!(outcomes.figures(&promise), "**1 of 3 hold**; 12 cases");
        assert_eq!(outcomes.figures(&Promise { text: "", tests: &["a::one"] }), "1 of 1 hold; 12 cases");
        assert_eq!(outcomes.broken().count(), promises::tests().count());
        assert_eq!(outcomes.figures_of("a::one").as_deref(), Some("12 cases"));
    }
}
