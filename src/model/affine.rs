//! The layer that all networks share, as one operation of candle's graph. Where there is no such operation, on devices
//! that are not the CPU, it is made of plain ones, here and in all layers.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{
    preset::{AFFINE, affine_tensor},
    product::{Before, Matrix, MatrixMut, Sizes, product},
    storage::{numbers, with_numbers},
    vector,
};

/// A matrix and a bias.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    /// (O, I)
    pub weight: Tensor,
    /// (O)
    pub bias: Tensor,
}

impl Affine {
    /// The layer of this name, its tensors asked for by theirs.
    pub(super) fn named(name: &str, tensor: &impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [weight, bias] = AFFINE.map(|part| tensor(&affine_tensor(name, part)));
        Ok(Self { weight: weight?, bias: bias? })
    }

    /// `x · weightᵀ + bias` for `x` (N, I).
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias);
        }
        x.contiguous()?.apply_op3(&self.weight, &self.bias, Op)
    }
}

/// Arguments: x (N, I), the weight (O, I), the bias (O). Result: (N, O).
struct Op;

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        "affine"
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
        let (rows, depth) = l1.shape().dims2()?;
        let (columns, inputs) = l2.shape().dims2()?;
        if inputs != depth || l3.shape().dims1()? != columns {
            bail!("affine: {:?}, {:?} and {:?} do not fit", l1.shape(), l2.shape(), l3.shape());
        }
        let (x, weight, bias) = (numbers(s1, l1)?, numbers(s2, l2)?, numbers(s3, l3)?);
        let mut output = bias.repeat(rows);
        let matrix = MatrixMut { numbers: &mut output, row: columns };
        let sizes = Sizes { rows, depth, columns };
        product(sizes, Matrix::rows(x, depth), Matrix::rows(weight, depth).turned(), matrix, Before::Kept);
        Ok((CpuStorage::F32(output), (rows, columns).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, inputs), outputs, x_learns) = (x.dims2()?, weight.dim(0)?, x.track_op());
        let gradient = gradient.contiguous()?;
        let (mut dx, mut dweight) = (Vec::new(), vec![0.0; outputs * inputs]);
        let mut dbias = vec![0.0; outputs];
        with_numbers([x, weight, &gradient], |[x, weight, gradient]| {
            let back = Matrix::rows(gradient, outputs);
            let matrix = MatrixMut { numbers: &mut dweight, row: inputs };
            let sizes = Sizes { rows: outputs, depth: rows, columns: inputs };
            product(sizes, back.turned(), Matrix::rows(x, inputs), matrix, Before::Overwritten);
            gradient.chunks_exact(outputs).for_each(|row| vector::add(&mut dbias, 1.0, row));
            if x_learns {
                dx = vec![0.0; rows * inputs];
                let matrix = MatrixMut { numbers: &mut dx, row: inputs };
                let sizes = Sizes { rows, depth: outputs, columns: inputs };
                product(sizes, back, Matrix::rows(weight, inputs), matrix, Before::Overwritten);
            }
        })?;
        let device = x.device();
        Ok((
            if x_learns { Some(Tensor::from_vec(dx, x.shape(), device)?) } else { None },
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            Some(Tensor::from_vec(dbias, bias.shape(), device)?),
        ))
    }
}
