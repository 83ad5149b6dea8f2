//! ASAP: performances with beats that were set by hand. Some are cut from MAESTRO; the others lie in a corpus of their own.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Annotations, Corpus, Source, Split, is_held_out};

/// The list of all performances; empty where it is missing.
#[derive(Debug, Default)]
pub struct Asap {
    folder: PathBuf,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    /// The corpus and the path in it.
    midi: String,
    beats: String,
    split: String,
}

impl Asap {
    pub fn read(folder: &Path) -> Result<Self> {
        let list = folder.join("asap-beats.csv");
        let name = list.display();
        let mut reader = csv::Reader::from_path(&list).with_context(|| format!("{name} cannot be read"))?;
        let rows = reader.deserialize().collect::<Result<_, _>>();
        let rows =
            rows.with_context(|| format!("{name} is not the list of ASAP: it lacks one of its columns"))?;
        Ok(Self { folder: folder.to_owned(), rows })
    }

    /// Where the list may be missing: then no beats are known.
    pub fn beside(folder: &Path) -> Result<Self> {
        if folder.is_dir() { Self::read(folder) } else { Ok(Self::default()) }
    }

    /// The performances that are cut from MAESTRO, in the split of the whole.
    pub fn cuts(&self, split: Split) -> Vec<Source> {
        let wanted = split.to_string();
        let rows = self.rows.iter().filter(|row| row.split == wanted);
        let cut = |row: &Row| {
            let name = row.midi.strip_prefix("asap-beats/")?;
            let source = Corpus::AsapBeats.source(&self.folder, self.folder.join(name));
            Some(Source { annotations: self.annotations(row), ..source })
        };
        rows.filter_map(cut).collect()
    }

    /// The performances that MAESTRO does not have, with their beats. A piece of which a cut is held out is held out too.
    pub fn extras(&self, files: Vec<Source>, split: Split) -> Result<Vec<Source>> {
        let by_name: HashMap<&str, &Row> =
            self.rows.iter().filter_map(|row| Some((row.midi.strip_prefix("asap-extra/")?, row))).collect();
        let validation = self.rows.iter().filter(|row| row.split == Split::Validation.to_string());
        let known: HashSet<&str> =
            validation.filter_map(|row| Some(piece(row.midi.split_once('/')?.1))).collect();
        let part = |name: &str| match known.contains(piece(name)) || is_held_out(piece(name)) {
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

    fn annotations(&self, row: &Row) -> Annotations {
        match row.beats.strip_prefix("asap-beats/") {
            Some(beats) => Annotations::Asap { beats: self.folder.join(beats) },
            None => Annotations::None,
        }
    }
}

/// Composer and piece of `composer/piece/performer.mid`, with or without the repeats.
fn piece(name: &str) -> &str {
    let piece = name.rsplit_once('/').map_or(name, |(piece, _)| piece);
    piece.strip_suffix("_no_repeat").unwrap_or(piece)
}
