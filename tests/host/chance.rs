//! The laws under scores and transports that nobody would write: drawn by chance, the same in every run.

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use stage::{Blocks, Event, Host, Kind, Mode, Pace, Part, Performance, Setup, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, RATE, TEMPO};

/// Nothing happens by chance from here on: one key is held, so whatever sounds must end.
const CALM: u64 = 20 * BEAT;
const END: u64 = CALM + BEAT;

/// Short silences, so that answers and calls meet often.
const BUSY: &[(&str, &str)] =
    &[("Model", "classic-25"), ("Thru", "off"), ("Silence", "0.25"), ("Length", "4.0"), ("Seed", "3")];

/// Phrases with rests between them, some of whose keys are struck twice or released twice.
fn played(chance: &mut Pcg32) -> Vec<Event> {
    let mut events = Vec::new();
    let mut at = 0;
    while at < CALM - 4 * BEAT {
        let rest = if chance.random_bool(0.2) { 3 * BEAT } else { BEAT / 2 };
        at += chance.random_range(0..rest);
        let key = chance.random_range(36..84);
        events.extend(Event::note(at, chance.random_range(1..2 * BEAT), key, chance.random_range(1..=127)));
        if chance.random_bool(0.1) {
            let value = chance.random_range(0..=127);
            events.push(Event { at, kind: Kind::Controller { channel: 0, number: 64, value } });
        }
    }
    // The pedal comes up and the last key stays down: the player keeps the floor.
    events.push(Event { at: CALM - 1, kind: Kind::Controller { channel: 0, number: 64, value: 0 } });
    events.push(Event::note_on(CALM, 30, 64));
    score::sort(&mut events);
    events
}

/// Stops, starts, seeks, loops and changes of tempo at samples drawn by chance.
fn travelled(chance: &mut Pcg32) -> Transport {
    let mut transport = Transport::playing(TEMPO);
    let mut at = 0;
    loop {
        at += chance.random_range(1..4 * BEAT);
        if at >= CALM {
            return transport;
        }
        let place = f64::from(chance.random_range(-16..64)) / 4.0;
        let tempo = f64::from(chance.random_range(40..220));
        transport = match chance.random_range(0..5) {
            0 => transport.then(at, |section| section.playing = !section.playing),
            1 => transport.then(at, |section| section.beats = Some(place)),
            2 => transport.then(at, |section| section.tempo = tempo),
            3 => transport.then(at, |section| section.cycle = Some((place, place + 2.25))),
            _ => transport.then(at, |section| (section.playing, section.cycle) = (true, None)),
        };
    }
}

fn play(
    host: &mut dyn Host,
    score: &[Event],
    transport: &Transport,
    blocks: Blocks,
    mode: Mode,
) -> Result<Performance> {
    let setup = Setup { sample_rate: RATE, largest_block: blocks.largest(), mode };
    stage::play(host, setup, &Part { score, transport, until: END, blocks, pace: Pace::Free })
}

#[test]
fn no_score_and_no_transport_leave_a_note_hanging() -> Result<()> {
    for seed in 0..10 {
        let mut chance = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut chance), travelled(&mut chance));
        let blocks = Blocks::Random { largest: 2048, seed };
        let heard = play(&mut rig::clap(EFFECT, BUSY)?, &score, &transport, blocks, Mode::Offline)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
        assert!(heard.events.iter().all(|event| event.at <= CALM), "seed {seed} plays on");
    }
    Ok(())
}

#[test]
fn no_worker_is_so_late_that_a_note_hangs() -> Result<()> {
    for seed in 0..6 {
        let mut chance = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut chance), travelled(&mut chance));
        let blocks = Blocks::Random { largest: 512, seed };
        // A host in real time that does not wait: the worker is late as often as can be.
        let heard = play(&mut rig::clap(EFFECT, BUSY)?, &score, &transport, blocks, Mode::Realtime)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
        assert!(heard.events.iter().all(|event| event.at <= CALM), "seed {seed} plays on");
    }
    Ok(())
}

#[test]
fn every_score_is_answered_alike_in_every_partition() -> Result<()> {
    for seed in 100..105 {
        let mut chance = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut chance), travelled(&mut chance));
        let render = |blocks| play(&mut rig::clap(EFFECT, BUSY)?, &score, &transport, blocks, Mode::Offline);
        let first = render(Blocks::Fixed(64))?;
        assert!(!first.events.is_empty(), "seed {seed}");
        for blocks in [Blocks::Fixed(1021), Blocks::Random { largest: 3000, seed }] {
            rig::assert_alike(&render(blocks)?.events, &first.events, &format!("seed {seed}, {blocks:?}"));
        }
    }
    Ok(())
}

#[test]
fn resets_and_restarts_at_any_sample_leave_no_note_hanging() -> Result<()> {
    for seed in 200..206 {
        let mut chance = Pcg32::seed_from_u64(seed);
        let (mut score, transport) = (played(&mut chance), travelled(&mut chance));
        for _ in 0..6 {
            let sample_rate = if chance.random_bool(0.5) { RATE } else { 44_100.0 };
            let setup = Setup { sample_rate, largest_block: 700, mode: Mode::Offline };
            let kind = if chance.random_bool(0.5) { Kind::Reset } else { Kind::Restart(setup) };
            score.push(Event { at: chance.random_range(0..CALM), kind });
        }
        score::sort(&mut score);
        let blocks = Blocks::Random { largest: 700, seed };
        let heard = play(&mut rig::clap(EFFECT, ANSWERS)?, &score, &transport, blocks, Mode::Offline)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
    }
    Ok(())
}
