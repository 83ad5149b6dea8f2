//! Laws of musical time: the host's transport, the modes that follow it, and blocks of any size.

use anyhow::Result;
use test_host::{Blocks, Event, Host, Mode, Pace, Part, Setup, Sounded, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, RATE, TEMPO};

/// A note without its time.
fn pitch(note: &Sounded) -> (u8, u8) {
    (note.key, note.velocity)
}

fn notes(transport: &Transport) -> Result<Vec<Sounded>> {
    let heard = rig::play(
        &mut rig::clap(EFFECT, ANSWERS)?,
        &rig::call(),
        transport,
        Blocks::Random { largest: 999, seed: 3 },
    )?;
    Ok(heard.notes())
}

/// Asserts that both have the same notes, each onset within a sample of where `expected` puts it.
fn assert_close(heard: &[Sounded], reference: &[Sounded], expected: impl Fn(u64) -> f64) {
    let pitches = |notes: &[Sounded]| notes.iter().map(pitch).collect::<Vec<_>>();
    assert_eq!(pitches(heard), pitches(reference));
    assert!(!heard.is_empty());
    for (note, original) in heard.iter().zip(reference) {
        let wanted = expected(original.on);
        assert!((note.on as f64 - wanted).abs() <= 1.5, "{note:?} comes at {}, not at {wanted}", note.on);
    }
}

#[test]
fn an_answer_comes_without_any_transport() -> Result<()> {
    let heard = notes(&Transport::absent())?;
    assert!(!heard.is_empty() && heard[0].on > LAST_RELEASE, "{heard:?}");
    Ok(())
}

#[test]
fn an_answer_comes_while_the_transport_stands_still() -> Result<()> {
    let heard = notes(&Transport::stopped(TEMPO))?;
    assert!(!heard.is_empty() && heard[0].on > LAST_RELEASE, "{heard:?}");
    Ok(())
}

#[test]
fn the_answer_is_the_same_wherever_the_song_is() -> Result<()> {
    let reference = notes(&Transport::playing(TEMPO))?;
    for start in [-8.0, -3.75, 17.25, 4000.0] {
        let heard = notes(&Transport::playing(TEMPO).changed(|section| section.beats = Some(start)))?;
        assert_close(&heard, &reference, |on| on as f64);
    }
    Ok(())
}

#[test]
fn an_answer_keeps_its_beats_when_the_tempo_changes() -> Result<()> {
    let reference = notes(&Transport::playing(TEMPO))?;
    let change = reference[0].on + 1;
    let heard = notes(&Transport::playing(TEMPO).then(change, |section| section.tempo = 2.0 * TEMPO))?;
    assert_close(&heard, &reference, |on| {
        if on < change { on as f64 } else { change as f64 + (on - change) as f64 / 2.0 }
    });
    Ok(())
}

#[test]
fn the_answer_is_the_same_in_seconds_at_every_sample_rate() -> Result<()> {
    let at_rate = |rate: f64| -> Result<Vec<Sounded>> {
        let scale = |sample: u64| (sample as f64 * rate / RATE) as u64;
        let score: Vec<Event> =
            rig::call().into_iter().map(|event| Event { at: scale(event.at), ..event }).collect();
        let transport = Transport::playing(TEMPO);
        let blocks = Blocks::Fixed(256);
        let setup = Setup { sample_rate: rate, largest_block: 256, mode: Mode::Offline };
        let part = Part { score: &score, transport: &transport, until: scale(END), blocks, pace: Pace::Free };
        Ok(test_host::play(&mut rig::clap(EFFECT, ANSWERS)?, setup, &part)?.notes())
    };
    let reference = at_rate(RATE)?;
    for rate in [44_100.0, 96_000.0] {
        assert_close(&at_rate(rate)?, &reference, |on| on as f64 * rate / RATE);
    }
    Ok(())
}

const MODES: [&[(&str, &str)]; 6] = [
    &[("Mode", "Trade"), ("Trade bars", "1 bar")],
    &[("Mode", "Together")],
    &[("Mode", "Endless")],
    &[("Answer length", "A phrase")],
    &[("Answer length", "Bars"), ("Answer bars", "2 bars"), ("Alignment", "Bar")],
    &[("Cue", "Key"), ("Cue key", "A0"), ("Alignment", "Beat")],
];
/// The sample from which the transport stands still.
const STOP: u64 = END - 2 * BEAT;

fn settings(mode: &'static [(&str, &str)]) -> Vec<(&'static str, &'static str)> {
    [ANSWERS, mode].concat()
}

/// The call and a key switch after it. Where the key switch is not the cue, it is a note.
fn called() -> Vec<Event> {
    let mut score = rig::call();
    score.extend(Event::note(LAST_RELEASE + 1_000, 1_000, 21, 1));
    score::sort(&mut score);
    score
}

fn song() -> Transport {
    Transport::playing(TEMPO).then(STOP, |section| section.playing = false)
}

fn bar_of(note: &Sounded) -> u64 {
    note.on / (4 * BEAT)
}

