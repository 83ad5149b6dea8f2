//! `cargo xtask verify`: what the plugin promises, held to account.

mod fuzzing;
mod hosts;
mod long;
mod page;
mod promises;
mod realtime;
mod record;
mod soak;
mod tests_run;
mod tools;
mod unsafe_code;

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Error, Result, bail};

use self::{long::LongCheck, record::Records, tests_run::Outcomes};

/// Run the checks of every promise, and write what they found into docs/trust.md.
///
/// Validators, hosts, RealtimeSanitizer, cargo-deny and cargo-fuzz are used where they are found, and named where they are
/// not.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Take a day: run the long checks too, whose last figures stay on the page otherwise
    #[arg(long)]
    long: bool,
    /// Run only this of the long checks, and leave the page as it is
    #[arg(long, value_enum, conflicts_with = "long")]
    only: Option<LongCheck>,
}

/// What one check that is no test of ours has found.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub found: Found,
}

#[derive(Debug)]
pub enum Found {
    /// It passed, with these figures.
    Passed(String),
    /// It failed; what it said last.
    Failed(String),
    /// It is not here; what to do about that.
    Missing(String),
}

impl From<Result<String, Error>> for Found {
    fn from(outcome: Result<String>) -> Self {
        match outcome {
            Ok(figures) => Self::Passed(figures),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    std::env::set_current_dir(root)?;
    if let Some(only) = arguments.only {
        only.run(root)?;
        return complain(Records::read(root)?.broken().map(str::to_owned).collect());
    }
    let outcomes = Outcomes::of(promises::tests(), None)?;
    let mut findings = vec![realtime::check()?];
    findings.extend(tools::check_all()?);
    findings.extend(hosts::check_all()?);
    findings.extend(fuzzing::check_all());
    for check in LongCheck::ALL.into_iter().filter(|_| arguments.long) {
        check.run(root)?;
    }
    let records = Records::read(root)?;
    let page = page::compose(&outcomes, &findings, &records, root)?;
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

/// The cargo that runs this program, or the one on PATH.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
