//! Writes `take.mid`, with call and answer on two tracks, and `take.wav`, with the plugin's own sound and a
//! click on the beats.

use std::{f64::consts::TAU, io::Cursor, path::Path};

use antiphon::plugin::{Exported, InstrumentSlot};
use anyhow::{Context, Result, ensure};
use hound::{SampleFormat, WavSpec, WavWriter};
use test_host::{Blocks, Clap, Event, Host, Mode, Pace, Setup, Sounded, Transport, score};

use super::{BEATS_PER_BAR, turns::Turns};
use crate::{
    file,
    midi_file::{Mark, MidiFile, Part, Placed},
};

const TICKS_PER_BEAT: u16 = 960;
const BLOCKS: Blocks = Blocks::Fixed(512);
/// The frequency in Hz and the level of a click on the downbeat, 1 for full scale.
const DOWNBEAT: (f64, f64) = (1760.0, 0.10);
/// The same on the other beats.
const BEAT: (f64, f64) = (1320.0, 0.06);
/// Time in which a click decays to a third, in seconds; it is over after five times that.
const CLICK_S: f64 = 0.012;

/// Whether the audio has a click on the beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    Off,
    On,
}

/// Writes the take as a MIDI file of format 1: tempo and signature, "Call", "Answer".
///
/// # Errors
/// When the file cannot be written.
pub fn write_midi(path: &Path, turns: &Turns, answers: &[Sounded]) -> Result<()> {
    let microseconds_per_quarter = (60e6 / turns.tempo).round() as u32;
    let score = MidiFile {
        ticks_per_quarter: TICKS_PER_BEAT,
        marks: vec![
            (0, Mark::Tempo { microseconds_per_quarter }),
            (0, Mark::Signature { numerator: BEATS_PER_BAR as u8, denominator: 4 }),
        ],
        parts: vec![part("Call", &turns.heard(), turns), part("Answer", answers, turns)],
    };
    file::replace(&[(path.to_owned(), score.bytes()?)])
}

/// Writes the sound of calls and answers. A fresh plugin of `bundle` plays them; it makes no new answers.
///
/// # Errors
/// When the bundle cannot be loaded, the plugin stays silent, or the file cannot be written.
pub fn write_wav(path: &Path, bundle: &Path, turns: &Turns, answers: &[Event], click: Click) -> Result<()> {
    let mut audio = sound_of_take(Clap::open(bundle, InstrumentSlot::CLAP_ID)?, turns, answers)?;
    let loudest = audio.iter().flatten().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));
    ensure!(loudest > 0.0, "the plugin in {} gives no sound", bundle.display());
    if click == Click::On {
        add_click(&mut audio, turns);
    }
    file::replace(&[(path.to_owned(), wav(&audio, turns.sample_rate)?)])
}

/// A part of the MIDI file. A note that was never released ends with the take.
fn part(name: &str, notes: &[Sounded], turns: &Turns) -> Part {
    let ticks_per_sample = f64::from(TICKS_PER_BEAT) * turns.tempo / 60.0 / turns.sample_rate;
    let tick = |sample: u64| (sample as f64 * ticks_per_sample).round() as u64;
    let placed = |note: &Sounded| Placed {
        channel: note.channel,
        key: note.key,
        velocity: note.velocity,
        on: tick(note.on),
        off: tick(note.off.unwrap_or(turns.end)),
    };
    Part { name: name.to_owned(), program: None, notes: notes.iter().map(placed).collect() }
}

/// Both audio channels of a take.
fn sound_of_take(host: Clap, turns: &Turns, answers: &[Event]) -> Result<Vec<Vec<f32>>> {
    let mut score = [&turns.score, answers].concat();
    score::sort(&mut score);
    let transport = Transport::playing(turns.tempo).then(turns.stop, |section| section.playing = false);
    sound(host, &score, &transport, turns.sample_rate, turns.end)
}

/// Both audio channels of a plugin with a sound of its own, which passes a score through and plays it.
///
/// # Errors
/// When the plugin fails.
pub fn sound(
    mut host: Clap,
    score: &[Event],
    transport: &Transport,
    sample_rate: f64,
    until: u64,
) -> Result<Vec<Vec<f32>>> {
    host.set_text("Bypass", "on")?;
    let part = test_host::Part { score, transport, until, blocks: BLOCKS, pace: Pace::Free };
    let setup = Setup { sample_rate, largest_block: BLOCKS.largest(), mode: Mode::Offline };
    host.record();
    test_host::play(&mut host, setup, &part)?;
    host.deactivate();
    Ok(host.recorded())
}

