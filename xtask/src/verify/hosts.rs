//! Real hosts, by the scripts in tests/hosts: those that are installed are run.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Finding, Found};

/// What is asked of a host, and the script that does it.
const HOSTS: [(&str, &str); 2] = [
    ("Ardour, VST3: notes in, an answer out", "tests/hosts/ardour.sh"),
    ("Qtractor, CLAP: scanned", "tests/hosts/qtractor.sh"),
];
/// What a script exits with where its host is not installed.
const MISSING: i32 = 77;

/// Asks each, of the bundles that are there.
///
/// # Errors
/// When this program does not know where it lies.
pub fn check_all() -> Result<Vec<Finding>> {
    HOSTS.into_iter().map(check).collect()
}

fn check((what, script): (&str, &str)) -> Result<Finding> {
    println!("{what}");
    let mut command = Command::new("bash");
    command.arg(script).env("XTASK", std::env::current_exe()?).stdin(Stdio::null());
    let told = command.output().context("there is no bash")?;
    let said = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let found = match told.status.code() {
        Some(0) => Found::Passed(last),
        Some(MISSING) => Found::Missing(last),
        _ => Found::Failed(last),
    };
    Ok(Finding { what: what.to_owned(), found })
}
