//! A session: a player, a host and a worker that do whatever comes to them, for as long as is asked for.
//!
//! In CI it lasts some minutes of the player's time; `ANTIPHON_SESSION_MINUTES` makes it longer.

mod checks;
mod hands;
mod host;
mod log;
mod plans;
mod player;
mod wishes;
mod worker;

use std::sync::Arc;

use antiphon::{
    lane::{Telemetry, lanes},
    music::time::{SampleRate, Samples},
    performer::{Arrival, Gesture, Partner, Past, Performer, Port, Refused, Settings, Sound, Triggers},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

use self::{
    checks::CHECKS,
    host::Host,
    log::Log,
    player::{Names, Player},
    worker::Worker,
};
use crate::rig::SETTINGS;

pub const RATE: f64 = 48_000.0;
const MINUTES: u64 = 40;
/// So often the player sets something otherwise, on average.
const CHANGE_SECONDS: f64 = 4.0;
/// A session of its own for each of so many minutes.
const MINUTES_A_SESSION: u64 = 10;

/// The stage of one block.
struct Block<'a> {
    log: &'a mut Log,
    gestures: &'a [(u64, Gesture)],
    names: &'a mut Names,
    next: usize,
    begin: u64,
}

impl Port for Block<'_> {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(at, gesture) = self.gestures.get(self.next)?;
        self.next += 1;
        self.log.gesture(at, gesture);
        let id = self.names.of(gesture);
        Some(Arrival { offset: (at - self.begin) as u32, gesture, id, event: () })
    }

    fn pass(&mut self, arrival: Arrival<()>) -> Result<(), Refused> {
        self.log.passed(arrival.gesture);
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        self.log.sound(self.begin + u64::from(offset), sound);
        Ok(())
    }
}

/// Plays for so many samples and writes down all that happens.
fn session(seed: u64, length: u64) -> Log {
    let mut chance = Pcg32::seed_from_u64(seed);
    let (performer_end, improviser_end) = lanes();
    let (relayed_end, worker_end) = lanes();
    let mut worker = Worker::new(improviser_end, relayed_end, worker_end);
    let (mut host, mut player) = (Host::new(seed % 3 != 2), Player::new());
    let mut settings = Settings { seed: seed as u32, ..SETTINGS };
    let telemetry = Arc::new(Telemetry::default());
    let (rate, past) = (SampleRate(RATE), Past::default());
    let partner = Partner::Worker;
    let mut performer = Performer::new(rate, performer_end, partner, telemetry, settings, past);
    let (mut log, mut begin) = (Log::default(), 0);
    // Some hosts name notes, and some tell their position inexactly.
    let mut names = if seed % 2 == 1 { Names::given() } else { Names::default() };
    while begin < length {
        // As many small blocks as large ones.
        let largest = 1 << chance.random_range(0..13);
        let frames = chance.random_range(1..=largest);
        let seconds = frames as f64 / RATE;
        if chance.random_bool(seconds / CHANGE_SECONDS) {
            settings = wishes::change_mind(settings, &mut chance);
        }
        settings.triggers = wishes::press(seconds, &mut chance);
        let transport = host.begin_block(frames, &mut chance);
        log.begin_block(begin, &host, settings);
        let gestures = player.play(begin, frames, &settings.rules, &mut chance);
        let mut block = Block { log: &mut log, gestures: &gestures, names: &mut names, next: 0, begin };
        performer.process(&transport, Samples(frames), settings, &mut block);
        begin += frames;
        worker.work(frames, begin, &mut log, &mut chance);
    }
    // Whatever the host does: what sounds now would sound for ever.
    settings = Settings { triggers: Triggers::NONE, bypass: true, ..settings };
    let transport = host.stop();
    log.begin_block(begin, &host, settings);
    let mut block = Block { log: &mut log, gestures: &[], names: &mut names, next: 0, begin };
    performer.process(&transport, Samples(1), settings, &mut block);
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
    }
    println!(
        "proved: {minutes} minutes: {strikes} strikes heard, {notes} notes of the plugin's, {expected} hand-overs where they were \
         expected, {changes} changes of mind, {panics} panics"
    );
    assert!(notes as u64 > minutes * 20, "{notes} notes are hardly a session");
    assert!(expected > 0 && changes > 0 && panics > 0, "something never happened");
}
