//! Laws of activation: a new sample rate or block size changes nothing for the player.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::lanes_of,
    music::{
        note::{Key, Velocity},
        time::{SampleRate, Samples},
        turn::Rules,
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
    telemetry::Telemetry,
};

use crate::{
    plans::Listener,
    rig::{BEAT, RATE, SETTINGS, TestHost, host, place, playing, transport_at},
};

const BLOCK: u64 = 100;
const SECOND_CALL: u64 = 14 * BEAT;

/// A call of four notes, whose answer depends on remembering them, and a second call of one note.
fn score() -> Vec<(u64, Gesture)> {
    let note = |from: u64, key: u8| {
        let velocity = Velocity::saturating(40 + key / 2);
        [
            (from, Gesture::KeyDown(place(key), velocity)),
            (from + BEAT / 3, Gesture::KeysUp(place(key).into())),
        ]
    };
    let first = (0..4).flat_map(|n| note(u64::from(n) * BEAT / 2, 60 + n * 3));
    first.chain(note(SECOND_CALL, 50)).collect()
}

/// A player, and an improviser that keeps up with the performer.
struct Session {
    performer: Performer,
    improviser: Improviser,
    telemetry: Arc<Telemetry>,
}

impl Session {
    fn new() -> Self {
        let telemetry = Arc::new(Telemetry::default());
        let (performer_end, improviser_end) = lanes_of(telemetry.clone());
        let improviser = Improviser::new(improviser_end, &[Arc::new(Listener)]);
        let (rate, past) = (SampleRate(RATE), Past::default());
        let performer =
            Performer::new(rate, performer_end, Partner::Worker, telemetry.clone(), SETTINGS, past);
        Self { performer, improviser, telemetry }
    }

    fn activated_anew(self, rate: f64) -> Self {
        let Self { performer, improviser, telemetry } = self;
        let past = performer.leave();
        let (performer_end, improviser_end) = lanes_of(telemetry.clone());
        let improviser = improviser.resumed(improviser_end);
        let rate = SampleRate(rate);
        let mut performer =
            Performer::new(rate, performer_end, Partner::Worker, telemetry.clone(), SETTINGS, past);
        // A host resets the plugin when it begins to process.
        performer.reset();
        Self { performer, improviser, telemetry }
    }

    fn play(&mut self, host: &mut TestHost, until: u64, block: u64) {
        while host.begin < until {
            host.end = (host.begin + block).min(until);
            let transport = transport_at(&playing(), host.begin);
            self.performer.process(&transport, Samples(host.end - host.begin), SETTINGS, host);
            host.begin = host.end;
            while self.improviser.step() == StepResult::Worked {}
        }
    }
}

fn strikes(host: &TestHost) -> Vec<(u64, Key, Velocity)> {
    let strike = |(at, sound): &(u64, Sound)| match sound {
        Sound::NoteOn(place, velocity) => Some((*at, place.key, *velocity)),
        _ => None,
    };
    host.heard.iter().filter_map(strike).collect()
}

#[test]
fn a_new_activation_between_two_calls_changes_no_answer() {
    assert!(matches!(SETTINGS.rules, Rules::Answer { .. }) && Settings { ..SETTINGS }.varying);
    let mut whole = host(&score(), usize::MAX);
    Session::new().play(&mut whole, 24 * BEAT, BLOCK);
    let second = |host: &TestHost| strikes(host).into_iter().filter(|(at, ..)| *at > SECOND_CALL).count();
    assert!(second(&whole) > 1 && strikes(&whole).len() > second(&whole));
    for times in 1..4u64 {
        let mut cut = host(&score(), usize::MAX);
        let mut session = Session::new();
        for nth in 0..times {
            session.play(&mut cut, (10 + nth) * BEAT, BLOCK);
            session = session.activated_anew(RATE);
        }
        session.play(&mut cut, 24 * BEAT, BLOCK / 2);
        assert_eq!(strikes(&cut), strikes(&whole), "after {times} activations");
    }
}

#[test]
fn what_an_overridden_answer_has_taught_outlives_an_activation() {
    let mut whole = host(&score(), usize::MAX);
    Session::new().play(&mut whole, 8 * BEAT, BLOCK);
    let first = strikes(&whole)[0].0;
    // The second call begins during the first answer, the third during the second.
    let mut calls = score()[..8].to_vec();
    for nth in 0..2 {
        let at = first + BEAT / 4 + nth * 12 * BEAT;
        calls.push((at, Gesture::KeyDown(place(50), Velocity::saturating(80))));
        calls.push((at + BEAT / 4, Gesture::KeysUp(place(50).into())));
    }
    let mut whole = host(&calls, usize::MAX);
    Session::new().play(&mut whole, 30 * BEAT, BLOCK);
    let mut cut = host(&calls, usize::MAX);
    let mut session = Session::new();
    session.play(&mut cut, 10 * BEAT, BLOCK);
    session.activated_anew(RATE).play(&mut cut, 30 * BEAT, BLOCK);
    let last = calls[calls.len() - 2].0;
    let next = |host: &TestHost| strikes(host).into_iter().find(|(at, ..)| *at > last);
    assert!(next(&whole).is_some());
    assert_eq!(next(&cut), next(&whole));
}
