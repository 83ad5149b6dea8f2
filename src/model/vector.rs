//! Loops over many numbers, compiled for the widest vectors that the processor turns out to have.
//!
//! Realtime-safe throughout: no allocation, and the processor is asked only once.

/// Compiles a loop thrice and takes the best at run time; `FUSED` tells it that `mul_add` is one instruction.
macro_rules! vectorised {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn wide($($arg: $type),*) {
                    $body::<true>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn common($($arg: $type),*) {
                    $body::<true>($($arg),*);
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has just said that it has the feature.
                    return unsafe { wide($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has just said that it has both features.
                    return unsafe { common($($arg),*) };
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*);
        }
    };
}

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

vectorised! {
    /// `output += matrix · input`, the matrix in columns of [`WIDTH`] numbers, one for each number of `input`.
    pub fn multiply(columns: &[[f32; WIDTH]], input: &[f32], output: &mut [f32; WIDTH]) = multiply_loop
}

/// How many sums are kept in registers while a column streams by.
pub const WIDTH: usize = 64;

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
        di[n] = flow * g[n] * i[n] * (1.0 - i[n]);
        df[n] = flow * before[n] * f[n] * (1.0 - f[n]);
        dg[n] = flow * i[n] * (1.0 - g[n] * g[n]);
        d_o[n] = dh[n] * squashed * o[n] * (1.0 - o[n]);
        dc[n] = flow * f[n];
    }
}

#[inline(always)]
fn multiply_loop<const FUSED: bool>(columns: &[[f32; WIDTH]], input: &[f32], output: &mut [f32; WIDTH]) {
    let mut sums = *output;
    for (column, &x) in columns.iter().zip(input) {
        for (sum, &w) in sums.iter_mut().zip(column) {
            *sum = product::<FUSED>(w, x, *sum);
        }
    }
    *output = sums;
}

#[inline(always)]
fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FUSED>(-x))
}

#[inline(always)]
fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let e = exp::<FUSED>(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

/// The exponential to 2 ulp, clamped so that it stays finite and normal; free of branches and calls, so that
/// loops around it vectorise.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with so few bits that its multiples are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 87.0);
    let shifted = product::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = product::<FUSED>(n, -LN_2_LOW, product::<FUSED>(n, -LN_2_HIGH, x));
    let mut sum = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = product::<FUSED>(sum, r, coefficient);
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    sum * f32::from_bits(exponent)
}

/// `a * b + c`. Without the instruction, `mul_add` would be a slow call into a library.
#[inline(always)]
fn product<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep() -> impl Iterator<Item = f32> {
        (-40_000..=40_000).map(|n| n as f32 * 1e-3)
    }

    #[test]
    fn the_fast_sigmoid_is_the_sigmoid() {
        for x in sweep() {
            let truth = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid::<true>(x)) - truth).abs() < 3e-7, "{x}");
            assert!((f64::from(sigmoid::<false>(x)) - truth).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn the_fast_tanh_is_the_tanh() {
        for x in sweep() {
            let truth = f64::from(x).tanh();
            assert!((f64::from(tanh::<true>(x)) - truth).abs() < 3e-7, "{x}");
            assert!((f64::from(tanh::<false>(x)) - truth).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn every_version_of_a_loop_gives_the_same_numbers() {
        let columns: Vec<[f32; WIDTH]> =
            (0..131).map(|k| std::array::from_fn(|n| ((k * 31 + n * 17) % 23) as f32 / 23.0 - 0.4)).collect();
        let input: Vec<f32> = (0..131).map(|k| (k as f32 * 0.37).sin()).collect();
        let (mut fast, mut plain) = ([0.5; WIDTH], [0.5; WIDTH]);
        multiply(&columns, &input, &mut fast);
        multiply_loop::<false>(&columns, &input, &mut plain);
        assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
