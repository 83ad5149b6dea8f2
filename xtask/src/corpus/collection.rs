//! What lies in a folder of corpora: every performance with its style, its part of the split and what is known of it.
//!
//! A corpus is known by the name of its folder. What is no known corpus is a folder of MIDI files of which nothing is known.
//! Where a corpus has no split of its own, a tenth of its pieces is held out, by a rule that looks at nothing but their names.

mod asap;
mod listed;
mod source;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};

use antiphon::music::conditions::Style;

use super::{
    Split,
    files::{ask_for, tree},
    has_list, maestro,
    wjazzd::{self, Solo},
};
use asap::Asap;
pub use source::{Annotations, Known, Music, Performance, Source};

/// One performance in so many is held out where a corpus has no split.
const HELD_OUT: u32 = 10;

/// Where performances come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Corpus {
    Maestro,
    AsapBeats,
    AsapExtra,
    PianoRolls,
    Pijama,
    Wjazzd,
    Pop909,
    Emopia,
    /// A folder of which nothing is known.
    Other,
}

/// Whether a folder holds corpora of which more is known than their notes, or is one of them.
pub fn is_known(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let within = || known_within(&folder).is_ok_and(|found| found.iter().any(|(it, _)| *it != Corpus::Other));
    folder.is_dir() && (Corpus::named(&folder).is_some() || within())
}

/// All performances of a split in a corpus, or in a folder of corpora, in the order of corpora and names.
///
/// # Errors
/// When nothing is found, or a list of files is broken.
pub fn find_all(folder: &Path, split: Split) -> Result<Vec<Source>> {
    ensure!(folder.is_dir(), "{} is not a folder: give a corpus or a folder of them", folder.display());
    let folder = folder.canonicalize().with_context(|| format!("{} cannot be read", folder.display()))?;
    let within = match Corpus::named(&folder) {
        Some(corpus) => vec![(corpus, folder.clone())],
        None => known_within(&folder)?,
    };
    let found = |split| -> Result<Vec<Source>> {
        let of_each = within.iter().map(|(corpus, folder)| corpus.sources(folder, split));
        Ok(of_each.collect::<Result<Vec<_>>>()?.concat())
    };
    let sources = found(split)?;
    if sources.is_empty() {
        let there: Vec<Split> = Split::ALL
            .into_iter()
            .filter(|&other| found(other).is_ok_and(|sources| !sources.is_empty()))
            .collect();
        bail!("{} holds no performance of the {split} split: {}", folder.display(), ask_for(&there));
    }
    Ok(sources)
}

/// All performances that no model of ours has learnt from: what is held out, and of unknown files all.
///
/// # Errors
/// As [`find_all`].
pub fn unlearnt(folder: &Path) -> Result<Vec<Source>> {
    let train = find_all(folder, Split::Train).unwrap_or_default();
    let mut all = find_all(folder, Split::Validation)
        .or_else(|error| if train.is_empty() { Err(error) } else { Ok(Vec::new()) })?;
    all.extend(train.into_iter().filter(|source| source.corpus == Corpus::Other));
    Ok(all)
}

impl Corpus {
    const ALL: [Self; 8] = [
        Self::Maestro,
        Self::AsapBeats,
        Self::AsapExtra,
        Self::PianoRolls,
        Self::Pijama,
        Self::Wjazzd,
        Self::Pop909,
        Self::Emopia,
    ];

    /// Whether a list tells which performances are for choosing.
    pub fn is_listed(self) -> bool {
        matches!(self, Self::Maestro | Self::Pijama | Self::AsapBeats)
    }

    /// `None` where it is not known.
    pub fn style(self) -> Option<Style> {
        match self {
            Self::Maestro | Self::AsapBeats | Self::AsapExtra => Some(Style::Classical),
            Self::Pijama => Some(Style::JazzPiano),
            Self::Wjazzd => Some(Style::JazzLine),
            Self::Pop909 | Self::Emopia => Some(Style::Pop),
            // Rolls hold classical and dance music.
            Self::PianoRolls | Self::Other => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Maestro => "maestro",
            Self::AsapBeats => "asap-beats",
            Self::AsapExtra => "asap-extra",
            Self::PianoRolls => "piano-rolls",
            Self::Pijama => "pijama",
            Self::Wjazzd => "wjazzd",
            Self::Pop909 => "pop909",
            Self::Emopia => "emopia",
            Self::Other => "other",
        }
    }

