//! A session: a player, a host and a worker that act at random, for as long as is asked for.
//!
//! In CI it lasts some minutes of the player's time; `ANTIPHON_SESSION_MINUTES` makes it longer.

mod expectations;
mod host;
mod instance;
mod log;
mod player;

use std::collections::BTreeMap;

use antiphon::{
    music::{time::Samples, turn::TurnId},
    performer::{Settings, Triggers},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

use self::{
    host::{Block, Host},
    instance::Instance,
    log::{Ended, Log, Sounded},
    player::{Names, Player},
};
use crate::rig::{SETTINGS, sounding_after};

pub const RATE: f64 = 48_000.0;
const MINUTES: u64 = 40;
/// Mean time between two changes of a setting by the player, in seconds.
const CHANGE_SECONDS: f64 = 4.0;
/// Mean time between two activations by the host, in seconds.
const ACTIVATION_SECONDS: f64 = 60.0;
/// Length of one session, in minutes; a longer run is divided into several.
const MINUTES_A_SESSION: u64 = 10;

/// Largest error of an onset, in samples: half a sample each for the onset and for the hand-over from which it
/// is counted, and the rounding of the arithmetic.
const ERROR_SAMPLES: f64 = 1.001;
/// How much later than asked for a hand-over may be, in samples, if the song slows down before it.
const SLOWED: u64 = RATE as u64;
/// Rounding error of the arithmetic of moments, in seconds.
const ROUNDING_SECONDS: f64 = 1e-6;

type Check = fn(&Log) -> Result<(), String>;

/// The laws that must hold in every session, each with its check.
const CHECKS: &[(&str, Check)] = &[
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

/// Plays for `length` samples and logs all that happens.
fn session(seed: u64, length: u64) -> Log {
    let mut rng = Pcg32::seed_from_u64(seed);
    let (mut host, mut player) = (Host::new(seed % 3 != 2), Player::new());
    let mut settings = Settings { seed: seed as u32, ..SETTINGS };
    let mut instance = Instance::new(settings);
    let (mut log, mut begin) = (Log::default(), 0);
    // Some hosts give note ids, and some report their position inexactly.
    let mut names = if seed % 2 == 1 { Names::given() } else { Names::default() };
    while begin < length {
        // As many small blocks as large ones.
        let largest = 1 << rng.random_range(0..13);
        let frames = rng.random_range(1..=largest);
        let seconds = frames as f64 / RATE;
        if rng.random_bool(seconds / CHANGE_SECONDS) {
            settings = player::change_mind(settings, &mut rng);
        }
        if rng.random_bool(seconds / ACTIVATION_SECONDS) {
            instance = instance.activated_anew(settings, &mut log);
        }
        settings.triggers = player::press(seconds, &mut rng);
        let transport = host.begin_block(frames, &mut rng);
        log.begin_block(begin, &host, settings);
        let gestures = player.play(begin, frames, &settings.rules, &mut rng);
        let room = host::room(&mut rng);
        let mut block = Block { log: &mut log, gestures: &gestures, names: &mut names, next: 0, begin, room };
        instance.performer.process(&transport, Samples(frames), settings, &mut block);
        log.end_block();
        begin += frames;
        instance.worker.work(frames, begin, &mut log, &mut rng);
    }
    // The end, whatever the host has done: a note that still sounds now would sound for ever.
    settings = Settings { triggers: Triggers::NONE, bypass: true, ..settings };
    let transport = host.stop();
    log.begin_block(begin, &host, settings);
    let (gestures, names, room) = (&[], &mut names, usize::MAX);
    let mut block = Block { log: &mut log, gestures, names, next: 0, begin, room };
    instance.performer.process(&transport, Samples(1), settings, &mut block);
    log.end_block();
    log
}

#[test]
fn in_a_session_the_plugin_keeps_to_all_that_was_asked_for() {
    let minutes = match std::env::var("ANTIPHON_SESSION_MINUTES") {
        Ok(text) => text.parse().expect("ANTIPHON_SESSION_MINUTES is a whole number of minutes"),
        Err(_) => MINUTES,
    };
    let length = MINUTES_A_SESSION * 60 * RATE as u64;
    let (mut notes, mut strikes, mut expected, mut changes, mut panics) = (0, 0, 0, 0, 0);
    let (mut refusals, mut activations) = (0, 0);
    for seed in 0..minutes.div_ceil(MINUTES_A_SESSION) {
        let log = session(seed, length);
        for (name, check) in CHECKS {
            if let Err(fault) = check(&log) {
                panic!("session {seed}: {name}: {fault}");
            }
        }
        notes += log.notes.len();
        strikes += log.strikes.len();
        expected += log.expected_hand_overs;
        changes += log.changes_of_mind;
        panics += log.panics.len();
        refusals += log.refusals;
        activations += log.activations;
    }
    println!(
        "proved: {minutes} minutes: {strikes} strikes heard, {notes} notes of the plugin's, {expected} hand-overs where they were \
         expected, {changes} changes of mind, {panics} panics, {refusals} ends refused, {activations} new activations"
    );
    assert!(notes as u64 > minutes * 20, "{notes} notes are hardly a session");
    let happened = [expected, changes, panics, refusals, activations];
    assert!(happened.into_iter().all(|times| times > 0), "something never happened");
}

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

/// For the modes in which a strike takes the floor back. A player who has given a cue may play on until the
/// plugin comes in.
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

/// Density is checked in the time of the plans, since the tempo of the song stretches it; and before
/// quantise, which may move a note from one second into the next.
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

/// Checks that no note of an earlier turn sounds after the event that ended it.
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
