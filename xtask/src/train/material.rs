//! What is learnt from, and what is scored on.

use std::{fmt, path::PathBuf, sync::Arc};

use anyhow::{Result, bail};
use rand::seq::SliceRandom;

use antiphon::model::Chance;

use super::Arguments;
use crate::corpus::{self, Cache, GridNote, GridPiece, Split};

/// So many held-out files are named.
const NAMED: usize = 8;

/// Notes on the grid, file by file.
pub struct Material {
    /// Shared by all that learn, so that there is one copy of it.
    pub training: Arc<[Vec<GridNote>]>,
    pub validation: Vec<Vec<GridNote>>,
    pub scored_on: ScoredOn,
    /// How many files are too short to learn from.
    left_out: usize,
}

/// Where the notes to score on come from.
pub enum ScoredOn {
    Given,
    Listed,
    /// These files of `--data`, which are not learnt from.
    HeldOut(Vec<PathBuf>),
    Learnt,
}

impl Material {
    /// A source that has a MAESTRO list gives its *train* split to learn from, and its *validation* split to score on
    /// unless other files are given for that. A file of fewer notes than `shortest` is not learnt from.
    pub fn read(arguments: &Arguments, shortest: usize, cache: &Cache, chance: &mut Chance) -> Result<Self> {
        let read = |sources: &[PathBuf], split| sounding(arguments, sources, split, cache);
        let mut training = read(&arguments.data, Split::Train)?;
        let listed: Vec<_> =
            arguments.data.iter().filter(|source| corpus::has_list(source)).cloned().collect();
        let (validation, scored_on) = if !arguments.validation.is_empty() {
            (read(&arguments.validation, Split::Validation)?, ScoredOn::Given)
        } else if !listed.is_empty() {
            (read(&listed, Split::Validation)?, ScoredOn::Listed)
        } else if training.len() == 1 {
            (training.clone(), ScoredOn::Learnt)
        } else {
            training.shuffle(chance);
            let validation = training.split_off(training.len() - (training.len() / 10).max(1));
            let paths = validation.iter().map(|piece| piece.path.clone()).collect();
            (validation, ScoredOn::HeldOut(paths))
        };
        let found = training.len();
        training.retain(|piece| piece.notes.len() >= shortest);
        if training.is_empty() {
            bail!("no file to learn from holds {shortest} notes: give longer files or a smaller `--window`");
        }
        Ok(Self {
            left_out: found - training.len(),
            training: notes(training).into(),
            validation: notes(validation),
            scored_on,
        })
    }

    /// Says what is learnt from, and what is not.
    pub fn tell(&self) {
        println!("{} to learn from, {} to score on", sum(&self.training), sum(&self.validation));
        if self.left_out > 0 {
            println!("not learnt from because shorter than a window: {} files", self.left_out);
        }
        match &self.scored_on {
            ScoredOn::Given | ScoredOn::Listed => (),
            ScoredOn::HeldOut(paths) => println!("held out to be scored on: {}", named(paths)),
            ScoredOn::Learnt => eprintln!(
                "there is one file only: what is learnt from it is scored on it, and the score flatters"
            ),
        }
    }

    pub fn notes(&self) -> usize {
        self.training.iter().map(Vec::len).sum()
    }

    /// The same for the same notes alone.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for piece in self.training.iter().chain(&self.validation) {
            let bytes = corpus::to_bytes(piece);
            hasher.update(&bytes.len().to_le_bytes()).update(&bytes);
        }
        hasher.finalize().to_string()
    }
}

/// For the card.
impl fmt::Display for ScoredOn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "scored on other files",
            Self::Listed => "trained on MAESTRO's train, scored on its validation",
            Self::HeldOut(_) => "scored on a tenth of the files, held out",
            Self::Learnt => "scored on the file that was learnt from",
        })
    }
}

/// The pieces of some sources that have notes.
fn sounding(
    arguments: &Arguments,
    sources: &[PathBuf],
    split: Split,
    cache: &Cache,
) -> Result<Vec<GridPiece>> {
    let mut files = Vec::new();
    for source in sources {
        files.extend(corpus::find(source, corpus::has_list(source).then_some(split))?);
    }
    let mut corpus = corpus::read_on_grid(&files, arguments.convention, cache)?;
    corpus.warn();
    if corpus.notes() == 0 {
        let sources: Vec<_> = sources.iter().map(|source| source.display().to_string()).collect();
        bail!("{} has {}: give MIDI files with notes", sources.join(", "), corpus.no_notes());
    }
    corpus.pieces.retain(|piece| !piece.notes.is_empty());
    Ok(corpus.pieces)
}

fn notes(pieces: Vec<GridPiece>) -> Vec<Vec<GridNote>> {
    pieces.into_iter().map(|piece| piece.notes).collect()
}

fn sum(pieces: &[Vec<GridNote>]) -> String {
    format!("{} files and {} notes", pieces.len(), pieces.iter().map(Vec::len).sum::<usize>())
}

fn named(paths: &[PathBuf]) -> String {
    let names =
        paths.iter().take(NAMED).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
