//! Every operation of the graph, and its gradients, against the plain ones that other devices use.

use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use rand::{RngExt, SeedableRng};

use super::{
    attention::{self, attend},
    bag::{self, Bag},
    cost::{self, Ahead, Target},
    experts::{CELLS, EXPERTS},
    norm::{self, normalised},
    shape::{ATTENTION, ATTENTION_HEADS, MEMORY},
    vocabulary::{Bin, OVER, STEPS},
};
use crate::{
    model::{Chance, vector::Item},
    music::conditions::Pulse,
};

fn random(shape: &[usize], size: f32, chance: &mut Chance) -> Var {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| chance.random_range(-size..size)).collect();
    let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).expect("as many numbers");
    Var::from_tensor(&tensor).expect("a tensor")
}

/// Whether two graphs over `vars` give the same numbers and gradients; `mask` weighs the numbers.
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
fn a_gathered_bag_is_a_product_with_mostly_noughts() {
    let mut chance = Chance::seed_from_u64(1);
    let (table, mask) = (random(&[5, 64], 1.0, &mut chance), random(&[3, 64], 1.0, &mut chance));
    let mut bag = Bag::default();
    let items = [(4, 1.0), (0, 0.5), (4, 2.0)].map(|(row, amount)| Item { row, amount });
    [&items[..], &[], &items[..1]].into_iter().for_each(|items| bag.push(items));
    let theirs = bag::plain(&bag, &table).expect("shapes fit");
    let ours = bag::gather(&Arc::new(bag), &table).expect("shapes fit");
    same_gradients(&[&table], &mask, &ours, &theirs);
}

#[test]
fn a_feature_beyond_the_table_is_refused() {
    let table = random(&[5, 64], 1.0, &mut Chance::seed_from_u64(1));
    let mut bag = Bag::default();
    bag.push(&[Item { row: 5, amount: 1.0 }]);
    assert!(bag::gather(&Arc::new(bag), &table).is_err());
}

#[test]
fn normalised_rows_have_mean_nought_and_variance_one() {
    let mut chance = Chance::seed_from_u64(2);
    let (x, mask) = (random(&[3, 37], 2.0, &mut chance), random(&[3, 37], 1.0, &mut chance));
    same_gradients(&[&x], &mask, &normalised(&x).expect("rows"), &norm::plain(&x).expect("rows"));
}

#[test]
fn a_choice_costs_what_all_that_mean_it_share() {
    let mut chance = Chance::seed_from_u64(3);
    let (logits, mask) = (random(&[3, 20], 3.0, &mut chance), random(&[3], 1.0, &mut chance));
    let mut target = Target::default();
    let item = |row, amount| Item { row, amount };
    target.ask(0..2, &[item(7, 1.0)]);
    target.ask(18..20, &[item(3, 0.25), item(17, 1.0)]);
    target.ask_nothing();
    let theirs = cost::plain(&target, &logits).expect("shapes fit");
    let ours = cost::nats(&Arc::new(target), &logits).expect("shapes fit");
    same_gradients(&[&logits], &mask, &ours, &theirs);
    let free = theirs.get(2).and_then(|nats| nats.to_scalar::<f32>()).expect("a number");
    assert_eq!(free, 0.0);
}

#[test]
fn a_time_costs_what_its_cell_has_by_both_experts() {
    let mut chance = Chance::seed_from_u64(4);
    let width = STEPS + EXPERTS;
    let (logits, mask) = (random(&[6, width], 2.0, &mut chance), random(&[6], 1.0, &mut chance));
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
    let theirs = cost::plain(&target, &logits).expect("shapes fit");
    let ours = cost::nats(&Arc::new(target), &logits).expect("shapes fit");
    same_gradients(&[&logits], &mask, &ours, &theirs);
}

#[test]
fn attention_and_its_gradients_are_those_of_plain_operations() {
    for (heard, time) in [(3, 5), (MEMORY, 3), (MEMORY - 2, 6), (20, 95)] {
        let mut chance = Chance::seed_from_u64(9);
        let queries = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let pairs = random(&[1, MEMORY + time, 2 * ATTENTION], 1.0, &mut chance);
        let age = random(&[ATTENTION_HEADS, MEMORY + 1], 1.0, &mut chance);
        let mask = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let ours = attend(&queries, &pairs, &age, &[heard]).expect("shapes fit");
        let theirs = attention::plain(&queries, &pairs, &age, &[heard]).expect("shapes fit");
        same_gradients(&[&queries, &pairs, &age], &mask, &ours, &theirs);
    }
}
