//! Layer normalisation as an operation of candle's graph (Ba, Kiros and Hinton, 2016), without weights of its own:
//! what follows is affine.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor, bail};

use crate::model::{
    storage::{numbers, with_numbers},
    vector,
};

/// Each row of `x` (N, C) with mean 0 and variance 1.
pub fn normalised(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return plain(x);
    }
    x.apply_op1(Normalise { stretches: Arc::default() })
}

/// The same, of candle's own operations.
pub fn plain(x: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + f64::from(vector::TINY))?.sqrt()?)
}

struct Normalise {
    /// What the deviations of each row were multiplied with, for the backward pass.
    stretches: Arc<OnceLock<Vec<f32>>>,
}

impl CustomOp1 for Normalise {
    fn name(&self) -> &'static str {
        "normalise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let x = numbers(storage, layout)?;
        let mut output = vec![0.0; rows * width];
        let pairs = x.chunks_exact(width).zip(output.chunks_exact_mut(width));
        let stretches = pairs.map(|(x, output)| vector::normalise(x, output)).collect();
        if self.stretches.set(stretches).is_err() {
            bail!("normalise: one operation runs once");
        }
        Ok((CpuStorage::F32(output), (rows, width).into()))
    }

    fn bwd(&self, x: &Tensor, output: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let Some(stretches) = self.stretches.get() else { bail!("normalise: backward before forward") };
        let width = x.dim(1)?;
        let mut dx = vec![0.0; x.elem_count()];
        with_numbers([output, &gradient.contiguous()?], |[output, gradient]| {
            let rows = output.chunks_exact(width).zip(gradient.chunks_exact(width));
            for (((output, gradient), dx), &stretch) in rows.zip(dx.chunks_exact_mut(width)).zip(stretches) {
                vector::normalise_backward(output, stretch, gradient, dx);
            }
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
