use super::*;
use crate::{
    model::weights,
    music::note::{Key, Velocity},
};

fn base() -> Weights {
    weights::read(weights::embedded_file("antiphon").expect("it is inside")).expect("complete")
}

/// Nobody else plays like this: whole tones up and down in even steps, each as loud as the next.
fn pieces() -> Vec<Vec<GridNote>> {
    let note = |n: usize| GridNote {
        step: 20,
        key: Key::saturating(60 + 2 * (n % 6) as u8),
        velocity: Velocity::saturating(100),
        duration: 11,
        conditions: Default::default(),
    };
    (0..3).map(|piece| (0..300).map(|n| note(n * (1 + piece))).collect()).collect()
}

#[test]
fn a_manner_is_learnt_and_foretold_better_on_what_was_held_out() {
    let (base, pieces) = (base(), pieces());
    let material = Material::divided(&pieces, 1).expect("music");
    let limits = Limits { time: Duration::from_secs(600), notes: 12 * DESKS * ROWS * TIME };
    let mut passed = Vec::new();
    let told = |progress: &Progress| {
        passed.push(progress.passed);
        true
    };
    let outcome = Adaptation::new(&base, &material, 1).and_then(|it| it.learn(limits, told)).expect("finite");
    assert!(outcome.gain() > 0.1, "{}", outcome.gain());
    assert!(passed.is_sorted() && passed.last() == Some(&1.0));
    let card = Card::of("me", &base, Player::of(&pieces), &material, &outcome, 1);
    let bytes = outcome.personal("me", &base, card.to_toml()).expect("a gain").to_bytes();
    assert!((10_000..300_000).contains(&bytes.len()), "{} bytes", bytes.len());
    let mine = Personal::read(&bytes).and_then(|personal| personal.applied(&base, 1.0)).expect("its base");
    let network = Network::new(|name| mine.tensor(name)).expect("complete");
    let after = score(&network, &material.held_out).expect("shapes fit");
    // The file is of half precision.
    assert!(
        (after.total() - outcome.after.total()).abs() < 0.02,
        "{} and {}",
        after.total(),
        outcome.after.total()
    );
}

#[test]
fn whoever_stops_it_keeps_what_was_gained_so_far() {
    let (base, pieces) = (base(), pieces());
    let material = Material::divided(&pieces, 1).expect("music");
    let limits = Limits { time: Duration::from_secs(600), notes: 1_000_000 };
    let outcome =
        Adaptation::new(&base, &material, 1).and_then(|it| it.learn(limits, |_| false)).expect("finite");
    assert_eq!((outcome.steps, outcome.parts.is_none()), (0, true));
    assert_eq!(outcome.before, outcome.after);
}

#[test]
fn a_classic_is_refused_by_name() {
    let classic =
        weights::read(weights::embedded_file("classic-25").expect("it is inside")).expect("complete");
    let material = Material::divided(&pieces(), 1).expect("music");
    let refused = Adaptation::new(&classic, &material, 1).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|sentence| sentence.starts_with("classic-25 is a classic")));
}
