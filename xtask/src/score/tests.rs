use antiphon::{
    model::{classic::Preset, weights},
    music::note::Velocity,
};

use super::*;

fn network() -> Network {
    let weights = weights::read(weights::embedded_file("classic-25").expect("embedded")).expect("complete");
    let shapes: std::collections::BTreeMap<_, _> = weights.preset.tensors().into_iter().collect();
    let tensor = |name: &str| Tensor::from_slice(weights.numbers(name), shapes[name].clone(), &Device::Cpu);
    Network::new(Preset::named("classic-25").expect("a preset"), tensor).expect("complete")
}

fn piece(length: u8, seed: u8) -> Vec<GridNote> {
    let note = |n: u8| GridNote {
        step: u32::from(n % 5) * 10,
        key: Key::saturating(40 + n.wrapping_mul(seed) % 40),
        velocity: Velocity::saturating(64),
        duration: 1 + u32::from(n % 7) * 20,
    };
    (0..length).map(note).collect()
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-4, "{a} and {b}");
}

#[test]
fn pieces_score_the_same_alone_and_side_by_side() {
    let (network, pieces) = (network(), [piece(200, 7), piece(30, 3), piece(0, 1), piece(90, 5)]);
    let together = unbounded(&network, &pieces, |_| ()).expect("shapes fit");
    let mut alone = (0, 0.0, 0.0);
    for piece in pieces {
        if !piece.is_empty() {
            let score = unbounded(&network, &[piece], |_| ()).expect("shapes fit");
            alone = (alone.0 + score.notes, alone.1 + score.pitch_nats, alone.2 + score.duration_error_s);
        }
    }
    assert_eq!(together.notes, alone.0);
    close(together.pitch(), alone.1 / alone.0 as f64);
    close(together.duration_mae(), alone.2 / alone.0 as f64);
}

#[test]
fn a_memory_longer_than_a_piece_is_unbounded() {
    let (network, pieces) = (network(), [piece(40, 7), piece(25, 3)]);
    let all = unbounded(&network, &pieces, |_| ()).expect("shapes fit");
    let remembered = remembered(&network, &pieces, 1000, 1000).expect("shapes fit");
    assert_eq!(all.notes, remembered.notes);
    close(all.pitch(), remembered.pitch());
    close(all.step_mae(), remembered.step_mae());
}
