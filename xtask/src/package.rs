//! `cargo xtask package`: what a musician downloads.

mod archive;
mod notices;
mod program;

use std::{
    env::consts::ARCH,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{bundle, install::copy_all, system::System};

/// Make the archive that a musician downloads: plugins, program, presets, licenses, a page on how to begin, checksums
#[derive(clap::Args)]
pub struct Arguments {
    /// Package what this build has, without building it for release: quick, and not what musicians are to get
    #[arg(long)]
    as_built: bool,
    /// Leave the program that needs no host out
    #[arg(long)]
    without_program: bool,
    /// Where the archive goes [default: target/package]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// The page that is read first.
const GUIDE: &str = include_str!("package/guide.txt");
/// The files of the project that every copy comes with, and their names there.
const LICENSES: [(&str, &str); 3] = [
    ("LICENSE-MIT", "licenses/LICENSE-MIT.txt"),
    ("LICENSE-APACHE", "licenses/LICENSE-APACHE.txt"),
    ("models/LICENSE.md", "licenses/MODELS.md"),
];

pub fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.as_built && !bundle::is_release()? {
        return run_in_release(arguments);
    }
    match System::HERE {
        System::MacOs if !arguments.as_built => bundle::run_universal()?,
        _ => bundle::run(&bundle::Arguments {})?,
    }
    let target = bundle::target_folder()?;
    let output = arguments.output.clone().unwrap_or_else(|| target.join("package"));
    let name = name();
    let staging = output.join(&name);
    if staging.exists() {
        fs::remove_dir_all(&staging).with_context(|| format!("{} is in the way", staging.display()))?;
    }
    fs::create_dir_all(staging.join("licenses"))
        .with_context(|| format!("cannot write {}", staging.display()))?;
    lay_out(arguments, &staging)?;
    let archive = archive::write(&staging, &name)?;
    println!("{}", archive.display());
    Ok(())
}

/// Everything but the checksums, which come with the archive.
fn lay_out(arguments: &Arguments, staging: &Path) -> Result<()> {
    let bundles = bundle::bundled_folder()?;
    for bundled in ["Antiphon.clap", "Antiphon.vst3", bundle::PRESETS] {
        copy_all(&bundles.join(bundled), &staging.join(bundled))
            .with_context(|| format!("{bundled} cannot be copied into {}", staging.display()))?;
    }
    fs::write(staging.join("README.txt"), GUIDE)?;
    for (file, name) in LICENSES {
        fs::copy(file, staging.join(name)).with_context(|| format!("{file} cannot be copied"))?;
    }
    fs::write(staging.join("licenses/THIRD-PARTY.txt"), notices::collect()?)?;
    if !arguments.without_program {
        match program::build(arguments.as_built, staging)? {
            program::Outcome::Built => {}
            program::Outcome::Missing(why) => println!("without the program: {why}"),
        }
    }
    Ok(())
}

/// `antiphon-0.1.0-linux-x86_64`.
fn name() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let processor = if System::HERE == System::MacOs { "universal" } else { ARCH };
    format!("antiphon-{version}-{}-{processor}", System::HERE.name())
}

/// This command once more, as a program that is built for release: it brings the plugin with it.
fn run_in_release(arguments: &Arguments) -> Result<()> {
    let mut words: Vec<&OsStr> = vec!["package".as_ref()];
    if arguments.without_program {
        words.push("--without-program".as_ref());
    }
    if let Some(output) = &arguments.output {
        words.extend([OsStr::new("--output"), output.as_ref()]);
    }
    bundle::run_in_release(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_is_one_page_and_names_every_system_and_both_plugins() {
        assert!(GUIDE.lines().count() <= 60 && GUIDE.lines().all(|line| line.chars().count() <= 80));
        for word in ["Linux", "macOS", "Windows", "Antiphon (instrument slot)", ".clap", ".vst3", "licenses"]
        {
            assert!(GUIDE.contains(word), "{word}");
        }
    }

    #[test]
    fn an_archive_is_named_by_version_system_and_processor() {
        assert_eq!(name().split('-').count(), 4);
        assert!(name().starts_with(concat!("antiphon-", env!("CARGO_PKG_VERSION"))));
    }
}
