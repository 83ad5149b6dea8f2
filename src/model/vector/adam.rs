//! How weights learn.

vectorised! {
    /// A step of Adam (Kingma and Ba, 2015) for weights, their gradient, and the means of it and of its square.
    pub fn adam(step: &AdamStep, weights: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32])
        = adam_loop
}

/// What is the same for all weights.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Multiplies the gradient first.
    pub shortening: f32,
    pub beta_1: f32,
    pub beta_2: f32,
    /// The rate, with both corrections for the means' beginning at 0.
    pub rate: f32,
    pub epsilon: f32,
    /// What is left of a weight.
    pub kept: f32,
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
        let gradient = gradient * step.shortening;
        *mean = step.beta_1 * *mean + (1.0 - step.beta_1) * gradient;
        *square = step.beta_2 * *square + (1.0 - step.beta_2) * gradient * gradient;
        *weight = step.kept * *weight - step.rate * *mean / (square.sqrt() + step.epsilon);
    }
}
