//! A few figures of a player's music.

use serde::Serialize;

use crate::music::note::{CELLS_PER_SECOND, GridNote};

/// Distance of onsets in cells up to which notes are one chord.
const CHORD: u32 = 3;

/// Figures of a player's music.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Player {
    pub notes: usize,
    pub minutes: f64,
    pub notes_per_second: f64,
    /// Median time between onsets in seconds; a chord counts as one onset.
    pub median_step_s: f64,
    pub median_duration_s: f64,
    /// The part of the notes that join a chord.
    pub chords: f64,
    pub median_velocity: u8,
    /// Half of all velocities lie between these two.
    pub velocities: [u8; 2],
    /// Nine tenths of all keys lie between these two.
    pub keys: [u8; 2],
}

impl Player {
    /// The figures of some pieces, which together have at least one note.
    pub fn of<P: AsRef<[GridNote]>>(pieces: &[P]) -> Self {
        let notes = || pieces.iter().flat_map(AsRef::as_ref);
        let steps = || pieces.iter().flat_map(|piece| piece.as_ref().iter().skip(1)).map(|note| note.step);
        let seconds = |cells: u32| rounded(f64::from(cells) / CELLS_PER_SECOND, 1e3);
        let cells: f64 = steps().map(f64::from).sum();
        let count = notes().count();
        let chords = steps().filter(|&step| step < CHORD).count();
        let minutes = cells / CELLS_PER_SECOND / 60.0;
        let keys = sorted(notes().map(|note| note.key.number()));
        let velocities = sorted(notes().map(|note| note.velocity.value()));
        let durations = sorted(notes().map(|note| note.duration));
        let between = sorted(steps().filter(|&step| step >= CHORD));
        Self {
            notes: count,
            minutes: rounded(minutes, 10.0),
            notes_per_second: rounded(count as f64 / (60.0 * minutes).max(1.0), 100.0),
            median_step_s: seconds(at(&between, 0.5)),
            median_duration_s: seconds(at(&durations, 0.5)),
            chords: rounded(chords as f64 / count as f64, 100.0),
            median_velocity: at(&velocities, 0.5),
            velocities: [0.25, 0.75].map(|part| at(&velocities, part)),
            keys: [0.05, 0.95].map(|part| at(&keys, part)),
        }
    }
}

fn sorted<T: Ord>(numbers: impl Iterator<Item = T>) -> Vec<T> {
    let mut numbers: Vec<T> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

/// The number at the relative position `part` of sorted numbers, 0 for the first.
fn at<T: Copy + Default>(numbers: &[T], part: f64) -> T {
    let place = (numbers.len() as f64 * part) as usize;
    numbers.get(place.min(numbers.len().saturating_sub(1))).copied().unwrap_or_default()
}

pub(super) fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::{Key, Velocity};

    #[test]
    fn figures_tell_how_a_player_plays() {
        let note = |n: u32| GridNote {
            step: if n.is_multiple_of(2) { 50 } else { 0 },
            key: Key::saturating(40 + n as u8),
            velocity: Velocity::saturating(60 + n as u8),
            duration: 30,
            conditions: Default::default(),
        };
        let player = Player::of(&[(0..40).map(note).collect::<Vec<_>>()]);
        assert_eq!((player.notes, player.median_step_s, player.median_duration_s), (40, 0.5, 0.3));
        assert_eq!((player.chords, player.keys, player.median_velocity), (0.5, [42, 78], 80));
    }
}
