//! One Standard MIDI File, its tracks merged into one stream of events in seconds.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use midly::{Format, MetaMessage, MidiMessage, TrackEventKind};

use super::{
    Convention, Document, Piece, Signature, WrittenKey,
    pairing::{Pairing, Source},
    pedal::Pedal,
    tempo_map::Clock,
};

/// The largest file that is read. The longest performances of MAESTRO take a fortieth of it.
const LARGEST_BYTES: usize = 16 << 20;
/// Of a file's beginning, so much tells whether it is a MIDI file.
const HEAD_BYTES: usize = 12;
/// There are no more keys, on all channels together.
const MOST_AT_ONE_TICK: usize = 16 * 128;

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Unreadable(String),
    Folder,
    Empty,
    TooLarge,
    NotMidi,
    Truncated,
    Malformed,
    Crowded,
    Sequential,
    NoTime,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "it cannot be opened: {reason}"),
            Self::Folder => f.write_str("it is a folder: give a MIDI file"),
            Self::Empty => f.write_str("it is empty"),
            Self::TooLarge => f.write_str("it is larger than 16 MiB, which no piece of music is: split it"),
            Self::NotMidi => f.write_str("it is not a Standard MIDI File"),
            Self::Truncated => f.write_str("it ends too early: it was cut off or not copied completely"),
            Self::Malformed => f.write_str("one of its tracks holds bytes that are not MIDI"),
            Self::Crowded => f.write_str(
                "more than 2,048 of its notes begin at one tick, and there are no more keys: it is broken",
            ),
            Self::Sequential => {
                f.write_str("it is of type 2, whose tracks are separate songs: export it as type 0 or type 1")
            }
            Self::NoTime => f.write_str("its header gives no unit of time"),
        }
    }
}

/// A file's bytes, no more than a piece of music has; what is no MIDI file is not read further than its head.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    if path.is_dir() {
        return Err(Refusal::Folder);
    }
    let unreadable = |error: io::Error| Refusal::Unreadable(error.to_string());
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    check_head(&bytes)?;
    file.take((LARGEST_BYTES - HEAD_BYTES + 1) as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST_BYTES { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

/// The notes of a file's bytes.
pub fn parse(path: &Path, bytes: &[u8], convention: Convention) -> Result<Piece, Refusal> {
    read(path, bytes, convention).map(|document| document.piece)
}

/// All that a file's bytes say.
pub fn read(path: &Path, bytes: &[u8], convention: Convention) -> Result<Document, Refusal> {
    check_chunks(bytes)?;
    check_frames(bytes)?;
    let (header, chunks) = midly::parse(bytes).map_err(|_| Refusal::NotMidi)?;
    if header.format == Format::Sequential {
        return Err(Refusal::Sequential);
    }
    let mut clock = Clock::new(header.timing)?;
    let (mut events, mut tracks) = (Vec::new(), Vec::new());
    for (track, stream) in chunks.enumerate() {
        tracks.push(read_track(track, stream.map_err(|_| Refusal::Malformed)?, &mut events)?);
    }
    // Stable, so that what stands first in a file stays first.
    events.sort_by_key(|event| event.tick);
    check_crowds(&events)?;
    let (mut pairing, mut pedal) = (Pairing::new(convention), Pedal::default());
    let (mut signatures, mut written_keys, mut end) = (Vec::new(), Vec::new(), 0.0);
    for event in events {
        let now = clock.advance(event.tick);
        match event.what {
            What::Midi { port, channel, message } => {
                let source = Source { track: event.track, port, channel };
                pedal.hear(source, message, now);
                pairing.hear(source, message, now);
            }
            What::Tempo(microseconds) => clock.set_tempo(microseconds),
            What::Signature(signature) => signatures.push(signature),
            What::Key(key) => written_keys.push((event.tick, key)),
            What::End => {
                pairing.end_track(event.track, now);
                end = now;
            }
        }
    }
    let (notes, instruments) = pairing.finish(end);
    let piece = Piece { path: path.to_owned(), notes, instruments };
    let (tempo_map, pedal) = (clock.map(), pedal.finish(end));
    Ok(Document { piece, tracks, tempo_map, signatures, written_keys, pedal, end })
}

/// Whether a file that begins like this may be a MIDI file.
fn check_head(bytes: &[u8]) -> Result<(), Refusal> {
    // RIFF files carry a MIDI file inside, behind two headers; the parser unwraps them.
    let is_wrapped = || bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| kind == b"RMID");
    match bytes {
        [] => Err(Refusal::Empty),
        [b'M', b'T', b'h', b'd', ..] => Ok(()),
        _ if b"MThd".starts_with(bytes) => Err(Refusal::Truncated),
        _ if is_wrapped() => Ok(()),
        _ => Err(Refusal::NotMidi),
    }
}

/// Whether no head says minus 128 frames a second: the parser takes that number's opposite, which is none. It reads every head, also
/// those in the midst of a file, though only the first one counts.
fn check_frames(bytes: &[u8]) -> Result<(), Refusal> {
    let broken = bytes.windows(13).any(|head| head.starts_with(b"MThd") && head[12] == 0x80);
    if broken { Err(Refusal::NoTime) } else { Ok(()) }
}

/// Every chunk must be as long as it says, and none may be missing: the parser would quietly take less.
fn check_chunks(bytes: &[u8]) -> Result<(), Refusal> {
    check_head(bytes)?;
    if bytes.starts_with(b"RIFF") {
        let Some((head, body)) = bytes.split_first_chunk::<8>() else { return Err(Refusal::NotMidi) };
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let is_whole = usize::try_from(length).is_ok_and(|length| body.len() >= length);
        return if is_whole { Ok(()) } else { Err(Refusal::Truncated) };
    }
    let declared = bytes.get(10..12).map(|n| usize::from(u16::from_be_bytes([n[0], n[1]])));
    let Some(declared) = declared else { return Err(Refusal::Truncated) };
    let (mut rest, mut tracks) = (bytes, 0);
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let Some(after) = usize::try_from(length).ok().and_then(|length| body.get(length..)) else {
            // Padding after the last track is not a chunk.
            return if tracks >= declared { Ok(()) } else { Err(Refusal::Truncated) };
        };
        tracks += usize::from(head.starts_with(b"MTrk"));
        rest = after;
    }
    if tracks < declared { Err(Refusal::Truncated) } else { Ok(()) }
}

