//! Files written whole or not at all, and the folders that tests write into.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A file and its new content.
pub type New = (PathBuf, Vec<u8>);

/// Replaces files. A reader sees an old file or a new one, never a part. All new files are written before the
/// first one takes its place; if one cannot be written, all old files are still there.
pub fn replace(files: &[New]) -> Result<()> {
    let write = |(path, bytes): &New| {
        write(&temporary(path), bytes).with_context(|| format!("{} cannot be written", path.display()))
    };
    let rename = |(path, _): &New| {
        fs::rename(temporary(path), path).with_context(|| format!("{} cannot be replaced", path.display()))
    };
    let done = files.iter().try_for_each(write).and_then(|()| files.iter().try_for_each(rename));
    if done.is_err() {
        files.iter().for_each(|(path, _)| remove(&temporary(path)));
    }
    done
}

/// Like [`replace`], for one file that is too large to hold in memory.
pub fn replace_by(path: &Path, write: impl FnOnce(&mut fs::File) -> Result<()>) -> Result<()> {
    let temporary = temporary(path);
    let unwritten = || format!("{} cannot be written", path.display());
    let written = fs::File::create(&temporary).map_err(anyhow::Error::from).and_then(|mut file| {
        write(&mut file)?;
        Ok(file.sync_all()?)
    });
    let done =
        written.with_context(unwritten).and_then(|()| fs::rename(&temporary, path).with_context(unwritten));
    if done.is_err() {
        remove(&temporary);
    }
    done
}

/// Fails where a file could not be written.
pub fn try_path(path: &Path) -> io::Result<()> {
    write(&temporary(path), &[])?;
    fs::remove_file(temporary(path))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn remove(path: &Path) {
    // The file may not exist.
    let _ = fs::remove_file(path);
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

#[cfg(test)]
pub mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A test's own folder that is removed at the end, with a folder `deeper` inside.
    pub struct Folder(TempDir);

    impl Folder {
        pub fn new(name: &str) -> Self {
            let folder = tempfile::Builder::new().prefix(name).tempdir().expect("a folder");
            fs::create_dir(folder.path().join("deeper")).expect("a folder");
            Self(folder)
        }

        pub fn path(&self) -> &Path {
            self.0.path()
        }

        pub fn join(&self, name: &str) -> PathBuf {
            self.path().join(name)
        }

        pub fn write(&self, name: &str, bytes: &[u8]) {
            fs::write(self.join(name), bytes).expect("a file");
        }
    }

    #[test]
    fn where_one_file_cannot_be_written_none_is_replaced() {
        let folder = Folder::new("replace");
        folder.write("a", b"old");
        let new = [(folder.join("a"), b"new".to_vec()), (folder.join("missing/b"), b"new".to_vec())];
        let error = replace(&new).expect_err("there is no such folder").to_string();
        assert!(error.ends_with("b cannot be written"), "{error}");
        assert_eq!(fs::read(folder.join("a")).expect("a file"), b"old");
        assert!(!temporary(&folder.join("a")).exists());
        replace(&new[..1]).expect("a folder");
        assert_eq!(fs::read(folder.join("a")).expect("a file"), b"new");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_old_file() {
        let folder = Folder::new("full");
        folder.write("a", b"old");
        std::os::unix::fs::symlink("/dev/full", temporary(&folder.join("a"))).expect("a link");
        let error = replace(&[(folder.join("a"), b"new".to_vec())]).expect_err("the disk is full");
        assert!(format!("{error:#}").contains("No space left"), "{error:#}");
        assert_eq!(fs::read(folder.join("a")).expect("a file"), b"old");
    }
}
