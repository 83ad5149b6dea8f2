//! Notes on the 10 ms grid on which models are scored.

use antiphon::music::{
    conditions::Conditions,
    grid::{CELLS_PER_SECOND, GridNote},
    note::{Key, Velocity},
};

use super::{Note, Piece};

/// A note between two points in cells since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub onset: u32,
    pub end: u32,
    pub key: Key,
    pub velocity: Velocity,
    /// At its onset.
    pub conditions: Conditions,
}

impl Piece {
    /// By onset cell and then by key; the first step counts from the beginning of the file. Drums are left out: their keys are
    /// no pitches.
    pub fn on_grid(&self) -> Vec<GridNote> {
        on_grid(self.melodic(), |_| Conditions::UNKNOWN)
    }
}

/// Notes by onset cell and then by key, with what is known at the second of each onset.
pub fn on_grid<'a>(
    notes: impl Iterator<Item = &'a Note>,
    known: impl Fn(f64) -> Conditions,
) -> Vec<GridNote> {
    let placed = |note: &Note| Placed {
        onset: cell(note.onset),
        end: cell(note.end),
        key: note.key,
        velocity: note.velocity,
        conditions: known(note.onset),
    };
    in_order(notes.map(placed).collect())
}

fn cell(seconds: f64) -> u32 {
    (seconds * CELLS_PER_SECOND).round() as u32
}

/// By onset and then by key.
pub fn in_order(mut notes: Vec<Placed>) -> Vec<GridNote> {
    notes.sort_by_key(|note| (note.onset, note.key));
    let mut before = 0;
    let relative = |note: Placed| {
        let step = note.onset - std::mem::replace(&mut before, note.onset);
        let duration = note.end.saturating_sub(note.onset).max(1);
        GridNote { step, key: note.key, velocity: note.velocity, duration, conditions: note.conditions }
    };
    notes.into_iter().map(relative).collect()
}

/// The way back from [`in_order`].
pub fn placed(notes: &[GridNote]) -> impl Iterator<Item = Placed> {
    let mut onset = 0;
    notes.iter().map(move |note| {
        onset += note.step;
        let GridNote { duration, key, velocity, conditions, .. } = *note;
        Placed { onset, end: onset + duration, key, velocity, conditions }
    })
}

/// Notes for a file.
pub fn to_bytes(notes: &[GridNote]) -> Vec<u8> {
    let numbers = notes.iter().flat_map(|note| {
        let (key, velocity) = (u32::from(note.key.number()), u32::from(note.velocity.value()));
        [note.step, note.duration, key << 8 | velocity]
    });
    numbers.flat_map(u32::to_le_bytes).collect()
}

/// The way back from [`to_bytes`]; `None` when these are no notes.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<GridNote>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let (notes, more) = numbers.as_chunks::<3>();
    let note = |numbers: &[[u8; 4]; 3]| {
        let [step, duration, rest] = numbers.map(u32::from_le_bytes);
        let key = Key::new(u8::try_from(rest >> 8).ok()?)?;
        let velocity = Velocity::new(u8::try_from(rest & 0xff).ok()?)?;
        (duration > 0).then_some(GridNote { step, key, velocity, duration, conditions: Default::default() })
    };
    if rest.is_empty() && more.is_empty() { notes.iter().map(note).collect() } else { None }
}
