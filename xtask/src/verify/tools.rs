//! Other people's programs: validators of plugins, the auditor of dependencies. Those that are there are run.

use std::process::{Command, Stdio};

use anstream::adapter::strip_str;
use anyhow::Result;

use super::{Finding, Found};
use crate::bundle;

/// One program, how it is asked, and where to get it.
struct Tool {
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// The line that tells its figures holds this.
    figures: &'static str,
    advice: &'static str,
}

const CLAP: &str = "target/bundled/Antiphon.clap";
const VST3: &str = "target/bundled/Antiphon.vst3";
const TOOLS: [Tool; 4] = [
    Tool {
        what: "clap-validator, without its two preset crawls",
        program: "clap-validator",
        // Up to 0.4.1 it locks itself out, and waits for ever, at the second preset of any container: `begin_preset` holds
        // the lock that its `flush_preset` takes. Our presets are one container, which `tests/host` reads as a host does.
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
pub fn check_all() -> Result<Vec<Finding>> {
    bundle::run(&bundle::Arguments {})?;
    Ok(TOOLS.iter().map(check).collect())
}

fn check(tool: &Tool) -> Finding {
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
