//! Models run on threads that must not wait: once the state is made, they allocate nothing.

// The framework provides the allocator that aborts on an allocation.
#![cfg(feature = "plugin")]

use antiphon::{
    model::{Limits, Rng, Sampling, SamplingSettings, registry::embedded},
    music::{
        note::{GridNote, Key, Velocity},
        time::Seconds,
    },
};
use nice_assert_no_alloc::assert_no_alloc;
use nice_plug as _;
use rand::SeedableRng;

#[test]
fn hearing_foreseeing_drawing_and_forgetting_allocate_nothing() {
    for model in embedded() {
        let (mut state, mut rng) = (model.initial_state(), Rng::seed_from_u64(1));
        let mut mark = model.initial_state();
        let mut note = GridNote {
            step: 10,
            duration: 30,
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
            conditions: Default::default(),
        };
        assert_no_alloc(|| {
            for temperature in [0.0, 0.7, 1.0] {
                model.hear(&mut state, note);
                let _ = model.key_probabilities(&mut state);
                let sampling = Sampling { temperature, ..Sampling::PLAIN };
                let sampling = SamplingSettings {
                    timing: sampling,
                    pitch: sampling,
                    velocity: sampling,
                    lean: 0.5,
                    thinning: 0.5,
                    stretch: 0.5,
                    ..SamplingSettings::PLAIN
                };
                note = model.draw(&mut state, &sampling, &Limits::after(Seconds(0.05)), &mut rng).into();
            }
            mark.copy_from(&state);
            model.reset(&mut state);
        });
    }
}
