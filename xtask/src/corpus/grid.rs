//! Notes on the 10 ms grid on which models are scored. A cache keeps them from run to run, so that a file
//! with the same bytes is not read again.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
};

use antiphon::music::{
    conditions::Conditions,
    note::{CELLS_PER_SECOND, GridNote, Key, Velocity},
};

use super::{Convention, LeftOut, Note, Piece, Refusal};

/// The source files that read MIDI. Cached notes of another version of them are not used.
const READERS: [&str; 6] = [
    include_str!("tracks.rs"),
    include_str!("messages.rs"),
    include_str!("midi.rs"),
    include_str!("document.rs"),
    include_str!("pairing.rs"),
    include_str!("grid.rs"),
];
/// Bytes that the counts of what was left out take in a cached file.
const LEFT_OUT_BYTES: usize = 4 * size_of::<u32>();
const CHECK_BYTES: usize = blake3::OUT_LEN;

/// A note with its onset and end, in cells from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub onset: u32,
    pub end: u32,
    pub key: Key,
    pub velocity: Velocity,
    /// The conditions at its onset.
    pub conditions: Conditions,
}

impl Piece {
    /// The notes by onset cell and then by key. The first step counts from the beginning of the file. Drums
    /// are left out: their keys are no pitches.
    pub fn on_grid(&self) -> Vec<GridNote> {
        on_grid(self.melodic(), |_| Conditions::UNKNOWN)
    }
}

/// Notes by onset cell and then by key, each with the conditions at the second of its onset.
pub fn on_grid<'a>(
    notes: impl Iterator<Item = &'a Note>,
    known: impl Fn(f64) -> Conditions,
) -> Vec<GridNote> {
    let placed = |note: &Note| Placed {
        onset: cell(note.onset),
        end: cell(note.end),
        key: note.key,
        velocity: note.velocity,
        conditions: known(note.onset),
    };
    in_order(notes.map(placed).collect())
}

fn cell(seconds: f64) -> u32 {
    (seconds * CELLS_PER_SECOND).round() as u32
}

/// Notes by onset and then by key.
pub fn in_order(mut notes: Vec<Placed>) -> Vec<GridNote> {
    notes.sort_by_key(|note| (note.onset, note.key));
    let mut before = 0;
    let relative = |note: Placed| {
        let step = note.onset - std::mem::replace(&mut before, note.onset);
        let duration = note.end.saturating_sub(note.onset).max(1);
        GridNote { step, key: note.key, velocity: note.velocity, duration, conditions: note.conditions }
    };
    notes.into_iter().map(relative).collect()
}

/// The inverse of [`in_order`].
pub fn placed(notes: &[GridNote]) -> impl Iterator<Item = Placed> {
    let mut onset = 0;
    notes.iter().map(move |note| {
        onset += note.step;
        let GridNote { duration, key, velocity, conditions, .. } = *note;
        Placed { onset, end: onset + duration, key, velocity, conditions }
    })
}

/// Notes as bytes, for a file.
pub fn to_bytes(notes: &[GridNote]) -> Vec<u8> {
    let numbers = notes.iter().flat_map(|note| {
        let (key, velocity) = (u32::from(note.key.number()), u32::from(note.velocity.value()));
        [note.step, note.duration, key << 8 | velocity]
    });
    numbers.flat_map(u32::to_le_bytes).collect()
}

/// The inverse of [`to_bytes`]; `None` if the bytes are no notes.
fn from_bytes(bytes: &[u8]) -> Option<Vec<GridNote>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let (notes, more) = numbers.as_chunks::<3>();
    let note = |numbers: &[[u8; 4]; 3]| {
        let [step, duration, rest] = numbers.map(u32::from_le_bytes);
        let key = Key::new(u8::try_from(rest >> 8).ok()?)?;
        let velocity = Velocity::new(u8::try_from(rest & 0xff).ok()?)?;
        (duration > 0).then_some(GridNote { step, key, velocity, duration, conditions: Default::default() })
    };
    if rest.is_empty() && more.is_empty() { notes.iter().map(note).collect() } else { None }
}

/// What is cached of a file: the notes on the grid, and what was left out.
pub type Kept = (Vec<GridNote>, LeftOut);

/// A folder with a cached file for each content and convention. It may be removed at any time.
pub struct Cache {
    /// `None` if nothing is cached.
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in the user's cache folder; without such a folder nothing is cached.
    pub fn of_user() -> Self {
        Self { folder: users_folder().map(|folder| folder.join("antiphon").join("notes")) }
    }

