//! Model files of representation 1, which knew no beat, no harmony, no style, and not who plays: what they lack is
//! nought, so that they play as they did.

use std::ops::Range;

use super::{
    scene::{ENDS, KEY, LENGTH, PLACE, RECENT, VELOCITY, WHO},
    vocabulary::STEPS,
};
use crate::model::preset::Named;

/// The tensors of representation 1 with their shapes.
pub fn tensors() -> Vec<Named> {
    let older = |(name, mut shape): Named| {
        if let Some(kept) = kept(&name) {
            shape[0] = kept.iter().map(Range::len).sum();
        }
        (name, shape)
    };
    super::tensors().into_iter().map(older).collect()
}

/// A tensor of representation 1 as one of today of this shape.
pub fn upgraded(name: &str, shape: &[usize], numbers: Vec<f32>) -> Vec<f32> {
    let Some(kept) = kept(name) else { return numbers };
    let width: usize = shape[1..].iter().product();
    let mut upgraded = vec![0.0; shape[0] * width];
    let mut rest = &numbers[..];
    for rows in kept {
        let (rows_then, later) = rest.split_at(rows.len() * width);
        upgraded[rows.start * width..rows.end * width].copy_from_slice(rows_then);
        rest = later;
    }
    upgraded
}

/// The rows that a tensor had in representation 1, as they are counted today; `None` where all are old.
fn kept(name: &str) -> Option<[Range<usize>; 2]> {
    Some(match name {
        "hear.table" => [0..PLACE, KEY..WHO],
        "pitch.table" => [0..PLACE, KEY..KEY + RECENT],
        "velocity.table" => [0..PLACE, KEY..VELOCITY],
        "duration.table" => [0..PLACE, KEY..LENGTH],
        "step.weight" | "step.bias" => [0..STEPS, STEPS..STEPS],
        "duration.weight" | "duration.bias" => [0..ENDS, ENDS..ENDS],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_tensor_keeps_its_rows_and_gets_noughts_between() {
        let old = tensors().into_iter().find(|(name, _)| name == "hear.table").expect("it is there").1;
        let new =
            super::super::tensors().into_iter().find(|(name, _)| name == "hear.table").expect("there").1;
        let width = old[1];
        let numbers: Vec<f32> = (0..old[0] * width).map(|n| 1.0 + n as f32).collect();
        let upgraded = upgraded("hear.table", &new, numbers.clone());
        assert_eq!(upgraded.len(), new[0] * width);
        assert_eq!(upgraded[..PLACE * width], numbers[..PLACE * width]);
        assert!(upgraded[PLACE * width..KEY * width].iter().all(|&number| number == 0.0));
        assert_eq!(upgraded[KEY * width], numbers[PLACE * width]);
        assert!(upgraded[WHO * width..].iter().all(|&number| number == 0.0));
    }
}
