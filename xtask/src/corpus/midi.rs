//! One Standard MIDI File, its tracks merged into one stream of events in seconds.

use std::{fs, path::Path};

use midly::{Format, MetaMessage, Timing, TrackEventKind};

use super::{Convention, Piece, pairing::Pairing};

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Unreadable(String),
    Empty,
    NotMidi,
    Truncated,
    Malformed,
    Sequential,
    NoTime,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "it cannot be opened: {reason}"),
            Self::Empty => f.write_str("it is empty"),
            Self::NotMidi => f.write_str("it is not a Standard MIDI File"),
            Self::Truncated => f.write_str("it ends too early: it was cut off or not copied completely"),
            Self::Malformed => f.write_str("one of its tracks holds bytes that are not MIDI"),
            Self::Sequential => {
                f.write_str("it is of type 2, whose tracks are separate songs: export it as type 0 or type 1")
            }
            Self::NoTime => f.write_str("its header gives no unit of time"),
        }
    }
}

pub fn bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    fs::read(path).map_err(|error| Refusal::Unreadable(error.to_string()))
}

/// The notes of a file's bytes.
pub fn parse(path: &Path, bytes: &[u8], convention: Convention) -> Result<Piece, Refusal> {
    check_chunks(bytes)?;
    let (header, tracks) = midly::parse(bytes).map_err(|_| Refusal::NotMidi)?;
    if header.format == Format::Sequential {
        return Err(Refusal::Sequential);
    }
    let mut clock = Clock::new(header.timing)?;
    let mut events = Vec::new();
    for (track, stream) in tracks.enumerate() {
        read_track(track, stream.map_err(|_| Refusal::Malformed)?, &mut events)?;
    }
    // Stable, so that what stands first in a file stays first.
    events.sort_by_key(|event| event.tick);
    let mut pairing = Pairing::new(convention);
    for event in events {
        let now = clock.advance(event.tick);
        match event.what {
            What::Midi(channel, message) => pairing.hear(event.track, channel, message, now),
            What::Tempo(microseconds) => clock.set_tempo(microseconds),
            What::End => pairing.end_track(event.track, now),
        }
    }
    let (notes, instruments) = pairing.finish();
    Ok(Piece { path: path.to_owned(), notes, instruments })
}

/// Every chunk must be as long as it says, and none may be missing: the parser would quietly take less.
fn check_chunks(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    // RIFF files carry a MIDI file inside, behind two headers; the parser unwraps them.
    if bytes.starts_with(b"RIFF") {
        let Some((head, body)) = bytes.split_first_chunk::<8>() else { return Err(Refusal::NotMidi) };
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        return match usize::try_from(length) {
            _ if !body.starts_with(b"RMID") => Err(Refusal::NotMidi),
            Ok(length) if body.len() >= length => Ok(()),
            _ => Err(Refusal::Truncated),
        };
    }
    if !bytes.starts_with(b"MThd") {
        return Err(if b"MThd".starts_with(bytes) { Refusal::Truncated } else { Refusal::NotMidi });
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
    Midi(u8, midly::MidiMessage),
    /// Microseconds per quarter note.
    Tempo(u32),
    End,
}

fn read_track(track: usize, stream: midly::EventIter, events: &mut Vec<Event>) -> Result<(), Refusal> {
    let end_of_chunk = stream.unread().as_ptr_range().end;
    let mut read_until = stream.unread().as_ptr();
    let (mut tick, mut ended) = (0, false);
    for event in stream.bytemapped() {
        let (bytes, event) = event.map_err(|_| Refusal::Malformed)?;
        read_until = bytes.as_ptr_range().end;
        tick += u64::from(event.delta.as_int());
        let what = match event.kind {
            TrackEventKind::Midi { channel, message } => What::Midi(channel.as_int(), message),
            TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => What::Tempo(tempo.as_int()),
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
    Ok(())
}

/// Turns ticks into seconds, in the order of time.
struct Clock {
    unit: Unit,
    tick: u64,
    seconds: f64,
    seconds_per_tick: f64,
}

enum Unit {
    /// Ticks per quarter note: the tempo decides.
    Musical(f64),
    /// SMPTE: ticks are parts of a film frame, whatever the tempo.
    Absolute,
}

impl Clock {
    fn new(timing: Timing) -> Result<Self, Refusal> {
        // Where a file names no tempo, it is 120 quarter notes a minute.
        const DEFAULT_SECONDS_PER_QUARTER: f64 = 0.5;
        let (unit, seconds_per_tick) = match timing {
            Timing::Metrical(ticks) if ticks.as_int() > 0 => {
                let ticks = f64::from(ticks.as_int());
                (Unit::Musical(ticks), DEFAULT_SECONDS_PER_QUARTER / ticks)
            }
            Timing::Timecode(frames, parts) if parts > 0 => {
                // 29 stands for 30 drop-frame, of which 1001 pass in the time of 1000.
                let frames = if frames.as_int() == 29 { 30.0 / 1.001 } else { f64::from(frames.as_int()) };
                (Unit::Absolute, 1.0 / (frames * f64::from(parts)))
            }
            _ => return Err(Refusal::NoTime),
        };
        Ok(Self { unit, tick: 0, seconds: 0.0, seconds_per_tick })
    }

    fn advance(&mut self, tick: u64) -> f64 {
        let passed = tick - self.tick;
        self.seconds += passed as f64 * self.seconds_per_tick;
        self.tick = tick;
        self.seconds
    }

    fn set_tempo(&mut self, microseconds_per_quarter: u32) {
        if let Unit::Musical(ticks) = self.unit {
            self.seconds_per_tick = f64::from(microseconds_per_quarter) * 1e-6 / ticks;
        }
    }
}
