//! The contents of a folder of corpora: every performance with its style, its split and its annotations.
//!
//! A corpus is recognised by the name of its folder. Any other folder counts as MIDI files without
//! annotations. Where a corpus has no split of its own, a tenth of its pieces is held out, by a rule that
//! looks only at their names.

mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use antiphon::music::conditions::Style;

use super::{
    Split, files,
    wjazzd::{self, Solo},
};
pub use source::{Annotations, Music, Performance, Source, conditions, read, worth_learning};

/// One in this number of pieces is held out if a corpus has no split.
const HELD_OUT: u32 = 10;

/// The corpus that a performance comes from.
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
    /// A folder without annotations.
    Other,
}

/// Whether a folder is a known corpus or holds known corpora, which have more than notes.
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
        bail!("{} holds no performance of the {split} split: {}", folder.display(), files::ask_for(&there));
    }
    Ok(sources)
}

/// The performances of a split. Without a split: the validation files where a list names them, and elsewhere
/// all.
pub fn find(folder: &Path, split: Option<Split>) -> Result<Vec<Source>> {
    if let Some(split) = split {
        return find_all(folder, split);
    }
    let mut sources = find_all(folder, Split::Validation).unwrap_or_default();
    let train = find_all(folder, Split::Train).unwrap_or_default();
    sources.extend(train.into_iter().filter(|source| !source.corpus.is_listed()));
    match sources.is_empty() {
        true => find_all(folder, Split::Validation),
        false => Ok(sources),
    }
}

