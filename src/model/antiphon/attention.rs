//! Attention over the newest notes as one operation of candle's graph (scaled dot products: Vaswani et al.,
//! 2017).
//!
//! Each note reads at most [`MEMORY`] pairs of a key and a value. A bias depends on the age of a pair. A sink
//! takes the attention weight of a note that reads nothing.
//! The kernel computes one sequence on bare slices: a band below the diagonal that is as wide as the memory.
//! The band is cut into blocks of notes, so that most of the work is matrix products.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{ATTENTION, ATTENTION_HEADS, HEAD_WIDTH, MEMORY, cost::IMPOSSIBLE};
use crate::model::{
    operations::{numbers, with_numbers},
    product::{Matrix, MatrixMut, Output, Sizes, product},
    vector,
};

/// Notes of a block. With the memory it makes a multiple of 16, which suits vector instructions.
const BLOCK: usize = 42;
/// Length of a row of attention weights in a block: the pairs that its notes may read, and one place for the
/// sink.
const SPAN: usize = MEMORY + BLOCK;
/// Width of a pair: the keys of all heads, then the values.
const PAIR: usize = 2 * ATTENTION;

/// Arguments: queries (B, T, A); the older and the newer pairs (B, M + T, 2A: keys, then values); the biases
/// by age (heads, M + 1), where age 0 is the sink. Result: (B, T, A).
///
/// Note t reads the pairs before M + t.
struct Attention {
    /// For each sequence, the number of its older pairs, 0..=M. They stand right before the newer ones.
    heard: Vec<usize>,
    /// The attention weights of each sequence, for the backward pass.
    trace: Arc<OnceLock<Vec<AttentionWeights>>>,
}

/// What T notes of B sequences read of the pairs, (B, T, A): see [`Attention`].
pub fn attend(queries: &Tensor, pairs: &Tensor, age: &Tensor, heard: &[usize]) -> Result<Tensor> {
    if !queries.device().is_cpu() {
        return attend_plain(queries, pairs, age, heard);
    }
    queries.apply_op3(pairs, age, Attention { heard: heard.to_vec(), trace: Arc::default() })
}

/// [`attend`], built from candle's own operations.
pub fn attend_plain(queries: &Tensor, pairs: &Tensor, age: &Tensor, heard: &[usize]) -> Result<Tensor> {
    let ((batch, time, _), count) = (queries.dims3()?, pairs.dim(1)?);
    let by_head = |x: &Tensor, from: usize, rows: usize| {
        x.narrow(2, from, ATTENTION)?
            .reshape((batch, rows, ATTENTION_HEADS, HEAD_WIDTH))?
            .transpose(1, 2)?
            .contiguous()
    };
    let (mut ages, mut possible) = (Vec::with_capacity(time * count), Vec::new());
    for t in 0..time {
        // A pair that this note does not read has no age: any index will do.
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
    let sink = age.narrow(1, 0, 1)?.reshape((1, ATTENTION_HEADS, 1, 1))?;
    let sink = sink.broadcast_as((batch, ATTENTION_HEADS, time, 1))?;
    let scores = Tensor::cat(&[scores, sink.contiguous()?], 3)?;
    let weights = scores.broadcast_sub(&scores.detach().max_keepdim(3)?)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(3)?)?.narrow(3, 0, count)?.contiguous()?;
    weights.matmul(&by_head(pairs, ATTENTION, count)?)?.transpose(1, 2)?.reshape((batch, time, ATTENTION))
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
        let weights = outputs
            .par_chunks_mut(time * ATTENTION)
            .enumerate()
            .map(|(row, outputs)| self.sequence(row, time, queries, pairs, age).forward(outputs))
            .collect();
        if self.trace.set(weights).is_err() {
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
        let Some(weights) = self.trace.get() else { bail!("attention: backward before forward") };
        let time = queries.dim(1)?;
        let gradient = gradient.contiguous()?;
        let (mut dage, mut dqueries, mut dpairs) = (vec![0.0; age.elem_count()], Vec::new(), Vec::new());
        with_numbers([queries, pairs, age, &gradient], |[q, p, a, g]| {
            let rows = weights.par_iter().zip(g.par_chunks(time * ATTENTION)).enumerate();
            let gradients: Vec<Gradients> = rows
                .map(|(row, (weights, gradient))| {
                    self.sequence(row, time, q, p, a).backward(weights, gradient)
                })
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
    fn sequence<'a>(
        &self,
        row: usize,
        time: usize,
        queries: &'a [f32],
        pairs: &'a [f32],
        age: &'a [f32],
    ) -> Sequence<'a> {
        let (wide, long) = (time * ATTENTION, (MEMORY + time) * 2 * ATTENTION);
        Sequence {
            heard: self.heard[row],
            queries: &queries[row * wide..][..wide],
            pairs: &pairs[row * long..][..long],
            age,
        }
    }
}

/// One sequence of T notes.
#[derive(Clone, Copy)]
struct Sequence<'a> {
    /// Number of older pairs.
    heard: usize,
    /// (T, A)
    queries: &'a [f32],
    /// (M + T, 2A)
    pairs: &'a [f32],
    /// (heads, M + 1)
    age: &'a [f32],
}

