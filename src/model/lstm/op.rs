//! The layer as one operation of candle's graph.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::sequence::{self, Size, Trace};
use crate::model::storage::{numbers, with_numbers};

/// Arguments: x (B, T, I), the weights (4H, I + H + 1: the inputs', the recurrent, the bias), the state (2, B, H).
/// Result: the hidden states (B, T, H).
pub struct Recurrence {
    /// Left by the forward pass for the backward pass and for the last cells.
    pub trace: Arc<OnceLock<Trace>>,
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
        let (outputs, trace) = sequence::forward(size, numbers(s1, l1)?, numbers(s2, l2)?, numbers(s3, l3)?);
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
            let (dgates, dstate) = sequence::backward(trace, weights, state, gradient);
            // The first layer's input may be what was heard: nothing learns from its gradient.
            let dx = x_learns.then(|| sequence::input_gradient(trace, &dgates, weights));
            (dx, sequence::weight_gradient(trace, &dgates, x, outputs, state), dstate)
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
