//! The page that says what may be trusted, and why: promises, long runs, other people's checks, and every unsafe block with
//! its argument. That each block has one is clippy's to check.

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{
    long::Records,
    promises::{Outcomes, PROMISES},
    tools::{Finding, Found},
};
use crate::tidy::rust_files;

/// An unsafe block is argued in a comment that begins so.
const ARGUMENT: &str = "// SAFETY:";

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
    page.push_str(&unsafe_code(root)?);
    Ok(page)
}

fn compiler() -> Result<String> {
    let told = Command::new("rustc").arg("--version").output().context("there is no rustc")?;
    let told = String::from_utf8_lossy(&told.stdout);
    Ok(told.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The chapter of unsafe code.
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

/// What stands behind each mark, over as many lines of comment as it takes.
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

/// Each argument once, in the order of their first blocks, and how many blocks it stands before.
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
