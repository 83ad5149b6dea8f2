//! Finds MIDI files: a single file, a folder tree, or the files of MAESTRO's list, a csv with a row per
//! performance.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Endings of the names of MIDI files, including those with lyrics and in RIFF files.
const ENDINGS: [&str; 4] = ["mid", "midi", "kar", "rmi"];
/// Largest number of skipped files that are listed by name.
const NAMED: usize = 8;
/// Columns of MAESTRO's list.
const SPLITS: &str = "split";
const NAMES: &str = "midi_filename";
const COMPOSERS: &str = "canonical_composer";

/// A part of MAESTRO, as its list gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum Split {
    Train,
    Validation,
    Test,
}

impl Split {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Whether a source is a MAESTRO list, so that it has splits.
pub fn has_list(source: &Path) -> bool {
    list(source).is_some()
}

/// Finds the MIDI files of a source: a file, a folder tree, a MAESTRO list or the folder that holds one.
///
/// A split needs a list; without one, all that stands in the list or the tree is found.
pub fn find(source: &Path, split: Option<Split>) -> Result<Vec<PathBuf>> {
    if !source.exists() {
        bail!("{} does not exist: give a MIDI file, a folder of them or a MAESTRO csv", source.display());
    }
    let files = match (split, list(source)) {
        (Some(split), _) => some_listed(&needed_list(source, split)?, split)?,
        (None, Some(list)) => listed(&list, None)?,
        (None, None) if source.is_dir() => {
            let (files, others) = walk(source)?;
            tell_unread(&others);
            files
        }
        (None, None) => vec![source.to_owned()],
    };
    if files.is_empty() {
        bail!("{} holds no MIDI file: give one whose files end in {}", source.display(), endings());
    }
    Ok(files)
}

/// The MIDI files of a split by the list of a folder; there may be none.
pub fn of_list(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    listed(&needed_list(folder, split)?, Some(split))
}

/// The composer of each MIDI file in a folder's list, by the name in the list; empty if the list does not say.
pub fn composers(folder: &Path) -> HashMap<String, String> {
    let text = list(folder).and_then(|list| fs::read_to_string(list).ok()).unwrap_or_default();
    let mut rows = rows(&text).into_iter();
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name);
    let Some((composers, names)) = column(COMPOSERS).zip(column(NAMES)) else { return HashMap::new() };
    rows.filter_map(|row| Some((row.get(names)?.to_owned(), row.get(composers)?.to_owned()))).collect()
}

/// What to do if a split is missing and only these are there.
pub fn ask_for(there: &[Split]) -> String {
    let names = there.iter().map(|split| format!("`--split {split}`")).collect::<Vec<_>>().join(" or ");
    if there.is_empty() { "give other files".to_owned() } else { format!("ask for {names}, which it has") }
}

/// The MIDI files of a folder and all within it.
pub fn tree(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(walk(folder)?.0)
}

/// The files that are MIDI files by their names, and the others.
pub fn walk(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    // A link may lead back up: every folder is visited once.
    let mut visited = HashSet::new();
    while let Some(folder) = folders.pop() {
        let unreadable = || format!("{} cannot be read", folder.display());
        if !visited.insert(folder.canonicalize().with_context(unreadable)?) {
            continue;
        }
        for entry in folder.read_dir().with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files.into_iter().partition(|path| is_midi(path)))
}

/// The MIDI files of a split; never none.
fn some_listed(list: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let files = listed(list, Some(split))?;
    if !files.is_empty() {
        return Ok(files);
    }
    let mut there = Vec::new();
    for other in Split::ALL {
        if !listed(list, Some(other))?.is_empty() {
            there.push(other);
        }
    }
    bail!("{} lists no file of the {split} split: {}", list.display(), ask_for(&there))
}

/// The MIDI files of a split, or all of them, in the order of the list.
fn listed(list: &Path, split: Option<Split>) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(list).with_context(|| format!("{} cannot be read", list.display()))?;
    let mut rows = rows(&text).into_iter();
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name);
    let (Some(splits), Some(names)) = (column(SPLITS), column(NAMES)) else {
        bail!(
            "{} is not a MAESTRO list: it has no columns `{SPLITS}` and `{NAMES}`; give the folder for all MIDI files in it",
            list.display()
        );
    };
    let folder = list.parent().unwrap_or(Path::new("."));
    let wanted = split.map(|split| split.to_string());
    let files =
        rows.filter(|row| wanted.as_ref().is_none_or(|wanted| row.get(splits) == Some(wanted.as_str())));
    Ok(files.filter_map(|row| row.get(names).map(|name| folder.join(name))).collect())
}

fn needed_list(source: &Path, split: Split) -> Result<PathBuf> {
    list(source).with_context(|| {
        format!("{} has no MAESTRO csv, so it has no {split} split: leave `--split` out", source.display())
    })
}

/// MAESTRO's list: the csv itself, or the only one in a folder that is such a list.
fn list(source: &Path) -> Option<PathBuf> {
    let is_csv = |path: &PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let Ok(entries) = source.read_dir() else { return Some(source.to_owned()).filter(is_csv) };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut lists = files.filter(|path| is_csv(path) && has_columns(path));
    lists.next().filter(|_| lists.next().is_none())
}

/// Other csv files may lie beside MIDI files.
fn has_columns(path: &Path) -> bool {
    let mut header = String::new();
    let is_read = File::open(path).and_then(|file| BufReader::new(file).read_line(&mut header)).is_ok();
    let columns = rows(&header).into_iter().next().unwrap_or_default();
    is_read && [SPLITS, NAMES].iter().all(|name| columns.iter().any(|column| column == *name))
}

fn rows(text: &str) -> Vec<csv::StringRecord> {
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.into_records().filter_map(Result::ok).collect()
}

/// Says on stderr which files of a folder are skipped, since their names are not those of MIDI files.
fn tell_unread(others: &[PathBuf]) {
    let names =
        others.iter().take(NAMED).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    match others.len() {
        0 => {}
        few if few <= NAMED => eprintln!("not read, because it does not end in {}: {names}", endings()),
        many => {
            eprintln!("not read, because it does not end in {}: {names} and {} more", endings(), many - NAMED)
        }
    }
}

fn endings() -> String {
    let endings = ENDINGS.map(|ending| format!(".{ending}"));
    endings.join(", ")
}

fn is_midi(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|midi| ending.eq_ignore_ascii_case(midi)))
}
