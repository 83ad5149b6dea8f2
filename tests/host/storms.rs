//! What no player and no song would do, live: under RealtimeSanitizer nothing of it may allocate, lock or wait on the
//! audio thread.

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use stage::{Blocks, Event, Host, Kind, Mode, Pace, Part, Performance, Setup, Transport, clap::Chord, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, RATE, TEMPO};

/// Here the player lets go of everything and sets *Bypass*: whatever sounds must end.
const CALM: u64 = 6 * BEAT;
const END: u64 = CALM + BEAT;
const STATES: usize = 200;

/// The setting that ends everything that the plugin plays.
const BYPASS: &str = "Bypass";

fn live(host: &mut dyn Host, score: &[Event], blocks: Blocks) -> Result<Performance> {
    let transport = Transport::playing(TEMPO)
        .then(BEAT, |section| section.cycle = Some((1.0, 2.5)))
        .then(3 * BEAT, |section| (section.playing, section.cycle) = (false, None))
        .then(4 * BEAT, |section| (section.playing, section.beats) = (true, Some(-3.0)))
        .then(5 * BEAT, |section| section.ramp = 40.0);
    let setup = Setup { sample_rate: RATE, largest_block: blocks.largest(), mode: Mode::Realtime };
    let part = Part { score, transport: &transport, until: END, blocks, pace: Pace::RealTime };
    stage::play(host, setup, &part)
}

/// Notes, pedals, controllers, bends and pressure on all channels, so many in all, until [`CALM`].
fn anything(events: usize, chance: &mut Pcg32) -> Vec<Event> {
    let mut score = Vec::new();
    for _ in 0..events {
        let at = chance.random_range(0..CALM);
        let (channel, key) = (chance.random_range(0..16), chance.random_range(0..128));
        let value = chance.random_range(0..128);
        match chance.random_range(0..4) {
            0 | 1 => {
                let velocity = chance.random_range(1..128);
                score.push(Event { at, kind: Kind::NoteOn { channel, key, velocity } });
                let at = chance.random_range(at + 1..=CALM);
                score.push(Event { at, kind: Kind::NoteOff { channel, key } });
            }
            2 => {
                let number = chance.random_range(0..128);
                score.push(Event { at, kind: Kind::Controller { channel, number, value } });
            }
            _ => {
                let status = if chance.random_bool(0.5) { 0xD0 } else { 0xE0 };
                score.push(Event { at, kind: Kind::Message([status | channel, key, value]) });
            }
        }
    }
    score
}

/// So many changes of any parameters, and of *Bypass* none until it is set at [`CALM`].
fn any_settings(host: &mut dyn Host, changes: usize, chance: &mut Pcg32) -> Result<Vec<Event>> {
    let bypass = host.parameter(BYPASS)?.id;
    let parameters: Vec<_> =
        host.parameters()?.into_iter().map(|parameter| parameter.id).filter(|id| *id != bypass).collect();
    let mut score = vec![Event { at: CALM, kind: Kind::Parameter { id: bypass, value: 1.0 } }];
    for _ in 0..changes {
        let id = parameters[chance.random_range(0..parameters.len())];
        let kind = Kind::Parameter { id, value: chance.random_range(0.0..=1.0) };
        score.push(Event { at: chance.random_range(0..CALM), kind });
    }
    Ok(score)
}

fn assert_calm(heard: &Performance, how: &str) {
    assert!(heard.hanging().is_empty(), "{how}: {:?} hang", heard.hanging());
}

#[test]
fn a_storm_of_settings_live_leaves_no_note_hanging() -> Result<()> {
    let mut chance = Pcg32::seed_from_u64(1);
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let mut score = any_settings(&mut host, 4_000, &mut chance)?;
    for beat in 0..6 {
        score.extend(Event::note(beat * BEAT, BEAT / 4, 48 + beat as u8, 80));
    }
    score::sort(&mut score);
    assert_calm(&live(&mut host, &score, Blocks::Random { largest: 1_024, seed: 1 })?, "settings");
    Ok(())
}

#[test]
fn more_events_than_the_lanes_hold_live_leave_no_note_hanging() -> Result<()> {
    let mut chance = Pcg32::seed_from_u64(2);
    let mut host = rig::clap(EFFECT, &[ANSWERS, &[("Thru", "on")]].concat())?;
    let mut score = any_settings(&mut host, 0, &mut chance)?;
    score.extend(anything(5_000, &mut chance));
    score::sort(&mut score);
    assert_calm(&live(&mut host, &score, Blocks::Fixed(65_536))?, "events");
    Ok(())
}

#[test]
fn resets_and_restarts_in_a_storm_leave_no_note_hanging() -> Result<()> {
    let mut chance = Pcg32::seed_from_u64(3);
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let mut score = any_settings(&mut host, 200, &mut chance)?;
    score.extend(anything(300, &mut chance));
    for n in 1..20 {
        let at = CALM * n / 20;
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
