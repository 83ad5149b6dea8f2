//! What a player sets in the host, and what comes of it.

use anyhow::Result;
use stage::{Blocks, Sounded, Transport};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, TEMPO};

fn notes(settings: &[(&str, &str)]) -> Result<Vec<Sounded>> {
    let settings = [ANSWERS, settings].concat();
    let mut answers = Vec::new();
    for (format, mut host) in rig::both(&settings)? {
        let heard = rig::play(&mut *host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert!(!heard.notes().is_empty() && heard.hanging().is_empty(), "{format}");
        answers.push(heard.notes());
    }
    assert_eq!(answers[0], answers[1], "CLAP and VST3");
    Ok(answers.swap_remove(0))
}

#[test]
fn what_a_musician_types_is_understood() -> Result<()> {
    let mut host = rig::clap(EFFECT, &[])?;
    for (name, text, share) in [
        ("Register low", "C#4", 61.0 / 127.0),
        ("Register high", "bb5", 82.0 / 127.0),
        ("Key", "D", 2.0 / 11.0),
        ("Scale", "Dorian", 6.0 / 14.0),
        ("Quantise", "1/16T", 5.0 / 6.0),
        ("Quantise strength", "75 %", 0.75),
        ("Swing", "60%", 0.4),
        ("Density", "no limit", 1.0),
        ("Polyphony", "No limit", 1.0),
        ("Polyphony", "1 voices", 0.0),
        ("Input channel", "all", 0.0),
        ("Output channel", "16", 1.0),
        ("Listen", "off", 0.0),
    ] {
        let (_, value) = host.value(name, text)?;
        assert!((value - share).abs() < 1e-6, "{name} {text} is {value}");
    }
    assert!(host.value("Register low", "H9").is_err() && host.value("Density", "much").is_err());
    Ok(())
}

#[test]
fn an_answer_keeps_to_its_scale_and_register() -> Result<()> {
    let settings = [
        ("Key", "D"),
        ("Scale", "Dorian"),
        ("Register low", "C3"),
        ("Register high", "C5"),
        ("Temperature", "2"),
    ];
    let notes = notes(&settings)?;
    assert!(notes.iter().all(|note| (48..=72).contains(&note.key)), "{notes:?}");
    assert!(notes.iter().all(|note| [0, 2, 4, 5, 7, 9, 11].contains(&(note.key % 12))), "{notes:?}");
    Ok(())
}

#[test]
fn a_quantised_answer_begins_its_notes_on_the_hosts_grid() -> Result<()> {
    let notes = notes(&[("Quantise", "1/8T"), ("Temperature", "2")])?;
    assert!(notes.iter().all(|note| note.on % (BEAT / 3) == 0), "{notes:?}");
    Ok(())
}

#[test]
fn an_answer_goes_out_on_its_channel_with_as_many_voices_as_are_asked_for() -> Result<()> {
    let notes = notes(&[("Output channel", "5"), ("Polyphony", "1")])?;
    assert!(notes.iter().all(|note| note.channel == 4), "{notes:?}");
    assert!(notes.windows(2).all(|pair| pair[0].off.is_some_and(|off| off <= pair[1].on)), "{notes:?}");
    Ok(())
}
