//! `cargo xtask verify`: what the plugin promises, held to account.

mod promises;
mod realtime;
mod tests_run;
mod tools;
mod unsafe_code;

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use self::{promises::PROMISES, tests_run::Outcomes};

/// Run the checks of every promise, and write what they found into docs/trust.md.
///
/// Validators, RealtimeSanitizer, cargo-deny and cargo-fuzz are used where they are found, and named where they are not.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Take hours: a day of sessions at fast time, a hundred times as many cases, ten minutes of each fuzz target
    #[arg(long)]
    long: bool,
}

/// What one check that is no test of ours has found.
#[derive(Debug)]
pub struct Finding {
    pub what: &'static str,
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

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    std::env::set_current_dir(root)?;
    let outcomes = Outcomes::of_tests(arguments.long)?;
    let mut findings = vec![realtime::check()?];
    findings.extend(tools::check_all(arguments.long)?);
    let page = page(&outcomes, &findings, arguments.long, root)?;
    let path = root.join("docs/trust.md");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("written: docs/trust.md");
    let failed = findings.iter().filter(|finding| matches!(finding.found, Found::Failed(_)));
    let failed: Vec<&str> = failed.map(|finding| finding.what).chain(outcomes.broken()).collect();
    if !failed.is_empty() {
        bail!("these promises are broken: {}", failed.join(", "));
    }
    Ok(())
}

fn page(outcomes: &Outcomes, findings: &[Finding], long: bool, root: &Path) -> Result<String> {
    let mut page = String::from(include_str!("verify/head.md"));
    let command = if long { "cargo xtask verify --long" } else { "cargo xtask verify" };
    writeln!(page, "Last written by `{command}`, with {}.\n", compiler()?)?;
    writeln!(page, "| promise | the tests that hold it | last figures |\n|---|---|---|")?;
    for promise in PROMISES {
        let tests: Vec<String> = promise.tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(page, "| {} | {} | {} |", promise.text, tests.join(", "), outcomes.figures(promise))?;
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
    page.push_str(include_str!("verify/limits.md"));
    page.push_str(&unsafe_code::listed(root)?);
    Ok(page)
}

fn compiler() -> Result<String> {
    let told = Command::new("rustc").arg("--version").output().context("there is no rustc")?;
    let told = String::from_utf8_lossy(&told.stdout);
    Ok(told.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The cargo that runs this program, or the one on PATH.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
