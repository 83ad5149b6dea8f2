//! The size of the window, saved with the project.

use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::persist::PersistentField;

/// No screen is larger, in points.
const LARGEST: u32 = 16_384;

/// Width and height in points; nought until a window was opened or a state that knows them was loaded. Any thread.
#[derive(Debug, Default)]
pub struct WindowSize {
    width: AtomicU32,
    height: AtomicU32,
}

impl WindowSize {
    /// Width and height, or `None` where nothing is known, or nothing that a window could be.
    pub fn get(&self) -> Option<[u32; 2]> {
        let size = self.both();
        size.iter().all(|side| (1..=LARGEST).contains(side)).then_some(size)
    }

    /// The window has another size.
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
