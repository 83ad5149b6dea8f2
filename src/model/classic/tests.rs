use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::SeedableRng;

use super::*;
use crate::model::{registry, weights};

fn model(name: &str) -> (weights::Weights, Arc<dyn Model>) {
    let bytes = registry::embedded_file(name).expect("embedded");
    (registry::read(bytes).expect("complete"), registry::load(bytes).expect("complete"))
}

fn notes() -> Vec<GridNote> {
    (0..40u8)
        .map(|n| GridNote {
            step: u32::from(n % 7) * 11,
            duration: u32::from(n % 5) * 30 + 5,
            key: Key::saturating(40 + (n * 6) % 50),
            velocity: Velocity::saturating(30 + n),
            conditions: Default::default(),
        })
        .collect()
}

#[test]
fn the_classics_have_the_published_numbers_of_parameters() {
    assert_eq!(weights::Architecture::Classic(CLASSIC_25).parameters(), 84_354);
    assert_eq!(weights::Architecture::Classic(CLASSIC_150).parameters(), 265_602);
}

#[test]
fn note_by_note_and_all_at_once_predict_the_same() {
    for config in [CLASSIC_25, CLASSIC_150] {
        let (weights, _) = model(config.name);
        let classic = Classic::new(config, &weights.name, |name| weights.numbers(name));
        let network = Network::new(config, |name| weights.tensor(name)).expect("complete");
        let notes = notes();
        let x: Vec<f32> =
            notes.iter().flat_map(|n| features(n.key, n.step_seconds(), n.duration_seconds())).collect();
        let x = Tensor::from_vec(x, (1, notes.len(), INPUTS), &Device::Cpu).expect("shape");
        let (known, _) = network.listen(&x, &network.silence(1).expect("shape")).expect("shape");
        let all = network.predict(&known.squeeze(0).expect("shape")).expect("shape");
        let logits: Vec<Vec<f32>> = all.logits.to_vec2().expect("f32");
        let (steps, durations) =
            (all.step.to_vec1::<f32>().expect("f32"), all.duration.to_vec1::<f32>().expect("f32"));
        let mut state = classic.initial_state();
        for (n, &note) in notes.iter().enumerate() {
            let heads = classic.predict(&mut state);
            let expected = logits[n].iter().chain([&steps[n], &durations[n]]);
            assert!(
                heads.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3 * b.abs().max(1.0)),
                "note {n}"
            );
            classic.hear(&mut state, note);
        }
    }
}

#[test]
fn the_same_chance_draws_the_same_notes() {
    for config in [CLASSIC_25, CLASSIC_150] {
        let (_, model) = model(config.name);
        let answer = |seed| {
            let (mut state, mut rng) = (model.initial_state(), Rng::seed_from_u64(seed));
            notes().into_iter().for_each(|note| model.hear(&mut state, note));
            (0..20)
                .map(|_| {
                    let note = model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng);
                    model.hear(&mut state, note.into());
                    note
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(answer(1), answer(1));
        assert_ne!(answer(1), answer(2));
    }
}

#[test]
fn forgetting_leads_back_to_silence() {
    for config in [CLASSIC_25, CLASSIC_150] {
        let (_, model) = model(config.name);
        let mut state = model.initial_state();
        notes().into_iter().for_each(|note| model.hear(&mut state, note));
        model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut Rng::seed_from_u64(1));
        model.reset(&mut state);
        assert_eq!(state.own::<Vec<f32>>(), model.initial_state().own::<Vec<f32>>());
    }
}

#[test]
fn a_step_is_never_shorter_than_the_silence_that_is_certain() {
    let (_, model) = model("classic-150");
    let mut state = model.initial_state();
    let note = model.draw(
        &mut state,
        &SamplingSettings::PLAIN,
        &Limits::after(Seconds(7.5)),
        &mut Rng::seed_from_u64(1),
    );
    assert_eq!(note.step, Seconds(7.5));
    assert!(note.duration >= SHORTEST);
}

#[test]
fn velocities_are_borrowed_from_what_was_heard_recently() {
    let (_, model) = model("classic-25");
    let (mut state, mut rng) = (model.initial_state(), Rng::seed_from_u64(5));
    for n in 0..100 {
        let velocity = Velocity::saturating(if n < 60 { 20 } else { 90 });
        model.hear(&mut state, GridNote { velocity, ..notes()[n % 40] });
    }
    for _ in 0..50 {
        assert_eq!(
            model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng).velocity.value(),
            90
        );
    }
}

#[test]
fn endless_notes_do_not_poison_the_state() {
    let (_, model) = model("classic-150");
    let mut state = model.initial_state();
    model.hear(&mut state, GridNote { step: u32::MAX, duration: u32::MAX, ..notes()[0] });
    assert!(state.own::<Vec<f32>>().iter().all(|x| x.is_finite()));
}
