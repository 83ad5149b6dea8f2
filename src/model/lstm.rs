//! The fused LSTM: a recurrence over whole sequences for training, and the single step for playing.
//!
//! Equations and letters are those of Gers, Schmidhuber and Cummins (2000), with a `tanh` for the candidate. Weights lie as
//! PyTorch's do, gates in the order i, f, g, o, one below the other; there is one bias, as in Keras.

mod op;
mod order;
mod packed;
mod panels;
mod sequence;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use candle_core::{Result, Tensor};

use super::preset::{LSTM, lstm_tensor};
pub use packed::Packed;

/// One layer, over whole sequences and with gradients.
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
    /// The LSTM of this number in a model file, its tensors asked for by name.
    pub(super) fn numbered(layer: usize, tensor: &impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [w_ih, w_hh, bias] = LSTM.map(|part| tensor(&lstm_tensor(layer, part)));
        Ok(Self { w_ih: w_ih?, w_hh: w_hh?, bias: bias? })
    }

    /// From `x` (B, T, I) and the state before it (2, B, H: hidden, then cell) to all hidden states (B, T, H) and
    /// the state after it, which carries no gradient.
    ///
    /// Fails where shapes do not fit or the tensors are not f32.
    pub fn forward(&self, x: &Tensor, state: &Tensor) -> Result<(Tensor, Tensor)> {
        if !x.device().is_cpu() {
            return self.plain(x, state);
        }
        let (batch, time, _) = x.dims3()?;
        let weights = Tensor::cat(&[&self.w_ih, &self.w_hh, &self.bias.unsqueeze(1)?], 1)?;
        let trace = Arc::new(OnceLock::new());
        let op = op::Recurrence { trace: Arc::clone(&trace) };
        let hidden = x.contiguous()?.apply_op3(&weights, &state.contiguous()?, op)?;
        let cells = trace.get().expect("the forward pass has just left its trace").last_cells();
        let cells = Tensor::from_vec(cells, (batch, self.w_hh.dim(1)?), x.device())?;
        let last = hidden.detach().narrow(1, time - 1, 1)?.squeeze(1)?;
        Ok((hidden, Tensor::stack(&[last, cells], 0)?))
    }

    /// The same, of candle's own operations: one graph node for each of them and each note.
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
