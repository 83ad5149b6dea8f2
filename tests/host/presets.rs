//! What a host shows of the presets, and what becomes of one that its user chooses.

use std::path::Path;

use antiphon::{
    plugin::{Exported, InstrumentSlot, NoteEffect},
    presets::PRESETS,
};
use anyhow::Result;
use stage::{Blocks, Host, Transport, clap::presets::in_process};

use crate::rig::{self, EFFECT, SLOT, TEMPO};

#[test]
fn a_host_finds_every_preset_with_what_it_is_good_for() -> Result<()> {
    // SAFETY: the plugin's entry is a valid one.
    let found = unsafe { in_process((&raw const antiphon::plugin::clap_entry).cast()) }?;
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
        // A cue is the player's to give.
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
