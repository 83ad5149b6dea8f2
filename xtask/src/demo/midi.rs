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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{game::Game, turns::Turn};
    use stage::Event;

    #[test]
    fn call_and_answer_have_a_track_each_and_keep_the_tempo() -> Result<()> {
        let turns = Turns {
            game: Game::Trade,
            all: vec![Turn {
                start: 0,
                last_release: 24_000,
                player_until: 48_000,
                plugin_from: 48_000,
                end: 96_000,
            }],
            score: Event::note(0, 24_000, 60, 80).to_vec(),
            sample_rate: 48_000.0,
            tempo: 90.0,
            call_bars: 1,
            stop: 96_000,
            end: 192_000,
        };
        let answer = Sounded { channel: 0, key: 64, velocity: 70, on: 48_000, off: Some(72_000) };
        let folder = std::env::temp_dir().join(format!("antiphon-take-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        write(&folder.join("take.mid"), &turns, &[answer])?;
        let bytes = std::fs::read(folder.join("take.mid"))?;
        std::fs::remove_dir_all(&folder)?;
        let smf = Smf::parse(&bytes)?;
        assert_eq!(smf.header.format, Format::Parallel);
        let tempo = TrackEventKind::Meta(MetaMessage::Tempo(u24::new(666_667)));
        assert_eq!(smf.tracks[0][0].kind, tempo);
        for (track, name, on) in [(1, &b"Call"[..], 0), (2, b"Answer", 1_440)] {
            assert_eq!(smf.tracks[track][0].kind, TrackEventKind::Meta(MetaMessage::TrackName(name)));
            assert_eq!(smf.tracks[track][1].delta.as_int(), on);
            assert_eq!(smf.tracks[track][2].delta.as_int(), 720);
        }
        Ok(())
    }
}
