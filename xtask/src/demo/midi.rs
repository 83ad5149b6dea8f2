//! `take.mid`: call and answer on two tracks.

use std::path::Path;

use anyhow::{Context, Result};
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};
use stage::Sounded;

use super::{BEATS_PER_BAR, turns::Turns};

const TICKS_PER_BEAT: u16 = 960;

/// Writes the take as a MIDI file of format 1: tempo and signature, "Call", "Answer".
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, turns: &Turns, answers: &[Sounded]) -> Result<()> {
    let ticks_per_sample = f64::from(TICKS_PER_BEAT) * turns.tempo / 60.0 / turns.sample_rate;
    let heard = turns.heard();
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    smf.tracks.push(conductor(turns.tempo));
    smf.tracks.push(track(b"Call", &heard, turns.end, ticks_per_sample));
    smf.tracks.push(track(b"Answer", answers, turns.end, ticks_per_sample));
    smf.save(path).with_context(|| format!("cannot write {}", path.display()))
}

fn conductor(tempo: f64) -> Track<'static> {
    let meta = |message| TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(message) };
    vec![
        meta(MetaMessage::Tempo(u24::new((60e6 / tempo).round() as u32))),
        meta(MetaMessage::TimeSignature(BEATS_PER_BAR as u8, 2, 24, 8)),
        meta(MetaMessage::EndOfTrack),
    ]
}

/// A note that was never released ends with the take.
fn track<'a>(name: &'a [u8], notes: &[Sounded], end: u64, ticks_per_sample: f64) -> Track<'a> {
    let tick = |sample: u64| (sample as f64 * ticks_per_sample).round() as u32;
    let mut messages: Vec<(u32, bool, Sounded)> = Vec::new();
    for note in notes {
        let on = tick(note.on);
        messages.push((on, true, *note));
        messages.push((tick(note.off.unwrap_or(end)).max(on + 1), false, *note));
    }
    messages.sort_by_key(|&(tick, is_onset, _)| (tick, is_onset));
    let mut track =
        vec![TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::TrackName(name)) }];
    let mut last = 0;
    for (tick, is_onset, note) in messages {
        let (key, vel) = (u7::new(note.key), u7::new(if is_onset { note.velocity } else { 0 }));
        let message =
            if is_onset { MidiMessage::NoteOn { key, vel } } else { MidiMessage::NoteOff { key, vel } };
        let kind = TrackEventKind::Midi { channel: u4::new(note.channel), message };
        track.push(TrackEvent { delta: u28::new(tick - last), kind });
        last = tick;
    }
    track.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    track
}
