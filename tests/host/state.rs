//! What a project remembers.

use std::path::Path;

use anyhow::{Context, Result};
use stage::{Blocks, Host, Transport, clap::with_field};

use crate::rig::{self, ANSWERS, EFFECT, TEMPO};

/// The field of the state that names a model file.
const MODEL_FILE: &str = "model-file";
/// The model of [`ANSWERS`], as a file.
const OWN_MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/classic-25.safetensors");

const OWN: &[(&str, &str)] =
    &[("Seed", "4711"), ("Temperature", "1.3"), ("Memory", "40"), ("Silence", "2.0")];

fn answer(host: &mut dyn Host) -> Result<Vec<stage::Event>> {
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
            // The embedded model of the parameter is another, so that only the file's can give this answer.
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

/// A model cut in half, one with a number that is none, and one of another version.
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
