//! Layers that read many features of which few are there, also known as embedding bags: a sum of rows of a table, as an
//! operation of candle's graph.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use crate::model::{
    storage::{numbers, with_numbers},
    vector::{self, Item, WIDTH},
};

/// For each of N notes, some items: features and how much of them there is.
#[derive(Debug, Clone)]
pub struct Bag {
    /// N + 1 of them: where the items of each note begin, and where the last end.
    starts: Vec<usize>,
    items: Vec<Item>,
}

impl Bag {
    /// Adds the items of the next note.
    pub fn push(&mut self, items: &[Item]) {
        self.items.extend_from_slice(items);
        self.starts.push(self.items.len());
    }

    /// How many notes there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The items of note `n`.
    pub fn of(&self, n: usize) -> &[Item] {
        &self.items[self.starts[n]..self.starts[n + 1]]
    }
}

impl Default for Bag {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

/// (N, O): for each note of the bag the sum of its rows of `table` (features, O); O is a multiple of [`WIDTH`].
pub fn gather(bag: &Arc<Bag>, table: &Tensor) -> Result<Tensor> {
    if !table.device().is_cpu() {
        return plain(bag, table);
    }
    table.apply_op1(Gather(Arc::clone(bag)))
}

/// The same, of candle's own operations: a product with mostly noughts.
pub fn plain(bag: &Bag, table: &Tensor) -> Result<Tensor> {
    let features = table.dim(0)?;
    let mut dense = vec![0.0; bag.len() * features];
    for (n, dense) in dense.chunks_exact_mut(features).enumerate() {
        bag.of(n).iter().for_each(|item| dense[usize::from(item.row)] += item.amount);
    }
    Tensor::from_vec(dense, (bag.len(), features), table.device())?.matmul(table)
}

struct Gather(Arc<Bag>);

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (features, width) = layout.shape().dims2()?;
        let fitting = self.0.items.iter().all(|item| usize::from(item.row) < features);
        if !fitting || width % WIDTH != 0 {
            bail!("gather: the features do not fit a table of {:?}", layout.shape());
        }
        let table = numbers(storage, layout)?;
        let mut output = vec![0.0; self.0.len() * width];
        output
            .par_chunks_exact_mut(width)
            .with_min_len(64)
            .enumerate()
            .for_each(|(n, output)| vector::gather(table, self.0.of(n), output));
        Ok((CpuStorage::F32(output), (self.0.len(), width).into()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (features, width) = table.dims2()?;
        let mut dtable = vec![0.0; features * width];
        with_numbers([&gradient.contiguous()?], |[gradient]| {
            for (n, gradient) in gradient.chunks_exact(width).enumerate() {
                for item in self.0.of(n) {
                    let at = usize::from(item.row) * width;
                    vector::add(&mut dtable[at..at + width], item.amount, gradient);
                }
            }
        })?;
        Ok(Some(Tensor::from_vec(dtable, table.shape(), table.device())?))
    }
}