/// The attention weights: how much each note reads of each pair. For each note and head they sum to 1, sink
/// included.
struct AttentionWeights {
    /// (heads, T, SPAN): the first place is the first pair that the note's block reads.
    of_pairs: Vec<f32>,
    /// (heads, T)
    of_sink: Vec<f32>,
}

/// The gradients of a sequence, each as long as the argument that it belongs to.
struct Gradients {
    queries: Vec<f32>,
    pairs: Vec<f32>,
    age: Vec<f32>,
}

/// The factor that keeps the products of keys and queries small, however many numbers they sum over.
fn scale() -> f32 {
    1.0 / (HEAD_WIDTH as f32).sqrt()
}

/// A block of notes of a sequence, for one head.
#[derive(Clone, Copy)]
struct Block {
    head: usize,
    first: usize,
    notes: usize,
}

impl Block {
    /// Offset of the block's attention weights among those of all blocks.
    fn offset(self, time: usize) -> usize {
        self.head * time + self.first
    }

    /// Offset of the head's first number in the queries, for the block's first note.
    fn query(self) -> usize {
        self.first * ATTENTION + self.head * HEAD_WIDTH
    }

    /// Offset of the block's first key in the pairs; its value stands [`ATTENTION`] numbers later.
    fn pair(self) -> usize {
        self.first * PAIR + self.head * HEAD_WIDTH
    }

    /// The sizes of a product such as (notes, span) = (notes, HEAD_WIDTH) · (HEAD_WIDTH, span).
    fn sizes(self, rows: usize, depth: usize, columns: usize) -> Sizes {
        let size = |n| if n == SPAN { MEMORY + self.notes } else { n };
        Sizes { rows: size(rows), depth: size(depth), columns: size(columns) }
    }
}

