//! Laws of releases: every note-on has its note-off, whatever happens, also for the player's notes that pass
//! through.

use anyhow::{Result, ensure};
use test_host::{Blocks, Event, Host, Kind, Mode, Performance, Setup, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, LAST_RELEASE, TEMPO};

const BLOCKS: [Blocks; 2] = [Blocks::Fixed(64), Blocks::Random { largest: 1024, seed: 5 }];
/// A parameter changes at the start of its block, which is this long at most.
const SLACK: u64 = 1024;

/// Plays the call. While its answer sounds, `disturb` changes the score and the transport at that sample.
/// Checks that the notes that sounded then are released within `slack` samples of it. Returns that sample and
/// the whole performance.
fn disturbed(
    host: &mut dyn Host,
    blocks: Blocks,
    slack: Option<u64>,
    disturb: impl Fn(u64, &mut Vec<Event>, Transport) -> Transport,
) -> Result<(u64, Performance)> {
    let transport = Transport::playing(TEMPO);
    let calm = rig::play(host, &rig::call(), &transport, blocks)?.notes();
    let at = rig::within_longest(&calm)?;
    let mut events = rig::call();
    let transport = disturb(at, &mut events, transport);
    score::sort(&mut events);
    let heard = rig::play(host, &events, &transport, blocks)?;
    let sounding: Vec<_> = calm.iter().filter(|note| rig::sounds(note, at)).collect();
    for before in sounding {
        let now = heard.notes().into_iter().find(|note| (note.on, note.key) == (before.on, before.key));
        let off = now.and_then(|note| note.off);
        ensure!(off.is_some(), "{before:?} is not released after sample {at}");
        if let Some(slack) = slack {
            ensure!(
                off.is_some_and(|off| off.abs_diff(at) <= slack),
                "{before:?} ends at {off:?}, not at {at}"
            );
        }
    }
    ensure!(heard.hanging().is_empty(), "{:?} hang after sample {at}", heard.hanging());
    Ok((at, heard))
}

/// [`disturbed`] in both formats and with several partitions into blocks.
fn everywhere(
    slack: Option<u64>,
    disturb: impl Fn(u64, &mut Vec<Event>, Transport) -> Transport,
) -> Result<()> {
    for blocks in BLOCKS {
        for (format, mut host) in rig::both(ANSWERS)? {
            disturbed(&mut *host, blocks, slack, &disturb)
                .map_err(|error| error.context(format!("{format}, {blocks:?}")))?;
        }
    }
    Ok(())
}

#[test]
fn a_stop_releases_every_note() -> Result<()> {
    everywhere(Some(0), |at, _, transport| transport.then(at, |section| section.playing = false))
}

#[test]
fn a_seek_leaves_no_note_hanging() -> Result<()> {
    for target in [-3.0, 0.0, 1.0, 400.0] {
        everywhere(None, |at, _, transport| transport.then(at, |section| section.beats = Some(target)))?;
    }
    Ok(())
}

#[test]
fn a_loop_leaves_no_note_hanging() -> Result<()> {
    for start in [0.0, 3.0] {
        everywhere(None, |at, _, transport| {
            let end = at as f64 / BEAT as f64;
            transport.changed(|section| section.cycle = Some((start, end)))
        })?;
    }
    Ok(())
}

#[test]
fn a_tempo_change_leaves_no_note_hanging() -> Result<()> {
    for tempo in [31.0, 239.0] {
        everywhere(None, |at, _, transport| transport.then(at, |section| section.tempo = tempo))?;
    }
    everywhere(None, |at, _, transport| transport.then(at, |section| section.ramp = 40.0))
}

#[test]
fn a_reset_releases_every_note() -> Result<()> {
    everywhere(Some(0), |at, events, transport| {
        events.push(Event { at, kind: Kind::Reset });
        transport
    })
}

#[test]
fn a_restart_at_another_sample_rate_releases_every_note() -> Result<()> {
    let setup = Setup { sample_rate: 44_100.0, largest_block: 1024, mode: Mode::Offline };
    everywhere(Some(0), |at, events, transport| {
        events.push(Event { at, kind: Kind::Restart(setup) });
        transport
    })
}

#[test]
fn bypass_and_panic_release_every_note() -> Result<()> {
    for name in ["Bypass", "Panic"] {
        for blocks in BLOCKS {
            for (format, mut host) in rig::both(ANSWERS)? {
                let id = host.parameter(name)?.id;
                disturbed(&mut *host, blocks, Some(SLACK), |at, events, transport| {
                    events.push(Event { at, kind: Kind::Parameter { id, value: 1.0 } });
                    transport
                })
                .map_err(|error| error.context(format!("{name}, {format}, {blocks:?}")))?;
            }
        }
    }
    Ok(())
}

#[test]
fn no_change_of_a_parameter_leaves_a_note_hanging() -> Result<()> {
    let names = ["Model", "Memory", "Temperature", "Silence", "Length", "Thru", "Seed", "Variation"];
    let control = ["Focus", "Density", "Register low", "Scale", "Polyphony", "Quantise", "Output channel"];
    let switches = ["Input channel", "Listen", "Re-roll"];
    let turn = ["Mode", "Answer length", "Answer bars", "Trade bars", "Cue", "Alignment"];
    let cues = ["Cue key", "Cue controller"];
    for name in names.into_iter().chain(control).chain(switches).chain(turn).chain(cues) {
        for value in [0.0, 1.0] {
            let mut host = rig::clap(rig::EFFECT, ANSWERS)?;
            let id = host.parameter(name)?.id;
            disturbed(&mut host, Blocks::Fixed(64), None, |at, events, transport| {
                events.push(Event { at, kind: Kind::Parameter { id, value } });
                transport
            })
            .map_err(|error| error.context(format!("{name} {value}")))?;
        }
    }
    Ok(())
}

#[test]
fn a_players_note_takes_the_floor_back_at_its_own_sample() -> Result<()> {
    for blocks in BLOCKS {
        for (format, mut host) in rig::both(ANSWERS)? {
            let (at, heard) = disturbed(&mut *host, blocks, Some(0), |at, events, transport| {
                // This key is held to the end: no pending note may sound later.
                events.push(Event::note_on(at, 50, 64));
                transport
            })
            .map_err(|error| error.context(format!("{format}, {blocks:?}")))?;
            let later: Vec<_> = heard.events.iter().filter(|event| event.at > at).collect();
            assert!(later.is_empty(), "{format}, {blocks:?}: {later:?} after {at}");
        }
    }
    Ok(())
}

#[test]
fn thru_switched_off_under_a_held_key_still_passes_its_release() -> Result<()> {
    for (format, mut host) in rig::both(&[("Silence", "8.0")])? {
        let id = host.parameter("Thru")?.id;
        let mut events = Event::note(1000, 2 * BEAT, 60, 90).to_vec();
        events.push(Event { at: BEAT, kind: Kind::Parameter { id, value: 0.0 } });
        score::sort(&mut events);
        let heard = rig::play(&mut *host, &events, &Transport::playing(TEMPO), Blocks::Fixed(64))?;
        let first = heard.notes()[0];
        assert_eq!((first.key, first.off), (60, Some(1000 + 2 * BEAT)), "{format}");
    }
    Ok(())
}

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
