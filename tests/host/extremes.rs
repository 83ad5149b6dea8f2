//! Extreme hosts, random scores and transports, and storms of events. Under RealtimeSanitizer nothing of it may
//! allocate, lock or wait on the audio thread.

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use test_host::{
    Blocks, Clap, Event, Host, Kind, Mode, Pace, Part, Performance, Setup, Transport, clap::Chord, score,
};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, RATE, TEMPO};

const ACTIVATIONS: usize = 1_000;
const INSTANCES: usize = 64;
const WINDOWS: usize = 200;

/// Plays the call at another sample rate, and gives the number of answer notes; each begins after the last
/// release.
fn answered(rate: f64, blocks: Blocks) -> Result<usize> {
    let scale = |sample: u64| (sample as f64 * rate / RATE) as u64;
    let score: Vec<Event> =
        rig::call().into_iter().map(|event| Event { at: scale(event.at), ..event }).collect();
    let transport = Transport::playing(TEMPO);
    let setup = Setup { sample_rate: rate, largest_block: blocks.largest(), mode: Mode::Offline };
    let part = Part { score: &score, transport: &transport, until: scale(END), blocks, pace: Pace::Free };
    let heard = test_host::play(&mut rig::clap(EFFECT, ANSWERS)?, setup, &part)?;
    assert!(heard.hanging().is_empty(), "{rate}, {blocks:?}: {:?} hang", heard.hanging());
    assert!(heard.notes().iter().all(|note| note.on >= scale(LAST_RELEASE)), "{rate}, {blocks:?}");
    Ok(heard.notes().len())
}

#[test]
fn it_answers_at_every_sample_rate_from_8_to_384_khz() -> Result<()> {
    let notes = answered(RATE, Blocks::Fixed(512))?;
    for rate in [8_000.0, 11_025.0, 22_050.0, 88_200.0, 192_000.0, 384_000.0] {
        assert_eq!(answered(rate, Blocks::Fixed(512))?, notes, "{rate}");
    }
    Ok(())
}

#[test]
fn it_answers_in_blocks_of_65536_samples_at_the_lowest_and_the_highest_rate() -> Result<()> {
    for rate in [8_000.0, 384_000.0] {
        assert_eq!(answered(rate, Blocks::Fixed(65_536))?, answered(rate, Blocks::Fixed(16))?, "{rate}");
    }
    Ok(())
}

#[test]
fn a_thousand_activations_later_it_answers_as_at_first() -> Result<()> {
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let answer = |host: &mut Clap| {
        rig::play(host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))
            .map(|heard| heard.events)
    };
    let first = answer(&mut host)?;
    for n in 0..ACTIVATIONS {
        let mode = if n % 2 == 0 { Mode::Realtime } else { Mode::Offline };
        host.activate(Setup { sample_rate: 8_000.0 + n as f64, largest_block: 1 + n as u32, mode })?;
        if n % 3 == 0 {
            host.reset()?;
        }
        if n % 5 == 0 {
            host.deactivate();
        }
    }
    assert_eq!(answer(&mut host)?, first);
    println!("proved: {ACTIVATIONS} activations");
    Ok(())
}

