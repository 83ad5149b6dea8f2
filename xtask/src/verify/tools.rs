//! Other people's checks: RealtimeSanitizer, validators, cargo-deny, hosts and cargo-fuzz. Those installed
//! are run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anstream::adapter::strip_str;
use anyhow::{Context, Error, Result, bail, ensure};

use super::cargo;
use crate::bundle;

const SANITIZER: &str = "RealtimeSanitizer";
const LLVM_FOLDER: &str = "/usr/lib";
const SANITIZER_LIBRARY: &str = "libclang_rt.rtsan-x86_64.a";
/// Range of LLVM versions to look for, in the folders `llvm-N` of Debian's packages.
const OLDEST_LLVM: u32 = 20;
const NEWEST_LLVM: u32 = 40;
const CLAP: &str = "target/bundled/Antiphon.clap";
const VST3: &str = "target/bundled/Antiphon.vst3";
const TOOLS: [Tool; 4] = [
    Tool {
        what: "clap-validator, without its two preset crawls",
        program: "clap-validator",
        // Up to 0.4.1 it deadlocks at the second preset of any container: `begin_preset` holds the lock that
        // its `flush_preset` takes. Our presets are one container, which `tests/host` reads as a host does.
        arguments: &["validate", "--exclude", "preset-discovery-(crawl|load)", CLAP],
        figures: "tests run",
        advice: "put `clap-validator` (github.com/free-audio/clap-validator) on PATH",
    },
    Tool {
        what: "Steinberg's validator",
        program: "validator",
        arguments: &["-e", VST3],
        figures: "Result:",
        advice: "put `validator` of the VST3 SDK on PATH",
    },
    Tool {
        what: "pluginval, strictness 10",
        program: "pluginval",
        arguments: &["--strictness-level", "10", "--validate", VST3],
        figures: "SUCCESS",
        advice: "put `pluginval` (github.com/Tracktion/pluginval) on PATH",
    },
    Tool {
        what: "cargo-deny: licenses, sources, duplicates",
        program: "cargo-deny",
        arguments: &["check", "licenses", "bans", "sources"],
        figures: "licenses ok",
        advice: "cargo install cargo-deny --locked",
    },
];
/// What is checked in each host, and the script that does it.
const HOSTS: [(&str, &str); 2] = [
    ("Ardour, VST3: notes in, an answer out", "tests/hosts/ardour.sh"),
    ("Qtractor, CLAP: scanned", "tests/hosts/qtractor.sh"),
];
/// Exit status of a script whose host is not installed.
const HOST_IS_MISSING: i32 = 77;
/// The name of each fuzz target, and the folder of its seeds.
pub const FUZZ_TARGETS: [(&str, &str); 4] = [
    ("events", "fuzz/seeds/events"),
    ("model", "fuzz/seeds/model"),
    ("state", "tests/golden/states"),
    ("midi", "fuzz/seeds/midi"),
];
/// Seconds for each fuzz target in the long check.
pub const LONG_FUZZ_SECONDS: u32 = 600;
const QUICK_FUZZ_SECONDS: u32 = 20;

/// The result of one check that is no test of this project.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub found: Found,
}

/// The outcome of a check.
#[derive(Debug)]
pub enum Found {
    /// It passed, with these figures.
    Passed(String),
    /// It failed, with the last line that it wrote.
    Failed(String),
    /// It is not installed, with advice on how to get it.
    Missing(String),
}

/// A program, its arguments, and where to get it.
struct Tool {
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Text that marks the line of its output with the figures.
    figures: &'static str,
    advice: &'static str,
}

/// Runs every check. Takes minutes.
///
/// # Errors
/// When the plugin cannot be bundled, or a program of the system is missing.
pub fn check_all() -> Result<Vec<Finding>> {
    let mut findings = vec![check_realtime()?];
    bundle::run(&bundle::Arguments {})?;
    findings.extend(TOOLS.iter().map(check_tool));
    for (what, script) in HOSTS {
        findings.push(check_host(what, script)?);
    }
    findings.extend(FUZZ_TARGETS.map(check_fuzz_target));
    Ok(findings)
}

