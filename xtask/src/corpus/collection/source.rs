//! One performance of a corpus and its annotations: as read from a file, and on the grid at each note.

use std::{ops::Range, path::PathBuf, sync::Arc};

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use antiphon::music::conditions::{Conditions, Harmony, Pulse, Style};

use super::Corpus;
use crate::corpus::{
    Convention, Document, GridPiece, LeftOut, Note, beats::Beats, chords::Chords, document, grid::on_grid,
    wjazzd::Solo,
};

/// Least agreement of two transcribers: with less, they have heard other notes than were played.
const LEAST_AGREEMENT: f32 = 0.85;
/// How early a note that belongs to a new chord may come before it, in seconds.
const ANTICIPATION_S: f64 = 0.02;

/// One performance.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path within the corpus, or the name of a solo: the same on every machine.
    pub name: String,
    pub corpus: Corpus,
    pub music: Music,
    pub annotations: Annotations,
    /// The part of the file that is music, in seconds.
    pub span: Option<(f64, f64)>,
    /// Agreement of two transcribers, at most 1.
    pub agreement: Option<f32>,
}

/// Where the notes are stored.
#[derive(Debug, Clone)]
pub enum Music {
    File(PathBuf),
    Solo(Arc<Solo>),
}

/// The music of a performance.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// Notes in the order of their onsets.
    pub notes: Vec<Note>,
    /// When the sustain pedal is down, in seconds.
    pub pedal: Vec<Range<f64>>,
    /// What was left out of the whole file.
    pub left_out: LeftOut,
}

/// The annotations of a performance, as files that are not read yet.
#[derive(Debug, Clone)]
pub enum Annotations {
    None,
    Asap { beats: PathBuf },
    Pop909 { beats: PathBuf, chords: PathBuf },
    Solo(Arc<Solo>),
}

/// The annotations of a performance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub beats: Option<Beats>,
    pub chords: Option<Chords>,
}

impl Source {
    /// A MIDI file without annotations.
    pub fn of_file(path: PathBuf) -> Self {
        Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            corpus: Corpus::Other,
            music: Music::File(path),
            annotations: Annotations::None,
            span: None,
            agreement: None,
        }
    }

    /// Notes by onset, within the span of the music and without drums, and the pedal.
    ///
    /// # Errors
    /// When the file cannot be read; the sentence names it.
    pub fn performance(&self, convention: Convention) -> Result<Performance> {
        let path = match &self.music {
            Music::Solo(solo) => {
                let (notes, left_out) = (solo.notes.clone(), LeftOut::default());
                return Ok(Performance { notes, pedal: Vec::new(), left_out });
            }
            Music::File(path) => path,
        };
        let read = document(path, convention);
        let Document { piece, pedal, left_out, .. } =
            read.map_err(|refusal| anyhow!("{}: {refusal}", path.display()))?;
        let (start, end) = self.span.unwrap_or((0.0, f64::INFINITY));
        let (mut piece, drums) = piece.without_drums();
        piece.notes.retain(|note| (start..end).contains(&note.onset));
        Ok(Performance { notes: piece.notes, pedal, left_out: LeftOut { drums, ..left_out } })
    }
}

impl Annotations {
    /// # Errors
    /// When a file is missing or broken; the sentence names it.
    pub fn read(&self) -> Result<Known> {
        Ok(match self {
            Self::None => Known::default(),
            Self::Asap { beats } => Known { beats: Some(Beats::asap(beats)?), chords: None },
            Self::Pop909 { beats, chords } => {
                Known { beats: Some(Beats::pop909(beats)?), chords: Some(Chords::pop909(chords)?) }
            }
            Self::Solo(solo) => Known { beats: Some(solo.beats.clone()), chords: Some(solo.chords.clone()) },
        })
    }
}

/// The performances that are clean enough to learn from.
pub fn worth_learning(sources: Vec<Source>) -> Vec<Source> {
    let agreed = |source: &Source| source.agreement.is_none_or(|agreement| agreement >= LEAST_AGREEMENT);
    sources.into_iter().filter(agreed).collect()
}

/// Reads performances in parallel and in order, and gives what was left out of them. Those that cannot be
/// read are reported and skipped.
pub fn read(sources: &[Source], convention: Convention) -> (Vec<GridPiece>, LeftOut) {
    let read = |source| piece(source, convention).inspect_err(|error| eprintln!("skipped {error:#}")).ok();
    let read: Vec<_> = sources.par_iter().filter_map(read).collect();
    let left_out = read.iter().map(|(_, left_out)| *left_out).sum();
    (read.into_iter().map(|(piece, _)| piece).collect(), left_out)
}

fn piece(source: &Source, convention: Convention) -> Result<(GridPiece, LeftOut)> {
    let (performance, known) = (source.performance(convention)?, source.annotations.read()?);
    let style = source.corpus.style();
    let notes = on_grid(performance.notes.iter(), |seconds| conditions(&known, style, seconds));
    Ok((GridPiece { path: PathBuf::from(&source.name), notes }, performance.left_out))
}

/// The conditions at a second of a performance.
pub fn conditions(known: &Known, style: Option<Style>, seconds: f64) -> Conditions {
    let pulse = known.beats.as_ref().and_then(|beats| beats.at(seconds)).and_then(|place| {
        let beat = f64::from(place.in_bar) + place.phase();
        Pulse::new(beat, f64::from(place.beats_per_bar), place.period_s)
    });
    let chord = known.chords.as_ref().and_then(|chords| chords.at(seconds + ANTICIPATION_S));
    let harmony = chord.and_then(|chord| Harmony::new(chord.pitch_classes, Some(chord.root)));
    Conditions { pulse, harmony, style, who: None }
}
