//! `cargo xtask verify`: what the plugin promises, held to account.

mod long;
mod page;
mod promises;
mod soak;
mod tools;

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use self::{
    long::{LongCheck, Records},
    promises::Outcomes,
    tools::Found,
};
use crate::bundle;

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
