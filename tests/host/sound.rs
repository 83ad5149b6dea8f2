//! Laws of the plugin's own sound, in the instrument slot.

use anyhow::{Context, Result};
use test_host::{Blocks, Clap, Event, Host, Kind, Mode, Pace, Part, Setup, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, RATE, SLOT, TEMPO};

/// Level above which a sample counts as audible, 1 for full scale.
const HEARD: f32 = 0.01;

/// The loudest sample of both channels from `from` until `until`.
fn peak(audio: &[Vec<f32>], from: u64, until: u64) -> f32 {
    let within = audio.iter().flat_map(|side| &side[from as usize..until as usize]);
    within.fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// The audio of the call and its answer, and the sample at which the answer's first note begins.
fn recorded(settings: &[(&str, &str)], blocks: Blocks) -> Result<(Vec<Vec<f32>>, u64)> {
    let mut host = rig::clap(SLOT, &[ANSWERS, settings].concat())?;
    host.record();
    let notes = rig::play(&mut host, &rig::call(), &Transport::playing(TEMPO), blocks)?.notes();
    let first = notes.iter().find(|note| note.on >= LAST_RELEASE).context("there is an answer")?.on;
    Ok((host.recorded(), first))
}

#[test]
fn the_call_and_its_answer_are_heard_where_they_go_out_and_silence_is_silent() -> Result<()> {
    let (audio, first) = recorded(&[("Thru", "on")], Blocks::Fixed(512))?;
    assert!(peak(&audio, 0, BEAT / 2) > HEARD, "the first note of the call");
    assert!(peak(&audio, first - 2_000, first) < HEARD / 10.0, "between them");
    assert!(peak(&audio, first, first + BEAT / 2) > HEARD, "the answer");
    assert_eq!(peak(&audio, END - BEAT, END), 0.0, "when all is over");
    Ok(())
}

#[test]
fn without_thru_the_answer_alone_is_heard_and_begins_on_its_own_sample() -> Result<()> {
    let (audio, first) = recorded(&[], Blocks::Fixed(512))?;
    assert_eq!(peak(&audio, 0, first), 0.0);
    assert!(peak(&audio, first, first + 10) > 0.0);
    Ok(())
}

#[test]
fn the_sound_is_the_same_for_every_partition_into_blocks() -> Result<()> {
    let whole = recorded(&[("Thru", "on")], Blocks::Fixed(4_096))?;
    for blocks in [Blocks::Fixed(17), Blocks::Random { largest: 1_024, seed: 3 }] {
        assert!(recorded(&[("Thru", "on")], blocks)? == whole, "{blocks:?}");
    }
    Ok(())
}

#[test]
fn sound_turns_it_off_and_the_level_makes_it_softer() -> Result<()> {
    let loud = |settings: &[(&str, &str)]| -> Result<f32> {
        let (audio, _) = recorded(&[&[("Thru", "on")], settings].concat(), Blocks::Fixed(512))?;
        Ok(peak(&audio, 0, END))
    };
    let (plain, softer) = (loud(&[])?, loud(&[("Sound level", "-20 dB")])?);
    assert!((0.08..0.13).contains(&(softer / plain)), "{softer} beside {plain}");
    assert_eq!(loud(&[("Sound", "Off")])?, 0.0);
    Ok(())
}

#[test]
fn the_note_effect_has_neither_a_sound_nor_its_parameters() -> Result<()> {
    let mut effect = rig::clap(EFFECT, ANSWERS)?;
    effect.record();
    rig::play(&mut effect, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
    assert!(effect.recorded().is_empty(), "it has no audio output");
    assert!(effect.parameter("Sound").is_err());
    assert!(rig::clap(SLOT, &[])?.parameter("Sound level").is_ok());
    Ok(())
}

#[test]
fn a_state_from_before_there_was_a_sound_loads_and_the_sound_is_on() -> Result<()> {
    let state = rig::clap(EFFECT, &[("Temperature", "0.5")])?.save()?;
    let mut slot = rig::clap(SLOT, &[])?;
    slot.load(&state)?;
    for (name, value) in [("Temperature", 0.25), ("Sound", 1.0)] {
        let id = slot.parameter(name)?.id;
        assert_eq!(slot.get(id)?, value, "{name}");
    }
    Ok(())
}

/// Plays more notes than there are voices, with pedals, bends and resets, in real-time mode. The framework
/// checks that nothing allocates.
#[test]
fn a_storm_of_notes_is_played_live_without_an_allocation() -> Result<()> {
    let mut slot: Clap = rig::clap(SLOT, &[ANSWERS, &[("Thru", "on")]].concat())?;
    let mut events = Vec::new();
    for n in 0..600u64 {
        let (at, channel) = (n * 70, (n % 16) as u8);
        events.extend(Event::note(at, 9_000, (n * 7 % 128) as u8, 1 + (n % 127) as u8));
        events.push(Event { at, kind: Kind::Controller { channel, number: 64, value: (n % 2 * 127) as u8 } });
        events.push(Event { at, kind: Kind::Message([0xE0 | channel, 0, (n % 128) as u8]) });
        if n % 200 == 199 {
            events.push(Event { at, kind: Kind::Reset });
        }
    }
    score::sort(&mut events);
    let blocks = Blocks::Random { largest: 512, seed: 1 };
    let setup = Setup { sample_rate: RATE, largest_block: blocks.largest(), mode: Mode::Realtime };
    let transport = Transport::playing(TEMPO);
    let part = Part { score: &events, transport: &transport, until: 2 * BEAT, blocks, pace: Pace::Free };
    slot.record();
    test_host::play(&mut slot, setup, &part)?;
    let audio = slot.recorded();
    assert!(audio.iter().flatten().all(|sample| sample.abs() <= 1.0));
    assert!(peak(&audio, 0, BEAT) > HEARD);
    Ok(())
}
