//! What the player plays: the demo's own phrase, or the notes of a MIDI file.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};

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
    /// A piece that goes on from call to call.
    Piece(Vec<SongNote>),
}

/// Two bars that end on a half cadence, as a question does: onset and length in beats, key, velocity.
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
    // E major, open
    (6.00, 1.50, 52, 56),
    (6.02, 0.72, 74, 80),
    (6.50, 1.00, 56, 46),
    (6.76, 0.26, 71, 60),
    (7.00, 0.56, 68, 66),
    (7.04, 0.52, 76, 84),
];

/// The demo's own phrase at a tempo in beats per minute.
pub fn phrase(tempo: f64) -> Song {
    let beat = 60.0 / tempo;
    let note = |(onset, length, key, velocity)| SongNote {
        onset: onset * beat,
        duration: length * beat,
        key,
        velocity,
    };
    Song::Phrase(PHRASE.map(note).to_vec())
}

/// The notes of a MIDI file, in the order of their onsets.
///
/// # Errors
/// When the file cannot be read, is no whole MIDI file, or has no notes.
pub fn from_file(path: &Path) -> Result<Song> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    ensure!(is_whole(&bytes), "{name} is no MIDI file, or only a part of one");
    let smf = Smf::parse(&bytes).with_context(|| format!("{name} is no MIDI file"))?;
    let mut notes = notes(&smf);
    ensure!(!notes.is_empty(), "{name} has no notes");
    notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
    Ok(Song::Piece(notes))
}

/// Whether every chunk is as long as it says.
fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        match usize::try_from(length).ok().and_then(|length| after.get(length..)) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    bytes.starts_with(b"MThd") && rest.is_empty()
}

fn notes(smf: &Smf) -> Vec<SongNote> {
    let mut events: Vec<(u64, TrackEventKind)> = Vec::new();
    for track in &smf.tracks {
        let mut tick = 0;
        events.extend(track.iter().map(|event| {
            tick += u64::from(event.delta.as_int());
            (tick, event.kind)
        }));
    }
    events.sort_by_key(|&(tick, _)| tick);
    let mut seconds_per_tick = match smf.header.timing {
        Timing::Metrical(ticks) => 0.5 / f64::from(ticks.as_int()),
        Timing::Timecode(rate, ticks) => 1.0 / f64::from(rate.as_f32()) / f64::from(ticks),
    };
    let (mut now, mut last) = (0.0, 0);
    let mut held = Vec::new();
    let mut notes = Vec::new();
    for (tick, event) in events {
        now += (tick - last) as f64 * seconds_per_tick;
        last = tick;
        match (event, smf.header.timing) {
            (TrackEventKind::Meta(MetaMessage::Tempo(tempo)), Timing::Metrical(ticks)) => {
                seconds_per_tick = f64::from(tempo.as_int()) * 1e-6 / f64::from(ticks.as_int());
            }
            (TrackEventKind::Midi { channel, message }, _) => {
                play((channel.as_int(), message), now, &mut held, &mut notes);
            }
            _ => {}
        }
    }
    notes
}

/// Follows one message: an onset is held until its key's release, which makes it a note.
fn play(
    (channel, message): (u8, MidiMessage),
    now: f64,
    held: &mut Vec<(u8, SongNote)>,
    notes: &mut Vec<SongNote>,
) {
    match message {
        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
            let note = SongNote { onset: now, duration: 0.0, key: key.as_int(), velocity: vel.as_int() };
            held.push((channel, note));
        }
        MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
            let pressed = held.iter().position(|(on, note)| *on == channel && note.key == key.as_int());
            if let Some(pressed) = pressed {
                let (_, note) = held.remove(pressed);
                notes.push(SongNote { duration: now - note.onset, ..note });
            }
        }
        _ => {}
    }
}
