//! Tests of the whole network, and of every operation of its graph with its gradients against the plain
//! operations that other devices use.

use std::{collections::BTreeMap, sync::Arc};

use candle_core::{Device, Tensor, Var};
use rand::{RngExt, SeedableRng};

use super::{
    attention::{attend, attend_plain},
    cost::{self, Ahead, Target, nats_plain},
    experts::{CELLS, EXPERTS},
    vocabulary::*,
    *,
};
use crate::{
    model::{
        Rng,
        operations::{Affine, Bag, embedding_bag, embedding_bag_plain, layer_norm, layer_norm_plain, relu},
        product::Precision,
        vector::Item,
    },
    music::{
        conditions::Pulse,
        note::{GridNote, Key, Velocity},
    },
};

fn random(shape: &[usize], size: f32, rng: &mut Rng) -> Var {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-size..size)).collect();
    let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).expect("as many numbers");
    Var::from_tensor(&tensor).expect("a tensor")
}

fn network(seed: u64) -> Network {
    let mut rng = Rng::seed_from_u64(seed);
    let weights: BTreeMap<String, Var> =
        tensors().into_iter().map(|(name, shape)| (name, random(&shape, 0.05, &mut rng))).collect();
    Network::new(|name| Ok(weights[name].as_tensor().clone())).expect("complete")
}

fn notes(count: usize, seed: u64) -> Vec<GridNote> {
    let mut rng = Rng::seed_from_u64(seed);
    let note = |_| GridNote {
        step: rng.random_range(1..30),
        key: Key::saturating(rng.random_range(30..90)),
        velocity: Velocity::saturating(rng.random_range(1..=127)),
        duration: rng.random_range(1..90),
        conditions: Default::default(),
    };
    (0..count).map(note).collect()
}

fn nats_of(network: &Network, context: &Tensor, minibatch: &Minibatch) -> [Tensor; 4] {
    network.logits(context, minibatch).and_then(|logits| minibatch.nats(&logits)).expect("shapes fit")
}

