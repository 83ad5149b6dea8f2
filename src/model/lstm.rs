//! The fused LSTM: a recurrence over whole sequences, for training and scoring.
//!
//! The equations and letters are those of Gers, Schmidhuber and Cummins (2000), with a `tanh` for the
//! candidate. The weights are laid out as in PyTorch: gates in the order i, f, g, o, one below the other.
//! There is one bias, as in Keras.

mod kernel;

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use self::kernel::{Size, Trace};
use super::{
    layers::{LSTM, lstm_tensor},
    operations::{numbers, with_numbers},
    product::Precision,
};

/// One LSTM layer over whole sequences, with gradients.
#[derive(Debug, Clone)]
pub struct Lstm {
    /// (4H, I)
    pub w_ih: Tensor,
    /// (4H, H)
    pub w_hh: Tensor,
    /// (4H)
    pub bias: Tensor,
}

impl Lstm {
    /// The LSTM of the number `layer` in a model file; `tensor` gives each tensor by its name.
    pub(super) fn numbered(layer: usize, tensor: &impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [w_ih, w_hh, bias] = LSTM.map(|part| tensor(&lstm_tensor(layer, part)));
        Ok(Self { w_ih: w_ih?, w_hh: w_hh?, bias: bias? })
    }

    /// Takes `x` (B, T, I) and the state before it (2, B, H: hidden, then cell). Returns all hidden states
    /// (B, T, H), and the state after them, which carries no gradient.
    ///
    /// On devices other than the CPU precision is single. Fails where shapes do not fit or the tensors are not f32.
    pub fn forward(&self, x: &Tensor, state: &Tensor, precision: Precision) -> Result<(Tensor, Tensor)> {
        if !x.device().is_cpu() {
            return self.plain(x, state);
        }
        let (batch, time, _) = x.dims3()?;
        let weights = Tensor::cat(&[&self.w_ih, &self.w_hh, &self.bias.unsqueeze(1)?], 1)?;
        let trace = Arc::new(OnceLock::new());
        let op = Recurrence { precision, trace: Arc::clone(&trace) };
        let hidden = x.contiguous()?.apply_op3(&weights, &state.contiguous()?, op)?;
        let cells = trace.get().expect("the forward pass has just left its trace").last_cells();
        let cells = Tensor::from_vec(cells, (batch, self.w_hh.dim(1)?), x.device())?;
        let last = hidden.detach().narrow(1, time - 1, 1)?.squeeze(1)?;
        Ok((hidden, Tensor::stack(&[last, cells], 0)?))
    }

    /// [`Lstm::forward`], built from candle's own operations: one graph node for each operation and note.
    fn plain(&self, x: &Tensor, state: &Tensor) -> Result<(Tensor, Tensor)> {
        let (batch, time, inputs) = x.dims3()?;
        let sums = x.reshape((batch * time, inputs))?.matmul(&self.w_ih.t()?)?.broadcast_add(&self.bias)?;
        let sums = sums.reshape((batch, time, ()))?;
        let (mut h, mut c) = (state.get(0)?, state.get(1)?);
        let sigmoid = |x: &Tensor| (x.neg()?.exp()? + 1.0)?.recip();
        let mut outputs = Vec::with_capacity(time);
        for t in 0..time {
            let gates = (sums.narrow(1, t, 1)?.squeeze(1)? + h.matmul(&self.w_hh.t()?)?)?.chunk(4, 1)?;
            let written = (sigmoid(&gates[0])? * gates[2].tanh()?)?;
            c = ((sigmoid(&gates[1])? * c)? + written)?;
            h = (sigmoid(&gates[3])? * c.tanh()?)?;
            outputs.push(h.clone());
        }
        Ok((Tensor::stack(&outputs, 1)?, Tensor::stack(&[h.detach(), c.detach()], 0)?))
    }
}

