//! What a project remembers.

use anyhow::Result;
use stage::{Blocks, Host, Transport};

use crate::rig::{self, ANSWERS, TEMPO};

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
