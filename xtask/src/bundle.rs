//! `cargo xtask bundle`: the plugin as hosts want it.
//!
//! This program links the plugin, so cargo has built the plugin's library beside it before it runs. Building
//! the library by a second cargo command would select other features of the shared dependencies, and each of
//! the two builds would undo the other.

mod presets;

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::PathBuf,
};

use anyhow::{Context, Result};

/// Bundle the release plugin as CLAP and VST3, and its presets for VST3 hosts, in target/bundled
#[derive(clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<()> {
    let library = format!("{DLL_PREFIX}antiphon{DLL_SUFFIX}");
    let build = build_folder()?;
    // The bundler looks where cargo puts the library of a package that was asked for by name.
    let found = build.join(&library);
    std::fs::copy(build.join("deps").join(&library), &found)
        .with_context(|| format!("cannot write {}", found.display()))?;
    let profile = if build.ends_with("release") { vec!["--release".to_owned()] } else { Vec::new() };
    nice_plug_xtask::chdir_workspace_root()?;
    let target = target_folder()?;
    nice_plug_xtask::bundle(&target, "antiphon", &profile, false)?;
    presets::lay_out(&target.join("bundled/VST3 Presets"))
}

/// The bundled CLAP plugin, whether or not it is there yet.
///
/// # Errors
/// When this program does not lie in a target folder.
pub fn clap_bundle() -> Result<PathBuf> {
    Ok(target_folder()?.join("bundled/Antiphon.clap"))
}

/// Cargo's target folder, in which this program was built.
///
/// # Errors
/// When this program does not lie in a target folder.
pub fn target_folder() -> Result<PathBuf> {
    let target = build_folder()?;
    Ok(target.parent().context("xtask is run by cargo, from its target folder")?.to_owned())
}

/// The folder of the profile by which this program was built.
fn build_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("a program lies in a folder")?.to_owned())
}
