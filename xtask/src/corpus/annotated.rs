//! Performances on the grid, each note with what is known around it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use antiphon::music::conditions::{Conditions, Harmony, Pulse, Style};

use super::{
    Convention, GridPiece, LeftOut, Split,
    collection::{self, Known, Source},
    grid,
};

/// Transcribers who agree less than this have heard other notes than were played.
const LEAST_AGREEMENT: f32 = 0.85;
/// Notes that are struck together with a new chord may come so much before it.
const ANTICIPATION_S: f64 = 0.02;

/// The performances of a split; without one, those for choosing where a list names them, and elsewhere all.
pub fn find(folder: &Path, split: Option<Split>) -> Result<Vec<Source>> {
    if let Some(split) = split {
        return collection::find_all(folder, split);
    }
    let mut sources = collection::find_all(folder, Split::Validation).unwrap_or_default();
    let train = collection::find_all(folder, Split::Train).unwrap_or_default();
    sources.extend(train.into_iter().filter(|source| !source.corpus.is_listed()));
    match sources.is_empty() {
        true => collection::find_all(folder, Split::Validation),
        false => Ok(sources),
    }
}

/// Those that are clean enough to learn from.
pub fn worth_learning(sources: Vec<Source>) -> Vec<Source> {
    let agreed = |source: &Source| source.agreement.is_none_or(|agreement| agreement >= LEAST_AGREEMENT);
    sources.into_iter().filter(agreed).collect()
}

/// Reads performances in parallel, in their order, and gives what they are without. Those that cannot be read are told and
/// skipped.
pub fn read(sources: &[Source], convention: Convention) -> (Vec<GridPiece>, LeftOut) {
    let read = |source| piece(source, convention).inspect_err(|error| eprintln!("skipped {error:#}")).ok();
    let read: Vec<_> = sources.par_iter().filter_map(read).collect();
    let left_out = read.iter().map(|(_, left_out)| *left_out).sum();
    (read.into_iter().map(|(piece, _)| piece).collect(), left_out)
}

fn piece(source: &Source, convention: Convention) -> Result<(GridPiece, LeftOut)> {
    let (performance, known) = (source.performance(convention)?, source.annotations.read()?);
    let style = source.corpus.style();
    let notes = grid::on_grid(performance.notes.iter(), |seconds| conditions(&known, style, seconds));
    Ok((GridPiece { path: PathBuf::from(&source.name), notes }, performance.left_out))
}

/// What is known at a second of a performance.
pub fn conditions(known: &Known, style: Option<Style>, seconds: f64) -> Conditions {
    let pulse = known.beats.as_ref().and_then(|beats| beats.at(seconds)).and_then(|place| {
        let beat = f64::from(place.in_bar) + place.phase();
        Pulse::new(beat, f64::from(place.beats_per_bar), place.period_s)
    });
    let chord = known.chords.as_ref().and_then(|chords| chords.at(seconds + ANTICIPATION_S));
    let harmony = chord.and_then(|chord| Harmony::new(chord.pitch_classes, Some(chord.root)));
    Conditions { pulse, harmony, style, who: None }
}
