//! Saves a take as a standard MIDI file with the host's tempo and bars and a track for each side. It is
//! written whole or not at all, under a name that is not in use.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};
use tempfile::NamedTempFile;

use super::{
    Notes, Take,
    song::{Conducting, TICKS_PER_BEAT, Ticks},
};
use crate::music::{
    note_tracker::{Pedal, SUSTAIN},
    time::SampleTime,
};

/// The folder within the player's music.
const FOLDER: &str = "Antiphon";
/// Number of takes that may be saved within one second.
const MOST_OF_ONE_NAME: u32 = 1000;

/// MIDI's neutral release velocity.
const RELEASE_VELOCITY: u8 = 64;

/// Which part of a take is saved.
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

/// Writes a MIDI file into a folder, which is created if it does not exist; returns its path. The name holds
/// day and second, and no file is ever overwritten. For any thread but audio.
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
    let mut file = write_unnamed(folder, bytes)?;
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

/// Writes a file that has no name of its own yet into a folder, which is made where it is not there yet. It is
/// removed unless it is persisted. For any thread but audio.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn write_unnamed(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The bytes of a MIDI file: a track of tempo and signatures, *Call* with the player's notes and pedal, *Answer* with the
/// plugin's.
///
/// It begins with the bar of the first note. Where the transport ran, ticks are the host's beats; where it stood still,
/// they pass at its last tempo. Points are rounded to the nearest tick. Where the song jumped, the file goes on, and the
/// signature is written anew at the next bar line that lies elsewhere. What is still held ends where the take ends.
pub fn write(take: &Take) -> Vec<u8> {
    let ticks = Ticks::new(take);
    let call = [notes(take.call(), take.now()), pedals(take)].concat();
    let answer = notes(take.answer(), take.now());
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    smf.tracks.push(conductor(&ticks));
    smf.tracks.push(track(b"Call", call, &ticks));
    smf.tracks.push(track(b"Answer", answer, &ticks));
    let mut bytes = Vec::new();
    smf.write(&mut bytes).expect("memory takes all bytes, and a take is shorter than the longest track");
    bytes
}

/// A message on its channel. Of those on one sample, what ends comes before what begins.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: SampleTime,
    order: Order,
    channel: u8,
    message: MidiMessage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Release,
    Pedal,
    Strike,
    /// The release of a note without length.
    ReleaseAtOnce,
}

fn notes(notes: &Notes, end: SampleTime) -> Vec<Sent> {
    let mut sent = Vec::with_capacity(2 * notes.len());
    for note in notes.iter() {
        let (key, vel) = (u7::new(note.place.key.number()), u7::new(note.velocity.value()));
        let channel = note.place.channel;
        let struck = MidiMessage::NoteOn { key, vel };
        sent.push(Sent { at: note.onset, order: Order::Strike, channel, message: struck });
        let at = note.end.unwrap_or(end).max(note.onset);
        let order = if at == note.onset { Order::ReleaseAtOnce } else { Order::Release };
        let released = MidiMessage::NoteOff { key, vel: u7::new(RELEASE_VELOCITY) };
        sent.push(Sent { at, order, channel, message: released });
    }
    sent
}

fn pedals(take: &Take) -> Vec<Sent> {
    let message = |pedal| MidiMessage::Controller {
        controller: u7::new(SUSTAIN),
        value: u7::new(if pedal == Pedal::Down { 127 } else { 0 }),
    };
    let moved = take.pedals();
    moved
        .map(|moved| Sent {
            at: moved.at,
            order: Order::Pedal,
            channel: moved.channel,
            message: message(moved.pedal),
        })
        .collect()
}

fn track<'a>(name: &'a [u8], mut sent: Vec<Sent>, ticks: &Ticks) -> Track<'a> {
    // A stable sort: messages that are alike stay in the order in which they were played.
    sent.sort_by_key(|sent| (sent.at, sent.order));
    let messages = sent.into_iter().map(|Sent { at, channel, message, .. }| {
        (ticks.tick(at), TrackEventKind::Midi { channel: u4::new(channel), message })
    });
    timed([(0, TrackEventKind::Meta(MetaMessage::TrackName(name)))].into_iter().chain(messages))
}

fn conductor(ticks: &Ticks) -> Track<'static> {
    timed(ticks.conducting().into_iter().map(|(tick, conducting)| {
        let message = match conducting {
            Conducting::Tempo(micros) => MetaMessage::Tempo(u24::new(micros)),
            Conducting::Signature(signature) => {
                // A note value that is not a power of two cannot be written; there is none in music.
                let value = signature.value().ilog2() as u8;
                let clocks = (96 / signature.value().max(1)).max(1);
                MetaMessage::TimeSignature(signature.beats(), value, clocks, 8)
            }
        };
        (tick, TrackEventKind::Meta(message))
    }))
}

/// A track of events whose ticks never decrease.
fn timed<'a>(events: impl Iterator<Item = (u32, TrackEventKind<'a>)>) -> Track<'a> {
    let mut track = Track::new();
    let mut last = 0;
    for (tick, kind) in events {
        track.push(TrackEvent { delta: u28::new(tick.saturating_sub(last)), kind });
        last = tick.max(last);
    }
    track.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    track
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
