//! The fuzz targets, where nightly Rust and cargo-fuzz are found.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail, ensure};

use super::{Finding, Found, cargo};

/// Each by its name, and where it begins.
pub const TARGETS: [(&str, &str); 4] = [
    ("events", "fuzz/seeds/events"),
    ("model", "fuzz/seeds/model"),
    ("state", "tests/golden/states"),
    ("midi", "fuzz/seeds/midi"),
];
/// Of each target.
pub const LONG_SECONDS: u32 = 600;
const QUICK_SECONDS: u32 = 20;

/// A short run of each.
pub fn check_all() -> Vec<Finding> {
    TARGETS.map(quick).into()
}

fn quick((target, seeds): (&str, &str)) -> Finding {
    let found = if is_there() {
        run(target, seeds, QUICK_SECONDS).into()
    } else {
        Found::Missing("`cargo install cargo-fuzz` and `rustup toolchain install nightly`".to_owned())
    };
    Finding { what: format!("Fuzz target `{target}`, {QUICK_SECONDS} seconds"), found }
}

/// Feeds a target with whatever comes to the fuzzer, for so many seconds; how much was tried.
///
/// # Errors
/// When something that was tried breaks a promise, or nightly Rust or cargo-fuzz is not there.
pub fn run(target: &str, seeds: &str, seconds: u32) -> Result<String> {
    println!("fuzzing: {target}");
    // What it finds worth keeping goes to the first folder.
    let corpus = format!("fuzz/corpus/{target}");
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {corpus}"))?;
    let mut command = Command::new("cargo");
    // Whatever toolchain runs this program, fuzzing needs nightly.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    // The code is safe but for what is argued, so there is more to win from speed than from AddressSanitizer.
    command.args(["+nightly", "fuzz", "run", "--sanitizer", "none", target, &corpus, seeds, "--"]);
    command.arg(format!("-max_total_time={seconds}")).arg("-print_final_stats=1");
    let told = command.output().context("there is no cargo")?;
    let said = String::from_utf8_lossy(&told.stderr);
    if !told.status.success() {
        let last = said.lines().find(|line| line.contains("panicked") || line.contains("ERROR"));
        bail!("{}", last.unwrap_or("it does not build with nightly Rust"));
    }
    let tried = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    ensure!(tried.is_some(), "the fuzzer tells no figures");
    Ok(format!("{} inputs in {seconds} seconds, none breaks a promise", tried.unwrap_or_default().trim()))
}

fn is_there() -> bool {
    cargo().args(["fuzz", "--version"]).output().is_ok_and(|told| told.status.success())
}
