//! The recurrence as one operation of candle's graph.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::sequence::{self, Size, Trace};
use crate::model::storage::{numbers, with_numbers};

/// Arguments: the inputs' share of the gates (B, T, 4H), the recurrent weights (4H, H), the state (2, B, H).
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
        inputs: &Tensor,
        weights: &Tensor,
        state: &Tensor,
        outputs: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(trace) = self.trace.get() else { bail!("lstm: backward before forward") };
        let gradient = gradient.contiguous()?;
        let (dgates, dstate) = with_numbers([weights, state, &gradient], |[weights, state, gradient]| {
            sequence::backward(trace, weights, state, gradient)
        })?;
        let dweights = with_numbers([outputs, state], |[outputs, state]| {
            sequence::weight_gradient(trace.size, &dgates, outputs, state)
        })?;
        let device = inputs.device();
        Ok((
            Some(Tensor::from_vec(dgates, inputs.shape(), device)?),
            Some(Tensor::from_vec(dweights, weights.shape(), device)?),
            Some(Tensor::from_vec(dstate, state.shape(), device)?),
        ))
    }
}

fn fitting(inputs: &Layout, weights: &Layout, state: &Layout) -> Result<Size> {
    let (batch, time, gates) = inputs.shape().dims3()?;
    let (rows, hidden) = weights.shape().dims2()?;
    if rows != gates
        || gates != 4 * hidden
        || state.shape().dims3()? != (2, batch, hidden)
        || batch * time == 0
    {
        bail!(
            "lstm: gates {:?}, weights {:?} and state {:?} do not fit",
            inputs.shape(),
            weights.shape(),
            state.shape()
        );
    }
    Ok(Size { batch, time, hidden })
}
