//! The LSTM layer on bare slices: the forward pass, and back-propagation through time. Each thread has its
//! own sequences.
//!
//! Tensors are batch first. Inside the kernel the order is time first, so that what one note of all sequences
//! needs lies together in memory.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{
    product::{Matrix, MatrixMut, Panels, Precision},
    vector,
};

/// The sizes of one pass: B sequences of T notes through H units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub batch: usize,
    pub time: usize,
    pub inputs: usize,
    pub hidden: usize,
}

impl Size {
    /// Length of a row of weights: those of the inputs, the recurrent ones, the bias.
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
    precision: Precision,
    order: Order,
    /// The gates after their activations, 4H numbers a note, in the order of the kernel.
    gates: Vec<f32>,
    /// The cell states, H numbers a note, in the order of the kernel.
    cells: Vec<f32>,
}

impl Trace {
    /// The cell states after the last note, (B, H).
    pub fn last_cells(&self) -> Vec<f32> {
        let Size { time, hidden, .. } = self.size;
        let shares = self.cells.chunks(self.order.share() * hidden);
        shares.flat_map(|cells| &cells[cells.len() / time * (time - 1)..]).copied().collect()
    }
}

/// Computes the hidden states (B, T, H) from `x` (B, T, I), the weights (4H, I + H + 1) and the state (2, B,
/// H).
pub fn forward(
    size: Size,
    precision: Precision,
    x: &[f32],
    weights: &[f32],
    state: &[f32],
) -> (Vec<f32>, Trace) {
    let Size { batch, inputs, hidden, .. } = size;
    let order = Order::of(size);
    let turned = |first| Matrix { numbers: &weights[first..], row: 1, column: size.row() };
    let mut gates = bias(size, weights).repeat(size.notes());
    let sums = MatrixMut { numbers: &mut gates, row: 4 * hidden };
    Panels::new(inputs, 4 * hidden, turned(0), precision).par_add_product(&order.inside(x, inputs), sums);
    let recurrent = &Panels::new(hidden, 4 * hidden, turned(inputs), precision);
    let mut cells = vec![0.0; size.notes() * hidden];
    let mut outputs = vec![0.0; size.notes() * hidden];
    let (h, c) = state.split_at(batch * hidden);
    gates
        .par_chunks_mut(order.share() * 4 * hidden)
        .zip(cells.par_chunks_mut(order.share() * hidden))
        .zip(outputs.par_chunks_mut(order.share() * hidden))
        .zip(h.par_chunks(order.sequences * hidden).zip(c.par_chunks(order.sequences * hidden)))
        .for_each(|(((gates, cells), outputs), state)| {
            forward_share(hidden, recurrent, state, gates, cells, outputs)
        });
    (order.outside(&outputs, hidden), Trace { size, precision, order, gates, cells })
}

fn forward_share(
    hidden: usize,
    recurrent: &Panels,
    (mut before, c): (&[f32], &[f32]),
    gates: &mut [f32],
    cells: &mut [f32],
    outputs: &mut [f32],
) {
    let width = c.len();
    let mut cell = c.to_vec();
    let notes = gates.chunks_exact_mut(4 * width).zip(cells.chunks_exact_mut(width));
    for ((gates, cells), outputs) in notes.zip(outputs.chunks_exact_mut(width)) {
        recurrent.add_product(before, MatrixMut { numbers: gates, row: 4 * hidden });
        let sequences = gates.chunks_exact_mut(4 * hidden).zip(cell.chunks_exact_mut(hidden));
        for ((gates, cell), output) in sequences.zip(outputs.chunks_exact_mut(hidden)) {
            vector::lstm_cell(gates, cell, output);
        }
        cells.copy_from_slice(&cell);
        before = outputs;
    }
}

/// The gradient of the gates before their activations, 4H numbers a note, in the order of the kernel.
pub struct GateGradient(Vec<f32>);

