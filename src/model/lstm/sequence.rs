//! The layer on bare slices. Batch first, so that every thread owns whole sequences, contiguous in memory.

use rayon::prelude::*;

use crate::model::{
    product::{Before, Matrix, MatrixMut, Sizes, product, product_here},
    vector,
};

/// The sizes of a run: B sequences of T notes through H units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub batch: usize,
    pub time: usize,
    pub inputs: usize,
    pub hidden: usize,
}

impl Size {
    /// How many numbers a row of weights has: the inputs', the recurrent, the bias.
    pub fn row(self) -> usize {
        self.inputs + self.hidden + 1
    }

    fn notes(self) -> usize {
        self.batch * self.time
    }
}

/// What the forward pass leaves for the backward pass.
#[derive(Debug)]
pub struct Trace {
    pub size: Size,
    /// (B, T, 4H), after their activations.
    pub gates: Vec<f32>,
    /// (B, T, H)
    pub cells: Vec<f32>,
}

impl Trace {
    /// The cells after the last note, (B, H).
    pub fn last_cells(&self) -> Vec<f32> {
        let Size { time, hidden, .. } = self.size;
        self.cells.chunks_exact(time * hidden).flat_map(|c| &c[(time - 1) * hidden..]).copied().collect()
    }
}

/// From `x` (B, T, I), the weights (4H, I + H + 1) and the state (2, B, H) to the hidden states (B, T, H).
pub fn forward(size: Size, x: &[f32], weights: &[f32], state: &[f32]) -> (Vec<f32>, Trace) {
    let Size { batch, time, inputs, hidden } = size;
    let (columns, bias) = (transposed(size, weights), last_column(size, weights));
    let mut gates = bias.repeat(size.notes());
    let sizes = Sizes { rows: size.notes(), depth: inputs, columns: 4 * hidden };
    let w_ih = Matrix { numbers: weights, row: size.row(), column: 1 }.turned();
    let sums = MatrixMut { numbers: &mut gates, row: 4 * hidden };
    product(sizes, Matrix::rows(x, inputs), w_ih, sums, Before::Kept);
    let mut cells = vec![0.0; batch * time * hidden];
    let mut outputs = vec![0.0; batch * time * hidden];
    let rows = rows_per_task(batch);
    let (h, c) = state.split_at(batch * hidden);
    gates
        .par_chunks_mut(rows * time * 4 * hidden)
        .zip(cells.par_chunks_mut(rows * time * hidden))
        .zip(outputs.par_chunks_mut(rows * time * hidden))
        .zip(h.par_chunks(rows * hidden).zip(c.par_chunks(rows * hidden)))
        .for_each(|(((gates, cells), outputs), (h, c))| {
            let size = Size { batch: h.len() / hidden, ..size };
            forward_task(size, &columns, (h, c), gates, cells, outputs);
        });
    (outputs, Trace { size, gates, cells })
}

fn forward_task(
    size: Size,
    columns: &[f32],
    (h, c): (&[f32], &[f32]),
    gates: &mut [f32],
    cells: &mut [f32],
    outputs: &mut [f32],
) {
    let Size { batch, time, hidden, .. } = size;
    let mut cell = c.to_vec();
    for t in 0..time {
        let before = match t {
            0 => Matrix::rows(h, hidden),
            _ => Matrix { numbers: &outputs[(t - 1) * hidden..], row: time * hidden, column: 1 },
        };
        let sizes = Sizes { rows: batch, depth: hidden, columns: 4 * hidden };
        let sums = MatrixMut { numbers: &mut gates[t * 4 * hidden..], row: time * 4 * hidden };
        product_here(sizes, before, Matrix::rows(columns, 4 * hidden), sums, Before::Kept);
        for b in 0..batch {
            let at = b * time + t;
            let cell = &mut cell[b * hidden..][..hidden];
            let output = &mut outputs[at * hidden..][..hidden];
            vector::cell(&mut gates[at * 4 * hidden..][..4 * hidden], cell, output);
            cells[at * hidden..][..hidden].copy_from_slice(cell);
        }
    }
}

/// From the gradient of the hidden states (B, T, H) to those of the gates' sums (B, T, 4H) and of the state (2, B, H).
pub fn backward(trace: &Trace, weights: &[f32], state: &[f32], gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let Size { batch, time, hidden, .. } = trace.size;
    let mut dgates = vec![0.0; batch * time * 4 * hidden];
    let mut flow = gradient.to_vec();
    let mut dstate = vec![0.0; 2 * batch * hidden];
    let weights = &recurrent(trace.size, weights)[..];
    let rows = rows_per_task(batch);
    let (dh, dc) = dstate.split_at_mut(batch * hidden);
    let first_cells = &state[batch * hidden..];
    dgates
        .par_chunks_mut(rows * time * 4 * hidden)
        .zip(flow.par_chunks_mut(rows * time * hidden))
        .zip(dh.par_chunks_mut(rows * hidden).zip(dc.par_chunks_mut(rows * hidden)))
        .enumerate()
        .for_each(|(task, ((dgates, flow), (dh, dc)))| {
            let task = Backward { trace, weights, first_cells, first: task * rows, batch: dh.len() / hidden };
            task.run(dgates, flow, dh, dc);
        });
    (dgates, dstate)
}

