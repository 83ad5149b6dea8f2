//! Rows of numbers brought to one measure: softmax and normalisation.

use super::{
    scalar::{audible, exp, fold, fold_sum},
    sums::dot_loop,
};

/// Added to a variance, so that equal numbers have one too.
pub const TINY: f32 = 1e-5;

vectorised! {
    /// The softmax but for its division: each number becomes `exp(number - the largest)`; gives their sum.
    pub fn soften(numbers: &mut [f32]) -> f32 = soften_loop
}

vectorised! {
    /// The division of the softmax: `numbers /= sum`, and what is too small to matter becomes 0.
    pub fn share_out(numbers: &mut [f32], sum: f32) = share_out_loop
}

vectorised! {
    /// The softmax backwards: `flow = weights · (flow - Σ flow · weights)`; gives the sum.
    pub fn soften_backward(flow: &mut [f32], weights: &[f32]) -> f32 = soften_backward_loop
}

vectorised! {
    /// Layer normalisation (Ba, Kiros and Hinton, 2016): mean 0 and variance 1; gives what the deviations were multiplied with.
    pub fn normalise(numbers: &[f32], output: &mut [f32]) -> f32 = normalise_loop
}

vectorised! {
    /// [`normalise`] backwards: from its `output`, what it gave, and the gradient of the output.
    pub fn normalise_backward(output: &[f32], stretch: f32, gradient: &[f32], result: &mut [f32])
        = normalise_backward_loop
}

#[inline(always)]
fn soften_loop<const FUSED: bool>(numbers: &mut [f32]) -> f32 {
    let top = fold(numbers, f32::NEG_INFINITY, |top, number| if number > top { number } else { top });
    for number in numbers.iter_mut() {
        *number = exp::<FUSED>(*number - top);
    }
    fold_sum(numbers, |number| number)
}

#[inline(always)]
fn share_out_loop<const FUSED: bool>(numbers: &mut [f32], sum: f32) {
    for number in numbers.iter_mut() {
        *number = audible(*number / sum);
    }
}

#[inline(always)]
fn soften_backward_loop<const FUSED: bool>(flow: &mut [f32], weights: &[f32]) -> f32 {
    let mean = dot_loop::<FUSED>(flow, weights);
    for (flow, &weight) in flow.iter_mut().zip(weights) {
        *flow = audible(weight * (*flow - mean));
    }
    mean
}

#[inline(always)]
fn normalise_loop<const FUSED: bool>(numbers: &[f32], output: &mut [f32]) -> f32 {
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
fn normalise_backward_loop<const FUSED: bool>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_is_subnormal() {
        let mut numbers = [0.0, -40.0, -86.0, -200.0];
        let sum = soften(&mut numbers);
        share_out(&mut numbers, 2.0 * sum);
        assert!(numbers[0] == 0.5 && numbers[1] > 1e-18);
        assert_eq!(numbers[2..], [0.0, 0.0]);
    }
}