    /// The corpus of a folder, by the folder's name.
    fn named(folder: &Path) -> Option<Self> {
        let name = folder.file_name()?.to_str()?;
        let is_it = |corpus: &Self| match corpus {
            // It carries a version.
            Self::Maestro => name.starts_with("maestro"),
            _ => name == corpus.name(),
        };
        Self::ALL.into_iter().find(is_it)
    }

    fn sources(self, folder: &Path, split: Split) -> Result<Vec<Source>> {
        match self {
            Self::Maestro => {
                let listed = maestro::of_folder(folder, split)?;
                let paths: Vec<PathBuf> = listed.iter().filter(|path| path.exists()).cloned().collect();
                ensure!(
                    !paths.is_empty() || listed.is_empty(),
                    "of the {} files of the {split} split that {} lists none is there: give the folder with both",
                    listed.len(),
                    folder.display()
                );
                Ok(paths.into_iter().map(|path| self.source(folder, path)).collect())
            }
            Self::AsapBeats => Ok(Asap::read(folder)?.cuts(split)),
            Self::AsapExtra => {
                let beats = folder.with_file_name("asap-beats");
                Asap::beside(&beats)?.extras(self.files(folder)?, split)
            }
            Self::Pijama => listed::pijama(folder, split),
            Self::Wjazzd => {
                let solos = wjazzd::read(folder)?
                    .into_iter()
                    .filter(|solo| is_held_out(&solo.name) == (split == Split::Validation));
                Ok(solos.map(|solo| solo_source(Arc::new(solo))).collect())
            }
            Self::Pop909 | Self::Emopia | Self::PianoRolls | Self::Other => {
                // What is held out is for choosing; nothing is left for a test.
                let part = |source: &Source| match is_held_out(self.piece(&source.name)) {
                    true => Split::Validation,
                    false => Split::Train,
                };
                Ok(self.files(folder)?.into_iter().filter(|source| part(source) == split).collect())
            }
        }
    }

    /// All MIDI files of a folder.
    fn files(self, folder: &Path) -> Result<Vec<Source>> {
        Ok(tree(folder)?.into_iter().map(|path| self.source(folder, path)).collect())
    }

    fn source(self, folder: &Path, path: PathBuf) -> Source {
        let within = path.strip_prefix(folder).unwrap_or(&path);
        let name =
            within.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        let annotations = if self == Self::Pop909 { pop909(folder, &path) } else { Annotations::None };
        Source { name, corpus: self, annotations, ..Source::of_file(path) }
    }

    /// What of a file's name tells the piece or the song.
    fn piece(self, name: &str) -> &str {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        // `Q1_SONG_0`: the mood, the song and the number of the clip.
        let song = || Some(stem.split_once('_')?.1.rsplit_once('_')?.0);
        match self {
            Self::Emopia => song().unwrap_or(stem),
            _ => stem,
        }
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The known corpora within a folder; the folder itself where there is none.
fn known_within(folder: &Path) -> Result<Vec<(Corpus, PathBuf)>> {
    let unreadable = || format!("{} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        found.extend(Corpus::named(&path).filter(|_| path.is_dir()).map(|corpus| (corpus, path)));
    }
    found.sort();
    // A folder with a list of MAESTRO's kind under another name.
    let alone = if has_list(folder) && listed::is_maestro(folder) { Corpus::Maestro } else { Corpus::Other };
    Ok(if found.is_empty() { vec![(alone, folder.to_owned())] } else { found })
}

fn pop909(folder: &Path, path: &Path) -> Annotations {
    let beside = folder.with_file_name("pop909-beats");
    let number = path.file_stem().unwrap_or_default().to_string_lossy();
    let of = |what: &str| beside.join(format!("{number}.{what}.txt"));
    let (beats, chords) = (of("beats"), of("chords"));
    if beats.exists() && chords.exists() { Annotations::Pop909 { beats, chords } } else { Annotations::None }
}

fn solo_source(solo: Arc<Solo>) -> Source {
    Source {
        name: solo.name.clone(),
        corpus: Corpus::Wjazzd,
        music: Music::Solo(solo.clone()),
        annotations: Annotations::Solo(solo),
        span: None,
        agreement: None,
    }
}

/// Whether a piece of this name is for choosing only. The same for ever, whatever else a corpus holds.
fn is_held_out(piece: &str) -> bool {
    crc32fast::hash(piece.as_bytes()).is_multiple_of(HELD_OUT)
}
