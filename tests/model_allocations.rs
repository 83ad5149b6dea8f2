//! Models play on threads that must not wait: after the state is made, nothing is allocated.

// The framework brings the allocator that aborts.
#![cfg(feature = "plugin")]

use antiphon::{
    model::{Chance, Taste, embedded},
    music::{
        note::{Key, RelativeNote, Velocity},
        time::Seconds,
    },
};
use nice_assert_no_alloc::assert_no_alloc;
use nice_plug as _;
use rand::SeedableRng;

#[test]
fn hearing_drawing_and_forgetting_allocate_nothing() {
    for model in embedded() {
        let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
        let mut note = RelativeNote {
            step: Seconds(0.1),
            duration: Seconds(0.3),
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
        };
        assert_no_alloc(|| {
            for temperature in [0.0, 0.7, 1.0] {
                model.hear(&mut state, note);
                note = model.draw(&mut state, &Taste { temperature }, Seconds(0.05), &mut chance);
            }
            model.forget(&mut state);
        });
    }
}
