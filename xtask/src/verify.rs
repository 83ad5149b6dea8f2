//! `cargo xtask verify`: checks what the plugin promises, and writes the page that says what may be trusted,
//! and why: promises, long runs, other people's checks, and every unsafe block with its argument. Clippy
//! checks that each block has an argument.

mod promises;
mod soak;
mod tools;

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::{
    promises::{Outcomes, PROMISES},
    tools::{Finding, Found},
};
use crate::{bundle, tidy::rust_files};

/// The file of what the long checks found last, from the root of the project. It is kept until they are run
/// again, so that the page can be written anew without hours of checks.
const RECORDS_FILE: &str = "docs/trust.toml";
const RECORDS_HEAD: &str =
    "# What the long checks found last. `cargo xtask verify --long` and `--only` write this file.\n\n";
/// How a comment begins that argues for an unsafe block.
const ARGUMENT: &str = "// SAFETY:";

/// Run the checks of every promise, and write what they found into docs/trust.md.
///
/// Validators, hosts, RealtimeSanitizer, cargo-deny and cargo-fuzz are used where they are found, and named where they are
/// not.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Take a day: run the long checks too, whose last figures stay on the page otherwise
    #[arg(long)]
    long: bool,
    /// Run only this long check, and leave the page as it is
    #[arg(long, value_enum, conflicts_with = "long")]
    only: Option<LongCheck>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = bundle::root_folder()?;
    std::env::set_current_dir(root)?;
    if let Some(only) = arguments.only {
        only.run(root)?;
        return complain(Records::read(root)?.broken().map(str::to_owned).collect());
    }
    let outcomes = Outcomes::of(promises::tests(), None)?;
    let findings = tools::check_all()?;
    for check in LongCheck::ALL.into_iter().filter(|_| arguments.long) {
        check.run(root)?;
    }
    let records = Records::read(root)?;
    let page = compose(&outcomes, &findings, &records, root)?;
    let path = root.join("docs/trust.md");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("written: docs/trust.md");
    let failed = findings.iter().filter(|finding| matches!(finding.found, Found::Failed(_)));
    let failed = failed.map(|finding| finding.what.clone());
    let broken = outcomes.broken().map(str::to_owned).chain(records.broken().map(str::to_owned));
    complain(failed.chain(broken).collect())
}

/// # Errors
/// When anything is broken.
fn complain(broken: Vec<String>) -> Result<()> {
    if !broken.is_empty() {
        bail!("these promises are broken: {}", broken.join(", "));
    }
    Ok(())
}

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

/// What each long check found last, in the order of their first runs.
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
    /// The day of the run, in UTC.
    pub on: String,
}

impl LongCheck {
    pub const ALL: [Self; 4] = [Self::Soak, Self::Day, Self::Cases, Self::Fuzz];

    /// Runs the check and stores what it found.
    ///
    /// # Errors
    /// When the result cannot be stored. A check that fails is no error here: it is stored as failed.
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
    /// Reads the records; there are none where there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be parsed.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(RECORDS_FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(Self::default()) };
        toml::from_str(&text).with_context(|| format!("{} is broken: delete it", path.display()))
    }

    /// The checks that failed when they were last run.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|record| !record.passed).map(|record| record.what.as_str())
    }

    /// Replaces the last outcome of a check. The file is read anew, since another check may have ended
    /// meanwhile.
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
        let path = root.join(RECORDS_FILE);
        fs::write(&path, RECORDS_HEAD.to_owned() + &toml::to_string(&records)?)
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

pub fn compose(outcomes: &Outcomes, findings: &[Finding], records: &Records, root: &Path) -> Result<String> {
    let mut page = String::from(include_str!("verify/head.md"));
    writeln!(page, "Last written by `cargo xtask verify`, with {}.\n", compiler()?)?;
    writeln!(page, "| promise | the tests that hold it | last figures |\n|---|---|---|")?;
    for promise in PROMISES {
        let tests: Vec<String> = promise.tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(page, "| {} | {} | {} |", promise.text, tests.join(", "), outcomes.figures(promise))?;
    }
    page.push_str("\n## Long runs\n\n| check | last run | result |\n|---|---|---|\n");
    for record in &records.all {
        let verdict = if record.passed { "passed" } else { "**failed**" };
        writeln!(page, "| {} | {} | {verdict}: {} |", record.what, record.on, record.figures)?;
    }
    page.push_str("\n## Other people's checks\n\n| check | result |\n|---|---|\n");
    for Finding { what, found } in findings {
        let found = match found {
            Found::Passed(figures) => format!("passed: {figures}"),
            Found::Failed(last) => format!("**failed**: {last}"),
            Found::Missing(sentence) => format!("not run: {sentence}"),
        };
        writeln!(page, "| {what} | {found} |")?;
    }
    page.push_str(include_str!("verify/faults.md"));
    page.push_str(include_str!("verify/limits.md"));
    page.push_str(&unsafe_code(root)?);
    Ok(page)
}

fn compiler() -> Result<String> {
    let told = Command::new("rustc").arg("--version").output().context("there is no rustc")?;
    let told = String::from_utf8_lossy(&told.stdout);
    Ok(told.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The chapter of the page on unsafe code.
fn unsafe_code(root: &Path) -> Result<String> {
    let mut chapter =
        String::from("\n## Unsafe code\n\n| where | blocks | why they are sound |\n|---|---|---|\n");
    for folder in ["src", "test-host", "xtask"] {
        let mut files = rust_files(&root.join(folder))?;
        files.sort();
        for file in files {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).display();
            for (argument, blocks) in counted(arguments(&text)) {
                writeln!(chapter, "| `{name}` | {blocks} | {argument} |")?;
            }
        }
    }
    Ok(chapter)
}

/// The argument after each [`ARGUMENT`] mark, with all further lines of its comment.
fn arguments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let Some(argument) = line.strip_prefix(ARGUMENT) else { continue };
        let mut argument = argument.trim().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("//")) {
            argument = format!("{argument} {}", more.trim_start_matches('/').trim());
        }
        found.push(argument);
    }
    found
}

/// Each argument once, in the order of their first blocks, with the number of blocks that it stands before.
fn counted(arguments: Vec<String>) -> Vec<(String, usize)> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for argument in arguments {
        match counted.iter_mut().find(|(known, _)| *known == argument) {
            Some((_, blocks)) => *blocks += 1,
            None => counted.push((argument, 1)),
        }
    }
    counted
}

/// The cargo that runs this program, or the one on PATH.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_of_two_lines_is_one() {
        let text = concat!("x\n// SAFE", "TY: it is\n// sound.\nunsafe {}\n");
        assert_eq!(arguments(text), ["it is sound."]);
    }

    #[test]
    fn an_argument_that_stands_before_two_blocks_is_one_line() {
        let of = |arguments: [&str; 3]| counted(arguments.map(str::to_owned).into());
        assert_eq!(of(["a", "b", "a"]), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }
}