/// From the gradient of the hidden states (B, T, H), computes that of the gates before their activations, and
/// that of the state (2, B, H).
pub fn backward(trace: &Trace, weights: &[f32], state: &[f32], gradient: &[f32]) -> (GateGradient, Vec<f32>) {
    let &Trace { size, precision, order, .. } = trace;
    let Size { batch, hidden, .. } = size;
    let part = Matrix { numbers: &weights[size.inputs..], row: size.row(), column: 1 };
    let recurrent = &Panels::new(4 * hidden, hidden, part, precision);
    let mut dgates = vec![0.0; size.notes() * 4 * hidden];
    let mut flow = order.inside(gradient, hidden);
    let mut dstate = vec![0.0; 2 * batch * hidden];
    let (dh, dc) = dstate.split_at_mut(batch * hidden);
    dgates
        .par_chunks_mut(order.share() * 4 * hidden)
        .zip(flow.par_chunks_mut(order.share() * hidden))
        .zip(dh.par_chunks_mut(order.sequences * hidden).zip(dc.par_chunks_mut(order.sequences * hidden)))
        .zip(trace.gates.par_chunks(order.share() * 4 * hidden))
        .zip(trace.cells.par_chunks(order.share() * hidden))
        .zip(state[batch * hidden..].par_chunks(order.sequences * hidden))
        .for_each(|(((((dgates, flow), (dh, dc)), gates), cells), first_cells)| {
            Backward { hidden, recurrent, gates, cells, first_cells }.run(dgates, flow, dh, dc);
        });
    (GateGradient(dgates), dstate)
}

/// The backward pass of one share of the sequences.
struct Backward<'a> {
    hidden: usize,
    recurrent: &'a Panels,
    gates: &'a [f32],
    cells: &'a [f32],
    first_cells: &'a [f32],
}

impl Backward<'_> {
    fn run(&self, dgates: &mut [f32], flow: &mut [f32], dh: &mut [f32], dc: &mut [f32]) {
        let width = dc.len();
        let notes = self.cells.len() / width;
        for note in (0..notes).rev() {
            let dgates = &mut dgates[note * 4 * width..][..4 * width];
            let (earlier, flow) = flow.split_at_mut(note * width);
            self.note(note, &flow[..width], dc, dgates);
            let output = earlier.len().checked_sub(width).map_or(&mut *dh, |last| &mut earlier[last..]);
            self.recurrent.add_product(dgates, MatrixMut { numbers: output, row: self.hidden });
        }
    }

    fn note(&self, note: usize, flow: &[f32], dc: &mut [f32], dgates: &mut [f32]) {
        let (hidden, width) = (self.hidden, dc.len());
        let gates = &self.gates[note * 4 * width..];
        let (earlier, cells) = self.cells.split_at(note * width);
        let before = earlier.len().checked_sub(width).map_or(self.first_cells, |last| &earlier[last..]);
        for (b, dgates) in dgates.chunks_exact_mut(4 * hidden).enumerate() {
            let own = b * hidden..(b + 1) * hidden;
            let gates = &gates[b * 4 * hidden..][..4 * hidden];
            let (before, cell, dh) = (&before[own.clone()], &cells[own.clone()], &flow[own.clone()]);
            vector::lstm_cell_backward(gates, before, cell, dh, &mut dc[own], dgates);
        }
    }
}

/// The gradient of `x` (B, T, I).
pub fn input_gradient(trace: &Trace, dgates: &GateGradient, weights: &[f32]) -> Vec<f32> {
    let Size { inputs, hidden, .. } = trace.size;
    let mut gradient = vec![0.0; trace.size.notes() * inputs];
    let part = Matrix { numbers: weights, row: trace.size.row(), column: 1 };
    let output = MatrixMut { numbers: &mut gradient, row: inputs };
    Panels::new(4 * hidden, inputs, part, trace.precision).par_add_product(&dgates.0, output);
    trace.order.outside(&gradient, inputs)
}

