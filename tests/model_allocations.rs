//! Models play on threads that must not wait: after the state is made, nothing is allocated.

// The framework brings the allocator that aborts.
#![cfg(feature = "plugin")]

use std::sync::Arc;

use antiphon::{
    model::{Chance, Model, Preset, Taste, embedded, load, weights::REPRESENTATION},
    music::{
        grid::GridNote,
        note::{Key, Velocity},
        time::Seconds,
    },
};
use nice_assert_no_alloc::assert_no_alloc;
use nice_plug as _;
use rand::SeedableRng;
use safetensors::tensor::{Dtype, TensorView};

/// Our own network with weights that say nothing.
fn antiphon() -> Arc<dyn Model> {
    let bytes: Vec<_> = Preset::Antiphon
        .tensors()
        .into_iter()
        .map(|(name, shape)| (name, vec![0; 2 * shape.iter().product::<usize>()], shape))
        .collect();
    let views = bytes.iter().map(|(name, bytes, shape)| {
        (name, TensorView::new(Dtype::F16, shape.clone(), bytes).expect("sizes fit"))
    });
    let metadata = [("preset", Preset::Antiphon.name()), ("representation", REPRESENTATION)];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    load(&safetensors::serialize(views, Some(metadata)).expect("views fit")).expect("complete")
}

#[test]
fn hearing_drawing_and_forgetting_allocate_nothing() {
    for model in embedded().iter().cloned().chain([antiphon()]) {
        let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
        let mut mark = model.silence();
        let mut note =
            GridNote { step: 10, duration: 30, key: Key::saturating(60), velocity: Velocity::saturating(64) };
        assert_no_alloc(|| {
            for temperature in [0.0, 0.7, 1.0] {
                model.hear(&mut state, note);
                let taste = Taste { temperature, ..Taste::PLAIN };
                note = model.draw(&mut state, &taste, Seconds(0.05), &mut chance).into();
            }
            mark.copy_from(&state);
            model.forget(&mut state);
        });
    }
}
