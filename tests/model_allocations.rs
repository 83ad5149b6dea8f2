//! Models play on threads that must not wait: after the state is made, nothing is allocated.

// The framework brings the allocator that aborts.
#![cfg(feature = "plugin")]

use antiphon::{
    model::{Chance, Limits, Sampling, SamplingSettings, registry::embedded},
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
        let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
        let mut mark = model.silence();
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
                let _ = model.foresee(&mut state);
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
                note = model.draw(&mut state, &sampling, &Limits::after(Seconds(0.05)), &mut chance).into();
            }
            mark.copy_from(&state);
            model.forget(&mut state);
        });
    }
}