impl Sequence<'_> {
    fn time(&self) -> usize {
        self.queries.len() / ATTENTION
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let time = self.time();
        let firsts = move |head| {
            (0..time).step_by(BLOCK).map(move |first| Block { head, first, notes: BLOCK.min(time - first) })
        };
        (0..ATTENTION_HEADS).flat_map(firsts)
    }

    /// Fills `outputs` (T, A).
    fn forward(&self, outputs: &mut [f32]) -> AttentionWeights {
        let time = self.time();
        let mut weights = AttentionWeights {
            of_pairs: vec![0.0; ATTENTION_HEADS * time * SPAN],
            of_sink: vec![0.0; ATTENTION_HEADS * time],
        };
        for block in self.blocks() {
            let Block { notes, .. } = block;
            let lines = &mut weights.of_pairs[block.offset(time) * SPAN..][..notes * SPAN];
            let (queries, keys) = (self.queries(block), self.pairs(block, 0));
            let scores = MatrixMut { numbers: lines, row: SPAN };
            product(
                block.sizes(notes, HEAD_WIDTH, SPAN),
                queries,
                keys.transposed(),
                scores,
                Output::Overwrite,
            );
            for (n, line) in lines.chunks_exact_mut(SPAN).enumerate() {
                weights.of_sink[block.offset(time) + n] = self.softmax(block, n, line);
            }
            let output = MatrixMut { numbers: &mut outputs[block.query()..], row: ATTENTION };
            let values = self.pairs(block, ATTENTION);
            let sizes = block.sizes(notes, SPAN, HEAD_WIDTH);
            product(sizes, Matrix::rows(lines, SPAN), values, output, Output::Overwrite);
        }
        weights
    }

    /// Turns the scores of note `n` of a block into attention weights; returns the weight of the sink.
    fn softmax(&self, block: Block, n: usize, line: &mut [f32]) -> f32 {
        let (from, to) = self.band(block.first + n, n);
        let age = &self.age[block.head * (MEMORY + 1)..][..=MEMORY];
        // Older pairs come first in a row, so the biases are reversed.
        let mut ages = [0.0; MEMORY];
        ages.iter_mut().rev().zip(&age[1..]).for_each(|(to, from)| *to = *from);
        line[..from].fill(0.0);
        vector::scale_and_add(&mut line[from..to], scale(), &ages[MEMORY - (to - from)..]);
        line[to] = age[0];
        let sum = vector::softmax_unscaled(&mut line[from..=to]);
        vector::softmax_scale(&mut line[from..=to], sum);
        let sink = line[to];
        line[to..].fill(0.0);
        sink
    }

    /// From the attention weights of the forward pass and the gradient of its outputs (T, A).
    fn backward(&self, weights: &AttentionWeights, gradient: &[f32]) -> Gradients {
        let time = self.time();
        let mut back = Gradients {
            queries: vec![0.0; self.queries.len()],
            pairs: vec![0.0; self.pairs.len()],
            age: vec![0.0; self.age.len()],
        };
        let mut flow = [0.0; BLOCK * SPAN];
        for block in self.blocks() {
            let Block { notes, .. } = block;
            let lines = &weights.of_pairs[block.offset(time) * SPAN..][..notes * SPAN];
            let down = Matrix { numbers: &gradient[block.query()..], row: ATTENTION, column: 1 };
            let values = self.pairs(block, ATTENTION);
            let flow = &mut flow[..notes * SPAN];
            let scores = MatrixMut { numbers: flow, row: SPAN };
            product(
                block.sizes(notes, HEAD_WIDTH, SPAN),
                down,
                values.transposed(),
                scores,
                Output::Overwrite,
            );
            for (n, (flow, line)) in flow.chunks_exact_mut(SPAN).zip(lines.chunks_exact(SPAN)).enumerate() {
                let sink = weights.of_sink[block.offset(time) + n];
                self.softmax_backward(block, n, (line, sink), flow, &mut back.age);
            }
            self.spread(block, lines, flow, down, &mut back);
        }
        back
    }

    /// Turns the gradient of the attention weights of note `n` of a block into the gradient of its scores.
    fn softmax_backward(
        &self,
        block: Block,
        n: usize,
        (line, sink): (&[f32], f32),
        flow: &mut [f32],
        dage: &mut [f32],
    ) {
        let (from, to) = self.band(block.first + n, n);
        let mean = vector::softmax_backward(&mut flow[from..to], &line[from..to]);
        flow[..from].fill(0.0);
        flow[to..].fill(0.0);
        let dage = &mut dage[block.head * (MEMORY + 1)..][..=MEMORY];
        dage[0] -= sink * mean;
        dage[1..].iter_mut().zip(flow[from..to].iter().rev()).for_each(|(age, flow)| *age += flow);
    }

    /// Adds a block's part to the gradients; `flow` is the gradient of its scores.
    fn spread(&self, block: Block, lines: &[f32], flow: &mut [f32], down: Matrix, back: &mut Gradients) {
        let Block { notes, .. } = block;
        flow.iter_mut().for_each(|flow| *flow *= scale());
        let (weights, flow) = (Matrix::rows(lines, SPAN), Matrix::rows(flow, SPAN));
        let dqueries = MatrixMut { numbers: &mut back.queries[block.query()..], row: ATTENTION };
        let (queries, keys) = (self.queries(block), self.pairs(block, 0));
        product(block.sizes(notes, SPAN, HEAD_WIDTH), flow, keys, dqueries, Output::Overwrite);
        let sizes = block.sizes(SPAN, notes, HEAD_WIDTH);
        let dkeys = MatrixMut { numbers: &mut back.pairs[block.pair()..], row: PAIR };
        product(sizes, flow.transposed(), queries, dkeys, Output::Accumulate);
        let dvalues = MatrixMut { numbers: &mut back.pairs[block.pair() + ATTENTION..], row: PAIR };
        product(sizes, weights.transposed(), down, dvalues, Output::Accumulate);
    }

    /// The range of the pairs that note `t` reads, in the row of note `n` of its block.
    fn band(&self, t: usize, n: usize) -> (usize, usize) {
        (n + MEMORY - MEMORY.min(self.heard + t), n + MEMORY)
    }

    fn queries(&self, block: Block) -> Matrix<'_> {
        Matrix { numbers: &self.queries[block.query()..], row: ATTENTION, column: 1 }
    }

    /// The keys of a block's pairs, or the numbers that stand `behind` places after them.
    fn pairs(&self, block: Block, behind: usize) -> Matrix<'_> {
        Matrix { numbers: &self.pairs[block.pair() + behind..], row: PAIR, column: 1 }
    }
}