#[test]
fn sixty_four_instances_live_side_by_side_and_each_answers_as_if_alone() -> Result<()> {
    let alone = rig::answer(ANSWERS)?.events;
    let mut hosts = Vec::new();
    for _ in 0..INSTANCES {
        let mut host = rig::clap(EFFECT, ANSWERS)?;
        host.activate(Setup { sample_rate: RATE, largest_block: 512, mode: Mode::Realtime })?;
        hosts.push(host);
    }
    for index in [0, INSTANCES / 2, INSTANCES - 1] {
        let host = &mut hosts[index];
        let heard = rig::play(host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert_eq!(heard.events, alone, "instance {index}");
    }
    Ok(())
}

#[test]
fn a_clock_that_jumps_every_block_leaves_no_note_hanging() -> Result<()> {
    let mut transport = Transport::playing(TEMPO);
    for block in 1..400 {
        let beats = [-9e8, 9e8, 0.0, 0.3, 3.999, -0.001][block as usize % 6] + block as f64 / 7.0;
        let tempo = [1.0, 20.0, 120.0, 999.0][block as usize % 4];
        transport =
            transport.then(block * 500, |section| (section.beats, section.tempo) = (Some(beats), tempo));
    }
    let calm = 400 * 500;
    let transport = transport.then(calm, |section| section.playing = false);
    for (format, mut host) in rig::both(&[ANSWERS, &[("Silence", "0.25")]].concat())? {
        let mut score = Vec::new();
        for n in 0..16 {
            score.extend(Event::note(n * BEAT / 2, BEAT / 8, 50 + n as u8, 90));
        }
        let blocks = Blocks::Fixed(333);
        let part =
            Part { score: &score, transport: &transport, until: calm + BEAT / 8, blocks, pace: Pace::Free };
        let heard = test_host::play(&mut *host, rig::offline(blocks), &part)?;
        assert!(heard.hanging().is_empty(), "{format}: {:?} hang", heard.hanging());
    }
    Ok(())
}

/// The sample at which the random events end. From here on one key is held, so every sounding note must end.
const LAST_CHANCE: u64 = 20 * BEAT;
const CHANCE_END: u64 = LAST_CHANCE + BEAT;

/// Settings with short silences, so that answers and calls often overlap.
const BUSY: &[(&str, &str)] =
    &[("Model", "classic-25"), ("Thru", "off"), ("Silence", "0.25"), ("Length", "4.0"), ("Seed", "3")];

/// Random phrases with rests between them. Some keys are struck twice or released twice.
fn played(rng: &mut Pcg32) -> Vec<Event> {
    let mut events = Vec::new();
    let mut at = 0;
    while at < LAST_CHANCE - 4 * BEAT {
        let rest = if rng.random_bool(0.2) { 3 * BEAT } else { BEAT / 2 };
        at += rng.random_range(0..rest);
        let key = rng.random_range(36..84);
        events.extend(Event::note(at, rng.random_range(1..2 * BEAT), key, rng.random_range(1..=127)));
        if rng.random_bool(0.1) {
            let value = rng.random_range(0..=127);
            events.push(Event { at, kind: Kind::Controller { channel: 0, number: 64, value } });
        }
    }
    // The pedal is released and the last key stays down: the player keeps the floor.
    events.push(Event { at: LAST_CHANCE - 1, kind: Kind::Controller { channel: 0, number: 64, value: 0 } });
    events.push(Event::note_on(LAST_CHANCE, 30, 64));
    score::sort(&mut events);
    events
}

/// A transport with stops, starts, seeks, loops and changes of tempo at random samples.
fn travelled(rng: &mut Pcg32) -> Transport {
    let mut transport = Transport::playing(TEMPO);
    let mut at = 0;
    loop {
        at += rng.random_range(1..4 * BEAT);
        if at >= LAST_CHANCE {
            return transport;
        }
        let place = f64::from(rng.random_range(-16..64)) / 4.0;
        let tempo = f64::from(rng.random_range(40..220));
        transport = match rng.random_range(0..5) {
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
    test_host::play(host, setup, &Part { score, transport, until: CHANCE_END, blocks, pace: Pace::Free })
}

#[test]
fn no_score_and_no_transport_leave_a_note_hanging() -> Result<()> {
    for seed in 0..10 {
        let mut rng = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut rng), travelled(&mut rng));
        let blocks = Blocks::Random { largest: 2048, seed };
        let heard = play(&mut rig::clap(EFFECT, BUSY)?, &score, &transport, blocks, Mode::Offline)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
        assert!(heard.events.iter().all(|event| event.at <= LAST_CHANCE), "seed {seed} plays on");
    }
    Ok(())
}

#[test]
fn no_worker_is_so_late_that_a_note_hangs() -> Result<()> {
    for seed in 0..6 {
        let mut rng = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut rng), travelled(&mut rng));
        let blocks = Blocks::Random { largest: 512, seed };
        // A host in real-time mode that does not wait between blocks: the worker is late as often as possible.
        let heard = play(&mut rig::clap(EFFECT, BUSY)?, &score, &transport, blocks, Mode::Realtime)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
        assert!(heard.events.iter().all(|event| event.at <= LAST_CHANCE), "seed {seed} plays on");
    }
    Ok(())
}

