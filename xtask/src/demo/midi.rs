//! `take.mid`: call and answer on two tracks.

use std::path::Path;

use anyhow::Result;
use stage::Sounded;

use super::{BEATS_PER_BAR, turns::Turns};
use crate::{
    file,
    score_file::{Mark, Part, Placed, ScoreFile},
};

const TICKS_PER_BEAT: u16 = 960;

/// Writes the take as a MIDI file of format 1: tempo and signature, "Call", "Answer".
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, turns: &Turns, answers: &[Sounded]) -> Result<()> {
    let microseconds_per_quarter = (60e6 / turns.tempo).round() as u32;
    let score = ScoreFile {
        ticks_per_quarter: TICKS_PER_BEAT,
        marks: vec![
            (0, Mark::Tempo { microseconds_per_quarter }),
            (0, Mark::Signature { numerator: BEATS_PER_BAR as u8, denominator: 4 }),
        ],
        parts: vec![part("Call", &turns.heard(), turns), part("Answer", answers, turns)],
    };
    file::replace(&[(path.to_owned(), score.bytes()?)])
}

/// A note that was never released ends with the take.
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

#[cfg(test)]
mod tests {
    use midly::{Format, MetaMessage, Smf, TrackEventKind, num::u24};
    use stage::Event;

    use super::*;
    use crate::demo::{game::Game, turns::Turn};

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
