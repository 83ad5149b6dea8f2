//! One LSTM cell: `c = f · c + i · g`, `h = o · tanh(c)`.

use super::scalar::{audible, sigmoid, tanh};

vectorised! {
    /// One LSTM cell: `gates` (4H: i, f, g, o) holds sums before and activations after; `cell` and `hidden` are (H).
    pub fn cell(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) = cell_loop
}

vectorised! {
    /// One LSTM cell backwards: from `dh` (H) and `dc` (H, updated to the step before) to `dgates` (4H).
    pub fn cell_backward(
        gates: &[f32],
        before: &[f32],
        cell: &[f32],
        dh: &[f32],
        dc: &mut [f32],
        dgates: &mut [f32],
    ) = cell_backward_loop
}

#[inline(always)]
fn cell_loop<const FUSED: bool>(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) {
    let width = hidden.len();
    let (i, rest) = gates.split_at_mut(width);
    let (f, rest) = rest.split_at_mut(width);
    let (g, o) = rest.split_at_mut(width);
    let (o, cell) = (&mut o[..width], &mut cell[..width]);
    for n in 0..width {
        i[n] = sigmoid::<FUSED>(i[n]);
        f[n] = sigmoid::<FUSED>(f[n]);
        g[n] = tanh::<FUSED>(g[n]);
        o[n] = sigmoid::<FUSED>(o[n]);
        cell[n] = f[n] * cell[n] + i[n] * g[n];
        hidden[n] = o[n] * tanh::<FUSED>(cell[n]);
    }
}

#[inline(always)]
fn cell_backward_loop<const FUSED: bool>(
    gates: &[f32],
    before: &[f32],
    cell: &[f32],
    dh: &[f32],
    dc: &mut [f32],
    dgates: &mut [f32],
) {
    let width = dc.len();
    let (i, rest) = gates.split_at(width);
    let (f, rest) = rest.split_at(width);
    let (g, o) = rest.split_at(width);
    let (di, rest) = dgates.split_at_mut(width);
    let (df, rest) = rest.split_at_mut(width);
    let (dg, d_o) = rest.split_at_mut(width);
    let (o, d_o) = (&o[..width], &mut d_o[..width]);
    let (before, cell, dh) = (&before[..width], &cell[..width], &dh[..width]);
    for n in 0..width {
        let squashed = tanh::<FUSED>(cell[n]);
        let flow = dc[n] + dh[n] * o[n] * (1.0 - squashed * squashed);
        di[n] = audible(flow * g[n] * i[n] * (1.0 - i[n]));
        df[n] = audible(flow * before[n] * f[n] * (1.0 - f[n]));
        dg[n] = audible(flow * i[n] * (1.0 - g[n] * g[n]));
        d_o[n] = audible(dh[n] * squashed * o[n] * (1.0 - o[n]));
        dc[n] = audible(flow * f[n]);
    }
}
