//! Loops over many numbers, compiled for the widest vectors that the processor has.
//!
//! Realtime-safe throughout: no allocation, and the processor is queried only once.

/// Compiles a loop for three kinds of processor, and chooses the best at run time. `FUSED` says that
/// `mul_add` is one instruction.
macro_rules! vectorised {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $given:ty)? = $body:ident) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) $(-> $given)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn wide($($arg: $type),*) $(-> $given)? {
                    $body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn common($($arg: $type),*) $(-> $given)? {
                    $body::<true>($($arg),*)
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
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

mod products;

use self::products::dot_loop;
pub use self::products::{
    Item, Line, PANEL, TILE, WIDTH, add, dot, embedding_bag, multiply, scale_and_add, tile,
};

/// Added to a variance, so that it is not 0 where all numbers are equal.
pub const TINY: f32 = 1e-5;
/// Number of partial sums side by side: the compiler never changes the order of additions by itself.
const LANES: usize = 16;

vectorised! {
    /// One LSTM cell: `gates` (4H: i, f, g, o) holds sums before and activations after; `cell` and `hidden`
    /// are (H).
    pub fn lstm_cell(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) = lstm_cell_loop
}

vectorised! {
    /// The backward pass of an LSTM cell: from `dh` (H) and `dc` (H, updated to the step before) to `dgates`
    /// (4H).
    pub fn lstm_cell_backward(
        gates: &[f32],
        before: &[f32],
        cell: &[f32],
        dh: &[f32],
        dc: &mut [f32],
        dgates: &mut [f32],
    ) = lstm_cell_backward_loop
}

vectorised! {
    /// The softmax without its division: each number becomes `exp(number - the largest)`. Returns their sum.
    pub fn softmax_unscaled(numbers: &mut [f32]) -> f32 = softmax_unscaled_loop
}

vectorised! {
    /// The division of the softmax: `numbers /= sum`. What is too small to matter becomes 0.
    pub fn softmax_scale(numbers: &mut [f32], sum: f32) = softmax_scale_loop
}

vectorised! {
    /// The backward pass of the softmax: `flow = weights · (flow - Σ flow · weights)`. Returns the sum.
    pub fn softmax_backward(flow: &mut [f32], weights: &[f32]) -> f32 = softmax_backward_loop
}

vectorised! {
    /// Layer normalisation (Ba, Kiros and Hinton, 2016): mean 0 and variance 1. Returns the factor of the
    /// deviations.
    pub fn layer_norm(numbers: &[f32], output: &mut [f32]) -> f32 = layer_norm_loop
}

vectorised! {
    /// The backward pass of [`layer_norm`], from its `output`, the factor that it returned, and the gradient
    /// of the output.
    pub fn layer_norm_backward(output: &[f32], stretch: f32, gradient: &[f32], result: &mut [f32])
        = layer_norm_backward_loop
}

vectorised! {
    /// A step of Adam (Kingma and Ba, 2015) for weights, their gradient, and the running means of the
    /// gradient and its square.
    pub fn adam(step: &AdamStep, weights: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32])
        = adam_loop
}

/// The settings of Adam (Kingma and Ba, 2015).
pub struct Adam {
    pub beta_1: f32,
    pub beta_2: f32,
    pub epsilon: f32,
    /// The gradient norm of all weights together is clipped to this, so that one unusual minibatch cannot
    /// move the weights far.
    pub max_norm: f32,
}

/// The settings of all training here.
pub const ADAM: Adam = Adam { beta_1: 0.9, beta_2: 0.99, epsilon: 1e-8, max_norm: 1.0 };

impl Adam {
    /// The `nth` step, counted from 1. `length` is the gradient norm, `rate` the learning rate, and `kept`
    /// what weight decay leaves of a weight.
    pub fn step(&self, nth: i32, length: f32, rate: f32, kept: f32) -> AdamStep {
        let Self { beta_1, beta_2, epsilon, max_norm } = *self;
        let correction = |beta: f32| 1.0 - beta.powi(nth);
        // The bias corrections for means that begin at 0, as one factor: the end of their section 2.
        let rate = rate * correction(beta_2).sqrt() / correction(beta_1);
        AdamStep { clip_scale: (max_norm / length).min(1.0), beta_1, beta_2, rate, epsilon, kept }
    }
}

/// What all weights of a step have in common.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Multiplied with the gradient first: 1, or less where it is clipped.
    pub clip_scale: f32,
    pub beta_1: f32,
    pub beta_2: f32,
    /// The learning rate, with both bias corrections for means that begin at 0.
    pub rate: f32,
    pub epsilon: f32,
    /// What weight decay leaves of a weight, up to 1.
    pub kept: f32,
}

