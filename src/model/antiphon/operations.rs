//! Every operation of the graph, and its gradients, against candle's own plain operations.

use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};

use super::{
    attention::Attention,
    bag::{self, Bag},
    cost::{self, Target},
    norm::normalised,
    shape::{ATTENTION, ATTENTION_HEADS, HEAD, MEMORY},
};
use crate::model::{Chance, vector::Item};

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
    let dense = [[0.5, 0.0, 0.0, 0.0, 3.0], [0.0; 5], [0.0, 0.0, 0.0, 0.0, 1.0]];
    let dense = Tensor::new(&dense.map(|row| row.map(|x: f32| x)), &Device::Cpu).expect("numbers");
    let ours = bag::gather(&Arc::new(bag), &table).expect("shapes fit");
    let theirs = dense.matmul(&table).expect("shapes fit");
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
    let by_candle = || -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)
    };
    same_gradients(&[&x], &mask, &normalised(&x).expect("rows"), &by_candle().expect("shapes fit"));
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
    let by_candle = || -> Result<Tensor> {
        let weights = logits.exp()?;
        let row = |n: usize, from, count| weights.get(n)?.narrow(0, from, count)?.sum_all();
        let first = (row(0, 2, 18)?.log()? - row(0, 7, 1)?.log()?)?;
        let truth = ((row(1, 3, 1)? * 0.25)? + row(1, 17, 1)?)?;
        let second = (row(1, 0, 18)?.log()? - truth.log()?)?;
        Tensor::stack(&[first.clone(), second, (row(2, 0, 1)? * 0.0)?], 0)
    };
    let ours = cost::nats(&Arc::new(target), &logits).expect("shapes fit");
    same_gradients(&[&logits], &mask, &ours, &by_candle().expect("shapes fit"));
}

/// The same as the operation, by candle's own operations over one sequence, whose older pairs begin at `MEMORY - heard`.
fn by_candle(queries: &Tensor, pairs: &Tensor, age: &Tensor, heard: usize) -> Result<Tensor> {
    let time = queries.dim(1)?;
    let mut outputs = Vec::new();
    for t in 0..time {
        let count = MEMORY.min(heard + t);
        let band = pairs.get(0)?.narrow(0, MEMORY + t - count, count)?;
        let mut heads = Vec::new();
        for head in 0..ATTENTION_HEADS {
            let query = queries.get(0)?.narrow(0, t, 1)?.narrow(1, head * HEAD, HEAD)?;
            let keys = band.narrow(1, head * HEAD, HEAD)?.contiguous()?;
            let values = band.narrow(1, ATTENTION + head * HEAD, HEAD)?.contiguous()?;
            let order: Vec<u32> = (0..=u32::try_from(count).expect("few")).rev().collect();
            let order = Tensor::from_vec(order, count + 1, &Device::Cpu)?;
            let worth = age.get(head)?.index_select(&order, 0)?.unsqueeze(0)?;
            let scores = (query.contiguous()?.matmul(&keys.t()?.contiguous()?)? / (HEAD as f64).sqrt())?;
            let scores =
                (Tensor::cat(&[scores, Tensor::zeros((1, 1), age.dtype(), &Device::Cpu)?], 1)? + worth)?;
            let weights = scores.exp()?;
            let looks = weights.broadcast_div(&weights.sum_keepdim(1)?)?;
            heads.push(looks.narrow(1, 0, count)?.matmul(&values)?);
        }
        outputs.push(Tensor::cat(&heads, 1)?);
    }
    Tensor::cat(&outputs, 0)?.unsqueeze(0)
}

#[test]
fn attention_and_its_gradients_are_those_of_plain_operations() {
    for (heard, time) in [(3, 5), (MEMORY, 3), (MEMORY - 2, 6), (20, 95)] {
        let mut chance = Chance::seed_from_u64(9);
        let queries = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let pairs = random(&[1, MEMORY + time, 2 * ATTENTION], 1.0, &mut chance);
        let age = random(&[ATTENTION_HEADS, MEMORY + 1], 1.0, &mut chance);
        let mask = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let op = Attention { heard: vec![heard], trace: Default::default() };
        let ours = queries.apply_op3(&pairs, &age, op).expect("shapes fit");
        let theirs = by_candle(&queries, &pairs, &age, heard).expect("shapes fit");
        same_gradients(&[&queries, &pairs, &age], &mask, &ours, &theirs);
    }
}
