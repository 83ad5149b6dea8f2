//! What a head's choice costs, as one operation of candle's graph: the cross-entropy over what can be chosen, where
//! more than one choice may mean the same note.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::bag::Bag;
use crate::model::{
    storage::{numbers, with_numbers},
    vector::{self, Item},
};

/// A logit that weighs nothing beside any other.
pub const IMPOSSIBLE: f32 = -1e9;

/// For each of N notes, what a head may choose and what is true.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The choices that cannot be.
    impossible: Vec<Range<usize>>,
    /// The choices that mean the note, each with its share: one cell of a bin of many. None means that nothing is
    /// asked, and costs nothing.
    truth: Bag,
}

impl Target {
    /// Of the next note.
    pub fn ask(&mut self, impossible: Range<usize>, truth: &[Item]) {
        self.impossible.push(impossible);
        self.truth.push(truth);
    }

    /// There is no next note.
    pub fn ask_nothing(&mut self) {
        self.ask(0..0, &[]);
    }
}

/// The nats (N) of the truth under `logits` (N, C).
pub fn nats(target: &Arc<Target>, logits: &Tensor) -> Result<Tensor> {
    if !logits.device().is_cpu() {
        return plain(target, logits);
    }
    logits.apply_op1(Cost { target: Arc::clone(target), slope: Arc::default() })
}

/// The same, of candle's own operations.
pub fn plain(target: &Target, logits: &Tensor) -> Result<Tensor> {
    let (rows, width) = logits.dims2()?;
    let (mut possible, mut truth) = (vec![0.0; rows * width], vec![IMPOSSIBLE; rows * width]);
    for n in 0..rows {
        let (possible, truth) = (&mut possible[n * width..][..width], &mut truth[n * width..][..width]);
        if target.truth.of(n).is_empty() {
            truth.fill(0.0);
            continue;
        }
        possible[target.impossible[n].clone()].fill(IMPOSSIBLE);
        target.truth.of(n).iter().for_each(|item| truth[usize::from(item.row)] = item.amount.ln());
    }
    let sum = |offsets: Vec<f32>| {
        let logits = (logits + Tensor::from_vec(offsets, (rows, width), logits.device())?)?;
        // The largest number cancels out, so it needs no gradient.
        let top = logits.detach().max_keepdim(1)?;
        logits.broadcast_sub(&top)?.exp()?.sum(1)?.log()? + top.squeeze(1)?
    };
    sum(possible)? - sum(truth)?
}

struct Cost {
    target: Arc<Target>,
    /// The gradient of each row's nats (N, C), for the backward pass.
    slope: Arc<OnceLock<Vec<f32>>>,
}

impl CustomOp1 for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let (impossible, truth) = (&self.target.impossible, &self.target.truth);
        if impossible.len() != rows || truth.len() != rows {
            bail!("cost: {} notes and logits {:?} do not fit", truth.len(), layout.shape());
        }
        let mut slope = numbers(storage, layout)?.to_vec();
        let lines = slope.chunks_exact_mut(width).enumerate();
        let nats = lines
            .map(|(n, line)| {
                line[impossible[n].clone()].fill(IMPOSSIBLE);
                let all = vector::soften(line);
                let share = |item: &Item| item.amount * line[usize::from(item.row)];
                let true_part: f32 = truth.of(n).iter().map(share).sum();
                if truth.of(n).is_empty() {
                    line.fill(0.0);
                    return 0.0;
                }
                // The weights are at least the smallest normal number, so that the quotients are finite.
                for item in truth.of(n) {
                    let weight = line[usize::from(item.row)];
                    line[usize::from(item.row)] = weight - all * item.amount * weight / true_part;
                }
                vector::share_out(line, all);
                all.ln() - true_part.ln()
            })
            .collect();
        if self.slope.set(slope).is_err() {
            bail!("cost: one operation runs once");
        }
        Ok((CpuStorage::F32(nats), rows.into()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let Some(slope) = self.slope.get() else { bail!("cost: backward before forward") };
        let width = logits.dim(1)?;
        let mut dlogits = vec![0.0; slope.len()];
        with_numbers([&gradient.contiguous()?], |[gradient]| {
            let lines = dlogits.chunks_exact_mut(width).zip(slope.chunks_exact(width));
            lines.zip(gradient).for_each(|((line, slope), &gradient)| vector::add(line, gradient, slope));
        })?;
        Ok(Some(Tensor::from_vec(dlogits, logits.shape(), logits.device())?))
    }
}
