//! Measures the time of a note on the worker: hearing it, and drawing the next one after a full window.

use antiphon::{
    model::{self, Limits, Rng, SamplingSettings},
    music::{
        conditions::Conditions,
        memory::LARGEST_MEMORY,
        note::{GridNote, Key, Velocity},
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::SeedableRng;

const NOTE: GridNote = GridNote {
    step: 12,
    duration: 30,
    key: Key::saturating(64),
    velocity: Velocity::saturating(80),
    conditions: Conditions::UNKNOWN,
};

fn steps(criterion: &mut Criterion) {
    for model in model::registry::embedded() {
        let mut state = model.initial_state();
        let mut rng = Rng::seed_from_u64(0);
        criterion.bench_function(&format!("{}: hear one note", model.name()), |bencher| {
            bencher.iter(|| model.hear(&mut state, NOTE));
        });
        criterion.bench_function(&format!("{}: draw one note", model.name()), |bencher| {
            bencher.iter(|| model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng));
        });
        criterion.bench_function(&format!("{}: hear a window and draw", model.name()), |bencher| {
            bencher.iter(|| {
                model.reset(&mut state);
                (0..model.window().unwrap_or(LARGEST_MEMORY)).for_each(|_| model.hear(&mut state, NOTE));
                model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng)
            });
        });
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