#[test]
fn every_mode_is_the_same_in_every_render_every_partition_and_both_formats() -> Result<()> {
    for mode in MODES {
        let mut clap = rig::clap(EFFECT, &settings(mode))?;
        let first = rig::play(&mut clap, &called(), &song(), Blocks::Fixed(512))?;
        assert!(!first.events.is_empty(), "{mode:?}");
        assert!(first.hanging().is_empty(), "{mode:?}: {:?}", first.hanging());
        assert!(first.events.iter().all(|event| event.at <= STOP), "{mode:?} plays on");
        let mut vst3 = rig::vst3(EFFECT, &settings(mode))?;
        for (format, host) in [("CLAP", &mut clap as &mut dyn Host), ("VST3", &mut vst3)] {
            let again = rig::play(host, &called(), &song(), Blocks::Random { largest: 4096, seed: 4 })?;
            rig::assert_alike(&again.events, &first.events, &format!("{format}, {mode:?}"));
        }
    }
    Ok(())
}

#[test]
fn a_trade_keeps_to_the_songs_bars_in_both_formats() -> Result<()> {
    for (format, mut host) in rig::both(&settings(MODES[0]))? {
        let notes = rig::play(&mut *host, &rig::call(), &song(), Blocks::Fixed(700))?.notes();
        assert!(notes.iter().all(|note| bar_of(note) % 2 == 1), "{format}: {notes:?}");
        assert!(notes.iter().any(|note| bar_of(note) == 9), "{format}: {notes:?}");
    }
    Ok(())
}

#[test]
fn a_trade_goes_back_and_forth_over_a_loop_of_one_bar() -> Result<()> {
    let looping = Transport::playing(TEMPO).changed(|section| section.cycle = Some((0.0, 4.0)));
    let mut host = rig::clap(EFFECT, &settings(MODES[0]))?;
    let notes = rig::play(&mut host, &rig::call(), &looping, Blocks::Fixed(512))?.notes();
    assert!(notes.iter().all(|note| bar_of(note) % 2 == 1), "{notes:?}");
    assert!(notes.iter().any(|note| bar_of(note) == 9), "{notes:?}");
    Ok(())
}

#[test]
fn where_a_cue_is_wanted_nothing_comes_without_it() -> Result<()> {
    for (format, mut host) in rig::both(&settings(MODES[5]))? {
        let heard = rig::play(&mut *host, &rig::call(), &song(), Blocks::Fixed(512))?;
        assert_eq!(heard.events, [], "{format}");
        let heard = rig::play(&mut *host, &called(), &song(), Blocks::Fixed(512))?.notes();
        assert!(heard.first().is_some_and(|note| note.on >= 4 * BEAT), "{format}: {heard:?}");
        assert!(heard.iter().all(|note| note.key != 21), "{format}: {heard:?}");
    }
    Ok(())
}

#[test]
fn the_answer_is_the_same_for_every_partition_into_blocks() -> Result<()> {
    let transports =
        [Transport::playing(TEMPO), Transport::playing(97.3), Transport::stopped(TEMPO), Transport::absent()];
    for transport in &transports {
        let render = |blocks| rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), transport, blocks);
        let first = render(Blocks::Fixed(512))?;
        assert!(!first.events.is_empty(), "{transport:?}");
        let fixed = [32, 137, 4096].map(Blocks::Fixed);
        let random = [1, 2, 3].map(|seed| Blocks::Random { largest: 4096, seed });
        for blocks in fixed.into_iter().chain(random) {
            rig::assert_alike(&render(blocks)?.events, &first.events, &format!("{blocks:?} {transport:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_answer_is_the_same_in_blocks_of_one_sample() -> Result<()> {
    let render = |blocks| {
        rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), &Transport::playing(TEMPO), blocks)
    };
    assert_eq!(render(Blocks::Fixed(1))?.events, render(Blocks::Fixed(512))?.events);
    Ok(())
}

#[test]
fn both_formats_give_the_same_answer_in_every_partition() -> Result<()> {
    for transport in [Transport::playing(TEMPO), Transport::playing(97.3), Transport::stopped(TEMPO)] {
        let clap = rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), &transport, Blocks::Fixed(512))?;
        for blocks in [Blocks::Fixed(32), Blocks::Fixed(137), Blocks::Random { largest: 2048, seed: 9 }] {
            let vst3 = rig::play(&mut rig::vst3(EFFECT, ANSWERS)?, &rig::call(), &transport, blocks)?;
            rig::assert_alike(&vst3.events, &clap.events, &format!("{blocks:?} {transport:?}"));
        }
    }
    Ok(())
}

/// Ten seconds without a note, and then the call: by then the plugin has noticed a host that runs ahead.
fn late_call() -> Vec<Event> {
    rig::call().into_iter().map(|event| Event { at: event.at + 20 * BEAT, ..event }).collect()
}

#[test]
fn a_host_that_renders_without_saying_so_gets_the_whole_answer() -> Result<()> {
    let (score, transport, blocks) = (late_call(), Transport::playing(TEMPO), Blocks::Fixed(512));
    for (format, mut host) in rig::both(ANSWERS)? {
        let mut render = |mode| {
            let part = Part { score: &score, transport: &transport, until: END, blocks, pace: Pace::Free };
            test_host::play(&mut *host, Setup { mode, ..rig::offline(blocks) }, &part)
        };
        let told = render(Mode::Offline)?.events;
        assert!(!told.is_empty(), "{format}");
        assert_eq!(render(Mode::Realtime)?.events, told, "{format}");
    }
    Ok(())
}
