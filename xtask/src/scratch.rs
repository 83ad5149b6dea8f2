//! What tests need: a folder of their own.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A folder that is removed at the end, with a folder `deeper` inside.
pub struct Folder(PathBuf);

impl Folder {
    /// Every test needs a name of its own.
    pub fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("antiphon-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("deeper")).expect("a folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}
