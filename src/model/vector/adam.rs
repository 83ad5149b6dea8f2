//! The step of Adam on bare slices.

vectorised! {
    /// A step of Adam (Kingma and Ba, 2015) for weights, their gradient, and the means of it and of its square.
    pub fn adam(step: &AdamStep, weights: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32])
        = adam_loop
}

/// What is the same for all weights of a step.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Multiplies the gradient first: 1, or less where it is clipped.
    pub shortening: f32,
    pub beta_1: f32,
    pub beta_2: f32,
    /// The rate, with both corrections for the means' beginning at 0.
    pub rate: f32,
    pub epsilon: f32,
    /// What decay leaves of a weight, up to 1.
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
