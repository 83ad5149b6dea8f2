//! Corpora with a list of their files.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Corpus, Source, Split};

#[derive(Debug, Deserialize)]
struct Row {
    file: String,
    split: String,
    agreement: f32,
    start_s: f64,
    end_s: f64,
}

/// PiJAMA, in its own split.
pub fn pijama(folder: &Path, split: Split) -> Result<Vec<Source>> {
    let list = folder.join("pijama.csv");
    let name = list.display();
    let mut reader = csv::Reader::from_path(&list).with_context(|| format!("{name} cannot be read"))?;
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
    let rows =
        rows.with_context(|| format!("{name} is not the list of PiJAMA: it lacks one of its columns"))?;
    let wanted = split.to_string();
    let source = |row: Row| Source {
        span: Some((row.start_s, row.end_s)),
        agreement: Some(row.agreement),
        ..Corpus::Pijama.source(folder, folder.join(row.file))
    };
    let mut sources: Vec<Source> = rows.into_iter().filter(|row| row.split == wanted).map(source).collect();
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(sources)
}

/// Whether the only list of a folder is MAESTRO's.
pub fn is_maestro(folder: &Path) -> bool {
    let Some(list) = super::super::maestro::list(folder) else { return false };
    fs::read_to_string(list)
        .is_ok_and(|text| text.lines().next().is_some_and(|header| header.contains("midi_filename")))
}
