//! The functions of one number that vectorise, and sums of many.

/// Sums kept side by side, since the order of additions is never changed by the compiler.
pub(super) const LANES: usize = 16;

#[inline(always)]
pub(super) fn fold(numbers: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
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
pub(super) fn fold_sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, &number) in lanes.iter_mut().zip(block) {
            *lane += of(number);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&number| of(number)).sum::<f32>()
}

/// The number, or nought where it is too small to matter: products with subnormal numbers are slow, and a gradient that
/// dies away passes through them.
#[inline(always)]
pub(super) fn audible(number: f32) -> f32 {
    const FAINTEST: f32 = 1e-25;
    if number.abs() < FAINTEST { 0.0 } else { number }
}

#[inline(always)]
pub(super) fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FUSED>(-x))
}

#[inline(always)]
pub(super) fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let e = exp::<FUSED>(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

/// The exponential to 2 ulp, clamped so that it stays finite and normal; free of branches and calls, so that
/// loops around it vectorise.
#[inline(always)]
pub(super) fn exp<const FUSED: bool>(x: f32) -> f32 {
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
pub(super) fn product<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
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
}