/// Fuzzes a target for `seconds` seconds; returns how much was tried.
///
/// # Errors
/// When an input breaks a promise, or nightly Rust or cargo-fuzz is missing.
pub fn fuzz(target: &str, seeds: &str, seconds: u32) -> Result<String> {
    println!("fuzzing: {target}");
    // The fuzzer stores the inputs that it keeps in the first folder.
    let corpus = format!("fuzz/corpus/{target}");
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {corpus}"))?;
    let mut command = Command::new("cargo");
    // Fuzzing needs nightly, whatever toolchain runs this program.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    // Nearly all of the code is safe Rust, so more is gained from speed than from AddressSanitizer.
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

impl From<Result<String, Error>> for Found {
    fn from(outcome: Result<String>) -> Self {
        match outcome {
            Ok(figures) => Self::Passed(figures),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// Runs under RealtimeSanitizer the tests through the CLAP host, and those of the audio thread beside a slow
/// or dead worker.
fn check_realtime() -> Result<Finding> {
    let Some(library) = sanitizer() else {
        let advice = "install Debian's `libclang-rt-22-dev` or newer, or name its library in RTSAN_LIB_PATH";
        return Ok(Finding { what: SANITIZER.to_owned(), found: Found::Missing(advice.to_owned()) });
    };
    println!("{SANITIZER}");
    let mut laws = 0;
    for tests in
        [&["--test", "host", "--", "--test-threads=1"][..], &["--test", "performer", "--", "realtime"]]
    {
        let mut command = cargo();
        command.args(["test", "--workspace"]).args(tests);
        let told = command.env("RTSAN_ENABLE", "1").env("RTSAN_LIB_PATH", &library).output();
        let told = told.context("there is no cargo")?;
        if !told.status.success() {
            let heard = String::from_utf8_lossy(&told.stderr).into_owned();
            let first = heard.lines().find(|line| line.contains("Intercepted")).unwrap_or("a test failed");
            return Ok(Finding { what: SANITIZER.to_owned(), found: Found::Failed(first.to_owned()) });
        }
        laws += String::from_utf8_lossy(&told.stdout).lines().filter(|line| line.ends_with("... ok")).count();
    }
    let version = llvm_version(&library);
    let figures = format!(
        "{laws} laws through the CLAP host and below it, 0 violations, no exceptions in the code ({version})"
    );
    Ok(Finding { what: SANITIZER.to_owned(), found: Found::Passed(figures) })
}

/// The sanitizer library that the environment names, or the newest that is installed.
fn sanitizer() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RTSAN_LIB_PATH") {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let place = |llvm: u32| {
        Path::new(LLVM_FOLDER).join(format!("llvm-{llvm}/lib/clang/{llvm}/lib/linux")).join(SANITIZER_LIBRARY)
    };
    (OLDEST_LLVM..NEWEST_LLVM)
        .rev()
        .map(place)
        .find(|path| fs::metadata(path).is_ok_and(|file| file.is_file()))
}

fn llvm_version(library: &Path) -> String {
    let mut parts = library.components().filter_map(|part| part.as_os_str().to_str());
    parts.find(|part| part.starts_with("llvm-")).unwrap_or("a library of your own").to_owned()
}

fn check_tool(tool: &Tool) -> Finding {
    println!("{}", tool.what);
    let found = match Command::new(tool.program).args(tool.arguments).stdin(Stdio::null()).output() {
        Err(_) => Found::Missing(tool.advice.to_owned()),
        Ok(told) => {
            let said = [told.stdout, told.stderr].concat();
            let said = strip_str(&String::from_utf8_lossy(&said)).to_string();
            let lines = || said.lines().rev().map(str::trim).filter(|line| !line.is_empty());
            let last = || lines().next().unwrap_or_default().to_owned();
            if told.status.success() {
                let figures = lines().find(|line| line.contains(tool.figures));
                Found::Passed(figures.map_or_else(last, str::to_owned))
            } else {
                Found::Failed(last())
            }
        }
    };
    Finding { what: tool.what.to_owned(), found }
}

/// Runs the script of a host on the bundles that were built.
fn check_host(what: &str, script: &str) -> Result<Finding> {
    println!("{what}");
    let mut command = Command::new("bash");
    command.arg(script).env("XTASK", std::env::current_exe()?).stdin(Stdio::null());
    let told = command.output().context("there is no bash")?;
    let said = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let found = match told.status.code() {
        Some(0) => Found::Passed(last),
        Some(HOST_IS_MISSING) => Found::Missing(last),
        _ => Found::Failed(last),
    };
    Ok(Finding { what: what.to_owned(), found })
}

fn check_fuzz_target((target, seeds): (&str, &str)) -> Finding {
    let found = if has_cargo_fuzz() {
        fuzz(target, seeds, QUICK_FUZZ_SECONDS).into()
    } else {
        Found::Missing("`cargo install cargo-fuzz` and `rustup toolchain install nightly`".to_owned())
    };
    Finding { what: format!("Fuzz target `{target}`, {QUICK_FUZZ_SECONDS} seconds"), found }
}

fn has_cargo_fuzz() -> bool {
    cargo().args(["fuzz", "--version"]).output().is_ok_and(|told| told.status.success())
}
