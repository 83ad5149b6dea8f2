//! `cargo xtask package`: the archive that a musician downloads, and its checksums.

mod notices;

use std::{
    env::consts::{ARCH, EXE_SUFFIX},
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest, Sha256};

use crate::{
    bundle,
    install::{System, copy_all},
};

/// The text of the page in the archive on how to begin.
const GUIDE: &str = include_str!("package/guide.txt");
/// The license files of the project, and their names in the archive.
const LICENSES: [(&str, &str); 3] = [
    ("LICENSE-MIT", "licenses/LICENSE-MIT.txt"),
    ("LICENSE-APACHE", "licenses/LICENSE-APACHE.txt"),
    ("models/LICENSE.md", "licenses/MODELS.md"),
];
/// The name of the program that needs no host.
const PROGRAM: &str = "antiphon-standalone";
/// The targets of macOS.
const MACS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];
/// The file with the checksums of all files in the archive, as `sha256sum -c` reads them.
const CHECKSUMS: &str = "checksums.txt";
/// File permissions of a program, which everybody may run.
const RUN: u32 = 0o755;
/// File permissions of other files, which everybody may read.
const READ: u32 = 0o644;

/// Make the archive that a musician downloads: plugins, program, presets, licenses, a page on how to begin,
/// checksums
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

/// Whether the program that needs no host was built.
#[derive(Debug, PartialEq, Eq)]
enum Program {
    Built,
    /// Why there is none, and what to do.
    Missing(String),
}

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
    let archive = write_archive(&staging, &name)?;
    println!("{}", archive.display());
    Ok(())
}

/// Writes everything except the checksums, which are made with the archive.
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
        match build_program(arguments.as_built, staging)? {
            Program::Built => {}
            Program::Missing(why) => println!("without the program: {why}"),
        }
    }
    Ok(())
}

/// The name of the archive, such as `antiphon-0.1.0-linux-x86_64`.
fn name() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let processor = if System::HERE == System::MacOs { "universal" } else { ARCH };
    format!("antiphon-{version}-{}-{processor}", System::HERE.name())
}

/// Runs this command again as a release build, which also builds the plugin for release.
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

/// Builds the program and copies it into the folder; with `as_built` it takes one that was built before.
///
/// # Errors
/// When it does not build although the system could build it.
fn build_program(as_built: bool, staging: &Path) -> Result<Program> {
    let place = staging.join(format!("{PROGRAM}{EXE_SUFFIX}"));
    if as_built {
        let found = bundle::build_folder()?.join(format!("{PROGRAM}{EXE_SUFFIX}"));
        if !found.exists() {
            return Ok(Program::Missing("this build has none".to_owned()));
        }
        fs::copy(found, place)?;
        return Ok(Program::Built);
    }
    match System::HERE {
        System::Linux if !has_headers() => Ok(Program::Missing(
            "to build it, install libasound2-dev, libjack-jackd2-dev and pkg-config".to_owned(),
        )),
        System::MacOs => {
            let parts = MACS.map(|mac| built(Some(mac))).into_iter().collect::<Result<Vec<_>>>()?;
            let done = Command::new("lipo").arg("-create").args(&parts).arg("-output").arg(&place).status();
            ensure!(done.context("lipo does not start")?.success(), "lipo does not join the programs");
            let done = Command::new("codesign").args(["--force", "--sign", "-"]).arg(&place).status();
            ensure!(done.context("codesign does not start")?.success(), "codesign does not sign the program");
            Ok(Program::Built)
        }
        System::Linux | System::Windows => {
            fs::copy(built(None)?, place)?;
            Ok(Program::Built)
        }
    }
}

