//! Laws of the performer, for any player, any transport and any partition into blocks.

mod activation;
mod borders;
mod control;
mod duo;
mod event_log;
mod faults;
mod fuzzed;
mod handover;
mod interleaved;
mod interplay;
mod lines;
mod modes;
mod owners;
mod plans;
mod realtime;
mod rig;
mod session;

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    music::{
        note::{Key, Velocity},
        note_tracker::ChannelKey,
        time::{BeatTime, Beats, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::{Length, Rules},
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
    telemetry::Telemetry,
};
use proptest::prelude::*;

use rig::{
    BEAT, Dice, ENTRY, Journey, RATE, SETTINGS, TestHost, held_at, host, journeys, one_call, place, playing,
    render, render_for, scores, sounding_after, transport_at,
};

const TAKE: u64 = 120 * BEAT;

proptest! {
    #[test]
    fn every_note_on_has_its_note_off(score in scores(), journey in journeys()) {
        prop_assert_eq!(sounding_after(&render(&score, &journey, &[512], TAKE)), vec![]);
    }

    #[test]
    fn a_host_that_refuses_events_gets_every_note_off_in_the_end(
        score in scores(),
        journey in journeys(),
        patience in 1..4usize,
    ) {
        let settings = Settings { thru: true, ..SETTINGS };
        let heard = render_for(host(&score, patience), settings, &journey, &[700], TAKE);
        let mut left = std::collections::HashSet::new();
        for (_, sound) in heard {
            match sound {
                Sound::NoteOn(place, _) => left.insert(place.key),
                Sound::NoteOff(place) => left.remove(&place.key),
                Sound::PedalUp { .. } | Sound::Unbend { .. } => false,
            };
        }
        prop_assert!(left.is_empty(), "{left:?} hang");
    }

    #[test]
    fn every_partition_into_blocks_sounds_the_same(
        score in scores(),
        journey in journeys(),
        blocks in prop::collection::vec(1..5_000u64, 1..20),
    ) {
        let whole = render(&score, &journey, &[4_096], TAKE);
        prop_assert_eq!(&render(&score, &journey, &blocks, TAKE), &whole);
        prop_assert_eq!(&render(&score, &journey, &[64], TAKE), &whole);
    }

    #[test]
    fn the_plugin_is_silent_while_a_key_is_held(score in scores(), journey in journeys()) {
        let heard = render(&score, &journey, &[256], TAKE);
        for (at, sound) in heard {
            if let Sound::NoteOn(..) = sound {
                prop_assert_eq!(held_at(&score, at), 0);
            }
        }
    }
}

#[test]
fn the_answer_begins_a_beat_after_the_last_release() {
    let heard = render(&one_call(), &playing(), &[333], 20 * BEAT);
    assert!(matches!(heard.first(), Some((at, Sound::NoteOn(..))) if *at >= 2 * BEAT && *at < 3 * BEAT));
}

#[test]
fn a_strike_releases_the_answer_on_its_own_sample_and_nothing_pending_sounds() {
    let mut score = one_call();
    let strike = 2 * BEAT + 3_001;
    score.push((strike, Gesture::KeyDown(place(62), Velocity::saturating(90))));
    let heard = render(&score, &playing(), &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= strike));
    assert!(heard.iter().any(|(at, sound)| *at == strike && matches!(sound, Sound::NoteOff(_))));
}

#[test]
fn a_stop_releases_everything_on_its_first_sample() {
    let stop = 2 * BEAT + 3_000;
    let heard = render(&one_call(), &vec![(0, Some(0.0)), (stop, None)], &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= stop));
}

#[test]
fn a_dead_worker_silences_nothing_else() {
    let (performer_end, improviser_end) = lanes();
    drop(improviser_end);
    let telemetry = Arc::new(Telemetry::default());
    let settings = Settings { thru: true, ..SETTINGS };
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, Partner::Worker, telemetry.clone(), settings, Past::default());
    let mut host = host(&one_call(), usize::MAX);
    host.end = 20 * BEAT;
    performer.process(&transport_at(&playing(), 0), Samples(host.end), settings, &mut host);
    let played: Vec<u64> = host.heard.iter().map(|(at, _)| *at).collect();
    assert_eq!(played, [0, BEAT], "the player is passed on, and nothing else sounds");
    assert_eq!(telemetry.heard.count(), 1);
}

