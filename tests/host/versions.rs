//! What a project of every released version remembers is what it loads.
//!
//! `tests/golden/states` holds a state of each version and format, and the values that it stands for. A release adds its
//! own: with `ANTIPHON_KEEP_STATE=1` this test writes the files of the present version where there are none.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use stage::Host;

use crate::rig::{self, EFFECT};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/states");
/// Texts round values, and states keep them as they are.
const ERROR: f64 = 1e-6;

/// A parameter's name, and its value of 0..=1.
type Values = BTreeMap<String, f64>;

fn values(host: &mut dyn Host) -> Result<Values> {
    let parameters = host.parameters()?.into_iter().filter(|parameter| !is_of_the_format(&parameter.name));
    parameters.map(|parameter| Ok((parameter.name, host.get(parameter.id)?))).collect()
}

/// In VST3, controllers come as parameters, which no project keeps.
fn is_of_the_format(name: &str) -> bool {
    name.starts_with("MIDI")
}

/// No parameter as it is by itself.
fn set_all(host: &mut dyn Host) -> Result<()> {
    let mut chance = Pcg32::seed_from_u64(1);
    for parameter in host.parameters()? {
        if !is_of_the_format(&parameter.name) {
            host.set(parameter.id, chance.random_range(0.05..0.95))?;
        }
    }
    Ok(())
}

fn keep(format: &str, host: &mut dyn Host) -> Result<()> {
    let state = golden(env!("CARGO_PKG_VERSION"), format, "state");
    if state.exists() {
        return Ok(());
    }
    fs::create_dir_all(FOLDER)?;
    set_all(host)?;
    fs::write(&state, host.save()?)?;
    fs::write(state.with_extension("toml"), toml::to_string(&values(host)?)?)?;
    Ok(())
}

fn golden(version: &str, format: &str, extension: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{version}-{}.{extension}", format.to_lowercase()))
}

#[test]
fn a_state_of_every_version_loads_with_the_values_it_was_saved_with() -> Result<()> {
    if std::env::var_os("ANTIPHON_KEEP_STATE").is_some() {
        for (format, mut host) in rig::both(&[])? {
            keep(format, &mut *host)?;
        }
    }
    let mut loaded = 0;
    for file in fs::read_dir(FOLDER).context("there are states to load")? {
        let file = file?.path();
        let Some(name) =
            file.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".state"))
        else {
            continue;
        };
        let wanted: Values = toml::from_str(&fs::read_to_string(file.with_extension("toml"))?)?;
        for (format, mut host) in rig::both(&[])? {
            if name.ends_with(&format!("-{}.state", format.to_lowercase())) {
                host.load(&fs::read(&file)?).with_context(|| name.to_owned())?;
                let found = values(&mut *host)?;
                for (parameter, value) in &wanted {
                    let found =
                        found.get(parameter).with_context(|| format!("{name}: {parameter} is gone"))?;
                    assert!((found - value).abs() < ERROR, "{name}: {parameter} is {found}, not {value}");
                }
                loaded += 1;
            }
        }
    }
    assert!(loaded >= 2, "a state of each format");
    println!("proved: {loaded} golden states");
    Ok(())
}

#[test]
fn the_present_version_has_its_golden_states() {
    for format in ["clap", "vst3"] {
        let state = golden(env!("CARGO_PKG_VERSION"), format, "state");
        assert!(state.exists(), "{} is missing: run this test with ANTIPHON_KEEP_STATE=1", state.display());
    }
}

#[test]
fn no_parameter_of_an_earlier_version_is_gone_and_the_effects_id_stays() -> Result<()> {
    assert_eq!(EFFECT.0, "audio.antiphon.midi", "projects find the plugin by it");
    assert_eq!(rig::SLOT.0, "audio.antiphon.slot", "projects find the plugin by it");
    let state = fs::read(golden("0.1.0", "CLAP", "state"))?;
    let saved: serde_json::Value = serde_json::from_slice(&state[8..])?;
    let now: serde_json::Value = serde_json::from_slice(&rig::clap(EFFECT, &[])?.save()?[8..])?;
    let saved = saved["params"].as_object().context("a state has parameters")?;
    for id in saved.keys() {
        assert!(!now["params"][id].is_null(), "{id} is gone");
    }
    Ok(())
}
