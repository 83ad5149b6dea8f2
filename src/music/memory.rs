//! The rolling memory of the newest notes.

use super::{
    conditions::{Conditions, Who},
    note::{Cell, GridNote, Key, Note},
    time::Moment,
};

/// The shortest memory a player may ask for, in notes.
pub const SMALLEST_MEMORY: usize = 25;
/// The longest memory, in notes; no network here reads further back.
pub const LARGEST_MEMORY: usize = 150;
/// Number of notes that are kept: the longest [`Span`] with the largest stride, and the note before it.
const KEPT: usize = LARGEST_MEMORY + LARGEST_MEMORY.div_ceil(2);

/// The newest notes, ordered by onset on the grid and then by key.
#[derive(Debug, Clone)]
pub struct Memory {
    notes: Vec<Note>,
    /// The conditions of each note.
    conditions: Vec<Conditions>,
    /// Number of notes that were kept and have been dropped since.
    fallen: usize,
    /// Number of newest notes that may still change: all from the first one on whose end is only assumed.
    unsettled: usize,
    /// Whether the very first note is the first one of a piece.
    begins_piece: bool,
}

/// How much of a memory is heard: the newest `notes` notes, where there are as many, and fewer than
/// `stride` more. The beginning stands still until it moves by `stride` notes at once.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// At most [`LARGEST_MEMORY`].
    pub notes: usize,
    /// At least 1; at most half of [`LARGEST_MEMORY`].
    pub stride: usize,
}

impl Memory {
    /// An empty memory with all the room it will ever need.
    pub fn new() -> Self {
        let (notes, conditions) = (Vec::with_capacity(KEPT + 1), Vec::with_capacity(KEPT + 1));
        Self { notes, conditions, fallen: 0, unsettled: 0, begins_piece: false }
    }

    /// Inserts a note at its place in time; a full memory drops its oldest note. Realtime-safe.
    pub fn remember(&mut self, note: impl Into<KnownNote>) {
        let KnownNote { note, conditions } = note.into();
        let order = |note: &Note| (Cell::of(note.onset), note.key);
        let place = self.notes.partition_point(|other| order(other) <= order(&note));
        self.unsettled += usize::from(self.notes.len() - place < self.unsettled);
        self.notes.insert(place, note);
        self.conditions.insert(place, conditions);
        if self.notes.len() > KEPT {
            self.notes.remove(0);
            self.conditions.remove(0);
            self.fallen += 1;
            self.unsettled = self.unsettled.min(KEPT);
        }
    }

    /// Inserts a note that still sounds, as if it ended now. Realtime-safe.
    pub fn suppose(&mut self, note: impl Into<KnownNote>) {
        let note = note.into();
        self.remember(note);
        let place = self.notes.iter().rposition(|other| *other == note.note).unwrap_or(0);
        self.unsettled = self.unsettled.max(self.notes.len() - place);
    }

    /// Makes the next note the first one of a piece, for a plugin that plays from nothing. What was heard
    /// may be the middle of a piece.
    pub fn begin_piece(&mut self) {
        debug_assert!(self.is_empty(), "a piece begins before its first note");
        self.begins_piece = true;
    }

    /// Whether a span begins where a piece does.
    pub fn begins_piece(&self, span: Span) -> bool {
        self.begins_piece && self.fallen + self.first_of(span) == 0
    }

    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Number of newest notes that may still change: all from the first one on whose end is only assumed.
    pub fn unsettled(&self) -> usize {
        self.unsettled
    }

    /// The newest `count` notes, or all where there are fewer.
    pub fn newest(&self, count: usize) -> &[Note] {
        &self.notes[self.notes.len().saturating_sub(count)..]
    }

    /// What is known at the newest note; nothing where there is none.
    pub fn newest_known(&self) -> Conditions {
        self.conditions.last().copied().unwrap_or(Conditions::UNKNOWN)
    }

    /// The call: what the player has played since the plugin's last note, as far as is known who did.
    pub fn call(&self) -> &[Note] {
        let plugins = self.conditions.iter().rposition(|known| known.who == Some(Who::Plugin));
        &self.notes[plugins.map_or(0, |last| last + 1)..]
    }

    /// The keys that the player has struck, as far as is known who did. Realtime-safe.
    pub fn keys_of_player(&self) -> impl Iterator<Item = Key> {
        self.of_player().map(|note| note.key)
    }

    /// What is known of the notes of the player, in order. Realtime-safe.
    pub fn known_of_player(&self) -> impl DoubleEndedIterator<Item = &Conditions> {
        self.conditions.iter().filter(|known| known.who != Some(Who::Plugin))
    }

    /// The newest notes of the player, in order, as far as is known whose they are. Realtime-safe.
    pub fn newest_of_player(&self, count: usize) -> impl Iterator<Item = &Note> {
        let older = self.of_player().count().saturating_sub(count);
        self.of_player().skip(older)
    }

    /// The newest notes of the plugin, in order. Realtime-safe.
    pub fn newest_of_plugin(&self, count: usize) -> impl Iterator<Item = &Note> {
        let older = self.of_plugin().count().saturating_sub(count);
        self.of_plugin().skip(older)
    }

    /// The notes of the plugin, in order.
    pub fn of_plugin(&self) -> impl DoubleEndedIterator<Item = &Note> {
        let known = self.notes.iter().zip(&self.conditions);
        known.filter(|(_, known)| known.who == Some(Who::Plugin)).map(|(note, _)| note)
    }

    fn of_player(&self) -> impl Iterator<Item = &Note> {
        let known = self.notes.iter().zip(&self.conditions);
        known.filter(|(_, known)| known.who != Some(Who::Plugin)).map(|(note, _)| note)
    }

