use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use rand::{RngExt, SeedableRng};

use super::{shape::*, vocabulary::*, *};
use crate::{
    model::Chance,
    music::{
        grid::GridNote,
        note::{Key, Velocity},
    },
};

fn random(shape: &[usize], size: f32, chance: &mut Chance) -> Var {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| chance.random_range(-size..size)).collect();
    let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).expect("as many numbers");
    Var::from_tensor(&tensor).expect("a tensor")
}

fn network(seed: u64) -> Network {
    let mut chance = Chance::seed_from_u64(seed);
    let weights: BTreeMap<String, Var> =
        tensors().into_iter().map(|(name, shape)| (name, random(&shape, 0.05, &mut chance))).collect();
    Network::new(|name| Ok(weights[name].as_tensor().clone())).expect("complete")
}

fn notes(count: usize, seed: u64) -> Vec<GridNote> {
    let mut chance = Chance::seed_from_u64(seed);
    let note = |_| GridNote {
        step: chance.random_range(1..30),
        key: Key::saturating(chance.random_range(30..90)),
        velocity: Velocity::saturating(chance.random_range(1..=127)),
        duration: chance.random_range(1..90),
        conditions: Default::default(),
    };
    (0..count).map(note).collect()
}

fn nats_of(network: &Network, context: &Tensor, page: &Page) -> [Tensor; 4] {
    network.logits(context, page).and_then(|logits| page.nats(&logits)).expect("shapes fit")
}

/// What each note of a piece costs, heard in stretches of `time`.
fn nats(network: &Network, piece: &[GridNote], time: usize) -> Vec<f32> {
    let (mut past, mut scenes) = (Past::silence(1, &Device::Cpu).expect("a size"), [Scene::SILENCE]);
    let mut all = Vec::new();
    for stretch in piece.chunks(time) {
        let page = Page::new(&[stretch], stretch.len(), &mut scenes);
        let (context, after) = network.listen(&page, &past).expect("shapes fit");
        past = after;
        let [a, b, c, d] = nats_of(network, &context, &page);
        let sum = (((a + b).expect("alike") + c).expect("alike") + d).expect("alike");
        all.extend(sum.to_vec1::<f32>().expect("numbers"));
    }
    all
}

#[test]
fn stretches_change_nothing() {
    let (network, piece) = (network(1), notes(400, 2));
    let whole = nats(&network, &piece, 400);
    for time in [1, 37, 200] {
        let parts = nats(&network, &piece, time);
        assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-3), "{time}");
    }
}

#[test]
fn a_note_is_foretold_from_what_came_before_alone() {
    let (network, mut piece) = (network(3), notes(40, 4));
    let before = nats(&network, &piece, 40);
    piece[30].key = Key::saturating(100);
    let after = nats(&network, &piece, 40);
    assert_eq!(before[..30], after[..30]);
    assert_ne!(before[31..], after[31..]);
}

/// The four sums of probabilities over all that a note can be, one attribute after the other; of a step, that there
/// is none.
fn sums(network: &Network, piece: &[GridNote], truth: GridNote) -> [f64; 4] {
    let mut last = Scene::SILENCE;
    let mut past = Past::silence(1, &Device::Cpu).expect("a size");
    let page = Page::new(&[piece], piece.len(), std::slice::from_mut(&mut last));
    (_, past) = network.listen(&page, &past).expect("shapes fit");
    let steps =
        (0..TIMES).map(|bin| (GridNote { step: Bin::at(bin).first_cell, ..truth }, Bin::at(bin).cells));
    let keys = (0..=127).map(|key| (GridNote { key: Key::saturating(key), ..truth }, 1));
    let velocities =
        (0..32u8).map(|bin| (GridNote { velocity: Velocity::saturating(4 * bin + 1), ..truth }, 1));
    // Cell by cell as far as ends may be pointed at, bin by bin beyond.
    let near = (1..=1024).map(|duration| (GridNote { duration, ..truth }, 1));
    let far = (Bin::of(1024).index..TIMES)
        .map(|bin| (GridNote { duration: Bin::at(bin).first_cell + 1, ..truth }, Bin::at(bin).cells));
    let choices: [Vec<(GridNote, u32)>; 4] =
        [steps.collect(), keys.collect(), velocities.collect(), near.chain(far).collect()];
    let mut attribute = 0;
    choices.map(|choices| {
        let of_attribute = choices.iter().map(|&(note, cells)| {
            let page = Page::new(&[&[note]], 1, &mut [last.clone()]);
            let (context, _) = network.listen(&page, &past).expect("shapes fit");
            let nats = &nats_of(network, &context, &page)[attribute];
            let nats = f64::from(nats.to_vec1::<f32>().expect("a number")[0]);
            (-nats).exp() * f64::from(cells)
        });
        let sum: f64 = of_attribute.sum();
        let over = if attribute == 0 { probability_of_the_end(network, &past, &last) } else { 0.0 };
        attribute += 1;
        sum + over
    })
}

fn probability_of_the_end(network: &Network, past: &Past, last: &Scene) -> f64 {
    let page = Page::of(&[Stretch { notes: &[], heard: &[], over: true }], 1, &mut [last.clone()]);
    let (context, _) = network.listen(&page, past).expect("shapes fit");
    let nats = nats_of(network, &context, &page)[0].to_vec1::<f32>().expect("a number")[0];
    (-f64::from(nats)).exp()
}

#[test]
fn the_probabilities_of_all_notes_sum_to_one() {
    let (network, piece) = (network(5), notes(20, 6));
    for step in [0, 3] {
        for sum in sums(&network, &piece, GridNote { step, key: Key::saturating(90), ..piece[0] }) {
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
    }
}

#[test]
fn an_end_that_is_pointed_at_costs_less_than_its_length_alone() {
    let (network, mut piece) = (network(7), notes(2, 8));
    piece[0] = GridNote { step: 0, duration: 50, ..piece[0] };
    piece[1] = GridNote { step: 10, duration: 40, ..piece[1] };
    let together = nats(&network, &piece, 2)[1];
    piece[1].duration = 41;
    assert!(together < nats(&network, &piece, 2)[1] - 0.3);
}

#[test]
fn the_parameters_fit_the_bundle() {
    let parameters = crate::model::Preset::Antiphon.parameters();
    // 8 MB, in numbers of two bytes.
    assert!(parameters < 4_000_000, "{parameters}");
}
