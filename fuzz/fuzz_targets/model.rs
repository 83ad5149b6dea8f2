//! Any bytes as a model file: it is refused, or it plays.
#![no_main]

use antiphon::{
    model::{Rng, Limits, SamplingSettings, registry::load},
    music::{
        note::{GridNote, Key, Velocity},
        time::Seconds,
    },
};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = load(bytes) else { return };
    let mut state = model.initial_state();
    let velocity = Velocity::saturating(64);
    model.hear(&mut state, GridNote { step: 10, duration: 30, key: Key::saturating(60), velocity, conditions: Default::default() });
    let limits = Limits::after(Seconds(0.05));
    let note = model.draw(&mut state, &SamplingSettings::PLAIN, &limits, &mut Rng::seed_from_u64(1));
    assert!(note.step >= limits.least_step, "{note:?}");
});
