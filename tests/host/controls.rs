//! Laws of controls and presets: what each of them changes in the answer.

use std::path::Path;

use antiphon::{
    params::presets::PRESETS,
    plugin::{Exported, InstrumentSlot, NoteEffect},
};
use anyhow::Result;
use test_host::{Blocks, Host, Sounded, Transport, clap::presets};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, SLOT, TEMPO};

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

#[test]
fn a_host_finds_every_preset_with_what_it_is_good_for() -> Result<()> {
    // SAFETY: the plugin's entry is a valid one.
    let found = unsafe { presets((&raw const antiphon::plugin::clap_entry).cast()) }?;
    let told: Vec<_> =
        found.iter().map(|preset| (preset.name.as_str(), preset.description.as_str())).collect();
    assert_eq!(told, PRESETS.map(|preset| (preset.name, preset.purpose)));
    assert!(found.iter().all(|preset| preset.plugins == [EFFECT.0, SLOT.0]));
    Ok(())
}

#[test]
fn every_preset_that_a_host_loads_sets_what_it_says_and_leaves_the_rest() -> Result<()> {
    for plugin in [EFFECT, SLOT] {
        let own = [("Seed", "4711"), ("Key", "D"), ("Thru", "off"), ("Temperature", "1.7")];
        let mut host = rig::clap(plugin, &own)?;
        for preset in PRESETS {
            host.load_preset(preset.name)?;
            for (name, text) in own.iter().filter(|(name, _)| *name != "Temperature") {
                let (id, value) = host.value(name, text)?;
                assert!((host.get(id)? - value).abs() < 1e-6, "{}: {name} is the player's", preset.name);
            }
            let (id, hot) = host.value("Temperature", "1.7")?;
            assert!(host.get(id)? < hot, "{}", preset.name);
        }
        let (id, trade) = host.value("Mode", "Trade")?;
        host.load_preset("trading fours")?;
        assert!((host.get(id)? - trade).abs() < 1e-6);
        host.load_preset("Conversation")?;
        assert!(host.get(id)? < 1e-6, "what a preset does not name is as it was at first");
        assert!(host.load_preset("no such preset").is_err());
    }
    Ok(())
}

#[test]
fn every_preset_plays_and_leaves_nothing_hanging() -> Result<()> {
    for preset in PRESETS {
        // With this preset the player must give a cue.
        let is_cued = preset.name == "On My Cue";
        let mut host = rig::clap(EFFECT, &[("Thru", "off")])?;
        host.load_preset(preset.name)?;
        let heard = rig::play(&mut host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert_eq!(heard.notes().is_empty(), is_cued, "{}", preset.name);
    }
    Ok(())
}

#[test]
fn a_preset_file_sets_the_same_in_a_vst3_host_and_is_for_one_plugin_alone() -> Result<()> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own.vstpreset");
    for (plugin, class, other) in [
        (EFFECT, NoteEffect::VST3_CLASS_ID, InstrumentSlot::VST3_CLASS_ID),
        (SLOT, InstrumentSlot::VST3_CLASS_ID, NoteEffect::VST3_CLASS_ID),
    ] {
        let mut host = rig::vst3(plugin, &[("Seed", "4711")])?;
        let mut like = rig::clap(plugin, &[("Seed", "4711")])?;
        for preset in PRESETS {
            std::fs::write(&file, preset.vstpreset(class))?;
            host.load_preset(&file)?;
            like.load_preset(preset.name)?;
            for parameter in like.parameters()? {
                let id = host.parameter(&parameter.name)?.id;
                let apart = (host.get(id)? - like.get(parameter.id)?).abs();
                assert!(apart < 1e-5, "{}: {}", preset.name, parameter.name);
            }
        }
        std::fs::write(&file, PRESETS[0].vstpreset(other))?;
        assert!(host.load_preset(&file).is_err(), "a preset of the other plugin");
    }
    Ok(())
}