/// All performances that none of our models has been trained on: those held out, and all of unknown folders.
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

    /// Whether the corpus has a list that names its validation files.
    pub fn is_listed(self) -> bool {
        matches!(self, Self::Maestro | Self::Pijama | Self::AsapBeats)
    }

    /// The style of the corpus; `None` where it is not known.
    pub fn style(self) -> Option<Style> {
        match self {
            Self::Maestro | Self::AsapBeats | Self::AsapExtra => Some(Style::Classical),
            Self::Pijama => Some(Style::JazzPiano),
            Self::Wjazzd => Some(Style::JazzLine),
            Self::Pop909 | Self::Emopia => Some(Style::Pop),
            // Piano rolls hold both classical and dance music.
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
            // The folder's name ends with a version.
            Self::Maestro => name.starts_with("maestro"),
            _ => name == corpus.name(),
        };
        Self::ALL.into_iter().find(is_it)
    }

    fn sources(self, folder: &Path, split: Split) -> Result<Vec<Source>> {
        match self {
            Self::Maestro => {
                let listed = files::of_list(folder, split)?;
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
            Self::Pijama => pijama(folder, split),
            Self::Wjazzd => {
                let solos = wjazzd::read(folder)?
                    .into_iter()
                    .filter(|solo| is_held_out(&solo.name) == (split == Split::Validation));
                Ok(solos.map(|solo| solo_source(Arc::new(solo))).collect())
            }
            Self::Pop909 | Self::Emopia | Self::PianoRolls | Self::Other => {
                // Held-out pieces are for validation; there is no test split.
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
        Ok(files::tree(folder)?.into_iter().map(|path| self.source(folder, path)).collect())
    }

    fn source(self, folder: &Path, path: PathBuf) -> Source {
        let within = path.strip_prefix(folder).unwrap_or(&path);
        let name =
            within.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        let annotations = if self == Self::Pop909 { pop909(folder, &path) } else { Annotations::None };
        Source { name, corpus: self, annotations, ..Source::of_file(path) }
    }

    /// The part of a file's name that identifies the piece or the song.
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

/// The known corpora within a folder, or the folder itself if there are none.
fn known_within(folder: &Path) -> Result<Vec<(Corpus, PathBuf)>> {
    let unreadable = || format!("{} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        found.extend(Corpus::named(&path).filter(|_| path.is_dir()).map(|corpus| (corpus, path)));
    }
    found.sort();
    // A folder under another name may have a list like MAESTRO's.
    let alone = if files::has_list(folder) { Corpus::Maestro } else { Corpus::Other };
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

/// Whether a piece of this name is held out for validation. This never changes, whatever else a corpus holds.
fn is_held_out(piece: &str) -> bool {
    crc32fast::hash(piece.as_bytes()).is_multiple_of(HELD_OUT)
}

/// ASAP's list: performances with beats that were set by hand. Some are cut from MAESTRO; the others are a
/// corpus of their own. Empty if the list is missing.
#[derive(Debug, Default)]
struct Asap {
    folder: PathBuf,
    rows: Vec<AsapRow>,
}

#[derive(Debug, Deserialize)]
struct AsapRow {
    /// The corpus and the path in it.
    midi: String,
    beats: String,
    split: String,
}

impl Asap {
    fn read(folder: &Path) -> Result<Self> {
        Ok(Self { folder: folder.to_owned(), rows: rows(&folder.join("asap-beats.csv"), "ASAP")? })
    }

    /// Reads the list, or gives an empty one if it is missing: then no beats are known.
    fn beside(folder: &Path) -> Result<Self> {
        if folder.is_dir() { Self::read(folder) } else { Ok(Self::default()) }
    }

    /// The performances that are cut from MAESTRO, in the split of the performance that they are cut from.
    fn cuts(&self, split: Split) -> Vec<Source> {
        let wanted = split.to_string();
        let rows = self.rows.iter().filter(|row| row.split == wanted);
        let cut = |row: &AsapRow| {
            let name = row.midi.strip_prefix("asap-beats/")?;
            let source = Corpus::AsapBeats.source(&self.folder, self.folder.join(name));
            Some(Source { annotations: self.annotations(row), ..source })
        };
        rows.filter_map(cut).collect()
    }

    /// The performances that MAESTRO does not have, with their beats. If a cut of a piece is held out, so is
    /// the piece.
    fn extras(&self, files: Vec<Source>, split: Split) -> Result<Vec<Source>> {
        let by_name: HashMap<&str, &AsapRow> =
            self.rows.iter().filter_map(|row| Some((row.midi.strip_prefix("asap-extra/")?, row))).collect();
        let validation = self.rows.iter().filter(|row| row.split == Split::Validation.to_string());
        let known: HashSet<&str> =
            validation.filter_map(|row| Some(asap_piece(row.midi.split_once('/')?.1))).collect();
        let part = |name: &str| match known.contains(asap_piece(name)) || is_held_out(asap_piece(name)) {
            true => Split::Validation,
            false => Split::Train,
        };
        let with_beats = |mut source: Source| {
            if let Some(row) = by_name.get(source.name.as_str()) {
                source.annotations = self.annotations(row);
            }
            source
        };
        Ok(files.into_iter().filter(|source| part(&source.name) == split).map(with_beats).collect())
    }

    fn annotations(&self, row: &AsapRow) -> Annotations {
        match row.beats.strip_prefix("asap-beats/") {
            Some(beats) => Annotations::Asap { beats: self.folder.join(beats) },
            None => Annotations::None,
        }
    }
}

/// Composer and piece of `composer/piece/performer.mid`, with or without repeats.
fn asap_piece(name: &str) -> &str {
    let piece = name.rsplit_once('/').map_or(name, |(piece, _)| piece);
    piece.strip_suffix("_no_repeat").unwrap_or(piece)
}

#[derive(Debug, Deserialize)]
struct PijamaRow {
    file: String,
    split: String,
    agreement: f32,
    start_s: f64,
    end_s: f64,
}

/// PiJAMA, in its own split.
fn pijama(folder: &Path, split: Split) -> Result<Vec<Source>> {
    let rows: Vec<PijamaRow> = rows(&folder.join("pijama.csv"), "PiJAMA")?;
    let wanted = split.to_string();
    let source = |row: PijamaRow| Source {
        span: Some((row.start_s, row.end_s)),
        agreement: Some(row.agreement),
        ..Corpus::Pijama.source(folder, folder.join(row.file))
    };
    let mut sources: Vec<Source> = rows.into_iter().filter(|row| row.split == wanted).map(source).collect();
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(sources)
}

/// All rows of a corpus's list.
fn rows<R: DeserializeOwned>(list: &Path, corpus: &str) -> Result<Vec<R>> {
    let name = list.display();
    let mut reader = csv::Reader::from_path(list).with_context(|| format!("{name} cannot be read"))?;
    let rows = reader.deserialize().collect::<Result<_, _>>();
    rows.with_context(|| format!("{name} is not the list of {corpus}: it lacks one of its columns"))
}
