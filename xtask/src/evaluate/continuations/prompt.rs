//! The prompts: places in real music where a model takes over, and what really follows there.

use anyhow::{Result, ensure};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};

use antiphon::{
    model::Rng,
    music::{
        note::{Note, RelativeNote},
        time::{Moment, Seconds},
    },
};

use crate::{
    corpus::{self, Piece},
    evaluate::suffix_array::LONGEST_RUN,
};

/// Number of notes that are heard before the place.
const CALL: usize = 150;
/// Number of notes that follow.
pub const NEXT: usize = LONGEST_RUN;

/// A place in a piece.
pub struct Prompt {
    /// The notes before it, as an instance hears them.
    pub heard: Vec<Note>,
    /// The same notes, relative to each other.
    pub call: Vec<RelativeNote>,
    /// The notes that really follow.
    pub next: Vec<RelativeNote>,
    /// As many notes from a random place in another piece, if there is one.
    pub elsewhere: Option<Vec<RelativeNote>>,
}

/// Draws prompts: a piece, then a place in it. The first prompts do not depend on how many are drawn.
pub fn drawn(pieces: &[Piece], count: u32, seed: u64) -> Result<Vec<Prompt>> {
    // The step of a piece's very first note leads to no other note.
    let long: Vec<&Piece> = pieces.iter().filter(|piece| piece.notes.len() > CALL + NEXT).collect();
    ensure!(!long.is_empty(), "no piece has {} notes: give longer MIDI files", CALL + NEXT + 1);
    let mut rng = Rng::seed_from_u64(seed);
    let prompts = (0..count).map(|_| {
        let index = rng.random_range(0..long.len());
        let (heard, next) = stretch(long[index], CALL + NEXT, &mut rng).split_at(CALL);
        let others: Vec<_> = (0..long.len()).filter(|&other| other != index).collect();
        let other = others.choose(&mut rng).map(|&other| stretch(long[other], NEXT, &mut rng));
        Prompt {
            heard: heard.iter().map(in_time).collect(),
            call: heard.iter().map(relative).collect(),
            next: next.iter().map(relative).collect(),
            elsewhere: other.map(|notes| notes.iter().map(relative).collect()),
        }
    });
    Ok(prompts.collect())
}

/// `length` notes from a random place in a piece that has more.
fn stretch<'a>(piece: &'a Piece, length: usize, rng: &mut Rng) -> &'a [corpus::Note] {
    let from = rng.random_range(1..=piece.notes.len() - length);
    &piece.notes[from..from + length]
}

fn in_time(note: &corpus::Note) -> Note {
    let RelativeNote { duration, key, velocity, .. } = relative(note);
    Note { onset: Moment(note.onset), duration, key, velocity }
}

fn relative(note: &corpus::Note) -> RelativeNote {
    RelativeNote {
        step: Seconds(note.step as f32),
        duration: Seconds(note.duration() as f32),
        key: note.key,
        velocity: note.velocity,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use antiphon::music::note::{Key, Velocity};

    use super::*;

    /// A piece whose keys all identify it and whose onsets are whole seconds.
    fn piece(name: u8, length: usize) -> Piece {
        let note = |n| corpus::Note {
            key: Key::saturating(name),
            onset: n as f64,
            end: n as f64 + 0.5,
            step: 1.0,
            velocity: Velocity::saturating(64),
            instrument: 0,
        };
        Piece { path: PathBuf::new(), notes: (0..length).map(note).collect(), instruments: Vec::new() }
    }

    #[test]
    fn a_prompt_goes_on_in_its_own_piece_and_elsewhere_in_another() {
        let pieces = [piece(1, CALL + NEXT + 1), piece(2, 400), piece(3, CALL)];
        for prompt in drawn(&pieces, 50, 0).expect("two long pieces") {
            let key = prompt.heard[0].key;
            assert_eq!((prompt.heard.len(), prompt.call.len(), prompt.next.len()), (CALL, CALL, NEXT));
            assert!(prompt.heard[0].onset >= Moment(1.0) && key.number() < 3);
            assert!(prompt.next.iter().all(|note| note.key == key));
            let elsewhere = prompt.elsewhere.expect("another piece");
            assert!(elsewhere.len() == NEXT && elsewhere.iter().all(|note| note.key != key));
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_places_however_many() {
        let pieces = [piece(1, 2000), piece(2, 900)];
        let onsets = |count, seed| -> Vec<Moment> {
            let prompts = drawn(&pieces, count, seed).expect("two long pieces");
            prompts.iter().map(|prompt| prompt.heard[0].onset).collect()
        };
        assert_eq!(onsets(20, 1)[..5], onsets(5, 1));
        assert_ne!(onsets(20, 1), onsets(20, 2));
    }

    #[test]
    fn a_single_piece_has_no_elsewhere_and_short_ones_have_no_place() {
        let alone = drawn(&[piece(1, 300)], 1, 0).expect("a long piece");
        assert!(alone[0].elsewhere.is_none());
        assert!(drawn(&[piece(1, CALL + NEXT)], 1, 0).is_err());
    }
}
