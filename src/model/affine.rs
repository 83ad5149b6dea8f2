//! The layer that all networks share, as a graph.

use candle_core::{Result, Tensor};

/// A matrix and a bias.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    /// (O, I)
    pub weight: Tensor,
    /// (O)
    pub bias: Tensor,
}

impl Affine {
    /// `x · weightᵀ + bias` for `x` (N, I).
    ///
    /// The bias is a product with ones, because its gradient is a product too; that of a broadcast is a slow sum.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let ones = Tensor::ones((x.dim(0)?, 1), x.dtype(), x.device())?;
        x.matmul(&self.weight.t()?)? + ones.matmul(&self.bias.unsqueeze(0)?)?
    }
}
