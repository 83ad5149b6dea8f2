use ::antiphon::{
    model::weights,
    music::note::{Key, Velocity},
};

use super::*;

/// One of each kind.
const MODELS: [&str; 2] = ["classic-25", "antiphon"];

fn network(name: &str) -> Network {
    let weights = weights::read(weights::embedded_file(name).expect("embedded")).expect("complete");
    Network::of(&weights).expect("complete")
}

fn piece(length: u8, seed: u8) -> Vec<GridNote> {
    let note = |n: u8| GridNote {
        step: u32::from(n % 5) * 10,
        key: Key::saturating(40 + n.wrapping_mul(seed) % 40),
        velocity: Velocity::saturating(64),
        duration: 1 + u32::from(n % 7) * 20,
        conditions: Default::default(),
    };
    (0..length).map(note).collect()
}

fn close(a: &Score, b: &Score) {
    assert_eq!(a.notes, b.notes);
    let pairs = a.nats.iter().chain(&a.errors_s).zip(b.nats.iter().chain(&b.errors_s));
    for (a, b) in pairs {
        assert_eq!(a.is_some(), b.is_some());
        assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-2, "{a:?} and {b:?}");
    }
}

#[test]
fn pieces_score_the_same_alone_and_side_by_side() {
    for model in MODELS {
        let (network, pieces) = (network(model), [piece(200, 7), piece(30, 3), piece(0, 1), piece(90, 5)]);
        let together = network.unbounded(&pieces, |_| ()).expect("shapes fit");
        let mut alone = Score::default();
        for piece in pieces {
            alone.add(&network.unbounded(&[piece], |_| ()).expect("shapes fit"));
        }
        close(&together, &alone);
    }
}

#[test]
fn a_memory_longer_than_a_piece_is_unbounded() {
    for model in MODELS {
        let (network, pieces) = (network(model), [piece(40, 7), piece(25, 3)]);
        let all = network.unbounded(&pieces, |_| ()).expect("shapes fit");
        close(&all, &network.remembered(&pieces, 1000, 1000).expect("shapes fit"));
    }
}

#[test]
fn what_a_model_does_not_tell_stays_unknown() {
    let score = network("classic-25").unbounded(&[piece(40, 7)], |_| ()).expect("shapes fit");
    assert!(score.total().is_none() && score.nats_per_note()[1].is_some());
}
