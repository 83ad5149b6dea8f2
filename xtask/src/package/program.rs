//! The program that needs no host.

use std::{
    env::consts::EXE_SUFFIX,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{bundle, system::System};

const NAME: &str = "antiphon-standalone";
/// What macOS runs on.
const MACS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Built,
    /// Why there is none, and what to do.
    Missing(String),
}

/// Builds the program and puts it into the folder; as built, one that lies there already.
///
/// # Errors
/// When it does not build where it could.
pub fn build(as_built: bool, staging: &Path) -> Result<Outcome> {
    let place = staging.join(format!("{NAME}{EXE_SUFFIX}"));
    if as_built {
        let found = bundle::build_folder()?.join(format!("{NAME}{EXE_SUFFIX}"));
        if !found.exists() {
            return Ok(Outcome::Missing("this build has none".to_owned()));
        }
        fs::copy(found, place)?;
        return Ok(Outcome::Built);
    }
    match System::HERE {
        System::Linux if !has_headers() => Ok(Outcome::Missing(
            "to build it, install libasound2-dev, libjack-jackd2-dev and pkg-config".to_owned(),
        )),
        System::MacOs => {
            let parts = MACS.map(|mac| built(Some(mac))).into_iter().collect::<Result<Vec<_>>>()?;
            let done = Command::new("lipo").arg("-create").args(&parts).arg("-output").arg(&place).status();
            ensure!(done.context("lipo does not start")?.success(), "lipo does not join the programs");
            let done = Command::new("codesign").args(["--force", "--sign", "-"]).arg(&place).status();
            ensure!(done.context("codesign does not start")?.success(), "codesign does not sign the program");
            Ok(Outcome::Built)
        }
        System::Linux | System::Windows => {
            fs::copy(built(None)?, place)?;
            Ok(Outcome::Built)
        }
    }
}

/// In a folder of its own: with its features the plugin's library would be another under the same name.
fn built(triple: Option<&str>) -> Result<PathBuf> {
    let mut folder = bundle::target_folder()?.join("program");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--package", "antiphon", "--features", "standalone"]);
    cargo.args(["--bin", NAME, "--target-dir"]).arg(&folder);
    if let Some(triple) = triple {
        cargo.args(["--target", triple]);
        folder.push(triple);
    }
    ensure!(
        cargo.status().context("cargo does not start")?.success(),
        "the program does not build: see above"
    );
    Ok(folder.join("release").join(format!("{NAME}{EXE_SUFFIX}")))
}

fn has_headers() -> bool {
    Command::new("pkg-config").args(["--exists", "alsa", "jack"]).status().is_ok_and(|found| found.success())
}
