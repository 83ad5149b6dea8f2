//! The rolling memory of the newest notes.

use super::note::Note;

/// The shortest memory a player may ask for, in notes.
pub const SMALLEST_MEMORY: usize = 25;
/// The longest memory, in notes; no network here reads further back.
pub const LARGEST_MEMORY: usize = 150;

/// The newest notes, at most [`LARGEST_MEMORY`], by onset and then key.
#[derive(Debug, Clone)]
pub struct Memory {
    notes: Vec<Note>,
}

impl Memory {
    /// An empty memory with all the room it will ever need.
    pub fn new() -> Self {
        Self { notes: Vec::with_capacity(LARGEST_MEMORY + 1) }
    }

    /// Takes a note to its place in time; the oldest one falls out of a full memory. Realtime-safe.
    pub fn remember(&mut self, note: Note) {
        let place = self.notes.partition_point(|other| (other.onset, other.key) <= (note.onset, note.key));
        self.notes.insert(place, note);
        if self.notes.len() > LARGEST_MEMORY {
            self.notes.remove(0);
        }
    }

    /// The newest `count` notes, or all where there are fewer.
    pub fn newest(&self, count: usize) -> &[Note] {
        &self.notes[self.notes.len().saturating_sub(count)..]
    }

    /// Becomes a copy of `other`. Realtime-safe.
    pub fn copy_from(&mut self, other: &Memory) {
        self.notes.clear();
        self.notes.extend_from_slice(&other.notes);
    }

    /// Forgets everything. Realtime-safe.
    pub fn clear(&mut self) {
        self.notes.clear();
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        note::{Key, Velocity},
        time::{Moment, Seconds},
    };

    fn note(onset: f64, key: u8) -> Note {
        Note {
            onset: Moment(onset),
            duration: Seconds(0.5),
            key: Key::saturating(key),
            velocity: Velocity::saturating(64),
        }
    }

    #[test]
    fn a_long_note_that_ends_late_still_stands_at_its_onset() {
        let mut memory = Memory::new();
        memory.remember(note(1.0, 60));
        memory.remember(note(0.0, 36));
        let keys: Vec<u8> = memory.newest(2).iter().map(|note| note.key.number()).collect();
        assert_eq!(keys, [36, 60]);
    }

    #[test]
    fn a_full_memory_drops_its_oldest_note() {
        let mut memory = Memory::new();
        for i in 0..=LARGEST_MEMORY {
            memory.remember(note(i as f64, 60));
        }
        assert_eq!(memory.newest(usize::MAX).len(), LARGEST_MEMORY);
        assert_eq!(memory.newest(usize::MAX)[0].onset, Moment(1.0));
    }

    #[test]
    fn the_newest_notes_are_the_last_ones_in_time() {
        let mut memory = Memory::new();
        for i in 0..10 {
            memory.remember(note(f64::from(i), 60));
        }
        assert_eq!(memory.newest(3).first().map(|note| note.onset), Some(Moment(7.0)));
    }
}
