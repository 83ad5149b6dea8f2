//! Laws of answers: that one comes, when it comes, and what decides its notes.

use anyhow::Result;
use test_host::{Blocks, Event, Host, Kind, Performance, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, SLOT, TEMPO};

#[test]
fn an_answer_comes_after_the_silence() -> Result<()> {
    for (format, mut host) in rig::both(ANSWERS)? {
        let heard = rig::play(&mut *host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        let notes = heard.notes();
        assert!(!notes.is_empty(), "{format}");
        assert!(notes.iter().all(|note| note.on >= LAST_RELEASE + BEAT), "{format}: {notes:?}");
        assert!(heard.hanging().is_empty(), "{format}: {:?}", heard.hanging());
        assert!(notes.iter().all(|note| note.on < LAST_RELEASE + 9 * BEAT), "{format}: {notes:?}");
    }
    Ok(())
}

#[test]
fn a_longer_silence_makes_the_answer_wait_longer() -> Result<()> {
    let settings = [ANSWERS, &[("Silence", "3.0")]].concat();
    let notes = rig::answer(&settings)?.notes();
    assert!(!notes.is_empty() && notes[0].on >= LAST_RELEASE + 3 * BEAT, "{notes:?}");
    Ok(())
}

#[test]
fn no_answer_comes_while_a_key_is_held() -> Result<()> {
    let mut score = rig::call();
    score.push(Event::note_on(LAST_RELEASE, 48, 60));
    let heard =
        rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &score, &Transport::playing(TEMPO), Blocks::Fixed(512))?;
    assert_eq!(heard.events, []);
    Ok(())
}

fn controller(at: u64, number: u8, value: u8) -> Event {
    Event { at, kind: Kind::Controller { channel: 0, number, value } }
}

#[test]
fn a_mode_message_stands_for_a_release_that_was_lost() -> Result<()> {
    // All sound off, all notes off, and the modes, which end all notes as well.
    for number in [120, 123, 124, 125, 126, 127] {
        let score = [Event::note_on(0, 60, 90), controller(BEAT, number, 0)];
        for (format, mut host) in rig::both(ANSWERS)? {
            let heard = rig::play(&mut *host, &score, &Transport::playing(TEMPO), Blocks::Fixed(512))?;
            let first = heard.notes().first().map(|note| note.on);
            assert!(first.is_some_and(|on| on >= 2 * BEAT), "{format}, controller {number}: {first:?}");
        }
    }
    Ok(())
}

#[test]
fn the_reset_of_all_controllers_lifts_the_pedal_as_the_player_does() -> Result<()> {
    for (format, mut host) in rig::both(ANSWERS)? {
        let mut answer = |lift| -> Result<Performance> {
            let mut events = rig::call();
            events.extend([controller(0, 64, 127), controller(LAST_RELEASE, lift, 0)]);
            score::sort(&mut events);
            rig::play(&mut *host, &events, &Transport::playing(TEMPO), Blocks::Fixed(512))
        };
        let (lifted, reset) = (answer(64)?, answer(121)?);
        assert!(!lifted.events.is_empty(), "{format}");
        rig::assert_alike(&reset.events, &lifted.events, format);
    }
    Ok(())
}

#[test]
fn no_answer_comes_without_a_call() -> Result<()> {
    let heard =
        rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &[], &Transport::playing(TEMPO), Blocks::Fixed(512))?;
    assert_eq!(heard.events, []);
    Ok(())
}

#[test]
fn the_same_seed_repeats_the_answer_and_another_changes_it() -> Result<()> {
    let with_seed = |seed| rig::answer(&[ANSWERS, &[("Seed", seed)]].concat());
    let first = with_seed("7")?;
    assert_eq!(first.events, with_seed("7")?.events);
    assert_ne!(first.events, with_seed("8")?.events);
    Ok(())
}

#[test]
fn the_temperature_changes_the_answer() -> Result<()> {
    let with = |temperature| rig::answer(&[ANSWERS, &[("Temperature", temperature)]].concat());
    assert_ne!(with("0.2")?.events, with("2.0")?.events);
    Ok(())
}

#[test]
fn at_temperature_zero_the_seed_does_not_choose_the_keys() -> Result<()> {
    let keys = |seed| -> Result<Vec<u8>> {
        let heard = rig::answer(&[ANSWERS, &[("Temperature", "0"), ("Seed", seed)]].concat())?;
        Ok(heard.notes().iter().map(|note| note.key).collect())
    };
    assert_eq!(keys("1")?, keys("2")?);
    Ok(())
}

#[test]
fn the_memory_changes_the_answer_to_a_long_call() -> Result<()> {
    let score: Vec<Event> = (0..40)
        .flat_map(|index| Event::note(u64::from(index) * 2_280, 2_000, 40 + index % 9 * 5, 80))
        .collect();
    let with = |memory| -> Result<Performance> {
        let mut host =
            rig::clap(EFFECT, &[ANSWERS, &[("Model", "classic-150"), ("Memory", memory)]].concat())?;
        rig::play(&mut host, &score, &Transport::playing(TEMPO), Blocks::Fixed(512))
    };
    let wide = with("150")?;
    assert_eq!(wide.events, with("150")?.events);
    assert_ne!(wide.events, with("25")?.events);
    Ok(())
}

#[test]
fn every_render_of_one_instance_repeats_the_first() -> Result<()> {
    for (format, mut host) in rig::both(ANSWERS)? {
        let mut render =
            || rig::play(&mut *host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512));
        let first = render()?;
        assert_eq!(first.events, render()?.events, "{format}");
        assert!(!first.events.is_empty(), "{format}");
    }
    Ok(())
}

#[test]
fn the_instrument_slot_answers_alike_and_is_heard() -> Result<()> {
    let answer = rig::answer(ANSWERS)?;
    let hosts: [(&str, Box<dyn Host>); 2] =
        [("CLAP", Box::new(rig::clap(SLOT, ANSWERS)?)), ("VST3", Box::new(rig::vst3(SLOT, ANSWERS)?))];
    for (format, mut host) in hosts {
        let heard = rig::play(&mut *host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert!(heard.peak > 0.01, "{format}: {}", heard.peak);
        assert_eq!(heard.events, answer.events, "{format}");
    }
    Ok(())
}

#[test]
fn a_second_call_is_answered_too() -> Result<()> {
    let again = LAST_RELEASE + 10 * BEAT;
    let mut score = rig::call();
    score.extend(Event::note(again, BEAT / 2, 65, 90));
    let part = test_host::Part {
        score: &score,
        transport: &Transport::playing(TEMPO),
        until: END + 12 * BEAT,
        blocks: Blocks::Fixed(512),
        pace: test_host::Pace::Free,
    };
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let notes = test_host::play(&mut host, rig::offline(part.blocks), &part)?.notes();
    assert!(notes.iter().any(|note| note.on < again), "{notes:?}");
    assert!(notes.iter().any(|note| note.on >= again + BEAT / 2 + BEAT), "{notes:?}");
    Ok(())
}
