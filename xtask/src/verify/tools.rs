//! Other people's programs: validators of plugins, the auditor of dependencies, the fuzzer. Those that are there are run.

use std::process::{Command, Stdio};

use anyhow::Result;

use super::{Finding, Found, cargo};
use crate::bundle;

/// One program, how it is asked, and where to get it.
struct Tool {
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    advice: &'static str,
}

const CLAP: &str = "target/bundled/Antiphon.clap";
const VST3: &str = "target/bundled/Antiphon.vst3";
const TOOLS: [Tool; 4] = [
    Tool {
        what: "clap-validator",
        program: "clap-validator",
        arguments: &["validate", CLAP],
        advice: "put `clap-validator` (github.com/free-audio/clap-validator) on PATH",
    },
    Tool {
        what: "Steinberg's validator",
        program: "validator",
        arguments: &["-e", VST3],
        advice: "put `validator` of the VST3 SDK on PATH",
    },
    Tool {
        what: "pluginval, strictness 10",
        program: "pluginval",
        arguments: &["--strictness-level", "10", "--validate", VST3],
        advice: "put `pluginval` (github.com/Tracktion/pluginval) on PATH",
    },
    Tool {
        what: "cargo-deny: licenses, sources, duplicates",
        program: "cargo-deny",
        arguments: &["check", "licenses", "bans", "sources"],
        advice: "cargo install cargo-deny --locked",
    },
];
const FUZZ_TARGETS: [&str; 4] = ["events", "model", "state", "midi"];
/// Of each target, in a long run.
const FUZZ_SECONDS: u32 = 600;

pub fn check_all(long: bool) -> Result<Vec<Finding>> {
    bundle::run(&bundle::Arguments {})?;
    let mut findings: Vec<Finding> = TOOLS.iter().map(check).collect();
    if long {
        findings.extend(FUZZ_TARGETS.map(fuzz));
    }
    Ok(findings)
}

fn check(tool: &Tool) -> Finding {
    println!("{}", tool.what);
    let found = match Command::new(tool.program).args(tool.arguments).stdin(Stdio::null()).output() {
        Err(_) => Found::Missing(tool.advice.to_owned()),
        Ok(told) => {
            let said = [told.stdout, told.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
            if told.status.success() {
                Found::Passed(last.to_owned())
            } else {
                Found::Failed(last.to_owned())
            }
        }
    };
    Finding { what: tool.what, found }
}

fn fuzz(target: &'static str) -> Finding {
    println!("fuzzing: {target}");
    let seconds = format!("-max_total_time={FUZZ_SECONDS}");
    let mut command = Command::new("cargo");
    // Whatever toolchain runs this program, fuzzing needs nightly.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command.args(["+nightly", "fuzz", "run", target, "--", &seconds]);
    let is_there = cargo().args(["fuzz", "--version"]).output().is_ok_and(|told| told.status.success());
    let found = match command.output() {
        Ok(told) if is_there => {
            let said = String::from_utf8_lossy(&told.stderr).into_owned();
            let last = said.lines().rev().find(|line| line.contains("Done ") || line.contains("ERROR"));
            let last = last.unwrap_or("it does not build with nightly Rust").to_owned();
            if told.status.success() { Found::Passed(last) } else { Found::Failed(last) }
        }
        _ => Found::Missing("cargo install cargo-fuzz, and rustup toolchain install nightly".to_owned()),
    };
    Finding { what: target, found }
}
