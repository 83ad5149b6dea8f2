//! Reads one Standard MIDI File: its tracks are merged into one stream of events in seconds.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use midly::{Format, MetaMessage, MidiMessage, Timing, TrackEventKind};

use super::{
    Convention, Document, LeftOut, Piece, Refusal, Signature, WrittenKey,
    document::Clock,
    messages::{Pedal, rhythm},
    pairing::{Origin, Pairing},
    tracks::{self, Track},
};

/// The largest file that is read, in bytes. The longest performances of MAESTRO take a fortieth of it.
const LARGEST_BYTES: usize = 16 << 20;
/// Number of bytes at a file's beginning that tell whether it is a MIDI file.
const HEAD_BYTES: usize = 12;
/// Largest number of note-ons at one tick: there are no more keys on all channels together.
const MOST_AT_ONE_TICK: usize = 16 * 128;

/// A file's bytes, up to the limit on its size. A file that is no MIDI file is not read beyond its head.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    if path.is_dir() {
        return Err(Refusal::Folder);
    }
    let unreadable = |error: io::Error| Refusal::Unreadable(error.to_string());
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    tracks::check_head(&bytes)?;
    file.take((LARGEST_BYTES - HEAD_BYTES + 1) as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST_BYTES { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

/// Reads everything in a file's bytes.
pub fn read(path: &Path, bytes: &[u8], convention: Convention) -> Result<Document, Refusal> {
    let Opened { timing, tracks: streams, missing } = open(bytes)?;
    let mut clock = Clock::new(timing)?;
    let (mut events, mut tracks) = (Vec::new(), Vec::new());
    let mut left_out = LeftOut { tracks: missing.into(), ..LeftOut::default() };
    let (mut pairing, mut pedal) = (Pairing::new(convention), Pedal::default());
    for (track, stream) in streams.into_iter().enumerate() {
        tracks.push(read_track(track, stream, &mut pairing, &mut events, &mut left_out)?);
    }
    // The sort is stable: events of the same tick stay in the order of the file.
    events.sort_by_key(|event| event.tick);
    check_crowds(&events)?;
    let (mut signatures, mut written_keys, mut end) = (Vec::new(), Vec::new(), 0.0);
    for event in events {
        let now = clock.advance(event.tick);
        match event.what {
            What::Midi { player, message } => {
                pedal.hear(pairing.channel(player), message, now);
                pairing.hear(player, message, now);
            }
            What::Rhythm { player, is_drums } => pairing.set_rhythm(player, is_drums),
            What::Tempo(microseconds) => clock.set_tempo(microseconds),
            What::Signature { numerator, power } => {
                signatures.extend(Signature::new(event.tick, numerator, power));
            }
            What::Key(key) => written_keys.push((event.tick, key)),
            What::End { track } => {
                pairing.end_track(track, now);
                end = now;
            }
        }
    }
    let (notes, instruments) = pairing.finish(end);
    let piece = Piece { path: path.to_owned(), notes, instruments };
    let (tempo_map, pedal) = (clock.map(), pedal.finish(end));
    Ok(Document { piece, tracks, tempo_map, signatures, written_keys, pedal, left_out, end })
}

/// A file whose header is read, but no event yet.
pub struct Opened<'a> {
    pub timing: Timing,
    pub tracks: Vec<Track<'a>>,
    /// Number of tracks that the header promises but the file does not have.
    pub missing: u16,
}

pub fn open(bytes: &[u8]) -> Result<Opened<'_>, Refusal> {
    let (bare, missing) = tracks::bare(bytes)?;
    let (header, streams) = midly::parse(bare).map_err(|_| Refusal::NotMidi)?;
    if header.format == Format::Sequential {
        return Err(Refusal::Sequential);
    }
    let track = |stream| midly::Result::map(stream, Track::new).map_err(|_| Refusal::Malformed);
    Ok(Opened { timing: header.timing, tracks: streams.map(track).collect::<Result<_, _>>()?, missing })
}

/// An event. It is small, since there are millions of them.
struct Event {
    tick: u64,
    what: What,
}

const _: () = assert!(size_of::<Event>() == 24);

enum What {
    Midi {
        player: usize,
        message: MidiMessage,
    },
    Rhythm {
        player: usize,
        is_drums: bool,
    },
    /// Microseconds per quarter note.
    Tempo(u32),
    Signature {
        numerator: u8,
        power: u8,
    },
    Key(WrittenKey),
    End {
        track: usize,
    },
}

/// Refuses a file with more note-ons at one tick than there are keys.
fn check_crowds(events: &[Event]) -> Result<(), Refusal> {
    let is_onset = |event: &&Event| match event.what {
        What::Midi { message: MidiMessage::NoteOn { vel, .. }, .. } => vel.as_int() > 0,
        _ => false,
    };
    let mut chords = events.chunk_by(|one, other| one.tick == other.tick);
    let is_crowd = |chord: &[Event]| chord.iter().filter(is_onset).count() > MOST_AT_ONE_TICK;
    if chords.any(is_crowd) { Err(Refusal::Crowded) } else { Ok(()) }
}

/// Reads the events of a track, and gives its name, if it has one.
fn read_track(
    track: usize,
    mut stream: Track,
    pairing: &mut Pairing,
    events: &mut Vec<Event>,
    left_out: &mut LeftOut,
) -> Result<Option<String>, Refusal> {
    let (mut port, mut name) = (0, None);
    // The players by channel, until the port changes.
    let mut players = [None; 16];
    for event in &mut stream {
        let (tick, event) = event?;
        let what = match event {
            TrackEventKind::Midi { channel, message } => {
                let channel = channel.as_int();
                let player = &mut players[usize::from(channel)];
                let player = *player.get_or_insert_with(|| pairing.player(Origin { track, port, channel }));
                What::Midi { player, message }
            }
            TrackEventKind::SysEx(bytes) => {
                let Some((channel, is_drums)) = rhythm(bytes) else { continue };
                What::Rhythm { player: pairing.player(Origin { track, port, channel }), is_drums }
            }
            TrackEventKind::Meta(MetaMessage::MidiPort(number)) => {
                port = number.as_int();
                players = [None; 16];
                continue;
            }
            TrackEventKind::Meta(MetaMessage::TrackName(letters)) => {
                name = name.or_else(|| tracks::decoded(letters));
                continue;
            }
            TrackEventKind::Meta(message) => {
                let Some(what) = of_all_tracks(message, left_out) else { continue };
                what
            }
            _ => continue,
        };
        events.push(Event { tick, what });
    }
    events.push(Event { tick: stream.end(), what: What::End { track } });
    Ok(name)
}

/// What a meta event says of all tracks, if it does and if it is valid.
fn of_all_tracks(message: MetaMessage, left_out: &mut LeftOut) -> Option<What> {
    match message {
        MetaMessage::Tempo(tempo) if tempo == 0 => {
            left_out.tempos += 1;
            None
        }
        MetaMessage::Tempo(tempo) => Some(What::Tempo(tempo.as_int())),
        MetaMessage::TimeSignature(numerator, power, ..) => Some(What::Signature { numerator, power }),
        MetaMessage::KeySignature(sharps, is_minor) => {
            let key = WrittenKey::new(sharps, is_minor);
            left_out.keys += u32::from(key.is_none());
            key.map(What::Key)
        }
        _ => None,
    }
}
