//! What must hold of every session. One law, one line.

use std::collections::BTreeMap;

use antiphon::music::turn::TurnId;

use super::{
    RATE,
    log::{Ended, Log, Sounded},
};
use crate::rig::sounding_after;

type Check = fn(&Log) -> Result<(), String>;

pub const CHECKS: &[(&str, Check)] = &[
    ("no note hangs", nothing_hangs),
    ("an end that the host did not take goes out as soon as the host takes it", |log| never(log.unpaid)),
    ("every note sounds where its plan says", nothing_is_misplaced),
    ("a grid at full strength has every note on its lines", nothing_is_off_the_grid),
    ("after a strike the answer is silent", strikes_silence_answers),
    ("panic leaves nothing sounding", panic_silences_all),
    ("no key is struck that the player holds", held_keys_are_left_alone),
    ("every note is in the register and the scale of its moment", |log| none(log, |note| !note.is_in_scale)),
    ("every note is on the channel of its moment", |log| none(log, |note| !note.is_on_channel)),
    ("a plugin that is bypassed plays nothing", |log| none(log, |note| note.is_bypassed)),
    ("no more notes sound than there are voices", voices_are_enough),
    ("an answer is no denser than asked for", density_is_held),
    ("nothing is heard while Listen is off", nothing_is_overheard),
];

/// Half a sample for the onset and half a sample for the hand-over that it is counted from, and what the arithmetic takes.
const ERROR_SAMPLES: f64 = 1.001;
/// A hand-over may be so much later than it was asked for, where the song slows down before it.
const SLOWED: u64 = RATE as u64;
/// Of the arithmetic of moments.
const ROUNDING_SECONDS: f64 = 1e-6;

fn nothing_hangs(log: &Log) -> Result<(), String> {
    let hanging = sounding_after(&log.sounds);
    if hanging.is_empty() { Ok(()) } else { Err(format!("{hanging:?}")) }
}

fn nothing_is_misplaced(log: &Log) -> Result<(), String> {
    let error = |note: &Sounded| (note.at as f64 - note.expected).abs() - note.uncertain;
    none(log, |note| error(note) > ERROR_SAMPLES)
}

fn nothing_is_off_the_grid(log: &Log) -> Result<(), String> {
    none(log, |note| note.off_grid.is_some_and(|off| off > ERROR_SAMPLES))
}

/// In the games in which a strike takes the floor back. Who has given a cue may play on until the plugin comes in.
fn strikes_silence_answers(log: &Log) -> Result<(), String> {
    let plays =
        |strike: &Ended, note: &Sounded| note.waited_for_silence || note.handed_over + SLOWED <= strike.at;
    log.strikes.iter().filter(|strike| strike.ends_the_turn).try_for_each(|strike| ends(log, strike, plays))
}

fn panic_silences_all(log: &Log) -> Result<(), String> {
    never(log.survived_panic)?;
    log.panics.iter().try_for_each(|panic| ends(log, panic, |_, _| true))
}

fn held_keys_are_left_alone(log: &Log) -> Result<(), String> {
    none(log, |note| note.is_held_by_player)
}

fn voices_are_enough(log: &Log) -> Result<(), String> {
    never(log.crowded)?;
    none(log, |note| note.sounding > note.voices)
}

/// In the time of the plans, which the tempo of the song stretches, and before quantise, which may move a note of one
/// second into the next.
fn density_is_held(log: &Log) -> Result<(), String> {
    let mut answers: BTreeMap<TurnId, Vec<&Sounded>> = BTreeMap::new();
    for note in &log.notes {
        let before = answers.entry(note.answer).or_default();
        if note.is_quantised {
            before.clear();
            continue;
        }
        let first = note.density.and_then(|crowd| before.len().checked_sub(crowd.onsets).map(|n| (crowd, n)));
        if let Some((crowd, first)) = first {
            let first = before[first];
            let is_of_one_plan = first.handed_over == note.handed_over;
            let since = if is_of_one_plan { first.onset } else { first.counts_as };
            let passed = note.onset.0 - since.0;
            if passed < f64::from(crowd.span.0) - ROUNDING_SECONDS {
                return Err(format!("{crowd:?} in {passed} s: {}", told(note)));
            }
        }
        before.push(note);
    }
    Ok(())
}

fn nothing_is_overheard(log: &Log) -> Result<(), String> {
    never(log.overheard)
}

/// Nothing of an earlier turn sounds after what ends it.
fn ends(log: &Log, ended: &Ended, plays: impl Fn(&Ended, &Sounded) -> bool) -> Result<(), String> {
    let from = log.notes.partition_point(|note| note.at <= ended.at);
    let is_over = |turn| ended.newest_turn.is_some_and(|newest| turn <= newest);
    let after = log.notes[from..].iter().take(200);
    let late = after.into_iter().find(|note| is_over(note.turn) && plays(ended, note));
    late.map_or(Ok(()), |note| Err(format!("{} after the end at {}", told(note), ended.at)))
}

fn none(log: &Log, is_wrong: impl Fn(&Sounded) -> bool) -> Result<(), String> {
    log.notes.iter().find(|note| is_wrong(note)).map_or(Ok(()), |note| Err(told(note)))
}

fn never(at: Option<u64>) -> Result<(), String> {
    at.map_or(Ok(()), |at| Err(format!("at {at}")))
}

fn told(note: &Sounded) -> String {
    format!("{:?} sounds at {}, planned for {:.1} ± {:.1}", note.turn, note.at, note.expected, note.uncertain)
}