    /// The notes of a span as they stand on the grid. Realtime-safe.
    pub fn on_grid(&self, span: Span) -> impl Iterator<Item = GridNote> {
        let first = self.first_of(span);
        // The first note's step counts from the note before the span, which is not heard any more, if that
        // is still known.
        let before = self.notes.get(first.saturating_sub(1)).map_or(Cell::ZERO, |note| Cell::of(note.onset));
        let notes = self.notes[first..].iter().zip(&self.conditions[first..]);
        notes.scan(before, |before, (note, &conditions)| {
            let heard = GridNote::after(*before, note, conditions);
            *before = Cell::of(note.onset);
            Some(heard)
        })
    }

    /// Index of the first note of a span.
    fn first_of(&self, span: Span) -> usize {
        let first = (self.fallen + self.notes.len()).saturating_sub(span.notes) / span.stride * span.stride;
        first.saturating_sub(self.fallen)
    }

    /// Becomes a copy of `other`. Realtime-safe.
    pub fn copy_from(&mut self, other: &Memory) {
        self.notes.clear();
        self.notes.extend_from_slice(&other.notes);
        self.conditions.clear();
        self.conditions.extend_from_slice(&other.conditions);
        self.fallen = other.fallen;
        self.unsettled = other.unsettled;
        self.begins_piece = other.begins_piece;
    }

    /// Forgets the notes that begin at `from` or later, as if they had never been. Realtime-safe.
    pub fn take_back(&mut self, from: Moment) {
        let before = self.notes.partition_point(|note| note.onset < from);
        self.notes.truncate(before);
        self.conditions.truncate(before);
    }

    /// Forgets everything. Realtime-safe.
    pub fn clear(&mut self) {
        self.notes.clear();
        self.conditions.clear();
        self.fallen = 0;
        self.unsettled = 0;
        self.begins_piece = false;
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// A note with what is known around it at its onset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownNote {
    pub note: Note,
    pub conditions: Conditions,
}

impl From<Note> for KnownNote {
    /// Nothing else is known.
    fn from(note: Note) -> Self {
        Self { note, conditions: Conditions::UNKNOWN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        note::Velocity,
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
    fn what_is_taken_back_was_never_there() {
        let mut memory = Memory::new();
        let notes = [note(0.0, 60), note(1.0, 62), note(2.0, 64)];
        notes.into_iter().for_each(|note| memory.remember(note));
        memory.take_back(Moment(1.0));
        assert_eq!(memory.newest(9), &notes[..1]);
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
    fn a_chord_stands_in_the_order_of_its_keys_however_it_was_rolled() {
        let mut memory = Memory::new();
        for (onset, key) in [(1.004, 60), (1.001, 67), (0.997, 64), (1.012, 40)] {
            memory.remember(note(onset, key));
        }
        let keys: Vec<u8> = memory.newest(4).iter().map(|note| note.key.number()).collect();
        assert_eq!(keys, [60, 64, 67, 40]);
    }

    #[test]
    fn a_full_memory_drops_its_oldest_note() {
        let mut memory = Memory::new();
        for i in 0..=KEPT {
            memory.remember(note(i as f64, 60));
        }
        assert_eq!(memory.newest(usize::MAX).len(), KEPT);
        assert_eq!(memory.newest(usize::MAX)[0].onset, Moment(1.0));
    }

    #[test]
    fn a_span_holds_its_notes_and_begins_anew_only_after_a_stride() {
        for (notes, stride) in [(25, 1), (25, 13), (150, 75), (60, 7)] {
            let (mut memory, mut moves) = (Memory::new(), 0);
            let mut first = 0;
            for count in 1..500_usize {
                memory.remember(note(count as f64, 60));
                let heard = memory.on_grid(Span { notes, stride }).count();
                assert!(heard >= notes.min(count) && heard < notes + stride, "{heard} of {count}");
                moves += usize::from(count - heard != first);
                first = count - heard;
            }
            assert_eq!(moves, (499 - notes) / stride);
        }
    }

    #[test]
    fn steps_on_the_grid_do_not_drift_and_the_first_leads_to_the_note_before() {
        let mut memory = Memory::new();
        (0..100).for_each(|i| memory.remember(note(0.123 + f64::from(i) * 0.1234, 60)));
        let steps: Vec<u32> = memory.on_grid(Span { notes: 50, stride: 1 }).map(|note| note.step).collect();
        assert_eq!((steps.len(), steps.iter().sum::<u32>()), (50, 1234 - 617));
        assert!(steps.iter().all(|step| (12..=13).contains(step)));
        memory.clear();
        memory.remember(note(7.0, 60));
        assert_eq!(memory.on_grid(Span { notes: 50, stride: 1 }).next().map(|note| note.step), Some(0));
    }

    #[test]
    fn a_span_begins_a_piece_as_long_as_it_holds_the_first_note() {
        let (mut memory, span) = (Memory::new(), Span { notes: 25, stride: 13 });
        memory.begin_piece();
        for count in 0..500_usize {
            assert_eq!(memory.begins_piece(span), memory.on_grid(span).count() == count && count < 38);
            memory.remember(note(count as f64, 60));
        }
        memory.clear();
        assert!(!memory.begins_piece(span));
    }

    #[test]
    fn notes_from_the_first_supposed_one_on_are_not_settled() {
        let mut memory = Memory::new();
        (0..4).for_each(|n| memory.remember(note(f64::from(n), 60)));
        memory.suppose(note(1.5, 60));
        assert_eq!(memory.unsettled(), 3);
        memory.remember(note(1.7, 60));
        memory.remember(note(0.5, 60));
        assert_eq!(memory.unsettled(), 4);
        memory.suppose(note(3.5, 60));
        assert_eq!(memory.unsettled(), 5);
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