/// The sequences `first..first + batch` of a backward pass.
struct Backward<'a> {
    trace: &'a Trace,
    weights: &'a [f32],
    first_cells: &'a [f32],
    first: usize,
    batch: usize,
}

impl Backward<'_> {
    fn run(&self, dgates: &mut [f32], flow: &mut [f32], dh: &mut [f32], dc: &mut [f32]) {
        let Size { time, hidden, .. } = self.trace.size;
        for t in (0..time).rev() {
            for b in 0..self.batch {
                let (here, there) = (b * time + t, (self.first + b) * time + t);
                let before = match t {
                    0 => &self.first_cells[(self.first + b) * hidden..],
                    _ => &self.trace.cells[(there - 1) * hidden..],
                };
                vector::cell_backward(
                    &self.trace.gates[there * 4 * hidden..][..4 * hidden],
                    before,
                    &self.trace.cells[there * hidden..],
                    &flow[here * hidden..][..hidden],
                    &mut dc[b * hidden..][..hidden],
                    &mut dgates[here * 4 * hidden..][..4 * hidden],
                );
            }
            let sums = Matrix { numbers: &dgates[t * 4 * hidden..], row: time * 4 * hidden, column: 1 };
            let output = match t {
                0 => MatrixMut { numbers: &mut *dh, row: hidden },
                _ => MatrixMut { numbers: &mut flow[(t - 1) * hidden..], row: time * hidden },
            };
            let sizes = Sizes { rows: self.batch, depth: 4 * hidden, columns: hidden };
            product_here(sizes, sums, Matrix::rows(self.weights, hidden), output, Before::Kept);
        }
    }
}

/// The gradient of `x` (B, T, I).
pub fn input_gradient(size: Size, dgates: &[f32], weights: &[f32]) -> Vec<f32> {
    let mut gradient = vec![0.0; size.notes() * size.inputs];
    let sizes = Sizes { rows: size.notes(), depth: 4 * size.hidden, columns: size.inputs };
    let w_ih = Matrix { numbers: weights, row: size.row(), column: 1 };
    let output = MatrixMut { numbers: &mut gradient, row: size.inputs };
    product(sizes, Matrix::rows(dgates, 4 * size.hidden), w_ih, output, Before::Overwritten);
    gradient
}

/// The gradient of the weights (4H, I + H + 1), as products over all notes of all sequences.
pub fn weight_gradient(size: Size, dgates: &[f32], x: &[f32], outputs: &[f32], state: &[f32]) -> Vec<f32> {
    let Size { time, inputs, hidden, .. } = size;
    let mut before = Vec::with_capacity(size.notes() * hidden);
    for (first, outputs) in state.chunks_exact(hidden).zip(outputs.chunks_exact(time * hidden)) {
        before.extend_from_slice(first);
        before.extend_from_slice(&outputs[..(time - 1) * hidden]);
    }
    let mut gradient = vec![0.0; 4 * hidden * size.row()];
    let gates = Matrix::rows(dgates, 4 * hidden).turned();
    for (from, numbers, columns) in [(0, x, inputs), (inputs, &before, hidden)] {
        let sizes = Sizes { rows: 4 * hidden, depth: size.notes(), columns };
        let output = MatrixMut { numbers: &mut gradient[from..], row: size.row() };
        product(sizes, gates, Matrix::rows(numbers, columns), output, Before::Overwritten);
    }
    let mut dbias = vec![0.0; 4 * hidden];
    dgates.chunks_exact(4 * hidden).for_each(|dgates| vector::add(&mut dbias, 1.0, dgates));
    gradient.chunks_exact_mut(size.row()).zip(dbias).for_each(|(row, dbias)| row[size.row() - 1] = dbias);
    gradient
}

/// Enough tasks for every thread, and small enough that a thread that is held up does not hold up the others.
fn rows_per_task(batch: usize) -> usize {
    const MOST_ROWS: usize = 32;
    batch.div_ceil(rayon::current_num_threads()).clamp(1, MOST_ROWS)
}

/// The recurrent weights, (H, 4H).
fn transposed(size: Size, weights: &[f32]) -> Vec<f32> {
    let column = |n: usize| weights.iter().skip(size.inputs + n).step_by(size.row()).copied();
    (0..size.hidden).flat_map(column).collect()
}

/// The recurrent weights without the others, (4H, H).
fn recurrent(size: Size, weights: &[f32]) -> Vec<f32> {
    let part = size.inputs..size.inputs + size.hidden;
    weights.chunks_exact(size.row()).flat_map(|row| &row[part.clone()]).copied().collect()
}

/// The bias, (4H).
fn last_column(size: Size, weights: &[f32]) -> Vec<f32> {
    weights.chunks_exact(size.row()).map(|row| row[size.row() - 1]).collect()
}
