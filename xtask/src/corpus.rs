//! MIDI files as tables of notes: from one file, a folder tree or MAESTRO's list.

pub mod beats;
mod chords;
pub mod collection;
mod document;
mod files;
mod grid;
pub mod messages;
pub mod midi;
mod pairing;
#[cfg(test)]
mod tests;
mod tracks;
mod wjazzd;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use antiphon::music::note::{Key, Velocity};

pub use antiphon::music::note::{CELLS_PER_SECOND, GridNote};
pub use document::{Document, LeftOut, Signature, TempoMap, WrittenKey};
pub use files::{Split, composers, find, has_list};
pub use grid::{Cache, Placed, in_order, placed, to_bytes};

/// The pieces of many files, and what was not read.
#[derive(Debug)]
pub struct Corpus<P = Piece> {
    pub pieces: Vec<P>,
    /// The files that could not be read, and why.
    pub refused: Vec<(PathBuf, Refusal)>,
    pub left_out: LeftOut,
}

/// One file, on the 10 ms grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridPiece {
    pub path: PathBuf,
    pub notes: Vec<GridNote>,
}

/// One file, its tracks merged; its notes are ordered by onset and then by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub path: PathBuf,
    pub notes: Vec<Note>,
    pub instruments: Vec<Instrument>,
}

/// One note: a row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    pub key: Key,
    /// Seconds from the beginning of the file.
    pub onset: f64,
    /// Seconds from the beginning of the file, never before the onset.
    pub end: f64,
    /// Seconds since the previous onset; for the first note, its own onset.
    pub step: f64,
    pub velocity: Velocity,
    /// Index of its instrument among the piece's instruments.
    pub instrument: usize,
}

impl Piece {
    /// All notes except the drums.
    pub fn melodic(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| !self.instruments[note.instrument].is_drums)
    }

    /// The piece without drums, and the number of drum strokes that were left out.
    fn without_drums(mut self) -> (Self, u32) {
        let all = self.notes.len();
        self.notes = self.melodic().copied().collect();
        pairing::in_order(&mut self.notes);
        let strokes = all - self.notes.len();
        (self, u32::try_from(strokes).unwrap_or(u32::MAX))
    }
}

impl Note {
    /// Its duration in seconds.
    pub fn duration(&self) -> f64 {
        self.end - self.onset
    }

    /// Its key, and its duration in seconds.
    pub fn key_and_duration(&self) -> (Key, f64) {
        (self.key, self.duration())
    }
}

/// The instrument that plays a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instrument {
    pub track: usize,
    /// 0 unless a file has more than sixteen channels.
    pub port: u8,
    /// 0..=15
    pub channel: u8,
    /// 0..=127
    pub program: u8,
    /// Whether its keys are drums instead of pitches.
    pub is_drums: bool,
}

impl Instrument {
    /// Its name in General MIDI.
    pub fn name(self) -> &'static str {
        if self.is_drums { "Drums" } else { messages::program_name(self.program) }
    }
}

