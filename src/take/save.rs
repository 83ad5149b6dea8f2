//! Where takes are saved, and how: whole or not at all, under a name that nothing has yet.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Take, write};

/// The folder within the player's music.
const FOLDER: &str = "Antiphon";
/// So many takes may be saved within one second.
const MOST_OF_ONE_NAME: u32 = 1000;

/// What is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Call and answer since the last reset.
    Take,
    LastAnswer,
}

/// Why nothing was saved, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("nothing has been played yet: play something, then save it")]
    NothingPlayed,
    #[error("there is no answer yet: let the plugin answer, then save it")]
    NoAnswer,
    #[error("this system has no folder for music, documents or a user: set the variable HOME")]
    NoFolder,
    #[error("{folder} cannot be written ({error}): free some space or make it writable, then save again", folder = folder.display())]
    NotWritten { folder: PathBuf, error: io::Error },
}

/// Where takes go: `Antiphon` in the user's folder for music, or for documents, or in the home folder, whichever the
/// system has.
///
/// # Errors
/// Where it has none of them.
pub fn folder() -> Result<PathBuf, SaveError> {
    let found = dirs::audio_dir().or_else(dirs::document_dir).or_else(dirs::home_dir);
    Ok(found.ok_or(SaveError::NoFolder)?.join(FOLDER))
}

/// Writes a MIDI file into a folder, which is made where it is not there yet; gives its path. The name tells day and
/// second, and no file is ever overwritten. For any thread but audio.
///
/// # Errors
/// Where there is nothing to save, or no file can be written; then none is left.
pub fn save_in(folder: &Path, take: &Take, what: Saved) -> Result<PathBuf, SaveError> {
    let (kind, bytes) = match what {
        Saved::Take if take.is_empty() => return Err(SaveError::NothingPlayed),
        Saved::Take => ("take", write(take)),
        Saved::LastAnswer => ("answer", write(&take.last_answer().ok_or(SaveError::NoAnswer)?)),
    };
    let now = jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H.%M.%S").to_string();
    write_new(folder, &format!("{now} {kind}"), &bytes)
        .map_err(|error| SaveError::NotWritten { folder: folder.to_owned(), error })
}

/// Writes a file of this name, or of the first one with a number that is free.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    for number in 1..=MOST_OF_ONE_NAME {
        let number = if number == 1 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("{name}{number}.mid"));
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => file = refused.file,
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_never_takes_the_place_of_another() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let paths = [b"one", b"two", b"six"].map(|bytes| write_new(folder.path(), "now take", bytes));
        let names: Vec<_> = paths.iter().flatten().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["now take.mid", "now take (2).mid", "now take (3).mid"]);
        for (path, bytes) in paths.into_iter().zip([b"one", b"two", b"six"]) {
            assert_eq!(fs::read(path?)?, bytes);
        }
        assert_eq!(fs::read_dir(folder.path())?.count(), 3, "nothing else is left");
        Ok(())
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_in_one_sentence() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let error = write_new(&file.path().join("below"), "take", b"").expect_err("a file is no folder");
        let told = SaveError::NotWritten { folder: "/music/Antiphon".into(), error }.to_string();
        assert!(told.starts_with("/music/Antiphon cannot be written (") && !told.contains('\n'), "{told}");
        Ok(())
    }
}
