//! The archive and its checksums.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest, Sha256};

/// Of all files in the archive, in the form that `sha256sum -c` reads.
const CHECKSUMS: &str = "checksums.txt";
/// May be run by everybody, or read.
const RUN: u32 = 0o755;
const READ: u32 = 0o644;

/// Writes `NAME.zip` beside the folder, with all that is in it below one folder of that name, and `NAME.zip.sha256`.
///
/// # Errors
/// When something cannot be read or written.
pub fn write(folder: &Path, name: &str) -> Result<PathBuf> {
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

/// The dependency of ours that reads archives was built without compression; to write one takes little.
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

/// In order, with `/` between folders.
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

/// Windows knows by the ending what is run.
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
    use crate::scratch::Folder;

    #[test]
    fn what_is_packed_comes_out_again_with_checksums_that_fit() -> Result<()> {
        let folder = Folder::new("package");
        fs::create_dir_all(folder.join("all/deeper"))?;
        folder.write("all/README.txt", b"read me");
        folder.write("all/deeper/sound", &[7; 100_000]);
        let path = write(&folder.join("all"), "all")?;
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
