//! The pending and the sounding notes of an answer: every note-on here has its note-off.

use super::{
    note::{Key, Velocity},
    note_tracker::ChannelKey,
    time::{Beats, Moment, SampleTime},
    timeline::{Position, Timeline},
};

/// Largest number of pending notes; a full schedule is far enough ahead.
const PENDING_NOTES: usize = 64;
/// Largest number of sounding notes: one for each key, since a second one ends the first.
const SOUNDING_NOTES: usize = Key::COUNT;

/// A pending note, tied to the music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedNote {
    /// Its onset as it was drawn, in the time of the answer; a new tempo does not move it.
    pub drawn: Moment,
    pub onset: Position,
    pub end: Position,
    pub place: ChannelKey,
    pub velocity: Velocity,
}

/// What falls due at a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DueNote {
    NoteOff(Sounding),
    NoteOn(PlannedNote),
}

/// A note that sounds now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounding {
    pub place: ChannelKey,
    pub velocity: Velocity,
    pub onset: SampleTime,
    end: Position,
}

/// The pending and the sounding notes of an answer. Never allocates after [`Schedule::new`].
#[derive(Debug)]
pub struct Schedule {
    pending: Vec<PlannedNote>,
    sounding: Vec<Sounding>,
}

impl Sounding {
    /// Where it is to end.
    pub fn end(&self) -> Position {
        self.end
    }
}

impl Schedule {
    pub fn new() -> Self {
        Self { pending: Vec::with_capacity(PENDING_NOTES), sounding: Vec::with_capacity(SOUNDING_NOTES) }
    }

    pub fn has_room(&self) -> bool {
        self.pending.len() < PENDING_NOTES
    }

    /// Inserts a note at its place in time. Returns it as the error where there is no room. Realtime-safe.
    pub fn plan(&mut self, note: PlannedNote, timeline: &Timeline) -> Result<(), PlannedNote> {
        if !self.has_room() {
            return Err(note);
        }
        let onset = timeline.sample(note.onset);
        let place = self.pending.partition_point(|other| timeline.sample(other.onset) <= onset);
        self.pending.insert(place, note);
        Ok(())
    }

    /// The earliest thing to do and its sample; of two on one sample the note-off comes first.
    pub fn next_due(&self, timeline: &Timeline) -> Option<(SampleTime, DueNote)> {
        let off = self
            .sounding
            .iter()
            .map(|note| (timeline.sample(note.end), DueNote::NoteOff(*note)))
            .min_by_key(|(at, _)| *at);
        let on = self.pending.first().map(|note| (timeline.sample(note.onset), DueNote::NoteOn(*note)));
        match (off, on) {
            (Some(off), Some(on)) => Some(if off.0 <= on.0 { off } else { on }),
            (off, on) => off.or(on),
        }
    }

    /// The note on this key that sounds, which must end before the key sounds again.
    pub fn sounding_on(&self, key: Key) -> Option<Sounding> {
        self.sounding().find(|note| note.place.key == key)
    }

    /// The first note to end by itself of those that sounded before `at`.
    pub fn first_to_end(&self, at: SampleTime, timeline: &Timeline) -> Option<Sounding> {
        self.sounding().filter(|note| note.onset < at).min_by_key(|note| timeline.sample(note.end))
    }

    /// Moves the first pending note to the sounding ones, from `at` on, on a channel. Realtime-safe.
    pub fn start_first(&mut self, at: SampleTime, channel: u8) {
        let note = self.pending.remove(0);
        debug_assert!(self.sounding_on(note.place.key).is_none(), "a key sounds once");
        if self.sounding.len() < SOUNDING_NOTES {
            let PlannedNote { place: ChannelKey { key, .. }, velocity, end, .. } = note;
            let place = ChannelKey { channel, key };
            self.sounding.push(Sounding { place, velocity, onset: at, end });
        }
    }

    /// Removes the sounding note of a key; the caller sends its note-off or owes it. Realtime-safe.
    pub fn end(&mut self, key: Key) {
        self.sounding.retain(|note| note.place.key != key);
    }

    /// Drops the first pending note, which is not played after all. Realtime-safe.
    pub fn skip_first(&mut self) {
        self.pending.remove(0);
    }

    /// What is planned, in the order of onsets.
    pub fn pending(&self) -> impl Iterator<Item = PlannedNote> {
        self.pending.iter().copied()
    }

    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Drops all pending notes; what sounds goes on to its end. Realtime-safe.
    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Drops the pending notes that were drawn for `from` or later. Realtime-safe.
    pub fn drop_from(&mut self, from: Moment) {
        self.pending.retain(|note| note.drawn < from);
    }

    /// Moves the pending notes by a jump of the beat. Realtime-safe.
    pub fn jump(&mut self, by: Beats) {
        for note in &mut self.pending {
            (note.onset, note.end) = (note.onset.moved(by), note.end.moved(by));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.sounding.is_empty()
    }

    /// One note that sounds, while there is any.
    pub fn any_sounding(&self) -> Option<Sounding> {
        self.sounding.first().copied()
    }

    /// All that sounds.
    pub fn sounding(&self) -> impl Iterator<Item = Sounding> {
        self.sounding.iter().copied()
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::new()
    }
}