#[test]
fn all_notes_off_ends_the_answer_and_the_held_keys() {
    let mut score = one_call();
    let panic = 2 * BEAT + 3_001;
    score.push((panic, Gesture::AllOff { channel: Some(0) }));
    let heard = render(&score, &playing(), &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= panic));
    let held = vec![one_call()[0], (BEAT, Gesture::AllOff { channel: Some(0) })];
    assert!(!render(&held, &playing(), &[512], 20 * BEAT).is_empty(), "keys that were let go are a call");
}

#[test]
fn an_answer_goes_to_the_channel_of_its_call() {
    let place = ChannelKey { channel: 5, key: Key::saturating(60) };
    let score =
        vec![(0, Gesture::KeyDown(place, Velocity::saturating(90))), (BEAT, Gesture::KeysUp(place.into()))];
    for (_, sound) in render(&score, &playing(), &[512], 20 * BEAT) {
        let (Sound::NoteOn(place, _) | Sound::NoteOff(place)) = sound else { panic!("only notes") };
        assert_eq!(place.channel, 5);
    }
}

#[test]
fn a_loop_that_is_shorter_than_the_silence_is_answered_all_the_same() {
    let journey: Journey = (0..60).map(|turn| (turn * BEAT / 2, Some(0.0))).collect();
    let heard = render(&one_call(), &journey, &[512], 20 * BEAT);
    assert!(matches!(heard.first(), Some((at, Sound::NoteOn(..))) if (2 * BEAT..3 * BEAT).contains(at)));
}

/// A performer is replaced while its answer sounds: what it leaves behind, and what the next one then plays.
#[test]
fn what_sounds_when_a_performer_leaves_is_released_by_the_next_but_one() {
    let telemetry = Arc::new(Telemetry::default());
    let perform = |past, until: u64, host: &mut TestHost| {
        let (performer_end, improviser_end) = lanes();
        let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
        let rate = SampleRate(RATE);
        let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), SETTINGS, past);
        host.end = host.begin + until;
        if until > 0 {
            performer.process(&transport_at(&playing(), 0), Samples(until), SETTINGS, host);
        }
        host.begin = host.end;
        performer.leave()
    };
    let mut host = host(&one_call(), usize::MAX);
    let past = perform(Past::default(), 2 * BEAT + 100, &mut host);
    assert!(!sounding_after(&host.heard).is_empty());
    let past = perform(past, 0, &mut host);
    perform(past, 1, &mut host);
    assert_eq!(sounding_after(&host.heard), vec![]);
}

/// The beats of the onsets of an answer of 60 beats, in which the tempo changes after four beats.
fn onset_beats(later: f64) -> Vec<f64> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let rules = Rules::Answer { entry: ENTRY, length: Length::Call { longest: Beats(64.0) } };
    let settings = Settings { rules, ..SETTINGS };
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, partner, Arc::default(), settings, Past::default());
    let call = [one_call()[0], (60 * BEAT, Gesture::KeysUp(place(60).into()))];
    let mut host = host(&call, usize::MAX);
    let (mut beat, mut onsets) = (0.0, Vec::new());
    while beat < 130.0 {
        let tempo = if beat < 65.0 { 120.0 } else { later };
        let transport = Transport {
            playing: true,
            tempo: Tempo::new(tempo),
            position: Some(BeatTime(beat)),
            ..Transport::default()
        };
        host.end = host.begin + 400;
        let heard = host.heard.len();
        performer.process(&transport, Samples(400), settings, &mut host);
        let beats_per_sample = tempo / 60.0 / RATE;
        onsets.extend(host.heard[heard..].iter().filter_map(|(at, sound)| {
            let onset = beat + (at - host.begin) as f64 * beats_per_sample;
            matches!(sound, Sound::NoteOn(..)).then_some(onset)
        }));
        host.begin = host.end;
        beat += 400.0 * beats_per_sample;
    }
    onsets
}

#[test]
fn a_long_answer_keeps_its_beats_when_the_tempo_changes() {
    let steady = onset_beats(120.0);
    assert!(steady.len() > 150, "the schedule and the lane cannot hold it all at once");
    for later in [60.0, 200.0] {
        let changed = onset_beats(later);
        assert_eq!(steady.len(), changed.len());
        assert!(steady.iter().zip(&changed).all(|(one, other)| (one - other).abs() < 0.001));
    }
}
