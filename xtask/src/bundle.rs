//! `cargo xtask bundle`: the plugin in the bundles that hosts load.
//!
//! This program depends on the plugin's library, so cargo has built the library before it runs. Building
//! the library by a second cargo command would select other features of the shared dependencies, and each of
//! the two builds would undo the other.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use antiphon::{
    params::presets,
    plugin::{Exported, InstrumentSlot, NoteEffect, Variant},
};
use anyhow::{Context, Result, ensure};
use test_host::Clap;

/// The package whose library hosts load.
const LIBRARY: &str = "antiphon-library";
/// The folder of the presets, beside the bundles.
pub const PRESETS: &str = "VST3 Presets";
/// The vendor's name, for the folder in which hosts look.
pub const VENDOR: &str = "Antiphon";

/// Bundle the release plugin as CLAP and VST3, and its presets for VST3 hosts, in target/bundled
#[derive(clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<()> {
    let built = antiphon_library::built()?;
    // The bundler looks where cargo puts the library of a package that was asked for by name.
    let found = build_folder()?.join(built.file_name().context("a library has a name")?);
    fs::copy(&built, &found).with_context(|| format!("cannot write {}", found.display()))?;
    let profile = if is_release()? { vec!["--release".to_owned()] } else { Vec::new() };
    nice_plug_xtask::chdir_workspace_root()?;
    let target = target_folder()?;
    nice_plug_xtask::bundle(&target, LIBRARY, &profile, false)?;
    lay_out_presets(&bundled_folder()?.join(PRESETS))
}

/// Bundles one file for both kinds of Macs, for each of which cargo builds. This works on macOS only.
///
/// # Errors
/// When one of the two does not build, or this is no Mac.
pub fn run_universal() -> Result<()> {
    let line = ["bundle-universal", LIBRARY, "--release", "--locked"];
    nice_plug_xtask::main_with_args("cargo xtask", line.map(str::to_owned))?;
    lay_out_presets(&bundled_folder()?.join(PRESETS))
}

/// Where the bundles lie.
///
/// # Errors
/// When this program does not lie in a target folder.
pub fn bundled_folder() -> Result<PathBuf> {
    Ok(target_folder()?.join("bundled"))
}

/// The bundled CLAP plugin, whether or not it is there yet.
///
/// # Errors
/// When this program does not lie in a target folder.
pub fn clap_bundle() -> Result<PathBuf> {
    Ok(bundled_folder()?.join("Antiphon.clap"))
}

/// A bundle by the path that the user gives.
///
/// # Errors
/// When nothing is there; the sentence says what to give.
pub fn given(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| {
        let path = path.display();
        format!("{path} cannot be opened: give an Antiphon.clap, such as `cargo xtask bundle` leaves in target/bundled")
    })
}

/// The folder of the project.
///
/// # Errors
/// Never: xtask lies within it.
pub fn root_folder() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")
}

/// Cargo's target folder, in which this program was built.
///
/// # Errors
/// When this program does not lie in a target folder.
pub fn target_folder() -> Result<PathBuf> {
    let target = build_folder()?;
    Ok(target.parent().context("xtask is run by cargo, from its target folder")?.to_owned())
}

/// A fresh instance of the plugin that is linked into this process, in the CLAP host.
///
/// # Errors
/// When it cannot be made.
pub fn linked<P: Exported>() -> Result<Clap> {
    // SAFETY: the framework's entry is a valid one.
    unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), P::CLAP_ID) }
}

/// Runs this program again as a release build, which is what musicians get, with other arguments. That also
/// builds the plugin for release.
///
/// # Errors
/// When it does not build, or fails.
pub fn run_in_release(words: &[&OsStr]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--locked", "--package", "xtask", "--"]).args(words);
    let status = cargo.status().context("cargo does not start")?;
    ensure!(status.success(), "that was not done: see above");
    Ok(())
}

/// Whether this program is a release build, as musicians get it.
///
/// # Errors
/// As [`build_folder`].
pub fn is_release() -> Result<bool> {
    Ok(build_folder()?.ends_with("release"))
}

/// The folder of the profile by which this program was built.
///
/// # Errors
/// When the system does not tell where this program lies.
pub fn build_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("a program lies in a folder")?.to_owned())
}

/// Writes the presets as files within a folder, with a folder for each plugin, as VST3 hosts look for them, and
/// replaces what was there. CLAP hosts ask the plugin itself.
///
/// # Errors
/// When a file cannot be written.
fn lay_out_presets(folder: &Path) -> Result<()> {
    let plugins = [
        (NoteEffect::NAME, NoteEffect::VST3_CLASS_ID),
        (InstrumentSlot::NAME, InstrumentSlot::VST3_CLASS_ID),
    ];
    for (name, class) in plugins {
        let folder = folder.join(VENDOR).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        for preset in presets::PRESETS {
            let file = folder.join(preset.name).with_extension("vstpreset");
            fs::write(&file, preset.vstpreset(class))
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    #[test]
    fn every_plugin_has_a_file_for_every_preset() {
        let folder = Folder::new("presets");
        lay_out_presets(&folder.join("presets")).expect("a folder");
        for plugin in [NoteEffect::NAME, InstrumentSlot::NAME] {
            for preset in presets::PRESETS {
                let file = format!("presets/Antiphon/{plugin}/{}.vstpreset", preset.name);
                assert!(fs::read(folder.join(&file)).is_ok_and(|bytes| bytes.starts_with(b"VST3")), "{file}");
            }
        }
    }
}
