//! Hosts at the borders of what hosts do.

use anyhow::Result;
use stage::{Blocks, Clap, Event, Host, Mode, Pace, Part, Setup, Transport};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, RATE, TEMPO};

const ACTIVATIONS: usize = 1_000;
const INSTANCES: usize = 64;

/// The call at another sample rate, and how many notes of its answer sound; each begins after the last release.
fn answered(rate: f64, blocks: Blocks) -> Result<usize> {
    let scale = |sample: u64| (sample as f64 * rate / RATE) as u64;
    let score: Vec<Event> =
        rig::call().into_iter().map(|event| Event { at: scale(event.at), ..event }).collect();
    let transport = Transport::playing(TEMPO);
    let setup = Setup { sample_rate: rate, largest_block: blocks.largest(), mode: Mode::Offline };
    let part = Part { score: &score, transport: &transport, until: scale(END), blocks, pace: Pace::Free };
    let heard = stage::play(&mut rig::clap(EFFECT, ANSWERS)?, setup, &part)?;
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
        let heard = stage::play(&mut *host, rig::offline(blocks), &part)?;
        assert!(heard.hanging().is_empty(), "{format}: {:?} hang", heard.hanging());
    }
    Ok(())
}