/// The loss of each note of a piece, heard in stretches of `time` notes.
fn nats(network: &Network, piece: &[GridNote], time: usize) -> Vec<f32> {
    let (mut past, mut scenes) =
        (RecurrentState::initial(1, &Device::Cpu).expect("a size"), [Scene::SILENCE]);
    let mut all = Vec::new();
    for stretch in piece.chunks(time) {
        let minibatch = Minibatch::new(&[stretch], stretch.len(), &mut scenes);
        let (context, after) = network.listen(&minibatch, &past).expect("shapes fit");
        past = after;
        let [a, b, c, d] = nats_of(network, &context, &minibatch);
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

/// For each attribute, the sum of probabilities over all its values, given the attributes before. For the
/// step, the end of the piece is included.
fn sums(network: &Network, piece: &[GridNote], truth: GridNote) -> [f64; 4] {
    let mut last = Scene::SILENCE;
    let mut past = RecurrentState::initial(1, &Device::Cpu).expect("a size");
    let minibatch = Minibatch::new(&[piece], piece.len(), std::slice::from_mut(&mut last));
    (_, past) = network.listen(&minibatch, &past).expect("shapes fit");
    let steps =
        (0..TIMES).map(|bin| (GridNote { step: Bin::at(bin).first_cell, ..truth }, Bin::at(bin).cells));
    let keys = (0..=127).map(|key| (GridNote { key: Key::saturating(key), ..truth }, 1));
    let velocities =
        (0..32u8).map(|bin| (GridNote { velocity: Velocity::saturating(4 * bin + 1), ..truth }, 1));
    // Cell by cell where ends may be pointed at, bin by bin beyond.
    let near = (1..=1024).map(|duration| (GridNote { duration, ..truth }, 1));
    let far = (Bin::of(1024).index..TIMES)
        .map(|bin| (GridNote { duration: Bin::at(bin).first_cell + 1, ..truth }, Bin::at(bin).cells));
    let choices: [Vec<(GridNote, u32)>; 4] =
        [steps.collect(), keys.collect(), velocities.collect(), near.chain(far).collect()];
    let mut attribute = 0;
    choices.map(|choices| {
        let of_attribute = choices.iter().map(|&(note, cells)| {
            let minibatch = Minibatch::new(&[&[note]], 1, &mut [last.clone()]);
            let (context, _) = network.listen(&minibatch, &past).expect("shapes fit");
            let nats = &nats_of(network, &context, &minibatch)[attribute];
            let nats = f64::from(nats.to_vec1::<f32>().expect("a number")[0]);
            (-nats).exp() * f64::from(cells)
        });
        let sum: f64 = of_attribute.sum();
        let over = if attribute == 0 { probability_of_the_end(network, &past, &last) } else { 0.0 };
        attribute += 1;
        sum + over
    })
}

fn probability_of_the_end(network: &Network, past: &RecurrentState, last: &Scene) -> f64 {
    let minibatch = Minibatch::of(&[Stretch { notes: &[], heard: &[], over: true }], 1, &mut [last.clone()]);
    let (context, _) = network.listen(&minibatch, past).expect("shapes fit");
    let nats = nats_of(network, &context, &minibatch)[0].to_vec1::<f32>().expect("a number")[0];
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
    let parameters = crate::model::weights::Architecture::Antiphon.parameters();
    // 8 MB, in numbers of two bytes.
    assert!(parameters < 4_000_000, "{parameters}");
}

/// Asserts that two graphs over `vars` give the same numbers and gradients; `mask` weights the numbers.
fn same_gradients(vars: &[&Var], mask: &Tensor, ours: &Tensor, theirs: &Tensor) {
    let distance = |a: &Tensor, b: &Tensor| {
        (a - b).and_then(|d| d.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()).expect("alike")
    };
    assert!(distance(ours, theirs) < 1e-5);
    let gradients = |y: &Tensor| (y * mask).and_then(|y| y.sum_all()?.backward()).expect("a sum");
    let (ours, theirs) = (gradients(ours), gradients(theirs));
    for var in vars {
        let [ours, theirs] = [&ours, &theirs].map(|g| g.get(var).expect("it takes part"));
        assert!(distance(ours, theirs) < 1e-4, "{:?}", var.shape());
    }
}

#[test]
fn an_affine_layer_with_relu_is_what_candle_computes() {
    let mut rng = Rng::seed_from_u64(2);
    let [x, weight, bias] = [&[40, 70][..], &[66, 70], &[66]].map(|shape| random(shape, 1.0, &mut rng));
    let affine = Affine { weight: weight.as_tensor().clone(), bias: bias.as_tensor().clone() };
    let theirs = weight.t().and_then(|weight| x.matmul(&weight)?.broadcast_add(&bias)?.relu());
    let theirs = theirs.expect("shapes fit");
    // Relative to the largest number: factors of mixed precision are rounded to one part in 256.
    let apart = |a: &Tensor, b: &Tensor| {
        let largest = |t: &Tensor| t.abs().and_then(|t| t.max_all()?.to_scalar::<f32>()).expect("numbers");
        largest(&(a - b).expect("alike")) / largest(b)
    };
    // Squared, so that gradients differ from note to note.
    let gradients = |y: &Tensor| y.sqr().and_then(|y| y.sum_all()?.backward()).expect("a sum");
    for (precision, most) in [(Precision::Single, 1e-5), (Precision::Mixed, 0.02)] {
        let ours = affine.forward(&x, precision).and_then(|y| relu(&y)).expect("shapes fit");
        assert!(apart(&ours, &theirs) < most, "{precision:?}");
        let (ours, theirs) = (gradients(&ours), gradients(&theirs));
        for var in [&x, &weight, &bias] {
            let [ours, theirs] = [&ours, &theirs].map(|store| store.get(var).expect("it takes part"));
            assert!(apart(ours, theirs) < most, "{precision:?}, {:?}", var.shape());
        }
    }
}

#[test]
fn a_gathered_bag_is_a_product_with_mostly_noughts() {
    let mut rng = Rng::seed_from_u64(1);
    let (table, mask) = (random(&[5, 64], 1.0, &mut rng), random(&[3, 64], 1.0, &mut rng));
    let mut bag = Bag::default();
    let items = [(4, 1.0), (0, 0.5), (4, 2.0)].map(|(row, amount)| Item { row, amount });
    [&items[..], &[], &items[..1]].into_iter().for_each(|items| bag.push(items));
    let theirs = embedding_bag_plain(&bag, &table).expect("shapes fit");
    let ours = embedding_bag(&Arc::new(bag), &table).expect("shapes fit");
    same_gradients(&[&table], &mask, &ours, &theirs);
}

#[test]
fn a_feature_beyond_the_table_is_refused() {
    let table = random(&[5, 64], 1.0, &mut Rng::seed_from_u64(1));
    let mut bag = Bag::default();
    bag.push(&[Item { row: 5, amount: 1.0 }]);
    assert!(embedding_bag(&Arc::new(bag), &table).is_err());
}

#[test]
fn normalised_rows_have_mean_nought_and_variance_one() {
    let mut rng = Rng::seed_from_u64(2);
    let (x, mask) = (random(&[3, 37], 2.0, &mut rng), random(&[3, 37], 1.0, &mut rng));
    same_gradients(&[&x], &mask, &layer_norm(&x).expect("rows"), &layer_norm_plain(&x).expect("rows"));
}

#[test]
fn a_choice_costs_what_all_that_mean_it_share() {
    let mut rng = Rng::seed_from_u64(3);
    let (logits, mask) = (random(&[3, 20], 3.0, &mut rng), random(&[3], 1.0, &mut rng));
    let mut target = Target::default();
    let item = |row, amount| Item { row, amount };
    target.ask(0..2, &[item(7, 1.0)]);
    target.ask(18..20, &[item(3, 0.25), item(17, 1.0)]);
    target.ask_nothing();
    let theirs = nats_plain(&target, &logits).expect("shapes fit");
    let ours = cost::nats(&Arc::new(target), &logits).expect("shapes fit");
    same_gradients(&[&logits], &mask, &ours, &theirs);
    let free = theirs.get(2).and_then(|nats| nats.to_scalar::<f32>()).expect("a number");
    assert_eq!(free, 0.0);
}

#[test]
fn a_time_costs_what_its_cell_has_by_both_experts() {
    let mut rng = Rng::seed_from_u64(4);
    let width = STEPS + EXPERTS;
    let (logits, mask) = (random(&[6, width], 2.0, &mut rng), random(&[6], 1.0, &mut rng));
    let pulse = Pulse::new(2.3, 3.0, 0.61).expect("a bar");
    let mut target = Target::of_time();
    for (n, cell) in [7, 300, 700, 12, 499].into_iter().enumerate() {
        let bin = Bin::of(cell);
        let item = Item { row: bin.index as u16, amount: bin.share() };
        let cell = Some(cell as usize).filter(|&cell| cell < CELLS);
        let ahead = Some(Ahead { pulse, first: 1, cell }).filter(|_| n < 4);
        target.ask_ahead(0..0, &[item, Item { row: OVER as u16, amount: 1.0 }][..1 + n % 2], ahead);
    }
    let over = Item { row: OVER as u16, amount: 1.0 };
    target.ask_ahead(0..0, &[over], Some(Ahead { pulse, first: 0, cell: None }));
    let theirs = nats_plain(&target, &logits).expect("shapes fit");
    let ours = cost::nats(&Arc::new(target), &logits).expect("shapes fit");
    same_gradients(&[&logits], &mask, &ours, &theirs);
}

#[test]
fn attention_and_its_gradients_are_those_of_plain_operations() {
    for (heard, time) in [(3, 5), (MEMORY, 3), (MEMORY - 2, 6), (20, 95)] {
        let mut rng = Rng::seed_from_u64(9);
        let queries = random(&[1, time, ATTENTION], 1.0, &mut rng);
        let pairs = random(&[1, MEMORY + time, 2 * ATTENTION], 1.0, &mut rng);
        let age = random(&[ATTENTION_HEADS, MEMORY + 1], 1.0, &mut rng);
        let mask = random(&[1, time, ATTENTION], 1.0, &mut rng);
        let ours = attend(&queries, &pairs, &age, &[heard]).expect("shapes fit");
        let theirs = attend_plain(&queries, &pairs, &age, &[heard]).expect("shapes fit");
        same_gradients(&[&queries, &pairs, &age], &mask, &ours, &theirs);
    }
}

#[test]
fn an_old_tensor_keeps_its_rows_and_gets_noughts_between() {
    let old = first_tensors().into_iter().find(|(name, _)| name == "hear.table").expect("it is there").1;
    let new = tensors().into_iter().find(|(name, _)| name == "hear.table").expect("there").1;
    let width = old[1];
    let numbers: Vec<f32> = (0..old[0] * width).map(|n| 1.0 + n as f32).collect();
    let upgraded = upgraded("hear.table", &new, numbers.clone());
    assert_eq!(upgraded.len(), new[0] * width);
    assert_eq!(upgraded[..PLACE * width], numbers[..PLACE * width]);
    assert!(upgraded[PLACE * width..KEY * width].iter().all(|&number| number == 0.0));
    assert_eq!(upgraded[KEY * width], numbers[PLACE * width]);
    assert!(upgraded[WHO * width..].iter().all(|&number| number == 0.0));
}