    #[cfg(test)]
    pub fn within(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// The notes of a file with these bytes: the cached ones, or those that `read` gives, which are cached if
    /// possible.
    pub fn notes(
        &self,
        bytes: &[u8],
        convention: Convention,
        read: impl FnOnce() -> Result<Kept, Refusal>,
    ) -> Result<Kept, Refusal> {
        let Some(folder) = &self.folder else { return read() };
        let path = folder.join(name(bytes, convention));
        if let Some(kept) = fs::read(&path).ok().and_then(|bytes| kept(&bytes)) {
            return Ok(kept);
        }
        let kept = read()?;
        // If this fails, the file is simply read again next time.
        let _ = keep(folder, &path, &kept);
        Ok(kept)
    }
}

fn users_folder() -> Option<PathBuf> {
    let named = |name| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let by_system = || match env::consts::OS {
        "windows" => named("LOCALAPPDATA"),
        "macos" => named("HOME").map(|home| home.join("Library/Caches")),
        _ => named("HOME").map(|home| home.join(".cache")),
    };
    named("XDG_CACHE_HOME").or_else(by_system)
}

fn name(bytes: &[u8], convention: Convention) -> String {
    name_by(&READERS, bytes, convention)
}

fn name_by(readers: &[&str], bytes: &[u8], convention: Convention) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in readers.iter().copied().map(str::as_bytes).chain([bytes]) {
        hasher.update(part);
    }
    format!("{}-{convention}", hasher.finalize())
}

/// Writes a cached file, so that a reader finds a whole file or none. A system crash may break a file; its
/// checksum detects that.
fn keep(folder: &Path, path: &Path, (notes, left_out): &Kept) -> io::Result<()> {
    let mut bytes = to_bytes(notes);
    let LeftOut { drums, tempos, keys, tracks } = *left_out;
    bytes.extend([drums, tempos, keys, tracks].into_iter().flat_map(u32::to_le_bytes));
    let check = blake3::hash(&bytes);
    bytes.extend(check.as_bytes());
    fs::create_dir_all(folder)?;
    let temporary = path.with_extension(format!("{}.part", process::id()));
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // A file that cannot be written whole must not be left behind.
        let _ = fs::remove_file(&temporary);
    })
}

/// Reads a cached file; `None` if its bytes have changed.
fn kept(bytes: &[u8]) -> Option<Kept> {
    let (kept, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    if blake3::hash(kept).as_bytes() != check {
        return None;
    }
    let (notes, left_out) = kept.split_last_chunk::<LEFT_OUT_BYTES>()?;
    let (numbers, _) = left_out.as_chunks::<4>();
    let [drums, tempos, keys, tracks] = <[_; 4]>::try_from(numbers).ok()?.map(u32::from_le_bytes);
    Some((from_bytes(notes)?, LeftOut { drums, tempos, keys, tracks }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    fn piece() -> Kept {
        let note = |n: u8| GridNote {
            step: 1000 * u32::from(n),
            key: Key::saturating(n),
            velocity: Velocity::saturating(127 - n),
            duration: 1 + u32::from(n),
            conditions: Default::default(),
        };
        ((0..100).map(note).collect(), LeftOut { drums: 7, tempos: 8, keys: 9, tracks: 10 })
    }

    fn unread() -> Result<Kept, Refusal> {
        Err(Refusal::Empty)
    }

    #[test]
    fn a_content_is_read_once_for_each_convention() {
        let folder = Folder::new("cache-once");
        let cache = Cache::within(folder.join("new"));
        assert_eq!(cache.notes(b"a", Convention::KeyUp, || Ok(piece())), Ok(piece()));
        assert_eq!(cache.notes(b"a", Convention::KeyUp, unread), Ok(piece()));
        assert_eq!(cache.notes(b"a", Convention::Sustained, unread), Err(Refusal::Empty));
        assert_eq!(cache.notes(b"b", Convention::KeyUp, unread), Err(Refusal::Empty));
    }

    #[test]
    fn what_another_version_of_the_reader_has_kept_is_not_found_again() {
        let folder = Folder::new("cache-versions");
        let cache = Cache::within(folder.path().to_owned());
        assert_eq!(cache.notes(b"a", Convention::KeyUp, || Ok(piece())), Ok(piece()));
        for changed in 0..READERS.len() {
            let mut others = READERS;
            others[changed] = "another version of this file";
            let other = name_by(&others, b"a", Convention::KeyUp);
            assert!(!folder.join(&other).exists(), "{changed}");
            // As if that version had cached this content.
            fs::copy(folder.join(&name(b"a", Convention::KeyUp)), folder.join(&other)).expect("a copy");
        }
        fs::remove_file(folder.join(&name(b"a", Convention::KeyUp))).expect("it was kept");
        assert_eq!(cache.notes(b"a", Convention::KeyUp, unread), Err(Refusal::Empty));
    }

    #[test]
    fn a_broken_cache_is_made_anew() {
        let folder = Folder::new("cache-broken");
        let cache = Cache::within(folder.path().to_owned());
        let path = folder.join(&name(b"a", Convention::KeyUp));
        let whole = || {
            assert_eq!(cache.notes(b"a", Convention::KeyUp, || Ok(piece())), Ok(piece()));
            fs::read(&path).expect("it is kept")
        };
        let kept = whole();
        let mut changed = kept.clone();
        changed[5] ^= 1;
        for broken in [&[], &kept[..20], &kept[..kept.len() - 12], &changed[..]] {
            fs::write(&path, broken).expect("a file");
            assert_eq!(whole(), kept);
        }
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_no_error() {
        let folder = Folder::new("cache-file");
        folder.write("file", b"no folder");
        let cache = Cache::within(folder.join("file"));
        assert_eq!(cache.notes(b"a", Convention::KeyUp, || Ok(piece())), Ok(piece()));
    }
}
