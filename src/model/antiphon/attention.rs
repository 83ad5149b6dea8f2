//! Attention over the newest notes as one operation of candle's graph (scaled dot products: Vaswani et al., 2017): each note
//! looks back at most [`MEMORY`] pairs of a key and a value, with a bias for their age, and may look at nothing.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{
    band::{Gradients, Looks, Row},
    cost::IMPOSSIBLE,
    shape::{ATTENTION, ATTENTION_HEADS, HEAD_WIDTH, MEMORY},
};
use crate::model::{
    storage::{numbers, with_numbers},
    vector,
};

/// Arguments: queries (B, T, A), the older and the newer pairs (B, M + T, 2A: keys, then values), and what an age is
/// worth to each head (heads, M + 1), 0 standing for nothing. Result: (B, T, A).
///
/// Note t reads the pairs before M + t.
struct Attention {
    /// For each sequence, how many of its older pairs there are, 0..=M; they stand next to the newer ones.
    heard: Vec<usize>,
    /// Of each sequence, for the backward pass.
    trace: Arc<OnceLock<Vec<Looks>>>,
}

/// What T notes of B sequences read, (B, T, A): see [`Attention`].
pub fn attend(queries: &Tensor, pairs: &Tensor, age: &Tensor, heard: &[usize]) -> Result<Tensor> {
    if !queries.device().is_cpu() {
        return plain(queries, pairs, age, heard);
    }
    queries.apply_op3(pairs, age, Attention { heard: heard.to_vec(), trace: Arc::default() })
}

/// The same, of candle's own operations.
pub fn plain(queries: &Tensor, pairs: &Tensor, age: &Tensor, heard: &[usize]) -> Result<Tensor> {
    let ((batch, time, _), count) = (queries.dims3()?, pairs.dim(1)?);
    let by_head = |x: &Tensor, from: usize, rows: usize| {
        x.narrow(2, from, ATTENTION)?
            .reshape((batch, rows, ATTENTION_HEADS, HEAD_WIDTH))?
            .transpose(1, 2)?
            .contiguous()
    };
    let (mut ages, mut possible) = (Vec::with_capacity(time * count), Vec::new());
    for t in 0..time {
        // A pair that this note does not read has no age: any will do.
        ages.extend(
            (0..count).map(|n| u32::try_from(MEMORY + t).map_or(0, |now| now.saturating_sub(n as u32))),
        );
    }
    for heard in heard {
        let seen = |t: usize, n: usize| (t.max(MEMORY - heard)..MEMORY + t).contains(&n);
        let line = |t| (0..count).map(move |n| if seen(t, n) { 0.0 } else { IMPOSSIBLE });
        possible.extend((0..time).flat_map(line));
    }
    let device = queries.device();
    let ages: Vec<u32> = ages.into_iter().map(|age| age.min(MEMORY as u32)).collect();
    let worth = age.index_select(&Tensor::from_vec(ages, time * count, device)?, 1)?;
    let worth = worth.reshape((1, ATTENTION_HEADS, time, count))?;
    let possible = Tensor::from_vec(possible, (batch, 1, time, count), device)?;
    let keys = by_head(pairs, 0, count)?.t()?.contiguous()?;
    let scores = (by_head(queries, 0, time)?.matmul(&keys)? / (HEAD_WIDTH as f64).sqrt())?;
    let scores = scores.broadcast_add(&worth)?.broadcast_add(&possible)?;
    let nothing = age.narrow(1, 0, 1)?.reshape((1, ATTENTION_HEADS, 1, 1))?;
    let nothing = nothing.broadcast_as((batch, ATTENTION_HEADS, time, 1))?;
    let scores = Tensor::cat(&[scores, nothing.contiguous()?], 3)?;
    let weights = scores.broadcast_sub(&scores.detach().max_keepdim(3)?)?.exp()?;
    let looks = weights.broadcast_div(&weights.sum_keepdim(3)?)?.narrow(3, 0, count)?.contiguous()?;
    looks.matmul(&by_head(pairs, ATTENTION, count)?)?.transpose(1, 2)?.reshape((batch, time, ATTENTION))
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
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
        let (batch, time, width) = l1.shape().dims3()?;
        let fitting = width == ATTENTION
            && l2.shape().dims3()? == (batch, MEMORY + time, 2 * ATTENTION)
            && l3.shape().dims2()? == (ATTENTION_HEADS, MEMORY + 1)
            && self.heard.len() == batch
            && self.heard.iter().all(|&heard| heard <= MEMORY);
        if !fitting {
            bail!("attention: {:?}, {:?} and {:?} do not fit", l1.shape(), l2.shape(), l3.shape());
        }
        let (queries, pairs, age) = (numbers(s1, l1)?, numbers(s2, l2)?, numbers(s3, l3)?);
        let mut outputs = vec![0.0; batch * time * ATTENTION];
        let looks = outputs
            .par_chunks_mut(time * ATTENTION)
            .enumerate()
            .map(|(row, outputs)| self.row(row, time, queries, pairs, age).forward(outputs))
            .collect();
        if self.trace.set(looks).is_err() {
            bail!("attention: one operation runs once");
        }
        Ok((CpuStorage::F32(outputs), (batch, time, ATTENTION).into()))
    }

    fn bwd(
        &self,
        queries: &Tensor,
        pairs: &Tensor,
        age: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(looks) = self.trace.get() else { bail!("attention: backward before forward") };
        let time = queries.dim(1)?;
        let gradient = gradient.contiguous()?;
        let (mut dage, mut dqueries, mut dpairs) = (vec![0.0; age.elem_count()], Vec::new(), Vec::new());
        with_numbers([queries, pairs, age, &gradient], |[q, p, a, g]| {
            let rows = looks.par_iter().zip(g.par_chunks(time * ATTENTION)).enumerate();
            let gradients: Vec<Gradients> = rows
                .map(|(row, (looks, gradient))| self.row(row, time, q, p, a).backward(looks, gradient))
                .collect();
            for row in gradients {
                dqueries.extend(row.queries);
                dpairs.extend(row.pairs);
                vector::add(&mut dage, 1.0, &row.age);
            }
        })?;
        let device = queries.device();
        Ok((
            Some(Tensor::from_vec(dqueries, queries.shape(), device)?),
            Some(Tensor::from_vec(dpairs, pairs.shape(), device)?),
            Some(Tensor::from_vec(dage, age.shape(), device)?),
        ))
    }
}

impl Attention {
    fn row<'a>(
        &self,
        row: usize,
        time: usize,
        queries: &'a [f32],
        pairs: &'a [f32],
        age: &'a [f32],
    ) -> Row<'a> {
        let (wide, long) = (time * ATTENTION, (MEMORY + time) * 2 * ATTENTION);
        Row {
            heard: self.heard[row],
            queries: &queries[row * wide..][..wide],
            pairs: &pairs[row * long..][..long],
            age,
        }
    }
}
