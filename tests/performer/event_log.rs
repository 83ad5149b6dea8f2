//! Laws of the event log: the take is what was played, and the plans that are shown come true.

use std::sync::Arc;

use antiphon::{
    event_log::{Event, Record, event_log},
    improviser::Improviser,
    lane::lanes,
    music::{
        note::{Key, Velocity},
        note_tracker::ChannelKey,
        time::{SampleRate, SampleTime, Samples},
        turn::Standing,
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound, Triggers},
    take::{Notes, Take},
};
use proptest::prelude::*;

use crate::{
    control::strikes,
    rig::{BEAT, Dice, Journey, RATE, SETTINGS, host, journeys, one_call, playing, scores, transport_at},
};

const TAKE: u64 = 120 * BEAT;
const BLOCK: u64 = 500;

/// The records of the event log, and the output.
pub fn render(
    score: &[(u64, Gesture)],
    journey: &Journey,
    settings: impl Fn(u64) -> Settings,
) -> (Vec<Record>, Vec<(u64, Sound)>) {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let (rate, past) = (SampleRate(RATE), Past::default());
    let (lane, mut reader) = event_log();
    let mut performer =
        Performer::new(rate, performer_end, partner, Arc::default(), settings(0), past).logged_to(lane);
    let mut host = host(score, usize::MAX);
    let mut records = Vec::new();
    while host.begin < TAKE {
        let turn = journey.iter().map(|(at, _)| *at).find(|at| *at > host.begin).unwrap_or(u64::MAX);
        host.end = (host.begin + BLOCK).min(turn);
        let transport = transport_at(journey, host.begin);
        let length = Samples(host.end - host.begin);
        performer.process(&transport, length, settings(host.begin), &mut host);
        host.begin = host.end;
        records.extend(std::iter::from_fn(|| reader.pop().ok()));
    }
    (records, host.heard)
}

fn take(records: &[Record]) -> Take {
    let mut take = Take::new(SampleRate(1.0));
    records.iter().for_each(|record| take.record(*record));
    take
}

type Note = (u64, Option<u64>, ChannelKey, Velocity);

fn notes(notes: &Notes) -> Vec<Note> {
    notes.iter().map(|note| (note.onset.0, note.end.map(|end| end.0), note.place, note.velocity)).collect()
}

/// Notes from strikes and releases in the order of time, each with its channel and key. A strike ends the
/// note before it on its key. A release ends one note where every strike has its own release.
fn paired(events: impl Iterator<Item = (u64, ChannelKey, Option<Velocity>)>) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let mut down: Vec<ChannelKey> = Vec::new();
    for (at, place, struck) in events {
        match struck {
            Some(_) => down.push(place),
            None => {
                down.iter().position(|other| *other == place).map(|index| down.remove(index));
            }
        }
        let ends = struck.is_some() || !down.contains(&place);
        let open = notes.iter_mut().find(|(_, end, other, _)| ends && end.is_none() && *other == place);
        if let Some((_, end, ..)) = open {
            *end = Some(at);
        }
        notes.extend(struck.map(|velocity| (at, None, place, velocity)));
    }
    notes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn the_take_is_what_the_player_played_and_what_the_instrument_heard(
        score in scores(),
        journey in journeys(),
    ) {
        let (records, heard) = render(&score, &journey, |_| SETTINGS);
        let take = take(&records);
        let sounds = heard.iter().filter_map(|&(at, sound)| match sound {
            Sound::NoteOn(place, velocity) => Some((at, place, Some(velocity))),
            Sound::NoteOff(place) => Some((at, place, None)),
            Sound::PedalUp { .. } | Sound::Unbend { .. } => None,
        });
        prop_assert_eq!(notes(take.answer()), paired(sounds));
        let played = score.iter().filter(|(at, _)| *at < TAKE).filter_map(|&(at, gesture)| match gesture {
            Gesture::KeyDown(place, velocity) => Some((at, place, Some(velocity))),
            Gesture::KeysUp(places) => {
                Some((at, ChannelKey { channel: places.channel?, key: places.key? }, None))
            }
            _ => None,
        });
        prop_assert_eq!(notes(take.call()), paired(played));
    }

    #[test]
    fn whatever_sounds_was_planned_before_and_nothing_stays_planned(score in scores(), journey in journeys()) {
        let (records, _) = render(&score, &journey, |_| SETTINGS);
        let mut planned: Vec<(SampleTime, Key)> = Vec::new();
        for Record { event, .. } in records {
            match event {
                Event::Planned(ghost) => planned.push((ghost.onset, ghost.key)),
                Event::Sounded(ChannelKey { key, .. }, _) | Event::Skipped(key) => {
                    let place = planned.iter().position(|(_, other)| *other == key);
                    prop_assert!(place.is_some(), "{key:?} was never planned");
                    planned.remove(place.unwrap_or(0));
                }
                Event::Dropped { from } => planned.retain(|(onset, _)| *onset < from),
                _ => {}
            }
        }
        prop_assert_eq!(planned, vec![]);
    }

    #[test]
    fn the_take_knows_the_hosts_beat_at_every_point(journey in journeys()) {
        let (records, _) = render(&one_call(), &journey, |_| SETTINGS);
        let take = take(&records);
        for at in (0..TAKE).step_by(333) {
            let told = take.song().beat(SampleTime(at)).map(|beat| beat.0);
            let host = transport_at(&journey, at).position.map(|beat| beat.0);
            let apart = told.zip(host).map(|(told, host)| (told - host).abs());
            prop_assert!(told.is_some() == host.is_some() && apart.unwrap_or(0.0) < 1e-3, "{told:?} {host:?}");
        }
    }
}

