//! What a model that has become a player's own copies of the player's files.

use std::sync::Arc;

use antiphon::{
    lane::Ending,
    model::Model,
    music::{
        grid::GridNote,
        note::{Note, RelativeNote},
        time::{Moment, Seconds},
    },
    params::AntiphonParams,
};
use rayon::prelude::*;
use serde::Serialize;

use crate::{
    evaluate::continuations::repertoire::{Item, Repertoire},
    playing::{self, Playing, Task},
};

/// The model goes on from so many places, ...
const PLACES: usize = 10;
/// ... after so many notes of the player's, ...
const HEARD: usize = 100;
/// ... with so many of its own.
const PLAYED: usize = 200;

/// The longest runs in notes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Copies {
    /// That the model played and that stands in the files it has learnt from.
    pub copied: usize,
    /// That stands at two places in these files.
    pub repeated: usize,
    pub played: usize,
}

/// `model` goes on from the beginnings of `others`.
pub fn counted(model: &Arc<dyn Model>, learnt: &[Vec<GridNote>], others: &[Vec<GridNote>]) -> Copies {
    let repertoire = Repertoire::of_grid(learnt);
    let played: Vec<Vec<Item>> =
        (0..PLACES).into_par_iter().map(|n| played(model, &others[n % others.len()], n)).collect();
    Copies {
        copied: played.iter().map(|items| repertoire.longest_run(items)).max().unwrap_or(0),
        repeated: repertoire.longest_repeat(),
        played: played.iter().map(Vec::len).sum(),
    }
}

/// What it plays after the beginning of a piece; each place is a turn of its own.
fn played(model: &Arc<dyn Model>, piece: &[GridNote], turn: usize) -> Vec<Item> {
    let defaults = AntiphonParams::default().snapshot();
    let from = turn / PLACES * HEARD;
    let heard = in_time(&piece[from.min(piece.len())..piece.len().min(from + HEARD)]);
    let task = Task {
        manner: defaults.manner,
        seed: defaults.seed(u32::try_from(turn).unwrap_or(u32::MAX), 0),
        length: Seconds::FOREVER,
        ending: Ending::Full,
    };
    let mut before = playing::from(&heard);
    let item = |note: Note| {
        let step = note.onset - std::mem::replace(&mut before, note.onset);
        Item::of(&RelativeNote { step, duration: note.duration, key: note.key, velocity: note.velocity })
    };
    Playing::new(model, &task, &heard, playing::from(&heard)).take(PLAYED).map(item).collect()
}

fn in_time(notes: &[GridNote]) -> Vec<Note> {
    let mut onset = Moment(0.0);
    let note = |note: &GridNote| {
        onset = onset + note.step_seconds();
        Note { onset, duration: note.duration_seconds(), key: note.key, velocity: note.velocity }
    };
    notes.iter().map(note).collect()
}
