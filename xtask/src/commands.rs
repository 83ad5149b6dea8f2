//! `cargo xtask commands`: what the README and the pages tell to type is what there is to type.

mod pages;
mod running;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, error::ErrorKind};

use self::pages::{Found, Place};

/// Check that every command in the README and in docs is one, and run them once
#[derive(clap::Args)]
pub struct Arguments {
    /// Run every command of a block once as well, in target/commands; hours where corpora are at hand
    #[arg(long)]
    run: bool,
    /// The folder that the pages call PATH, with corpora in it; without it, what needs one is not run
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let found = pages::commands(root)?;
    let faults: Vec<String> = found.iter().filter_map(|found| fault(root, found)).collect();
    if !faults.is_empty() {
        bail!("some commands are none:\n{}", faults.join("\n"));
    }
    println!("{} commands are commands", found.len());
    if arguments.run { running::run_all(root, &found, arguments.data.as_deref()) } else { Ok(()) }
}

/// Why a command cannot be typed as it stands.
fn fault(root: &Path, found: &Found) -> Option<String> {
    let told = |what: &str| Some(format!("{}: `{}`: {what}", found.page, found.line));
    let Some(words) = pages::words(&found.line) else { return told("a quote has no end") };
    match words.first().map(String::as_str) {
        Some("cargo") if words.get(1).is_some_and(|word| word == "xtask") => {
            let error = crate::Command::try_parse_from(&words[1..]).err()?;
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // In a sentence a command stands for itself, without what it works on.
            let is_named = found.place == Place::Sentence
                && matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::MissingSubcommand
                );
            let first = error.to_string();
            (!is_help && !is_named).then(|| told(first.lines().next().unwrap_or_default())).flatten()
        }
        Some(script) if script.starts_with("tests/") || script.starts_with("benches/") => {
            if root.join(script).exists() { None } else { told("there is no such script") }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, place: Place) -> Found {
        Found { page: "README.md".to_owned(), line: line.to_owned(), place }
    }

    #[test]
    fn every_command_in_the_readme_and_in_docs_is_one() {
        run(&Arguments { run: false, data: None }).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn a_command_that_is_none_is_a_fault() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fault = |line: &str, place| fault(root, &found(line, place));
        assert_eq!(fault("cargo xtask demo --fast", Place::Block), None);
        assert_eq!(fault("cargo xtask --help", Place::Sentence), None);
        assert!(fault("cargo xtask demo --quick", Place::Block).is_some_and(|told| told.contains("--quick")));
        assert!(fault("cargo xtask dance", Place::Sentence).is_some());
        assert!(fault("cargo xtask inspect", Place::Block).is_some(), "a block is typed as it stands");
        assert_eq!(fault("cargo xtask inspect", Place::Sentence), None);
        assert!(fault("tests/hosts/none.sh", Place::Block).is_some());
    }
}
