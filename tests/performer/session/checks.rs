//! What must hold of every session. One law, one line.

use antiphon::music::turn::{Cue, Rules};

use super::log::{Log, Sounded};
use crate::rig::sounding_after;

type Check = fn(&Log) -> Result<(), String>;

pub const CHECKS: &[(&str, Check)] = &[
    ("no note hangs", nothing_hangs),
    ("every note sounds where its plan says", nothing_is_misplaced),
    ("after a strike the answer is silent", strikes_silence_answers),
    ("no key is struck that the player holds", held_keys_are_left_alone),
];

/// Half a sample for the onset and half a sample for the hand-over that it is counted from.
const ERROR_SAMPLES: f64 = 1.0;

fn nothing_hangs(log: &Log) -> Result<(), String> {
    let hanging = sounding_after(&log.sounds);
    if hanging.is_empty() { Ok(()) } else { Err(format!("{hanging:?}")) }
}

fn nothing_is_misplaced(log: &Log) -> Result<(), String> {
    let error = |note: &Sounded| (note.at as f64 - note.expected).abs() - note.uncertain;
    let misplaced = log.notes.iter().find(|note| error(note) > ERROR_SAMPLES);
    misplaced.map_or(Ok(()), |note| {
        Err(format!("{:?} sounds at {} and not at {}", note.turn, note.at, note.expected))
    })
}

/// In the games in which a strike takes the floor back: nothing of an earlier turn sounds after it. Who has given a cue
/// may play on until the plugin comes in.
fn strikes_silence_answers(log: &Log) -> Result<(), String> {
    for strike in &log.strikes {
        let (Rules::Answer { entry, .. } | Rules::Endless { entry }) = strike.rules else { continue };
        let waits_for_silence = matches!(entry.cue, Cue::Silence(_));
        let from = log.notes.partition_point(|note| note.at <= strike.at);
        let taken = |turn| strike.newest_turn.is_some_and(|newest| turn <= newest);
        let late = log.notes[from..]
            .iter()
            .take(200)
            .find(|note| taken(note.turn) && (waits_for_silence || note.handed_over <= strike.at));
        if let Some(note) = late {
            return Err(format!("{:?} sounds at {} after the strike at {}", note.turn, note.at, strike.at));
        }
    }
    Ok(())
}

fn held_keys_are_left_alone(log: &Log) -> Result<(), String> {
    let held = log.notes.iter().find(|note| note.is_held_by_player);
    held.map_or(Ok(()), |note| Err(format!("{:?} at {}", note.turn, note.at)))
}
