//! MAESTRO's list of files: a csv with a row for each performance.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::Split;

const SPLITS: &str = "split";
const NAMES: &str = "midi_filename";
const COMPOSERS: &str = "canonical_composer";

/// The csv itself, or the only one in a folder that is such a list.
pub fn list(source: &Path) -> Option<PathBuf> {
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
    is_read && [SPLITS, NAMES].iter().all(|name| columns.iter().any(|column| column == name))
}

/// The MIDI files of a split by the list of a folder; there may be none.
pub fn of_folder(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let Some(list) = list(folder) else {
        bail!("{} has no MAESTRO csv, so it has no {split} split: leave `--split` out", folder.display());
    };
    files(&list, Some(split))
}

/// Who composed what each MIDI file of a folder's list holds, by the name in the list; nothing where the list does not say.
pub fn composers(folder: &Path) -> HashMap<String, String> {
    let text = list(folder).and_then(|list| fs::read_to_string(list).ok()).unwrap_or_default();
    let mut rows = rows(&text).into_iter();
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name);
    let Some((composers, names)) = column(COMPOSERS).zip(column(NAMES)) else { return HashMap::new() };
    rows.filter_map(|row| Some((row.get(names)?.clone(), row.get(composers)?.clone()))).collect()
}

/// The MIDI files of a split, or all of them, in the order of the list.
pub fn files(list: &Path, split: Option<Split>) -> Result<Vec<PathBuf>> {
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
    let files = rows.filter(|row| wanted.as_ref().is_none_or(|wanted| row.get(splits) == Some(wanted)));
    Ok(files.filter_map(|row| row.get(names).map(|name| folder.join(name))).collect())
}

/// Fields may stand in quotes, and hold commas, line breaks and doubled quotes there.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => (),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(character),
        }
    }
    if !row.is_empty() || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}
