//! The tests through the CLAP host, and those of the audio thread beside a slow or dead worker, under RealtimeSanitizer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Finding, Found, cargo};

const WHAT: &str = "RealtimeSanitizer";
const FOLDER: &str = "/usr/lib";
const LIBRARY: &str = "libclang_rt.rtsan-x86_64.a";
/// Debian's packages are `llvm-N`.
const OLDEST: u32 = 20;
const NEWEST: u32 = 40;

pub fn check() -> Result<Finding> {
    let Some(library) = library() else {
        let advice = "install Debian's `libclang-rt-22-dev` or newer, or name its library in RTSAN_LIB_PATH";
        return Ok(Finding { what: WHAT.to_owned(), found: Found::Missing(advice.to_owned()) });
    };
    println!("{WHAT}");
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
            return Ok(Finding { what: WHAT.to_owned(), found: Found::Failed(first.to_owned()) });
        }
        laws += String::from_utf8_lossy(&told.stdout).lines().filter(|line| line.ends_with("... ok")).count();
    }
    let version = version(&library);
    let figures = format!(
        "{laws} laws through the CLAP host and below it, 0 violations, no exceptions in the code ({version})"
    );
    Ok(Finding { what: WHAT.to_owned(), found: Found::Passed(figures) })
}

/// The one of the environment, or the newest that is installed.
fn library() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RTSAN_LIB_PATH") {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let place =
        |llvm: u32| Path::new(FOLDER).join(format!("llvm-{llvm}/lib/clang/{llvm}/lib/linux")).join(LIBRARY);
    (OLDEST..NEWEST).rev().map(place).find(|path| fs::metadata(path).is_ok_and(|file| file.is_file()))
}

fn version(library: &Path) -> String {
    let mut parts = library.components().filter_map(|part| part.as_os_str().to_str());
    parts.find(|part| part.starts_with("llvm-")).unwrap_or("a library of your own").to_owned()
}