fn add_click(audio: &mut [Vec<f32>], turns: &Turns) {
    let beat = 60.0 / turns.tempo * turns.sample_rate;
    let beats = (turns.stop as f64 / beat).round() as u32;
    let length = (5.0 * CLICK_S * turns.sample_rate) as usize;
    for number in 0..beats {
        let start = (f64::from(number) * beat).round() as usize;
        let (pitch, loud) = if number % BEATS_PER_BAR == 0 { DOWNBEAT } else { BEAT };
        for side in audio.iter_mut() {
            for (sample, index) in side.iter_mut().skip(start).take(length).zip(0..) {
                let seconds = f64::from(index) / turns.sample_rate;
                *sample += (loud * (-seconds / CLICK_S).exp() * (TAU * pitch * seconds).sin()) as f32;
            }
        }
    }
}

/// A WAV file with 16 bits per sample.
///
/// # Errors
/// When there is no channel.
pub fn wav(audio: &[Vec<f32>], sample_rate: f64) -> Result<Vec<u8>> {
    let spec = WavSpec {
        channels: audio.len() as u16,
        sample_rate: sample_rate as u32,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec)?;
    let frames = audio.first().context("a plugin with sound has channels")?.len();
    for frame in 0..frames {
        for side in audio {
            writer.write_sample((side[frame].clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)?;
        }
    }
    writer.finalize()?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use midly::{Format, MetaMessage, Smf, TrackEventKind, num::u24};

    use super::*;
    use crate::{
        bundle,
        demo::{call::PlayMode, turns::Turn},
        file::tests::Folder,
    };

    /// A call in the first second, and an answer in the third.
    fn turns() -> (Turns, Vec<Event>) {
        let turns = Turns {
            mode: PlayMode::Answer,
            all: vec![Turn {
                start: 0,
                last_release: 24_000,
                player_until: 48_000,
                plugin_from: 48_000,
                end: 192_000,
            }],
            score: Event::note(0, 24_000, 60, 80).to_vec(),
            sample_rate: 48_000.0,
            tempo: 120.0,
            call_bars: 1,
            stop: 192_000,
            end: 240_000,
        };
        (turns, Event::note(96_000, 24_000, 67, 80).to_vec())
    }

    #[test]
    fn call_and_answer_have_a_track_each_and_keep_the_tempo() -> Result<()> {
        let turns = Turns { tempo: 90.0, ..turns().0 };
        let answer = Sounded { channel: 0, key: 64, velocity: 70, on: 48_000, off: Some(72_000) };
        let folder = Folder::new("take");
        write_midi(&folder.join("take.mid"), &turns, &[answer])?;
        let bytes = std::fs::read(folder.join("take.mid"))?;
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

    fn peak(audio: &[Vec<f32>], from: usize, until: usize) -> f32 {
        audio.iter().flat_map(|side| &side[from..until]).fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    #[test]
    fn call_and_answer_are_heard_where_they_were_played_and_nothing_else() -> Result<()> {
        let (turns, answers) = turns();
        let audio = sound_of_take(bundle::linked::<InstrumentSlot>()?, &turns, &answers)?;
        assert_eq!(audio.len(), 2);
        for (from, heard) in [(0, true), (72_000, false), (96_000, true), (180_000, false)] {
            let peak = peak(&audio, from, from + 12_000);
            assert_eq!(peak > 0.01, heard, "{peak} at {from}");
        }
        Ok(())
    }

    #[test]
    fn a_click_stands_on_every_beat_and_is_loudest_on_the_first_of_a_bar() {
        let (turns, _) = turns();
        let mut audio = vec![vec![0.0; 240_000]; 2];
        add_click(&mut audio, &turns);
        let clicks: Vec<f32> = (0..8).map(|beat| peak(&audio, beat * 24_000, (beat + 1) * 24_000)).collect();
        assert!(clicks[0] > clicks[1] && clicks[4] > clicks[5], "{clicks:?}");
        assert!(clicks.iter().all(|peak| *peak > 0.02));
        assert_eq!(peak(&audio, 12_000, 24_000), 0.0, "between the beats");
        assert_eq!(peak(&audio, 192_000, 240_000), 0.0, "when the host has stopped");
    }

    #[test]
    fn the_file_holds_both_sides() -> Result<()> {
        let bytes = wav(&[vec![0.5, -2.0], vec![0.0, 1.0]], 22_050.0)?;
        let mut reader = hound::WavReader::new(Cursor::new(bytes))?;
        assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 22_050));
        let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>()?;
        assert_eq!(samples, [16_384, 0, -i16::MAX, i16::MAX]);
        Ok(())
    }
}
