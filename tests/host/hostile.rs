//! States that are broken, foreign, huge or meant to harm: the instance goes on, and a good one loads afterwards.

use std::cell::RefCell;

use anyhow::Result;
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use stage::{Blocks, Clap, Event, Host, Mode, Pace, Part, Setup, Transport};

use crate::rig::{self, ANSWERS, EFFECT, RATE, TEMPO};

/// Before its JSON a CLAP state tells the length of it.
const LENGTH_BYTES: usize = 8;
const CASES: u32 = 300;
const MANY: usize = 100_000;

fn state_of(json: &Value) -> Vec<u8> {
    let text = json.to_string().into_bytes();
    [&(text.len() as u64).to_le_bytes()[..], &text].concat()
}

/// The same cases in every run.
fn runner() -> TestRunner {
    let config = ProptestConfig::default();
    let config = ProptestConfig { cases: config.cases.max(CASES), failure_persistence: None, ..config };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Has the plugin play a note live, whatever it was made to load.
fn plays(host: &mut Clap) -> Result<()> {
    let score = Event::note(10, 100, 60, 90);
    let setup = Setup { sample_rate: RATE, largest_block: 64, mode: Mode::Offline };
    let transport = Transport::playing(TEMPO);
    let blocks = Blocks::Fixed(64);
    stage::play(
        host,
        setup,
        &Part { score: &score, transport: &transport, until: 512, blocks, pace: Pace::Free },
    )?;
    Ok(())
}

/// What might stand where a value of a parameter is wanted.
fn values() -> impl Strategy<Value = Value> {
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
    let changes = prop::collection::vec((prop::sample::select(ids), values()), 1..12);
    let host = RefCell::new(host);
    runner.run(&changes, |changes| {
        let mut state = state.clone();
        for (id, value) in changes {
            state["params"][&id] = value;
        }
        // It may take what it understands, or refuse the whole.
        let host = &mut *host.borrow_mut();
        let _ = host.load(&state_of(&state));
        plays(host).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    println!("proved: {} states with hostile values", runner.config().cases);
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
        let state = stage::clap::with_field(&host.save()?, "model-file", path)?;
        host.load(&state)?;
        let heard = rig::play(&mut host, &rig::call(), &Transport::playing(TEMPO), Blocks::Fixed(512))?;
        assert_eq!(heard.events, own, "{:?}", path.get(..20).unwrap_or(path));
    }
    Ok(())
}
