//! The features of a note, in a list that never grows: few of very many.

use crate::model::vector::Item;

/// More than a note can have: all keys sound, and all else is there too.
const MOST: usize = 320;

/// Some features and how much of them there is. Realtime-safe.
#[derive(Debug, Clone)]
pub struct Features {
    items: [Item; MOST],
    count: usize,
}

impl Features {
    /// Adds a feature that is there.
    pub fn add(&mut self, feature: usize) {
        self.add_part(feature, 1.0);
    }

    /// Adds so much of a feature.
    pub fn add_part(&mut self, feature: usize, amount: f32) {
        let row = u16::try_from(feature).expect("there are fewer features than a row can count");
        self.items[self.count] = Item { row, amount };
        self.count += 1;
    }

    pub fn items(&self) -> &[Item] {
        &self.items[..self.count]
    }

    pub fn clear(&mut self) {
        self.count = 0;
    }
}

impl Default for Features {
    fn default() -> Self {
        Self { items: [Item { row: 0, amount: 0.0 }; MOST], count: 0 }
    }
}
