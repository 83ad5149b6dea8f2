//! Laws of saved states: of this version and every released one, and of broken, foreign or malicious ones.
//!
//! `tests/golden/states` holds a state of each version and format, and the values that it stands for. A release adds its own.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde_json::{Value, json};
use test_host::{Blocks, Clap, Event, Host, Mode, Pace, Part, Setup, Transport, clap::with_field};

use crate::rig::{self, ANSWERS, EFFECT, RATE, TEMPO};

/// The field of the state that names a model file.
const MODEL_FILE: &str = "model-file";
/// The model of [`ANSWERS`], as a file.
const OWN_MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/classic-25.safetensors");

const OWN: &[(&str, &str)] =
    &[("Seed", "4711"), ("Temperature", "1.3"), ("Memory", "40"), ("Silence", "2.0")];

fn answer(host: &mut dyn Host) -> Result<Vec<test_host::Event>> {
    Ok(rig::play(host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?.events)
}

#[test]
fn a_saved_state_gives_the_same_answers() -> Result<()> {
    let fresh = rig::both(&[])?;
    for ((format, mut host), (_, mut other)) in rig::both(&[ANSWERS, OWN].concat())?.into_iter().zip(fresh) {
        let answered = answer(&mut *host)?;
        let state = host.save()?;
        other.load(&state)?;
        assert_eq!(answer(&mut *other)?, answered, "{format}");
    }
    Ok(())
}

#[test]
fn a_state_that_is_none_is_refused_and_changes_nothing() -> Result<()> {
    for (format, mut host) in rig::both(ANSWERS)? {
        let answered = answer(&mut *host)?;
        let state = host.save()?;
        host.deactivate();
        for garbage in [&b"not a state"[..], &[0xFF; 64], &state[..state.len() / 2], &[]] {
            assert!(host.load(garbage).is_err(), "{format}: {garbage:?}");
        }
        assert_eq!(answer(&mut *host)?, answered, "{format}");
    }
    Ok(())
}

#[test]
fn a_model_file_answers_as_the_same_model_inside_the_plugin() -> Result<()> {
    let embedded = answer(&mut rig::clap(EFFECT, ANSWERS)?)?;
    let mut host = rig::clap(EFFECT, &[ANSWERS, &[("Model", "classic-150")]].concat())?;
    assert_ne!(answer(&mut host)?, embedded);
    host.deactivate();
    let state = with_field(&host.save()?, MODEL_FILE, OWN_MODEL)?;
    host.load(&state)?;
    assert_eq!(answer(&mut host)?, embedded);
    Ok(())
}

#[test]
fn a_broken_model_file_leaves_the_old_model_playing() -> Result<()> {
    let own = answer(&mut rig::clap(EFFECT, ANSWERS)?)?;
    for (name, bytes) in broken_models()? {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.safetensors"));
        std::fs::write(&file, bytes)?;
        for path in [file.to_string_lossy().as_ref(), "/no/such/file.safetensors"] {
            // The parameter names another embedded model, so that only the model file can give this answer.
            let mut host = rig::clap(EFFECT, &[ANSWERS, &[("Model", "classic-150")]].concat())?;
            for file in [OWN_MODEL, path] {
                let state = with_field(&host.save()?, MODEL_FILE, file)?;
                host.load(&state)?;
                assert_eq!(answer(&mut host)?, own, "{name}");
            }
        }
    }
    Ok(())
}

/// Three broken models: one cut in half, one with a NaN, and one of another version.
fn broken_models() -> Result<[(&'static str, Vec<u8>); 3]> {
    let model = std::fs::read(OWN_MODEL)?;
    let half = model[..model.len() / 2].to_vec();
    let mut poisoned = model.clone();
    let end = poisoned.len();
    poisoned[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut foreign = model;
    let version = b"\"representation\":\"";
    let at = foreign.windows(version.len()).position(|found| found == version);
    foreign[at.context("a model tells its version")? + version.len()] = b'X';
    Ok([("half", half), ("poisoned", poisoned), ("foreign", foreign)])
}

/// Bytes of the length that precedes the JSON of a CLAP state.
const LENGTH_BYTES: usize = 8;
const CASES: u32 = 300;
const MANY: usize = 100_000;

fn state_of(json: &Value) -> Vec<u8> {
    let text = json.to_string().into_bytes();
    [&(text.len() as u64).to_le_bytes()[..], &text].concat()
}

/// A test runner with the same cases in every run.
fn runner() -> TestRunner {
    let config = ProptestConfig::default();
    let config = ProptestConfig { cases: config.cases.max(CASES), failure_persistence: None, ..config };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Has the plugin play a note in real-time mode, whatever state it has loaded.
fn plays(host: &mut Clap) -> Result<()> {
    let score = Event::note(10, 100, 60, 90);
    let setup = Setup { sample_rate: RATE, largest_block: 64, mode: Mode::Offline };
    let transport = Transport::playing(TEMPO);
    let blocks = Blocks::Fixed(64);
    test_host::play(
        host,
        setup,
        &Part { score: &score, transport: &transport, until: 512, blocks, pace: Pace::Free },
    )?;
    Ok(())
}

/// JSON values that might stand in place of a parameter's value.
fn json_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|x| json!(x)),
        any::<i32>().prop_map(|x| json!({ "i32": x })),
        any::<f32>().prop_map(|x| json!({ "f32": x })),
        prop::num::f64::ANY.prop_map(|x| json!({ "f32": x })),
        any::<bool>().prop_map(|x| json!({ "bool": x })),
        ".{0,40}".prop_map(|x| json!({ "string": x })),
        Just(json!({ "i32": i32::MAX })),
        Just(json!({ "i32": i32::MIN })),
        Just(json!({ "f32": 3.4e38 })),
        Just(Value::Null),
        Just(json!([[[]]])),
    ]
}

#[test]
fn no_value_in_a_state_stops_the_plugin() -> Result<()> {
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let good = host.save()?;
    let state: Value = serde_json::from_slice(&good[LENGTH_BYTES..])?;
    let ids: Vec<String> =
        state["params"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
    let first = rig::answer(ANSWERS)?.events;
    let mut runner = runner();
    let changes = prop::collection::vec((prop::sample::select(ids), json_values()), 1..12);
    let host = RefCell::new(host);
    runner.run(&changes, |changes| {
        let mut state = state.clone();
        for (id, value) in changes {
            state["params"][&id] = value;
        }
        // The plugin may take the parts that it understands, or refuse the whole state.
        let host = &mut *host.borrow_mut();
        let _ = host.load(&state_of(&state));
        plays(host).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    println!("proved: {} states with hostile json_values", runner.config().cases);
    let mut host = host.into_inner();
    host.deactivate();
    host.load(&good)?;
    let heard = rig::play(&mut host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
    assert_eq!(heard.events, first);
    Ok(())
}

#[test]
fn no_bytes_in_place_of_a_state_stop_the_plugin() -> Result<()> {
    for (format, mut host) in rig::both(ANSWERS)? {
        let good = host.save()?;
        let mut runner = runner();
        let changes = prop::collection::vec((0..good.len(), any::<u8>()), 1..20);
        let host = RefCell::new(host);
        runner.run(&(changes, 0..good.len()), |(changes, cut)| {
            let mut bytes = good.clone();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            let mut host = host.borrow_mut();
            let _ = host.load(&bytes);
            prop_assert!(
                host.load(&good[..cut]).is_err(),
                "{format}: {cut} bytes of {} are no state",
                good.len()
            );
            Ok(())
        })?;
        println!("proved: {} damaged and cut states in {format}", 2 * runner.config().cases);
        let mut host = host.into_inner();
        host.load(&good)?;
        assert_eq!(host.save()?, good, "{format}");
    }
    Ok(())
}

#[test]
fn a_state_without_an_end_or_of_another_plugin_changes_nothing() -> Result<()> {
    let mut host = rig::clap(EFFECT, ANSWERS)?;
    let good = host.save()?;
    let endless = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    let deep = [vec![b'['; MANY], vec![b']'; MANY]].concat();
    let deep = [&(deep.len() as u64).to_le_bytes()[..], &deep].concat();
    for (name, state) in [("endless", endless), ("deep", deep)] {
        assert!(host.load(&state).is_err(), "{name}");
        assert_eq!(host.save()?, good, "{name}");
    }
    let foreign =
        json!({ "version": "3.1.4", "params": { "gain": { "f32": 0.5 } }, "fields": { "sample": "\"x\"" } });
    let many: serde_json::Map<String, Value> =
        (0..MANY).map(|n| (format!("p{n}"), json!({ "i32": n }))).collect();
    let many = json!({ "version": "0.1.0", "params": many, "fields": {} });
    for (name, state) in [("foreign", foreign), ("many", many)] {
        let _ = host.load(&state_of(&state));
        assert_eq!(host.save()?, good, "{name}");
    }
    Ok(())
}

#[test]
fn a_model_file_of_any_name_leaves_the_embedded_model_playing() -> Result<()> {
    let own = rig::answer(ANSWERS)?.events;
    let long = "x".repeat(MANY);
    for path in ["/", "..", "\0", "/dev/null", "/dev/zero", "/no/such/folder/ü🎹.safetensors", &long] {
        let mut host = rig::clap(EFFECT, ANSWERS)?;
        let state = test_host::clap::with_field(&host.save()?, "model-file", path)?;
        host.load(&state)?;
        let heard = rig::play(&mut host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert_eq!(heard.events, own, "{:?}", path.get(..20).unwrap_or(path));
    }
    Ok(())
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/states");
/// Largest difference of a parameter's value that counts as equal: texts round values, and states keep them
/// exactly.
const ERROR: f64 = 1e-6;

/// Parameters' names, and their values, 0..=1.
type Values = BTreeMap<String, f64>;

fn values(host: &mut dyn Host) -> Result<Values> {
    let parameters = host.parameters()?.into_iter().filter(|parameter| !is_of_the_format(&parameter.name));
    parameters.map(|parameter| Ok((parameter.name, host.get(parameter.id)?))).collect()
}

/// Whether a parameter is one of VST3's own for MIDI controllers, which no project keeps.
fn is_of_the_format(name: &str) -> bool {
    name.starts_with("MIDI")
}

/// Sets every parameter that a project keeps to a random value.
fn set_all(host: &mut dyn Host) -> Result<()> {
    let mut rng = Pcg32::seed_from_u64(1);
    for parameter in host.parameters()? {
        if !is_of_the_format(&parameter.name) {
            host.set(parameter.id, rng.random_range(0.05..0.95))?;
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