/// The gradient of the weights (4H, I + H + 1): a matrix product over all notes of all sequences, some
/// hundred at a time.
pub fn weight_gradient(
    trace: &Trace,
    dgates: &GateGradient,
    x: &[f32],
    outputs: &[f32],
    state: &[f32],
) -> Vec<f32> {
    const NOTES: usize = 512;
    let Size { time, inputs, hidden, .. } = trace.size;
    let row = trace.size.row();
    let mut gradient = vec![0.0; 4 * hidden * row];
    let mut heard = Vec::with_capacity(NOTES * row);
    for (dgates, first) in dgates.0.chunks(NOTES * 4 * hidden).zip((0..).step_by(NOTES)) {
        let notes = dgates.len() / (4 * hidden);
        heard.clear();
        for place in trace.order.places(first..first + notes) {
            let before = match place % time {
                0 => &state[place / time * hidden..],
                _ => &outputs[(place - 1) * hidden..],
            };
            heard.extend_from_slice(&x[place * inputs..][..inputs]);
            heard.extend_from_slice(&before[..hidden]);
            heard.push(1.0);
        }
        let panels = Panels::new(notes, row, Matrix::rows(&heard, row), trace.precision);
        panels.par_add_product(&transposed(dgates, 4 * hidden), MatrixMut { numbers: &mut gradient, row });
    }
    gradient
}

/// How sequences are divided into shares for the threads, and the order of notes in the kernel: share by
/// share, in a share note by note, for a note sequence by sequence.
#[derive(Debug, Clone, Copy)]
struct Order {
    batch: usize,
    time: usize,
    /// Number of sequences in a share; the last share may have fewer.
    sequences: usize,
}

impl Order {
    /// Makes a share for every thread, and shares that are small enough for a delayed thread not to delay the
    /// others.
    fn of(size: Size) -> Self {
        const MOST: usize = 32;
        let sequences = size.batch.div_ceil(rayon::current_num_threads()).clamp(1, MOST);
        Self { batch: size.batch, time: size.time, sequences }
    }

    /// Number of notes in a share; the last share may have fewer.
    fn share(self) -> usize {
        self.sequences * self.time
    }

    /// The batch-first positions of the notes in a range of the kernel's order.
    fn places(self, range: Range<usize>) -> impl Iterator<Item = usize> {
        range.map(move |note| {
            let first = note / self.share() * self.sequences;
            let sequences = self.sequences.min(self.batch - first);
            let note = note % self.share();
            (first + note % sequences) * self.time + note / sequences
        })
    }

    /// From batch first to the kernel's order; `width` numbers a note.
    fn inside(self, numbers: &[f32], width: usize) -> Vec<f32> {
        let notes = self.places(0..self.batch * self.time);
        let mut inside = Vec::with_capacity(numbers.len());
        notes.for_each(|place| inside.extend_from_slice(&numbers[place * width..][..width]));
        inside
    }

    /// From the kernel's order back to batch first.
    fn outside(self, numbers: &[f32], width: usize) -> Vec<f32> {
        let mut outside = vec![0.0; numbers.len()];
        for (place, numbers) in self.places(0..self.batch * self.time).zip(numbers.chunks_exact(width)) {
            outside[place * width..][..width].copy_from_slice(numbers);
        }
        outside
    }
}

/// Transposes a matrix with rows of `width` numbers.
fn transposed(numbers: &[f32], width: usize) -> Vec<f32> {
    const SIDE: usize = 16;
    let height = numbers.len() / width;
    let mut turned = vec![0.0; numbers.len()];
    turned.par_chunks_mut(SIDE * height).enumerate().for_each(|(block, turned)| {
        for (n, from) in numbers.chunks_exact(width).enumerate() {
            let from = &from[block * SIDE..width.min((block + 1) * SIDE)];
            turned.iter_mut().skip(n).step_by(height).zip(from).for_each(|(to, &from)| *to = from);
        }
    });
    turned
}

/// The bias, (4H).
fn bias(size: Size, weights: &[f32]) -> Vec<f32> {
    weights.chunks_exact(size.row()).map(|row| row[size.row() - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_has_one_place_inside_and_comes_back_from_it() {
        // The last share has fewer sequences than the others.
        let order = Order { batch: 5, time: 3, sequences: 2 };
        let numbers: Vec<f32> = (0..30_u8).map(f32::from).collect();
        let inside = order.inside(&numbers, 2);
        assert_eq!(inside[..8], [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0]);
        assert_eq!(inside[24..], numbers[24..]);
        assert_eq!(order.outside(&inside, 2), numbers);
    }
}
