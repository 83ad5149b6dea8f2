//! Which files are meant: one, those of a folder and all within it, or those of MAESTRO's list.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::maestro;

/// How the names of MIDI files end: with lyrics and in RIFF files too.
const ENDINGS: [&str; 4] = ["mid", "midi", "kar", "rmi"];
/// So many files that are not tried are named.
const NAMED: usize = 8;

/// A part of MAESTRO, as its list gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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
    maestro::list(source).is_some()
}

/// Finds the MIDI files of a source: a file, a folder tree, a MAESTRO list or the folder that holds one.
///
/// A split needs a list; without one, all that stands in the list or the tree is found.
pub fn find(source: &Path, split: Option<Split>) -> Result<Vec<PathBuf>> {
    if !source.exists() {
        bail!("{} does not exist: give a MIDI file, a folder of them or a MAESTRO csv", source.display());
    }
    let files = match (maestro::list(source), split) {
        (Some(list), split) => listed(&list, split)?,
        (None, Some(split)) => {
            bail!("{} has no MAESTRO csv, so it has no {split} split: leave `--split` out", source.display())
        }
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

fn listed(list: &Path, split: Option<Split>) -> Result<Vec<PathBuf>> {
    let files = maestro::files(list, split)?;
    let Some(split) = split.filter(|_| files.is_empty()) else { return Ok(files) };
    let mut there = Vec::new();
    for other in Split::ALL {
        if !maestro::files(list, Some(other))?.is_empty() {
            there.push(other);
        }
    }
    bail!("{} lists no file of the {split} split: {}", list.display(), ask_for(&there))
}

/// What to do where a split is missing and these are there.
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

/// Says on stderr which files of a folder are not even tried.
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
