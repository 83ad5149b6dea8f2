//! The data set of a training: the notes to learn from, and the notes to score on.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use rand::seq::SliceRandom;

use antiphon::model::Rng;

use super::{Arguments, packed};
use crate::corpus::{self, Cache, Convention, GridNote, GridPiece, Split, collection};

/// A corpus with its name.
pub type Named = (String, Vec<GridPiece>);

/// Number of held-out files that are listed by name.
const NAMED: usize = 8;
/// Least number of notes for a score: on fewer it means nothing, since chance moves it by half a nat.
const LEAST_SCORED: usize = 100;

/// Notes on the grid, file by file.
pub struct DataSet {
    /// The notes to learn from. All threads share them, so that there is one copy.
    pub training: Arc<TrainingSet>,
    pub validation: Vec<Vec<GridNote>>,
    pub scored_on: ScoredOn,
    /// Number of files that are too short to learn from.
    left_out: usize,
}

/// The notes to learn from.
#[derive(Debug)]
pub struct TrainingSet {
    pub pieces: Vec<Vec<GridNote>>,
    pub corpora: Vec<Corpus>,
}

/// The pieces of one corpus, which lie side by side.
#[derive(Debug)]
pub struct Corpus {
    pub name: String,
    pub pieces: Range<usize>,
    pub notes: usize,
}

impl TrainingSet {
    /// A training set of one corpus.
    #[cfg(test)]
    pub fn of(pieces: Vec<Vec<GridNote>>) -> Self {
        let mut training = Self { pieces: Vec::new(), corpora: Vec::new() };
        training.add(String::new(), pieces);
        training
    }

    fn add(&mut self, name: String, pieces: Vec<Vec<GridNote>>) {
        let first = self.pieces.len();
        self.pieces.extend(pieces);
        let pieces = first..self.pieces.len();
        let notes = self.pieces[first..].iter().map(Vec::len).sum();
        if notes > 0 {
            self.corpora.push(Corpus { name, pieces, notes });
        }
    }

    /// Draws a corpus by `drawn`, 0..1, with the square root of its number of notes as weight, so that no
    /// corpus dominates.
    pub fn drawn(&self, drawn: f64) -> usize {
        let weight = |corpus: &Corpus| (corpus.notes as f64).sqrt();
        let mut left = drawn * self.corpora.iter().map(weight).sum::<f64>();
        let chosen = self.corpora.iter().position(|corpus| {
            left -= weight(corpus);
            left < 0.0
        });
        chosen.unwrap_or(self.corpora.len() - 1)
    }
}

/// Where the notes to score on come from.
pub enum ScoredOn {
    Given,
    Listed,
    /// These files of `--data`, which are held out from learning.
    HeldOut(Vec<PathBuf>),
    Learnt,
}

impl DataSet {
    /// Reads the data. A source with a split of its own gives its *train* split to learn from, and its
    /// *validation* split to score on unless other files are given for that. A file of fewer notes than
    /// `shortest` is not learnt from.
    pub fn read(arguments: &Arguments, shortest: usize, cache: &Cache, rng: &mut Rng) -> Result<Self> {
        let read = |sources: &[PathBuf], split| sounding(sources, split, arguments.convention, cache);
        let mut training = read(&arguments.data, Split::Train)?;
        let listed: Vec<_> = arguments.data.iter().filter(|source| has_split(source)).cloned().collect();
        let count: usize = training.iter().map(|(_, pieces)| pieces.len()).sum();
        let (validation, scored_on) = if !arguments.validation.is_empty() {
            (read(&arguments.validation, Split::Validation)?, ScoredOn::Given)
        } else if !listed.is_empty() {
            (read(&listed, Split::Validation)?, ScoredOn::Listed)
        } else if count == 1 {
            (training.clone(), ScoredOn::Learnt)
        } else {
            let (held_out, paths) = hold_out(&mut training, count, rng);
            (held_out, ScoredOn::HeldOut(paths))
        };
        scored_on.check(count_notes(&validation))?;
        let mut kept = TrainingSet { pieces: Vec::new(), corpora: Vec::new() };
        for (name, mut pieces) in training {
            pieces.retain(|piece| piece.notes.len() >= shortest);
            kept.add(name, notes(pieces));
        }
        if kept.pieces.is_empty() {
            bail!("no file to learn from holds {shortest} notes: give longer files or a smaller `--window`");
        }
        let held_out = if let ScoredOn::HeldOut(paths) = &scored_on { paths.len() } else { 0 };
        Ok(Self {
            left_out: count - held_out - kept.pieces.len(),
            training: kept.into(),
            validation: validation.into_iter().flat_map(|(_, pieces)| notes(pieces)).collect(),
            scored_on,
        })
    }

    /// Prints what is learnt from, and what is not.
    pub fn tell(&self) {
        println!("{} to learn from, {} to score on", sum(&self.training.pieces), sum(&self.validation));
        if let corpora @ [_, _, ..] = &self.training.corpora[..] {
            let told = |corpus: &Corpus| format!("{} {}", corpus.name, corpus.notes);
            println!("notes of each corpus: {}", corpora.iter().map(told).collect::<Vec<_>>().join(", "));
        }
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
        self.training.pieces.iter().map(Vec::len).sum()
    }