struct Event {
    tick: u64,
    track: usize,
    what: What,
}

enum What {
    Midi {
        port: u8,
        channel: u8,
        message: MidiMessage,
    },
    /// Microseconds per quarter note.
    Tempo(u32),
    Signature(Signature),
    Key(WrittenKey),
    End,
}

/// No instrument strikes more notes at once than it has keys.
fn check_crowds(events: &[Event]) -> Result<(), Refusal> {
    let is_onset = |event: &&Event| match event.what {
        What::Midi { message: MidiMessage::NoteOn { vel, .. }, .. } => vel.as_int() > 0,
        _ => false,
    };
    let mut chords = events.chunk_by(|one, other| one.tick == other.tick);
    let is_crowd = |chord: &[Event]| chord.iter().filter(is_onset).count() > MOST_AT_ONE_TICK;
    if chords.any(is_crowd) { Err(Refusal::Crowded) } else { Ok(()) }
}

/// Gives the name of the track, if it has one.
fn read_track(
    track: usize,
    stream: midly::EventIter,
    events: &mut Vec<Event>,
) -> Result<Option<String>, Refusal> {
    let end_of_chunk = stream.unread().as_ptr_range().end;
    let mut read_until = stream.unread().as_ptr();
    let (mut tick, mut port, mut ended, mut name) = (0, 0, false, None);
    for event in stream.bytemapped() {
        let (bytes, event) = event.map_err(|_| Refusal::Malformed)?;
        read_until = bytes.as_ptr_range().end;
        tick += u64::from(event.delta.as_int());
        let what = match event.kind {
            TrackEventKind::Midi { channel, message } => {
                What::Midi { port, channel: channel.as_int(), message }
            }
            TrackEventKind::Meta(MetaMessage::MidiPort(number)) => {
                port = number.as_int();
                continue;
            }
            TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => What::Tempo(tempo.as_int()),
            TrackEventKind::Meta(MetaMessage::TimeSignature(numerator, power, ..)) => {
                let Some(signature) = Signature::new(tick, numerator, power) else { continue };
                What::Signature(signature)
            }
            TrackEventKind::Meta(MetaMessage::KeySignature(sharps, is_minor)) => {
                What::Key(WrittenKey { sharps, is_minor })
            }
            TrackEventKind::Meta(MetaMessage::TrackName(letters)) => {
                name.get_or_insert_with(|| String::from_utf8_lossy(letters).trim().to_owned());
                continue;
            }
            TrackEventKind::Meta(MetaMessage::EndOfTrack) => {
                ended = true;
                break;
            }
            _ => continue,
        };
        events.push(Event { tick, track, what });
    }
    // The parser stops silently at what it does not understand; a track may lack its end, but not have such bytes.
    if !ended && read_until != end_of_chunk {
        return Err(Refusal::Malformed);
    }
    events.push(Event { tick, track, what: What::End });
    Ok(name.filter(|name| !name.is_empty()))
}
