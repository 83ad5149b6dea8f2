//! The mode, and what the player plays in it: the demo's own phrase, or the notes of a MIDI file.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::corpus::{self, Convention, Note};

/// The plugin's mode, and what the player does in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PlayMode {
    /// The player plays a call and waits for its answer
    Answer,
    /// The player and the plugin have as many bars each, in turn
    Trade,
    /// The player's right hand keeps playing, and leaves the last bars to the plugin
    Together,
    /// The player plays a call, and takes the floor back with the next one
    Endless,
}

/// One note of a song, in seconds from its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SongNote {
    pub onset: f64,
    pub duration: f64,
    pub key: u8,
    pub velocity: u8,
}

/// Where the player's notes come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Song {
    /// A phrase that every call repeats.
    Phrase(Vec<SongNote>),
    /// A piece that continues from call to call.
    Piece(Vec<SongNote>),
}

/// The demo's phrase: two bars that end on a half cadence, like a question. Onset and length in beats, key,
/// velocity.
const PHRASE: [(f64, f64, u8, u8); 24] = [
    // A minor
    (0.00, 1.90, 45, 54),
    (0.01, 1.42, 76, 78),
    (0.50, 1.40, 52, 44),
    (1.02, 0.90, 59, 42),
    (1.50, 0.46, 60, 46),
    (1.53, 0.42, 74, 64),
    // F major
    (2.00, 1.90, 41, 52),
    (2.02, 0.94, 72, 74),
    (2.50, 1.40, 48, 43),
    (3.01, 0.48, 69, 62),
    (3.04, 0.90, 57, 42),
    (3.48, 0.50, 72, 70),
    // D minor
    (4.00, 1.92, 50, 58),
    (4.03, 1.44, 77, 92),
    (4.51, 1.40, 57, 47),
    (5.00, 0.92, 60, 45),
    (5.50, 0.44, 65, 50),
    (5.52, 0.46, 76, 76),
    // E major, the half cadence
    (6.00, 1.50, 52, 56),
    (6.02, 0.72, 74, 80),
    (6.50, 1.00, 56, 46),
    (6.76, 0.26, 71, 60),
    (7.00, 0.56, 68, 66),
    (7.04, 0.52, 76, 84),
];

/// The lowest key of the phrase's right hand.
const RIGHT_HAND: u8 = 68;

/// The demo's own phrase at a tempo in beats per minute. In mode together the player leaves the left hand to
/// the plugin.
pub fn phrase(tempo: f64, mode: PlayMode) -> Song {
    let beat = 60.0 / tempo;
    let note = |(onset, length, key, velocity)| SongNote {
        onset: onset * beat,
        duration: length * beat,
        key,
        velocity,
    };
    let is_played = |note: &SongNote| mode != PlayMode::Together || note.key >= RIGHT_HAND;
    Song::Phrase(PHRASE.into_iter().map(note).filter(is_played).collect())
}

/// The notes of a MIDI file without its drums, in the order of their onsets, lengthened by its pedal.
///
/// # Errors
/// When the file cannot be read, is no whole MIDI file, or has no notes.
pub fn from_file(path: &Path) -> Result<Song> {
    let corpus = corpus::read(&[path.to_owned()], Convention::Sustained)?;
    corpus.warn();
    let notes: Vec<SongNote> = corpus.pieces.iter().flat_map(|piece| &piece.notes).map(song_note).collect();
    ensure!(!notes.is_empty(), "{} has {}: give a file with a melody", path.display(), corpus.no_notes());
    Ok(Song::Piece(notes))
}

fn song_note(note: &Note) -> SongNote {
    SongNote {
        onset: note.onset,
        duration: note.duration(),
        key: note.key.number(),
        velocity: note.velocity.value(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    #[test]
    fn a_file_of_drums_alone_has_no_melody_to_call_with() {
        let folder = Folder::new("demo-drums");
        let track = [0, 0x99, 36, 80, 60, 0x89, 36, 0, 0, 0xFF, 0x2F, 0];
        let file = [b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk\0\0\0\x0C".as_slice(), &track].concat();
        folder.write("drums.mid", &file);
        let told = from_file(&folder.join("drums.mid")).expect_err("no melody").to_string();
        assert!(told.ends_with("drums.mid has no notes but drums: give a file with a melody"), "{told}");
    }
}
