//! What the player plays on its way to the instrument.

use anyhow::Result;
use stage::{Blocks, Event, Kind, Transport, score};

use crate::rig::{self, ANSWERS, LAST_RELEASE, TEMPO};

#[test]
fn with_thru_on_every_event_passes_at_its_own_sample() -> Result<()> {
    let pedal = |at, value| Event { at, kind: Kind::Controller { channel: 0, number: 64, value } };
    let mut played = [Event::note(1000, 5000, 60, 90), Event::note(3001, 2048, 64, 1)].concat();
    played.extend([pedal(2000, 127), pedal(7000, 0)]);
    score::sort(&mut played);
    for (format, mut host) in rig::both(&[("Silence", "8.0")])? {
        let heard = rig::play(&mut *host, &played, &Transport::stopped(TEMPO), Blocks::Fixed(64))?;
        let notes = |events: &[Event]| {
            let is_note = |event: &&Event| !matches!(event.kind, Kind::Controller { .. });
            events.iter().filter(is_note).copied().collect::<Vec<_>>()
        };
        let early: Vec<Event> = heard.events.into_iter().filter(|event| event.at <= 7000).collect();
        assert_eq!(notes(&early), notes(&played), "{format}");
        if format == "CLAP" {
            assert_eq!(early, played, "{format}");
        }
    }
    Ok(())
}

#[test]
fn controllers_bends_pressure_and_expressions_pass_in_the_order_in_which_they_came() -> Result<()> {
    let message = |at, status, first, second| Event { at, kind: Kind::Message([status, first, second]) };
    let controller = |at, number, value| Event { at, kind: Kind::Controller { channel: 2, number, value } };
    let played = [
        message(10, 0xE2, 0x00, 0x50),
        controller(10, 1, 99),
        Event::note_on(10, 60, 90),
        Event { at: 11, kind: Kind::Brightness { channel: 0, key: 60, value: 0.25 } },
        controller(11, 66, 127),
        message(11, 0xD2, 77, 0),
        controller(700, 66, 0),
        message(700, 0xE2, 0x00, 0x40),
        Event::note_off(701, 60),
    ];
    let host = &mut rig::clap(rig::EFFECT, &[("Silence", "8.0")])?;
    let heard = rig::play(host, &played, &Transport::stopped(TEMPO), Blocks::Fixed(64))?;
    let early: Vec<Event> = heard.events.into_iter().filter(|event| event.at <= 701).collect();
    assert_eq!(early, played);
    Ok(())
}

#[test]
fn with_thru_off_only_the_answer_is_heard() -> Result<()> {
    let heard = rig::answer(ANSWERS)?;
    assert!(heard.events.iter().all(|event| event.at > LAST_RELEASE));
    assert!(!heard.events.is_empty());
    Ok(())
}

#[test]
fn the_answer_is_the_same_whether_thru_is_on_or_off() -> Result<()> {
    let answer = rig::answer(ANSWERS)?;
    let with_thru: Vec<(&str, &str)> = ANSWERS
        .iter()
        .map(|&(name, text)| if name == "Thru" { (name, "on") } else { (name, text) })
        .collect();
    let all = rig::answer(&with_thru)?;
    let (call, rest) = all.events.split_at(rig::call().len());
    assert_eq!(call, rig::call());
    assert_eq!(rest, answer.events);
    Ok(())
}
