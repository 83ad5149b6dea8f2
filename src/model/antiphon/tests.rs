use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};

use super::{attention::Attention, shape::*, vocabulary::*, *};
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
        tensors().into_iter().map(|(name, shape)| (name, random(&shape, 0.1, &mut chance))).collect();
    Network::new(|name| Ok(weights[name].as_tensor().clone())).expect("complete")
}

fn notes(count: usize, seed: u64) -> Vec<GridNote> {
    let mut chance = Chance::seed_from_u64(seed);
    let note = |_| GridNote {
        step: chance.random_range(1..30),
        key: Key::saturating(chance.random_range(30..90)),
        velocity: Velocity::saturating(chance.random_range(1..=127)),
        duration: chance.random_range(1..90),
    };
    (0..count).map(note).collect()
}

/// What each note of a piece costs, heard in stretches of `time`.
fn nats(network: &Network, piece: &[GridNote], time: usize) -> Vec<f32> {
    let (mut past, mut scenes) = (Past::silence(1).expect("a size"), [Scene::SILENCE]);
    let mut all = Vec::new();
    for stretch in piece.chunks(time) {
        let page = Page::new(&[stretch], stretch.len(), &mut scenes).expect("shapes fit");
        let (context, after) = network.listen(&page.heard, &past).expect("shapes fit");
        past = after;
        let [a, b, c, d] = network.nats(&context, &page).expect("shapes fit");
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

/// The four sums of probabilities over all that a note can be, one attribute after the other.
fn sums(network: &Network, piece: &[GridNote], truth: GridNote) -> [f64; 4] {
    let mut last = Scene::SILENCE;
    let mut past = Past::silence(1).expect("a size");
    let page = Page::new(&[piece], piece.len(), std::slice::from_mut(&mut last)).expect("shapes fit");
    (_, past) = network.listen(&page.heard, &past).expect("shapes fit");
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
            let page = Page::new(&[&[note]], 1, &mut [last.clone()]).expect("shapes fit");
            let (context, _) = network.listen(&page.heard, &past).expect("shapes fit");
            let nats = &network.nats(&context, &page).expect("shapes fit")[attribute];
            let nats = f64::from(nats.to_vec1::<f32>().expect("a number")[0]);
            (-nats).exp() * f64::from(cells)
        });
        let sum = of_attribute.sum();
        attribute += 1;
        sum
    })
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
    assert!((1_500_000..2_000_000).contains(&parameters), "{parameters}");
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
    for (heard, time) in [(3, 5), (MEMORY, 3), (MEMORY - 2, 6)] {
        let mut chance = Chance::seed_from_u64(9);
        let queries = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let pairs = random(&[1, MEMORY + time, 2 * ATTENTION], 1.0, &mut chance);
        let age = random(&[ATTENTION_HEADS, MEMORY + 1], 1.0, &mut chance);
        let mask = random(&[1, time, ATTENTION], 1.0, &mut chance);
        let op = Attention { heard: vec![heard], trace: Default::default() };
        let ours = queries.apply_op3(&pairs, &age, op).expect("shapes fit");
        let theirs = by_candle(&queries, &pairs, &age, heard).expect("shapes fit");
        let distance = |a: &Tensor, b: &Tensor| {
            (a - b).and_then(|d| d.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()).expect("alike")
        };
        assert!(distance(&ours, &theirs) < 1e-5);
        let gradients =
            |y: &Tensor| (y * mask.as_tensor()).and_then(|y| y.sum_all()?.backward()).expect("a sum");
        let (ours, theirs) = (gradients(&ours), gradients(&theirs));
        for var in [&queries, &pairs, &age] {
            let [ours, theirs] = [&ours, &theirs].map(|g| g.get(var).expect("it takes part"));
            assert!(distance(ours, theirs) < 1e-4, "{heard} {:?}", var.shape());
        }
    }
}
