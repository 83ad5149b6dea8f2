//! Writes MIDI files of format 1: a track of tempo and signature, and a track for each part.

use anyhow::Result;
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};

/// The contents of the file. Times are in ticks.
pub struct MidiFile {
    /// 1..=32767
    pub ticks_per_quarter: u16,
    pub marks: Vec<(u64, Mark)>,
    pub parts: Vec<Part>,
}

/// Tempo and time signature, which hold for all parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Tempo { microseconds_per_quarter: u32 },
    Signature { numerator: u8, denominator: u16 },
}

/// A track of notes.
pub struct Part {
    pub name: String,
    /// The program of its channels, 0..=127, if it is set.
    pub program: Option<u8>,
    pub notes: Vec<Placed>,
}

/// A note in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub channel: u8,
    pub key: u8,
    pub velocity: u8,
    pub on: u64,
    /// The tick of its release. If it is not later than the onset, it counts as one tick later.
    pub off: u64,
}

/// An event and its tick.
pub type Timed<'a> = (u64, TrackEventKind<'a>);

/// The largest distance between two events, in ticks.
const LONGEST_DELTA: u64 = (1 << 28) - 1;

impl MidiFile {
    /// The bytes of the file; the same score has the same bytes.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let timing = Timing::Metrical(u15::new(self.ticks_per_quarter));
        let mut smf = Smf::new(Header::new(Format::Parallel, timing));
        let mark = |&(tick, mark): &(u64, Mark)| (tick, TrackEventKind::Meta(message(mark)));
        smf.tracks.push(track(self.marks.iter().map(mark).collect(), 0));
        smf.tracks.extend(self.parts.iter().map(|part| track(part.events(), 0)));
        let mut bytes = Vec::new();
        smf.write_std(&mut bytes)?;
        Ok(bytes)
    }
}

impl Part {
    fn events(&self) -> Vec<Timed<'_>> {
        let name = (0, TrackEventKind::Meta(MetaMessage::TrackName(self.name.as_bytes())));
        [name].into_iter().chain(self.programs()).chain(strikes(&self.notes)).collect()
    }

    fn programs(&self) -> impl Iterator<Item = Timed<'_>> {
        let mut channels: Vec<u8> = self.notes.iter().map(|note| note.channel).collect();
        channels.sort_unstable();
        channels.dedup();
        let program = self.program.map(|program| MidiMessage::ProgramChange { program: u7::new(program) });
        channels.into_iter().filter_map(move |channel| Some((0, on_channel(channel, program?))))
    }
}

/// Note-ons and note-offs in the order of time. Where a key is struck again, its release comes first.
pub fn strikes<'a>(notes: &[Placed]) -> impl Iterator<Item = Timed<'a>> + use<'a> {
    let mut messages: Vec<(u64, bool, Placed)> = Vec::with_capacity(2 * notes.len());
    for note in notes {
        messages.push((note.on, true, *note));
        messages.push((note.off.max(note.on + 1), false, *note));
    }
    messages.sort_by_key(|&(tick, is_onset, _)| (tick, is_onset));
    messages.into_iter().map(|(tick, is_onset, note)| {
        let (key, velocity) = (u7::new(note.key), u7::new(note.velocity));
        let message = match is_onset {
            true => MidiMessage::NoteOn { key, vel: velocity },
            false => MidiMessage::NoteOff { key, vel: u7::new(0) },
        };
        (tick, on_channel(note.channel, message))
    })
}

fn message(mark: Mark) -> MetaMessage<'static> {
    match mark {
        Mark::Tempo { microseconds_per_quarter } => {
            MetaMessage::Tempo(u24::new(microseconds_per_quarter.min(0xFF_FFFF)))
        }
        Mark::Signature { numerator, denominator } => {
            MetaMessage::TimeSignature(numerator, denominator.trailing_zeros() as u8, 24, 8)
        }
    }
}

pub fn on_channel(channel: u8, message: MidiMessage) -> TrackEventKind<'static> {
    TrackEventKind::Midi { channel: u4::new(channel), message }
}

/// A track of events in the order of time, with its end at a tick or after the last event.
pub fn track(events: Vec<Timed>, end: u64) -> Track {
    let end = events.last().map_or(end, |(tick, _)| end.max(*tick));
    let last = (end, TrackEventKind::Meta(MetaMessage::EndOfTrack));
    let mut now = 0;
    let mut track: Track = Vec::with_capacity(events.len() + 1);
    for (tick, kind) in events.into_iter().chain([last]) {
        // Between events that are farther apart than the largest delta, empty events are inserted.
        while tick - now > LONGEST_DELTA {
            let nothing = TrackEventKind::Meta(MetaMessage::Text(b""));
            track.push(TrackEvent { delta: u28::new(LONGEST_DELTA as u32), kind: nothing });
            now += LONGEST_DELTA;
        }
        track.push(TrackEvent { delta: u28::new((tick - now) as u32), kind });
        now = tick;
    }
    track
}