/// Arguments: x (B, T, I), the weights (4H, I + H + 1: those of the inputs, the recurrent ones, the bias),
/// the state (2, B, H).
/// Result: the hidden states (B, T, H).
struct Recurrence {
    precision: Precision,
    /// Left by the forward pass for the backward pass, and for the last cell states.
    trace: Arc<OnceLock<Trace>>,
}

impl CustomOp3 for Recurrence {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let size = fitting(l1, l2, l3)?;
        let (outputs, trace) =
            kernel::forward(size, self.precision, numbers(s1, l1)?, numbers(s2, l2)?, numbers(s3, l3)?);
        if self.trace.set(trace).is_err() {
            bail!("lstm: one recurrence runs once");
        }
        Ok((CpuStorage::F32(outputs), (size.batch, size.time, size.hidden).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weights: &Tensor,
        state: &Tensor,
        outputs: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(trace) = self.trace.get() else { bail!("lstm: backward before forward") };
        let gradient = gradient.contiguous()?;
        let x_learns = x.track_op();
        let tensors = [x, weights, state, outputs, &gradient];
        let (dx, dweights, dstate) = with_numbers(tensors, |[x, weights, state, outputs, gradient]| {
            let (dgates, dstate) = kernel::backward(trace, weights, state, gradient);
            // The input of the first layer may be notes as they were heard: then nothing needs its gradient.
            let dx = x_learns.then(|| kernel::input_gradient(trace, &dgates, weights));
            (dx, kernel::weight_gradient(trace, &dgates, x, outputs, state), dstate)
        })?;
        let device = x.device();
        Ok((
            dx.map(|dx| Tensor::from_vec(dx, x.shape(), device)).transpose()?,
            Some(Tensor::from_vec(dweights, weights.shape(), device)?),
            Some(Tensor::from_vec(dstate, state.shape(), device)?),
        ))
    }
}

fn fitting(x: &Layout, weights: &Layout, state: &Layout) -> Result<Size> {
    let (batch, time, inputs) = x.shape().dims3()?;
    let (gates, row) = weights.shape().dims2()?;
    let hidden = gates / 4;
    if gates != 4 * hidden
        || row != inputs + hidden + 1
        || state.shape().dims3()? != (2, batch, hidden)
        || batch * time * inputs * hidden == 0
    {
        bail!(
            "lstm: x {:?}, weights {:?} and state {:?} do not fit",
            x.shape(),
            weights.shape(),
            state.shape()
        );
    }
    Ok(Size { batch, time, inputs, hidden })
}

#[cfg(test)]
mod tests {
    //! The fused LSTM against candle-nn's, which builds a graph node per operation and note.

    use candle_core::{DType, Device, Var};
    use candle_nn::{VarBuilder, rnn::RNN};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::model::Rng;

    const CPU: Device = Device::Cpu;

    /// All tensors that take a gradient, and the weights of the sum that is differentiated.
    struct Case {
        lstm: Lstm,
        x: Var,
        state: Var,
        vars: Vec<Var>,
        mask: Tensor,
    }

    fn random(shape: &[usize], rng: &mut Rng) -> Result<Var> {
        let count = shape.iter().product();
        let numbers: Vec<f32> = (0..count).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
        Var::from_tensor(&Tensor::from_vec(numbers, shape, &CPU)?)
    }

