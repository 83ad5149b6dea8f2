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
    lane::{PerformerEnd, Telemetry, lanes},
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
/// So often the host activates the plugin anew, on average.
const ACTIVATION_SECONDS: f64 = 60.0;
/// A session of its own for each of so many minutes.
const MINUTES_A_SESSION: u64 = 10;

/// The stage of one block.
struct Block<'a> {
    log: &'a mut Log,
    gestures: &'a [(u64, Gesture)],
    names: &'a mut Names,
    next: usize,
    begin: u64,
    /// How many events the host still takes.
    room: usize,
}

impl Block<'_> {
    /// Makes room for one more event, where the host takes it.
    fn take_room(&mut self) -> Result<(), Refused> {
        self.room = self.room.checked_sub(1).ok_or(Refused)?;
        Ok(())
    }
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
        let taken = self.take_room();
        match taken {
            Ok(()) => self.log.passed(arrival.gesture),
            Err(Refused) => self.log.not_passed(arrival.gesture),
        }
        taken
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        let (taken, at) = (self.take_room(), self.begin + u64::from(offset));
        match taken {
            Ok(()) => self.log.sound(at, sound),
            Err(Refused) => self.log.refused(at, sound),
        }
        taken
    }
}

/// An instance: its performer and its worker.
struct Instance {
    performer: Performer,
    worker: Worker,
    telemetry: Arc<Telemetry>,
}

impl Instance {
    fn new(settings: Settings) -> Self {
        let telemetry = Arc::new(Telemetry::default());
        let (performer_end, improviser_end) = lanes();
        let performer = performer(performer_end, &telemetry, settings, Past::default());
        Self { performer, worker: Worker::new(improviser_end), telemetry }
    }

    /// The host stops processing, and begins again.
    fn activated_anew(self, settings: Settings, log: &mut Log) -> Self {
        let Self { performer: left, worker, telemetry } = self;
        let past = left.leave();
        let (performer_end, improviser_end) = lanes();
        let worker = worker.activated_anew(improviser_end, log);
        log.activated_anew();
        let mut performer = performer(performer_end, &telemetry, settings, past);
        performer.reset();
        Self { performer, worker, telemetry }
    }
}

fn performer(end: PerformerEnd, telemetry: &Arc<Telemetry>, settings: Settings, past: Past) -> Performer {
    Performer::new(SampleRate(RATE), end, Partner::Worker, telemetry.clone(), settings, past)
}

/// Plays for so many samples and writes down all that happens.
fn session(seed: u64, length: u64) -> Log {
    let mut chance = Pcg32::seed_from_u64(seed);
    let (mut host, mut player) = (Host::new(seed % 3 != 2), Player::new());
    let mut settings = Settings { seed: seed as u32, ..SETTINGS };
    let mut instance = Instance::new(settings);
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
        if chance.random_bool(seconds / ACTIVATION_SECONDS) {
            instance = instance.activated_anew(settings, &mut log);
        }
        settings.triggers = wishes::press(seconds, &mut chance);
        let transport = host.begin_block(frames, &mut chance);
        log.begin_block(begin, &host, settings);
        let gestures = player.play(begin, frames, &settings.rules, &mut chance);
        let room = host::room(&mut chance);
        let mut block = Block { log: &mut log, gestures: &gestures, names: &mut names, next: 0, begin, room };
        instance.performer.process(&transport, Samples(frames), settings, &mut block);
        log.end_block();
        begin += frames;
        instance.worker.work(frames, begin, &mut log, &mut chance);
    }
    // Whatever the host does: what sounds now would sound for ever.
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
