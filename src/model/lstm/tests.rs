//! The fused LSTM against candle-nn's, which builds a graph node per operation and note.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{VarBuilder, rnn::RNN};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

use super::Lstm;
use crate::model::Chance;

const CPU: Device = Device::Cpu;

struct Sizes {
    batch: usize,
    time: usize,
    inputs: usize,
    hidden: usize,
}

/// All that takes a gradient, and the weights of the sum over which it is taken.
struct Case {
    lstm: Lstm,
    x: Var,
    state: Var,
    vars: Vec<Var>,
    mask: Tensor,
}

fn random(shape: &[usize], chance: &mut Chance) -> Result<Var> {
    let count = shape.iter().product();
    let numbers: Vec<f32> = (0..count).map(|_| chance.random::<f32>() * 2.0 - 1.0).collect();
    Var::from_tensor(&Tensor::from_vec(numbers, shape, &CPU)?)
}

fn case(sizes: &Sizes, chance: &mut Chance) -> Result<Case> {
    let &Sizes { batch, time, inputs, hidden } = sizes;
    let vars = vec![
        random(&[4 * hidden, inputs], chance)?,
        random(&[4 * hidden, hidden], chance)?,
        random(&[4 * hidden], chance)?,
    ];
    Ok(Case {
        lstm: Lstm {
            w_ih: vars[0].as_tensor().clone(),
            w_hh: vars[1].as_tensor().clone(),
            bias: vars[2].as_tensor().clone(),
        },
        x: random(&[batch, time, inputs], chance)?,
        state: random(&[2, batch, hidden], chance)?,
        mask: random(&[batch, time, hidden], chance)?.as_tensor().clone(),
        vars,
    })
}

/// (B, T, H) and the state after it (2, B, H), note by note.
fn by_candle(case: &Case) -> Result<(Tensor, Tensor)> {
    let (_, time, inputs) = case.x.dims3()?;
    let hidden = case.lstm.w_hh.dim(1)?;
    let tensors = [
        ("weight_ih_l0", case.lstm.w_ih.clone()),
        ("weight_hh_l0", case.lstm.w_hh.clone()),
        ("bias_ih_l0", case.lstm.bias.clone()),
        ("bias_hh_l0", case.lstm.bias.zeros_like()?),
    ];
    let tensors = tensors.map(|(name, tensor)| (name.to_owned(), tensor)).into();
    let builder = VarBuilder::from_tensors(tensors, DType::F32, &CPU);
    let theirs = candle_nn::rnn::lstm(inputs, hidden, Default::default(), builder)?;
    let mut state = candle_nn::rnn::LSTMState::new(case.state.get(0)?, case.state.get(1)?);
    let mut outputs = Vec::new();
    for t in 0..time {
        state = theirs.step(&case.x.narrow(1, t, 1)?.squeeze(1)?, &state)?;
        outputs.push(state.h().clone());
    }
    Ok((Tensor::stack(&outputs, 1)?, Tensor::stack(&[state.h(), state.c()], 0)?))
}

/// The largest difference, relative to the largest number.
fn distance(ours: &Tensor, theirs: &Tensor) -> Result<f32> {
    let largest = |t: &Tensor| t.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>();
    Ok(largest(&(ours - theirs)?)? / largest(theirs)?.max(1e-3))
}

fn compare(sizes: &Sizes, seed: u64) -> Result<()> {
    let case = case(sizes, &mut Chance::seed_from_u64(seed))?;
    let (ours, our_state) = case.lstm.forward(&case.x, &case.state)?;
    let (theirs, their_state) = by_candle(&case)?;
    assert!(distance(&ours, &theirs)? < 1e-4);
    assert!(distance(&our_state, &their_state)? < 1e-4);
    let (plain, plain_state) = case.lstm.plain(&case.x, &case.state)?;
    assert!(distance(&plain, &theirs)? < 1e-4 && distance(&plain_state, &their_state)? < 1e-4);
    let our_gradients = (ours * &case.mask)?.sum_all()?.backward()?;
    let their_gradients = (theirs * &case.mask)?.sum_all()?.backward()?;
    for var in case.vars.iter().chain([&case.x, &case.state]) {
        let ours = our_gradients.get(var).expect("every variable takes part");
        let theirs = their_gradients.get(var).expect("every variable takes part");
        assert!(distance(ours, theirs)? < 1e-4, "gradient of {:?}", var.shape());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn forward_and_gradients_are_those_of_the_unfused_lstm(
        batch in 1..9usize, time in 1..12usize, inputs in 1..6usize, hidden in 1..24usize, seed: u64,
    ) {
        compare(&Sizes { batch, time, inputs, hidden }, seed).expect("shapes fit");
    }
}

#[test]
fn more_sequences_than_one_task_takes_change_nothing() {
    compare(&Sizes { batch: 77, time: 5, inputs: 3, hidden: 32 }, 1).expect("shapes fit");
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let mut case = case(&Sizes { batch: 2, time: 3, inputs: 4, hidden: 5 }, &mut Chance::seed_from_u64(2))
        .expect("shapes fit");
    case.state = random(&[2, 3, 5], &mut Chance::seed_from_u64(3)).expect("a shape");
    assert!(case.lstm.forward(&case.x, &case.state).is_err());
}

/// What ONNX Runtime computed: `tests/golden/lstm_by_onnxruntime.py`.
#[derive(serde::Deserialize)]
struct Golden {
    batch: usize,
    time: usize,
    inputs: usize,
    hidden: usize,
    w_ih: Vec<f32>,
    w_hh: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    state: Vec<f32>,
    outputs: Vec<f32>,
    last_cells: Vec<f32>,
}

#[test]
fn an_independent_runtime_computes_the_same_numbers() {
    let golden: Golden =
        toml::from_str(include_str!("../../../tests/golden/lstm.toml")).expect("well formed");
    let Golden { batch, time, inputs, hidden, .. } = golden;
    let tensor =
        |numbers: &[f32], shape: &[usize]| Tensor::from_slice(numbers, shape, &CPU).expect("sizes fit");
    let lstm = Lstm {
        w_ih: tensor(&golden.w_ih, &[4 * hidden, inputs]),
        w_hh: tensor(&golden.w_hh, &[4 * hidden, hidden]),
        bias: tensor(&golden.bias, &[4 * hidden]),
    };
    let (x, state) = (tensor(&golden.x, &[batch, time, inputs]), tensor(&golden.state, &[2, batch, hidden]));
    let (outputs, after) = lstm.forward(&x, &state).expect("shapes fit");
    assert!(distance(&outputs, &tensor(&golden.outputs, &[batch, time, hidden])).expect("same shape") < 1e-5);
    let cells = after.get(1).expect("hidden and cell");
    assert!(distance(&cells, &tensor(&golden.last_cells, &[batch, hidden])).expect("same shape") < 1e-5);
}