#[test]
fn every_score_is_answered_alike_in_every_partition() -> Result<()> {
    for seed in 100..105 {
        let mut rng = Pcg32::seed_from_u64(seed);
        let (score, transport) = (played(&mut rng), travelled(&mut rng));
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
        let mut rng = Pcg32::seed_from_u64(seed);
        let (mut score, transport) = (played(&mut rng), travelled(&mut rng));
        for _ in 0..6 {
            let sample_rate = if rng.random_bool(0.5) { RATE } else { 44_100.0 };
            let setup = Setup { sample_rate, largest_block: 700, mode: Mode::Offline };
            let kind = if rng.random_bool(0.5) { Kind::Reset } else { Kind::Restart(setup) };
            score.push(Event { at: rng.random_range(0..LAST_CHANCE), kind });
        }
        score::sort(&mut score);
        let blocks = Blocks::Random { largest: 700, seed };
        let heard = play(&mut rig::clap(EFFECT, ANSWERS)?, &score, &transport, blocks, Mode::Offline)?;
        assert!(heard.hanging().is_empty(), "seed {seed}: {:?}", heard.hanging());
    }
    Ok(())
}

/// The sample at which the player releases everything and sets *Bypass*: every sounding note must end.
const STORM: u64 = 6 * BEAT;
const STORM_END: u64 = STORM + BEAT;
const STATES: usize = 200;

/// The parameter that ends everything that the plugin plays.
const BYPASS: &str = "Bypass";

fn live(host: &mut dyn Host, score: &[Event], blocks: Blocks) -> Result<Performance> {
    let transport = Transport::playing(TEMPO)
        .then(BEAT, |section| section.cycle = Some((1.0, 2.5)))
        .then(3 * BEAT, |section| (section.playing, section.cycle) = (false, None))
        .then(4 * BEAT, |section| (section.playing, section.beats) = (true, Some(-3.0)))
        .then(5 * BEAT, |section| section.ramp = 40.0);
    let setup = Setup { sample_rate: RATE, largest_block: blocks.largest(), mode: Mode::Realtime };
    let part = Part { score, transport: &transport, until: STORM_END, blocks, pace: Pace::RealTime };
    test_host::play(host, setup, &part)
}

/// `events` random notes, pedals, controllers, bends and pressures on all channels, until [`STORM`].
fn anything(events: usize, rng: &mut Pcg32) -> Vec<Event> {
    let mut score = Vec::new();
    for _ in 0..events {
        let at = rng.random_range(0..STORM);
        let (channel, key) = (rng.random_range(0..16), rng.random_range(0..128));
        let value = rng.random_range(0..128);
        match rng.random_range(0..4) {
            0 | 1 => {
                let velocity = rng.random_range(1..128);
                score.push(Event { at, kind: Kind::NoteOn { channel, key, velocity } });
                let at = rng.random_range(at + 1..=STORM);
                score.push(Event { at, kind: Kind::NoteOff { channel, key } });
            }
            2 => {
                let number = rng.random_range(0..128);
                score.push(Event { at, kind: Kind::Controller { channel, number, value } });
            }
            _ => {
                let status = if rng.random_bool(0.5) { 0xD0 } else { 0xE0 };
                score.push(Event { at, kind: Kind::Message([status | channel, key, value]) });
            }
        }
    }
    score
}

/// `changes` random changes of parameters. *Bypass* is not changed until it is set at [`STORM`].
fn any_settings(host: &mut dyn Host, changes: usize, rng: &mut Pcg32) -> Result<Vec<Event>> {
    let bypass = host.parameter(BYPASS)?.id;
    let parameters: Vec<_> =
        host.parameters()?.into_iter().map(|parameter| parameter.id).filter(|id| *id != bypass).collect();
    let mut score = vec![Event { at: STORM, kind: Kind::Parameter { id: bypass, value: 1.0 } }];
    for _ in 0..changes {
        let id = parameters[rng.random_range(0..parameters.len())];
        let kind = Kind::Parameter { id, value: rng.random_range(0.0..=1.0) };
        score.push(Event { at: rng.random_range(0..STORM), kind });
    }
    Ok(score)
}

fn assert_calm(heard: &Performance, how: &str) {
    assert!(heard.hanging().is_empty(), "{how}: {:?} hang", heard.hanging());
}

