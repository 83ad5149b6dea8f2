//! What is to sound and what sounds: every note-on here has its note-off.

use super::{
    note::{Key, Velocity},
    note_tracker::Place,
    time::{Beats, Moment, SampleTime},
    timeline::{Position, Timeline},
};

/// How many notes may wait; a fuller schedule is ahead enough.
const PENDING_NOTES: usize = 64;
/// One sounding note a key: a second one ends the first.
const SOUNDING_NOTES: usize = Key::COUNT;

/// A note on its way out, tied to the music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedNote {
    /// Where its answer has its onset, which a new tempo does not move.
    pub drawn: Moment,
    pub onset: Position,
    pub end: Position,
    pub place: Place,
    pub velocity: Velocity,
}

/// What falls due at a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DueNote {
    NoteOff(Sounding),
    NoteOn(PlannedNote),
}

/// A note that is heard now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounding {
    pub place: Place,
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

    /// Takes a note to its place; one that finds no room is given back. Realtime-safe.
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

    /// The first pending note sounds from `at` on a channel. Realtime-safe.
    pub fn start_first(&mut self, at: SampleTime, channel: u8) {
        let note = self.pending.remove(0);
        debug_assert!(self.sounding_on(note.place.key).is_none(), "a key sounds once");
        if self.sounding.len() < SOUNDING_NOTES {
            let PlannedNote { place: Place { key, .. }, velocity, end, .. } = note;
            let place = Place { channel, key };
            self.sounding.push(Sounding { place, velocity, onset: at, end });
        }
    }

    /// Its note-off is out. Realtime-safe.
    pub fn end(&mut self, key: Key) {
        self.sounding.retain(|note| note.place.key != key);
    }

    /// The first pending note is not played after all. Realtime-safe.
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

    /// Nothing pending is played any more; what sounds goes on to its end. Realtime-safe.
    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Nothing pending that was drawn for `from` or later is played any more. Realtime-safe.
    pub fn drop_from(&mut self, from: Moment) {
        self.pending.retain(|note| note.drawn < from);
    }

    /// What is pending moves with a jump of the beat. Realtime-safe.
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
