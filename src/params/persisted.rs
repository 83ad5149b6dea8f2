//! What a project saves besides the values of parameters: the path of a model file, and the size of the window.

use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::persist::PersistentField;
use parking_lot::RwLock;

/// Largest side of a window that is accepted, in points: no screen is larger.
const LARGEST_SIDE: u32 = 16_384;

/// The path of a model file, saved with the project. Written by the main thread when a state is loaded,
/// and by the window and its tasks; the worker notices the change.
#[derive(Default)]
pub struct ModelFile {
    pub(crate) path: RwLock<String>,
    changes: AtomicU32,
}

impl ModelFile {
    /// Number of times that the path was set. A new number means that the file has to be read again.
    pub fn changes(&self) -> u32 {
        // Acquire: a reader that sees the new number must see the new path.
        self.changes.load(Ordering::Acquire)
    }

    /// Sets the file whose model plays; an empty path means none. Locks: not for the audio thread.
    pub fn choose(&self, path: String) {
        *self.path.write() = path;
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The path, or `None` where an embedded model plays. Locks: not for the audio thread.
    pub fn path(&self) -> Option<String> {
        Some(self.path.read().clone()).filter(|path| !path.is_empty())
    }
}

impl PersistentField<'_, String> for ModelFile {
    fn set(&self, path: String) {
        self.choose(path);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&String) -> R,
    {
        f(&self.path.read())
    }
}

/// Width and height in points; zero until a window was opened or a state with a size was loaded. Any thread.
#[derive(Debug, Default)]
pub struct WindowSize {
    width: AtomicU32,
    height: AtomicU32,
}

impl WindowSize {
    /// Width and height, or `None` where they are not known or no window could have them.
    pub fn get(&self) -> Option<[u32; 2]> {
        let size = self.both();
        size.iter().all(|side| (1..=LARGEST_SIDE).contains(side)).then_some(size)
    }

    /// Stores a new size of the window.
    pub fn put(&self, [width, height]: [u32; 2]) {
        self.width.store(width, Ordering::Relaxed);
        self.height.store(height, Ordering::Relaxed);
    }

    fn both(&self) -> [u32; 2] {
        [self.width.load(Ordering::Relaxed), self.height.load(Ordering::Relaxed)]
    }
}

impl PersistentField<'_, [u32; 2]> for WindowSize {
    fn set(&self, size: [u32; 2]) {
        self.put(size);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&[u32; 2]) -> R,
    {
        f(&self.both())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_no_window_has_is_none() {
        let size = WindowSize::default();
        assert_eq!(size.get(), None);
        size.put([1280, 800]);
        assert_eq!(size.get(), Some([1280, 800]));
        for broken in [[0, 800], [1280, u32::MAX]] {
            size.put(broken);
            assert_eq!(size.get(), None);
        }
    }
}