    fn case(sizes: &Size, rng: &mut Rng) -> Result<Case> {
        let &Size { batch, time, inputs, hidden } = sizes;
        let vars = vec![
            random(&[4 * hidden, inputs], rng)?,
            random(&[4 * hidden, hidden], rng)?,
            random(&[4 * hidden], rng)?,
        ];
        Ok(Case {
            lstm: Lstm {
                w_ih: vars[0].as_tensor().clone(),
                w_hh: vars[1].as_tensor().clone(),
                bias: vars[2].as_tensor().clone(),
            },
            x: random(&[batch, time, inputs], rng)?,
            state: random(&[2, batch, hidden], rng)?,
            mask: random(&[batch, time, hidden], rng)?.as_tensor().clone(),
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

    /// The largest difference, relative to the largest absolute number.
    fn distance(ours: &Tensor, theirs: &Tensor) -> Result<f32> {
        let largest = |t: &Tensor| t.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>();
        Ok(largest(&(ours - theirs)?)? / largest(theirs)?.max(1e-3))
    }

    /// Compares the forward pass and all gradients with candle's, which must not be `most` apart or more.
    fn compare(sizes: &Size, seed: u64, precision: Precision, most: f32) -> Result<()> {
        let case = case(sizes, &mut Rng::seed_from_u64(seed))?;
        let (ours, our_state) = case.lstm.forward(&case.x, &case.state, precision)?;
        let (theirs, their_state) = by_candle(&case)?;
        assert!(distance(&ours, &theirs)? < most);
        assert!(distance(&our_state, &their_state)? < most);
        let (plain, plain_state) = case.lstm.plain(&case.x, &case.state)?;
        assert!(distance(&plain, &theirs)? < 1e-4 && distance(&plain_state, &their_state)? < 1e-4);
        let our_gradients = (ours * &case.mask)?.sum_all()?.backward()?;
        let their_gradients = (theirs * &case.mask)?.sum_all()?.backward()?;
        for var in case.vars.iter().chain([&case.x, &case.state]) {
            let ours = our_gradients.get(var).expect("every variable takes part");
            let theirs = their_gradients.get(var).expect("every variable takes part");
            assert!(distance(ours, theirs)? < most, "gradient of {:?}", var.shape());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn forward_and_gradients_are_those_of_the_unfused_lstm(
            batch in 1..9usize, time in 1..12usize, inputs in 1..6usize, hidden in 1..24usize, seed: u64,
        ) {
            compare(&Size { batch, time, inputs, hidden }, seed, Precision::Single, 1e-4).expect("shapes fit");
        }
    }

    #[test]
    fn more_sequences_than_one_task_takes_change_nothing() {
        let size = Size { batch: 77, time: 5, inputs: 3, hidden: 32 };
        compare(&size, 1, Precision::Single, 1e-4).expect("shapes fit");
    }

    #[test]
    fn in_mixed_precision_forward_and_gradients_are_nearly_those_of_single_precision() {
        // Larger and smaller than the blocks that are rounded. Few steps: weights as large as these do not forgive a
        // difference.
        for (batch, inputs, hidden) in [(40, 70, 72), (3, 5, 12)] {
            let size = Size { batch, time: 2, inputs, hidden };
            compare(&size, 2, Precision::Mixed, 0.02).expect("shapes fit");
        }
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        let mut case = case(&Size { batch: 2, time: 3, inputs: 4, hidden: 5 }, &mut Rng::seed_from_u64(2))
            .expect("shapes fit");
        case.state = random(&[2, 3, 5], &mut Rng::seed_from_u64(3)).expect("a shape");
        assert!(case.lstm.forward(&case.x, &case.state, Precision::Single).is_err());
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
            toml::from_str(include_str!("../../tests/golden/lstm.toml")).expect("well formed");
        let Golden { batch, time, inputs, hidden, .. } = golden;
        let tensor =
            |numbers: &[f32], shape: &[usize]| Tensor::from_slice(numbers, shape, &CPU).expect("sizes fit");
        let lstm = Lstm {
            w_ih: tensor(&golden.w_ih, &[4 * hidden, inputs]),
            w_hh: tensor(&golden.w_hh, &[4 * hidden, hidden]),
            bias: tensor(&golden.bias, &[4 * hidden]),
        };
        let (x, state) =
            (tensor(&golden.x, &[batch, time, inputs]), tensor(&golden.state, &[2, batch, hidden]));
        let (outputs, after) = lstm.forward(&x, &state, Precision::Single).expect("shapes fit");
        assert!(
            distance(&outputs, &tensor(&golden.outputs, &[batch, time, hidden])).expect("same shape") < 1e-5
        );
        let cells = after.get(1).expect("hidden and cell");
        assert!(distance(&cells, &tensor(&golden.last_cells, &[batch, hidden])).expect("same shape") < 1e-5);
    }
}