/// Builds the program in a target folder of its own: its features would make another library of the same name.
fn built(triple: Option<&str>) -> Result<PathBuf> {
    let mut folder = bundle::target_folder()?.join("program");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--package", "antiphon", "--features", "standalone"]);
    cargo.args(["--bin", PROGRAM, "--target-dir"]).arg(&folder);
    if let Some(triple) = triple {
        cargo.args(["--target", triple]);
        folder.push(triple);
    }
    ensure!(
        cargo.status().context("cargo does not start")?.success(),
        "the program does not build: see above"
    );
    Ok(folder.join("release").join(format!("{PROGRAM}{EXE_SUFFIX}")))
}

fn has_headers() -> bool {
    Command::new("pkg-config").args(["--exists", "alsa", "jack"]).status().is_ok_and(|found| found.success())
}

/// Writes `NAME.zip` beside the folder, with all that is in it below one folder of that name, and
/// `NAME.zip.sha256`.
///
/// # Errors
/// When something cannot be read or written.
fn write_archive(folder: &Path, name: &str) -> Result<PathBuf> {
    let files = files_below(folder, "")?;
    let mut sums = String::new();
    for file in files.iter().filter(|file| *file != CHECKSUMS) {
        sums += &format!("{}  {file}\n", checksum(&read(&folder.join(file))?));
    }
    fs::write(folder.join(CHECKSUMS), sums)?;
    let path = folder.with_file_name(format!("{name}.zip"));
    let bytes = zipped(folder, name)?;
    let sum = format!("{}  {name}.zip\n", checksum(&bytes));
    fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    fs::write(path.with_extension("zip.sha256"), sum)?;
    Ok(path)
}

/// Writes a zip archive. Our dependency that reads archives is built without compression, and writing takes
/// little code.
fn zipped(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for file in files_below(folder, "")? {
        let inside = format!("{name}/{file}");
        let path = folder.join(&file);
        let (mut entry, config) = archive
            .new_file(inside.as_str())
            .compression_method(CompressionMethod::DEFLATE)
            .unix_permissions(if is_run(&path)? { RUN } else { READ })
            .start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::best()));
        writer.write_all(&read(&path)?)?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()?;
    Ok(bytes)
}

/// The files below a folder, in order, with `/` between folders.
fn files_below(folder: &Path, above: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let entries = folder.read_dir().with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.extend(files_below(&entry.path(), &format!("{name}/"))?);
        } else {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(unix)]
fn is_run(path: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(path.metadata()?.permissions().mode() & 0o100 != 0)
}

/// Windows recognises programs by their endings.
#[cfg(not(unix))]
fn is_run(_: &Path) -> Result<bool> {
    Ok(false)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::file::tests::Folder;

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

    #[test]
    fn what_is_packed_comes_out_again_with_checksums_that_fit() -> Result<()> {
        let folder = Folder::new("package");
        fs::create_dir_all(folder.join("all/deeper"))?;
        folder.write("all/README.txt", b"read me");
        folder.write("all/deeper/sound", &[7; 100_000]);
        let path = write_archive(&folder.join("all"), "all")?;
        let bytes = fs::read(&path)?;
        assert!(bytes.len() < 2_000, "it is compressed");
        let archive = rawzip::ZipArchive::from_slice(&bytes)?;
        let mut found = Vec::new();
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry()? {
            let name = entry.file_path().try_normalize()?.as_ref().to_owned();
            let mut content = Vec::new();
            let packed = archive.get_entry(entry.wayfinder())?;
            flate2::read::DeflateDecoder::new(packed.data()).read_to_end(&mut content)?;
            found.push((name, content));
        }
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["all/README.txt", "all/checksums.txt", "all/deeper/sound"]);
        assert_eq!(found[2].1, [7; 100_000]);
        let sums = String::from_utf8(found[1].1.clone())?;
        assert_eq!(sums.lines().count(), 2);
        assert!(sums.contains(&format!("{}  README.txt", checksum(b"read me"))), "{sums}");
        let beside = fs::read_to_string(folder.join("all.zip.sha256"))?;
        assert_eq!(beside, format!("{}  all.zip\n", checksum(&bytes)));
        Ok(())
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(checksum(b"abc"), abc);
    }
}