/// When a note that the pedal holds ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, Serialize, Deserialize)]
pub enum Convention {
    /// At the pedal's release or the next onset of its key on that channel, whichever is first.
    Sustained,
    /// Where the key is released.
    KeyUp,
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Sustained => "sustained",
            Self::KeyUp => "key-up",
        })
    }
}

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Unreadable(String),
    Folder,
    Empty,
    TooLarge,
    NotMidi,
    Truncated,
    Malformed,
    Crowded,
    Sequential,
    NoTime,
    /// Film frames per second that SMPTE does not have.
    OddFrames(u8),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "it cannot be opened: {reason}"),
            Self::Folder => f.write_str("it is a folder: give a MIDI file"),
            Self::Empty => f.write_str("it is empty"),
            Self::TooLarge => f.write_str("it is larger than 16 MiB, which no piece of music is: split it"),
            Self::NotMidi => f.write_str("it is not a Standard MIDI File"),
            Self::Truncated => f.write_str("it ends too early: it was cut off or not copied completely"),
            Self::Malformed => f.write_str("one of its tracks holds bytes that are not MIDI"),
            Self::Crowded => f.write_str(
                "more than 2,048 of its notes begin at one tick, and there are no more keys: it is broken",
            ),
            Self::Sequential => {
                f.write_str("it is of type 2, whose tracks are separate songs: export it as type 0 or type 1")
            }
            Self::NoTime => f.write_str("its header gives no unit of time"),
            Self::OddFrames(frames) => write!(
                f,
                "its header counts {frames} film frames a second, and there are 24, 25, 29 or 30: export it with another time base"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Everything that is read from one file.
pub fn document(path: &Path, convention: Convention) -> Result<Document, Refusal> {
    midi::read(path, &midi::bytes(path)?, convention)
}

/// The note tables of files, without drums.
pub fn read(files: &[PathBuf], convention: Convention) -> Result<Corpus> {
    gather(files, |path| {
        let Document { piece, left_out, .. } = document(path, convention)?;
        let (piece, drums) = piece.without_drums();
        Ok((piece, LeftOut { drums, ..left_out }))
    })
}

/// The notes of files on the grid, without drums, from the cache where it has them. Only these notes stay in
/// memory.
pub fn read_on_grid(files: &[PathBuf], convention: Convention, cache: &Cache) -> Result<Corpus<GridPiece>> {
    gather(files, |path| {
        let bytes = midi::bytes(path)?;
        let read = || {
            let Document { piece, left_out, .. } = midi::read(path, &bytes, convention)?;
            let notes = piece.on_grid();
            let drums = u32::try_from(piece.notes.len() - notes.len()).unwrap_or(u32::MAX);
            Ok((notes, LeftOut { drums, ..left_out }))
        };
        let (notes, left_out) = cache.notes(&bytes, convention, read)?;
        Ok((GridPiece { path: path.to_owned(), notes }, left_out))
    })
}

/// Reads all files in parallel, each as a piece and what was left out of it. A broken file is set aside with
/// its reason. If it is the only file, that is the error.
fn gather<P: Send>(
    files: &[PathBuf],
    read: impl Fn(&Path) -> Result<(P, LeftOut), Refusal> + Sync,
) -> Result<Corpus<P>> {
    let results: Vec<_> = files.par_iter().map(|path| read(path)).collect();
    let mut corpus = Corpus { pieces: Vec::new(), refused: Vec::new(), left_out: LeftOut::default() };
    for (path, result) in files.iter().zip(results) {
        match result {
            Ok((piece, left_out)) => {
                corpus.pieces.push(piece);
                corpus.left_out += left_out;
            }
            Err(refusal) => corpus.refused.push((path.clone(), refusal)),
        }
    }
    match (&corpus.refused[..], files.len()) {
        ([(path, refusal)], 1) => bail!("{}: {refusal}", path.display()),
        _ => Ok(corpus),
    }
}

impl<P> Corpus<P> {
    /// What to say if no piece has a note.
    pub fn no_notes(&self) -> &'static str {
        match self.left_out.drums {
            0 if self.pieces.is_empty() => "no file that can be read",
            0 => "no notes",
            _ => "no notes but drums",
        }
    }

    /// Says on stderr what was skipped or left out, if anything was.
    pub fn warn(&self) {
        for (path, refusal) in &self.refused {
            eprintln!("skipped {}: {refusal}", path.display());
        }
        if !self.refused.is_empty() {
            eprintln!("skipped {} of {} files", self.refused.len(), self.refused.len() + self.pieces.len());
        }
        self.left_out.warn(None);
    }
}

impl<P: Notes> Corpus<P> {
    pub fn notes(&self) -> usize {
        self.pieces.iter().map(P::count).sum()
    }
}

/// A piece that has notes.
pub trait Notes {
    fn count(&self) -> usize;
}

impl Notes for Piece {
    fn count(&self) -> usize {
        self.notes.len()
    }
}

impl Notes for GridPiece {
    fn count(&self) -> usize {
        self.notes.len()
    }
}

/// `C#4` for 61: middle C is C4.
pub fn key_name(key: Key) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
    format!("{}{}", NAMES[key.index() % 12], i16::from(key.number() / 12) - 1)
}