#[test]
fn the_plugin_takes_the_floor_when_it_was_said_to() {
    let (records, heard) = render(&one_call(), &playing(), |_| SETTINGS);
    let floors: Vec<(SampleTime, Standing)> = records
        .iter()
        .filter_map(|record| match record.event {
            Event::Floor(floor) => Some((record.at, floor)),
            _ => None,
        })
        .collect();
    assert_eq!(floors[0].1, Standing::Player { hand_over: None });
    let (since, promised) = (SampleTime(BEAT), SampleTime(2 * BEAT));
    assert_eq!(floors[1], (since, Standing::Silence { since, hand_over: Some(promised) }));
    let (taken, Standing::Plugin { until: Some(_) }) = floors[2] else { panic!("{floors:?}") };
    assert_eq!(taken, promised);
    assert!(strikes(&heard)[0].0 >= taken.0);
    assert!(matches!(floors[3].1, Standing::Player { .. }) && floors.len() == 4);
}

#[test]
fn the_last_answer_is_all_that_sounded_since_the_player_had_the_floor() {
    let later = 40 * BEAT;
    let again = one_call().into_iter().map(|(at, gesture)| (at + later, gesture));
    let score: Vec<_> = one_call().into_iter().chain(again).collect();
    let (records, heard) = render(&score, &playing(), |_| SETTINGS);
    let last = take(&records).last_answer().expect("an answer");
    let second: Vec<u64> = strikes(&heard).iter().map(|(at, ..)| *at).filter(|at| *at > later).collect();
    assert!(!second.is_empty() && second.len() < strikes(&heard).len());
    assert_eq!(last.answer().iter().map(|note| note.onset.0).collect::<Vec<_>>(), second);
    assert!(last.call().is_empty());
}

#[test]
fn panic_leaves_no_key_of_the_take_held_and_nothing_planned() {
    let triggers = Triggers { panic: true, ..Triggers::NONE };
    let settings = |at| if at == 3 * BEAT { Settings { triggers, ..SETTINGS } } else { SETTINGS };
    let held = [one_call(), vec![(3 * BEAT - 100, one_call()[0].1)]].concat();
    for score in [one_call(), held] {
        let (records, _) = render(&score, &playing(), settings);
        let before: Vec<_> = records.into_iter().filter(|record| record.at.0 <= 3 * BEAT).collect();
        let take = take(&before);
        assert_eq!((take.call().held().count(), take.answer().held().count()), (0, 0));
        assert!(take.planned().is_empty());
    }
}