    /// A digest that depends on the notes alone.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for piece in self.training.pieces.iter().chain(&self.validation) {
            let bytes = corpus::to_bytes(piece);
            hasher.update(&bytes.len().to_le_bytes()).update(&bytes);
        }
        hasher.finalize().to_string()
    }
}

impl ScoredOn {
    /// Fails where there are too few notes for a score.
    fn check(&self, notes: usize) -> Result<()> {
        let (subject, remedy) = match self {
            Self::Learnt => return Ok(()),
            _ if notes >= LEAST_SCORED => return Ok(()),
            Self::Given => ("the files of `--validation` hold", "give more or longer ones"),
            Self::Listed => ("the validation split holds", "give other files to `--validation`"),
            Self::HeldOut(_) => (
                "the files that can be held out hold",
                "give more or longer files to `--data`, or others to `--validation`",
            ),
        };
        bail!("{subject} {notes} notes, and a score on fewer than {LEAST_SCORED} means nothing: {remedy}");
    }
}

/// The text in the card.
impl fmt::Display for ScoredOn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "scored on other files",
            Self::Listed => "trained on the train split of each corpus, scored on the validation splits",
            Self::HeldOut(_) => "scored on some of the files, held out",
            Self::Learnt => "scored on the file that was learnt from",
        })
    }
}

/// Whether a source says which of its files are to be scored on.
pub fn has_split(source: &Path) -> bool {
    match packed::is_packed(source) {
        true => packed::holds(source, Split::Validation),
        false => corpus::has_list(source) || collection::is_known(source),
    }
}

/// Reads the pieces with notes from some sources, corpus by corpus.
pub fn sounding(
    sources: &[PathBuf],
    split: Split,
    convention: Convention,
    cache: &Cache,
) -> Result<Vec<Named>> {
    let (mut corpora, mut files, mut has_drums) = (Vec::new(), Vec::new(), false);
    for source in sources {
        if packed::is_packed(source) {
            let parts = packed::read(source, split, convention)?;
            corpora.extend(parts.into_iter().map(|part| (part.corpus, part.pieces)));
            continue;
        }
        if !collection::is_known(source) {
            files.extend(corpus::find(source, corpus::has_list(source).then_some(split))?);
            continue;
        }
        let found = collection::worth_learning(collection::find_all(source, split)?);
        for same in found.chunk_by(|a, b| a.corpus == b.corpus) {
            let name = same[0].corpus.to_string();
            let (pieces, left_out) = collection::read(same, convention);
            left_out.warn(Some(&name));
            has_drums |= left_out.drums > 0;
            corpora.push((name, pieces));
        }
    }
    let mut reason = if has_drums { "no notes but drums" } else { "no notes" };
    if !files.is_empty() {
        let corpus = corpus::read_on_grid(&files, convention, cache)?;
        corpus.warn();
        reason = corpus.no_notes();
        corpora.push(("files".to_owned(), corpus.pieces));
    }
    corpora.iter_mut().for_each(|(_, pieces)| pieces.retain(|piece| !piece.notes.is_empty()));
    if corpora.iter().all(|(_, pieces)| pieces.is_empty()) {
        let sources: Vec<_> = sources.iter().map(|source| source.display().to_string()).collect();
        bail!("{} has {}: give MIDI files with notes", sources.join(", "), reason);
    }
    Ok(corpora)
}

/// Takes a tenth of all files out of the corpora, and more while these have too few notes to be scored on. At
/// least one file is left to learn from.
fn hold_out(corpora: &mut [Named], count: usize, rng: &mut Rng) -> (Vec<Named>, Vec<PathBuf>) {
    let mut order: Vec<(usize, usize)> = corpora
        .iter()
        .enumerate()
        .flat_map(|(n, (_, pieces))| (0..pieces.len()).map(move |m| (n, m)))
        .collect();
    order.shuffle(rng);
    let notes = |&(corpus, piece): &(usize, usize)| corpora[corpus].1[piece].notes.len();
    let mut first = count - (count / 10).max(1);
    while first > 1 && order[first..].iter().map(notes).sum::<usize>() < LEAST_SCORED {
        first -= 1;
    }
    let mut order = order.split_off(first);
    order.sort();
    let mut held_out = Vec::new();
    // From the last one on, so that the indices before it stay valid.
    for (corpus, piece) in order.into_iter().rev() {
        held_out.push(corpora[corpus].1.remove(piece));
    }
    let paths = held_out.iter().map(|piece| piece.path.clone()).collect();
    (vec![("held out".to_owned(), held_out)], paths)
}

fn count_notes(corpora: &[Named]) -> usize {
    corpora.iter().flat_map(|(_, pieces)| pieces).map(|piece| piece.notes.len()).sum()
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
