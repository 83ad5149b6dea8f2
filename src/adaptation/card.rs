//! The card of a personal model: how it was learnt, what it gains, and a few figures of the player's music.

use serde::Serialize;

use super::{DataSet, Nats, Outcome};
use crate::{
    model::{
        personal::Base,
        weights::{REPRESENTATION, Weights},
    },
    music::note::{CELLS_PER_SECOND, GridNote},
};

/// Distance of onsets in cells up to which notes are one chord.
const CHORD: u32 = 3;

/// The card inside the file, as TOML.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    pub name: String,
    pub base: String,
    pub fingerprint: String,
    pub representation: &'static str,
    /// The license: that of the base and of the music.
    pub license: String,
    pub player: Player,
    pub learning: Learning,
    pub held_out: HeldOut,
}

/// How the personal model was learnt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learning {
    pub seconds: f64,
    pub steps: usize,
    /// Number of notes learnt from; a note that was heard twice counts twice.
    pub notes_seen: usize,
    pub notes: usize,
    pub seed: u64,
}

/// What the personal model gains on held-out music, in nats a note.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldOut {
    pub notes: usize,
    pub whole_pieces: usize,
    pub gain: f64,
    pub before: NatsByAttribute,
    pub after: NatsByAttribute,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NatsByAttribute {
    pub step: f64,
    pub pitch: f64,
    pub velocity: f64,
    pub duration: f64,
    pub total: f64,
}

impl Card {
    pub fn of(name: &str, base: &Weights, data_set: &DataSet, outcome: &Outcome, seed: u64) -> Self {
        let Base { name: base, fingerprint } = Base::of(base);
        Self {
            name: name.to_owned(),
            base,
            fingerprint: format!("{fingerprint:016x}"),
            representation: REPRESENTATION,
            license: "as that of the base and of the music it learnt from".to_owned(),
            player: data_set.player.clone(),
            learning: Learning {
                seconds: rounded(outcome.time.as_secs_f64(), 10.0),
                steps: outcome.steps,
                notes_seen: outcome.notes,
                notes: data_set.learnt_notes(),
                seed,
            },
            held_out: HeldOut {
                notes: data_set.held_out_notes(),
                whole_pieces: data_set.held_out_pieces.len(),
                gain: rounded(outcome.gain(), 1e4),
                before: outcome.before.into(),
                after: outcome.after.into(),
            },
        }
    }

    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a card is a table of plain values")
    }
}

impl From<Nats> for NatsByAttribute {
    fn from(nats: Nats) -> Self {
        let [step, pitch, velocity, duration] = nats.0.map(|nats| rounded(nats, 1e4));
        Self { step, pitch, velocity, duration, total: rounded(nats.total(), 1e4) }
    }
}

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

fn rounded(number: f64, parts: f64) -> f64 {
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