#[inline(always)]
fn lstm_cell_loop<const FUSED: bool>(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) {
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
fn lstm_cell_backward_loop<const FUSED: bool>(
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
        di[n] = flush_tiny(flow * g[n] * i[n] * (1.0 - i[n]));
        df[n] = flush_tiny(flow * before[n] * f[n] * (1.0 - f[n]));
        dg[n] = flush_tiny(flow * i[n] * (1.0 - g[n] * g[n]));
        d_o[n] = flush_tiny(dh[n] * squashed * o[n] * (1.0 - o[n]));
        dc[n] = flush_tiny(flow * f[n]);
    }
}

#[inline(always)]
fn softmax_unscaled_loop<const FUSED: bool>(numbers: &mut [f32]) -> f32 {
    let top = fold(numbers, f32::NEG_INFINITY, |top, number| if number > top { number } else { top });
    for number in numbers.iter_mut() {
        *number = exp::<FUSED>(*number - top);
    }
    fold_sum(numbers, |number| number)
}

#[inline(always)]
fn softmax_scale_loop<const FUSED: bool>(numbers: &mut [f32], sum: f32) {
    for number in numbers.iter_mut() {
        *number = flush_tiny(*number / sum);
    }
}

#[inline(always)]
fn softmax_backward_loop<const FUSED: bool>(flow: &mut [f32], weights: &[f32]) -> f32 {
    let mean = dot_loop::<FUSED>(flow, weights);
    for (flow, &weight) in flow.iter_mut().zip(weights) {
        *flow = flush_tiny(weight * (*flow - mean));
    }
    mean
}

#[inline(always)]
fn layer_norm_loop<const FUSED: bool>(numbers: &[f32], output: &mut [f32]) -> f32 {
    let count = numbers.len() as f32;
    let mean = fold_sum(numbers, |number| number) / count;
    let variance = fold_sum(numbers, |number| (number - mean) * (number - mean)) / count;
    let stretch = 1.0 / (variance + TINY).sqrt();
    for (output, &number) in output.iter_mut().zip(numbers) {
        *output = (number - mean) * stretch;
    }
    stretch
}

#[inline(always)]
fn layer_norm_backward_loop<const FUSED: bool>(
    output: &[f32],
    stretch: f32,
    gradient: &[f32],
    result: &mut [f32],
) {
    let count = output.len() as f32;
    let mean = fold_sum(gradient, |number| number) / count;
    let along = dot_loop::<FUSED>(output, gradient) / count;
    for ((result, &output), &gradient) in result.iter_mut().zip(output).zip(gradient) {
        *result = stretch * (gradient - mean - output * along);
    }
}

#[inline(always)]
fn adam_loop<const FUSED: bool>(
    step: &AdamStep,
    weights: &mut [f32],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
) {
    let moments = mean.iter_mut().zip(square);
    for ((weight, &gradient), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient * step.clip_scale;
        *mean = step.beta_1 * *mean + (1.0 - step.beta_1) * gradient;
        *square = step.beta_2 * *square + (1.0 - step.beta_2) * gradient * gradient;
        *weight = step.kept * *weight - step.rate * *mean / (square.sqrt() + step.epsilon);
    }
}

#[inline(always)]
fn fold(numbers: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for block in blocks {
        for (lane, &number) in lanes.iter_mut().zip(block) {
            *lane = join(*lane, number);
        }
    }
    rest.iter().chain(&lanes).fold(start, |sum, &number| join(sum, number))
}

#[inline(always)]
fn fold_sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, &number) in lanes.iter_mut().zip(block) {
            *lane += of(number);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&number| of(number)).sum::<f32>()
}

/// The number, or 0 where it is too small to matter. Products with subnormal numbers are slow, and a gradient
/// that vanishes passes through them.
#[inline(always)]
fn flush_tiny(number: f32) -> f32 {
    const FAINTEST: f32 = 1e-25;
    if number.abs() < FAINTEST { 0.0 } else { number }
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
    let shifted = mul_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FUSED>(n, -LN_2_LOW, mul_add::<FUSED>(n, -LN_2_HIGH, x));
    let mut sum = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = mul_add::<FUSED>(sum, r, coefficient);
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    sum * f32::from_bits(exponent)
}

/// `a * b + c`. Without the instruction, `mul_add` would be a slow call into a library.
#[inline(always)]
fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Whether the processor has 32 vector registers of 16 numbers each.
fn has_widest_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    let widest = is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let widest = false;
    widest
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
    fn no_share_is_subnormal() {
        let mut numbers = [0.0, -40.0, -86.0, -200.0];
        let sum = softmax_unscaled(&mut numbers);
        softmax_scale(&mut numbers, 2.0 * sum);
        assert!(numbers[0] == 0.5 && numbers[1] > 1e-18);
        assert_eq!(numbers[2..], [0.0, 0.0]);
    }
}
