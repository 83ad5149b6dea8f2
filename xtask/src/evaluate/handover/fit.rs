//! `evaluate --handover --fit`: how much each sign speaks for the end of a call, on performances that models learn from.

use std::sync::Arc;

use anyhow::Result;

use antiphon::{
    improviser::{SHORTEST, SIGNS},
    model::Model,
    music::time::Seconds,
};

use super::{Arguments, hear, listening::Listened, sources};
use crate::corpus::Split;

/// A lull is looked at so often, and not later than this: then all rules know.
const STRIDE: f32 = 0.04;
const LAST: f32 = 1.2;
/// Newton's method has long come to rest by then.
const ROUNDS: usize = 30;
/// Holds back weights for which the performances say little.
const RIDGE: f64 = 1.0;

/// Prints the weights to write into the rule, in the order of [`SIGNS`].
pub fn run(arguments: &Arguments, model: &Arc<dyn Model>) -> Result<()> {
    let heard = hear(model, &sources(arguments, Split::Train)?)?;
    let listened = heard.iter().flat_map(|heard| &heard.listened);
    let examples: Vec<Example> = listened.flat_map(examples).collect();
    println!("{:?} from {} looks at {} performances", fitted(&examples), examples.len(), heard.len());
    Ok(())
}

/// A look at a lull, and whether a phrase ended there.
struct Example {
    signs: [f64; SIGNS],
    is_end: bool,
}

/// Looks at a lull as long as it lasts.
fn examples(listened: &Listened) -> Vec<Example> {
    let Some(length) = listened.lull.length() else { return Vec::new() };
    let is_end = listened.lull.ends_phrase();
    let silences = (0_u8..).map(|n| Seconds(SHORTEST.0 + STRIDE * f32::from(n)));
    let looks = silences.take_while(|silence| silence.0 < length.0.min(LAST));
    let look = |silence: Seconds| {
        let (_, signs) = listened.seen.iter().rfind(|(from, _)| *from <= silence)?;
        Some(Example { signs: signs.after(silence).map(f64::from), is_end })
    };
    looks.filter_map(look).collect()
}

/// Logistic regression by Newton's method.
fn fitted(examples: &[Example]) -> [f32; SIGNS] {
    let mut weights = [0.0; SIGNS];
    for _ in 0..ROUNDS {
        let mut gradient = weights.map(|weight| -RIDGE * weight);
        let mut curvature = [[0.0; SIGNS]; SIGNS];
        (0..SIGNS).for_each(|n| curvature[n][n] = RIDGE);
        for Example { signs, is_end } in examples {
            let sum: f64 = signs.iter().zip(weights).map(|(sign, weight)| sign * weight).sum();
            let part = 1.0 / (1.0 + (-sum).exp());
            for (n, sign) in signs.iter().enumerate() {
                gradient[n] += sign * (f64::from(u8::from(*is_end)) - part);
                for (m, other) in signs.iter().enumerate() {
                    curvature[n][m] += sign * other * part * (1.0 - part);
                }
            }
        }
        let step = solved(curvature, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
    }
    weights.map(|weight| weight as f32)
}

/// `x` in `matrix · x = right`, for a positive definite matrix: Gaussian elimination.
fn solved(mut matrix: [[f64; SIGNS]; SIGNS], mut right: [f64; SIGNS]) -> [f64; SIGNS] {
    for n in 0..SIGNS {
        for m in n + 1..SIGNS {
            let (factor, row) = (matrix[m][n] / matrix[n][n], matrix[n]);
            matrix[m].iter_mut().zip(row).for_each(|(number, above)| *number -= factor * above);
            right[m] -= factor * right[n];
        }
    }
    for n in (0..SIGNS).rev() {
        let known: f64 = (n + 1..SIGNS).map(|m| matrix[n][m] * right[m]).sum();
        right[n] = (right[n] - known) / matrix[n][n];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_of_the_examples_are_found_again() {
        // A sign that triples the odds of 1 to 1, a thousand times each.
        let example = |sign, is_end| Example { signs: [sign, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], is_end };
        let examples = (0..1000).flat_map(|n| [example(0.0, n % 2 == 0), example(1.0, n % 4 > 0)]);
        let weights = fitted(&examples.collect::<Vec<_>>());
        assert!((weights[0] - 3f32.ln()).abs() < 0.02 && weights[7].abs() < 0.02, "{weights:?}");
    }
}