#[test]
fn a_storm_of_settings_live_leaves_no_note_hanging() -> Result<()> {
    let mut rng = Pcg32::seed_from_u64(1);
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let mut score = any_settings(&mut host, 4_000, &mut rng)?;
    for beat in 0..6 {
        score.extend(Event::note(beat * BEAT, BEAT / 4, 48 + beat as u8, 80));
    }
    score::sort(&mut score);
    assert_calm(&live(&mut host, &score, Blocks::Random { largest: 1_024, seed: 1 })?, "settings");
    Ok(())
}

#[test]
fn more_events_than_the_lanes_hold_live_leave_no_note_hanging() -> Result<()> {
    let mut rng = Pcg32::seed_from_u64(2);
    let mut host = rig::clap(EFFECT, &[ANSWERS, &[("Thru", "on")]].concat())?;
    let mut score = any_settings(&mut host, 0, &mut rng)?;
    score.extend(anything(5_000, &mut rng));
    score::sort(&mut score);
    assert_calm(&live(&mut host, &score, Blocks::Fixed(65_536))?, "events");
    Ok(())
}

#[test]
fn resets_and_restarts_in_a_storm_leave_no_note_hanging() -> Result<()> {
    let mut rng = Pcg32::seed_from_u64(3);
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let mut score = any_settings(&mut host, 200, &mut rng)?;
    score.extend(anything(300, &mut rng));
    for n in 1..20 {
        let at = STORM * n / 20;
        let setup = Setup {
            sample_rate: if n % 2 == 0 { RATE } else { 44_100.0 },
            largest_block: 256,
            mode: if n % 3 == 0 { Mode::Offline } else { Mode::Realtime },
        };
        score.push(Event { at, kind: if n % 2 == 0 { Kind::Reset } else { Kind::Restart(setup) } });
    }
    score::sort(&mut score);
    assert_calm(&live(&mut host, &score, Blocks::Fixed(128))?, "restarts");
    Ok(())
}

#[test]
fn states_may_be_loaded_and_saved_while_the_audio_thread_plays() -> Result<()> {
    let states = [&[][..], ANSWERS, &[("Mode", "Together"), ("Seed", "9"), ("Scale", "Blues")]]
        .map(|settings| rig::clap(EFFECT, settings).and_then(|mut host| host.save()));
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    host.activate(Setup { sample_rate: RATE, largest_block: 64, mode: Mode::Realtime })?;
    let events: Vec<Event> = Event::note(3, 40, 60, 90).into();
    let mut last = Vec::new();
    let blocks = host.play_meanwhile(Chord { events: &events, block: 64, sample_rate: RATE }, |host| {
        for state in states.iter().cycle().take(STATES) {
            let state = state.as_ref().expect("a state is saved");
            host.load(state)?;
            last = host.save()?;
            assert_eq!(&last, state, "what was loaded is what is saved");
            assert!(host.load(&state[..state.len() / 2]).is_err(), "half a state is none");
        }
        Ok(())
    })?;
    assert!(blocks > 0 && !last.is_empty());
    println!("proved: {STATES} states loaded and saved while {blocks} blocks were played");
    Ok(())
}

#[test]
fn a_clap_window_may_be_made_and_closed_at_any_moment_while_the_host_automates() -> Result<()> {
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    host.activate(Setup { sample_rate: RATE, largest_block: 64, mode: Mode::Realtime })?;
    let ids = host.parameters()?.into_iter().map(|parameter| parameter.id);
    let moves =
        ids.flat_map(|id| [(0, 0.2), (32, 0.8)].map(|(at, value)| (at, Kind::Parameter { id, value })));
    let mut events: Vec<Event> = moves.map(|(at, kind)| Event { at, kind }).collect();
    events.extend(Event::note(3, 40, 60, 90));
    score::sort(&mut events);
    let mut made = 0;
    let blocks = host.play_meanwhile(Chord { events: &events, block: 64, sample_rate: RATE }, |host| {
        for _ in 0..WINDOWS {
            // Without a display the plugin refuses to make a window.
            if host.make_window(1.0).is_ok() {
                host.close_window()?;
                made += 1;
            }
        }
        Ok(())
    })?;
    assert!(blocks > 0);
    println!("proved: {made} of {WINDOWS} windows made and closed while {blocks} blocks were automated");
    Ok(())
}
