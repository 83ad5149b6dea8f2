//! The page that says what may be trusted, and why.

use std::{fmt::Write, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Finding, Found, promises::PROMISES, record::Records, tests_run::Outcomes, unsafe_code};

pub fn compose(outcomes: &Outcomes, findings: &[Finding], records: &Records, root: &Path) -> Result<String> {
    let mut page = String::from(include_str!("head.md"));
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
    page.push_str(include_str!("faults.md"));
    page.push_str(include_str!("limits.md"));
    page.push_str(&unsafe_code::listed(root)?);
    Ok(page)
}

fn compiler() -> Result<String> {
    let told = Command::new("rustc").arg("--version").output().context("there is no rustc")?;
    let told = String::from_utf8_lossy(&told.stdout);
    Ok(told.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}
