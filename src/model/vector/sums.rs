//! Products and sums.

use super::scalar::{LANES, product};

/// How many sums are kept in registers while a column streams by.
pub const WIDTH: usize = 64;

vectorised! {
    /// `output += matrix · input`, the matrix in columns of [`WIDTH`] numbers, one for each number of `input`.
    pub fn multiply(columns: &[[f32; WIDTH]], input: &[f32], output: &mut [f32; WIDTH]) = multiply_loop
}

vectorised! {
    /// `output += Σ amount · row` over the rows of `table` that are named, each as wide as `output`, a multiple of
    /// [`WIDTH`].
    pub fn gather(table: &[f32], items: &[Item], output: &mut [f32]) = gather_loop
}

vectorised! {
    /// `Σ a · b`
    pub fn dot(a: &[f32], b: &[f32]) -> f32 = dot_loop
}

vectorised! {
    /// `sums += factor · numbers`
    pub fn add(sums: &mut [f32], factor: f32, numbers: &[f32]) = add_loop
}

vectorised! {
    /// `numbers = numbers · factor + others`
    pub fn scale_and_add(numbers: &mut [f32], factor: f32, others: &[f32]) = scale_and_add_loop
}

/// So much of a row of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    pub row: u16,
    pub amount: f32,
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
fn gather_loop<const FUSED: bool>(table: &[f32], items: &[Item], output: &mut [f32]) {
    let width = output.len();
    for (block, output) in output.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        let mut sums = *output;
        for item in items {
            let at = usize::from(item.row) * width + block * WIDTH;
            for (sum, &number) in sums.iter_mut().zip(&table[at..at + WIDTH]) {
                *sum = product::<FUSED>(number, item.amount, *sum);
            }
        }
        *output = sums;
    }
}

#[inline(always)]
pub(super) fn dot_loop<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane = product::<FUSED>(a, b, *lane);
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[inline(always)]
fn add_loop<const FUSED: bool>(sums: &mut [f32], factor: f32, numbers: &[f32]) {
    for (sum, &number) in sums.iter_mut().zip(numbers) {
        *sum = product::<FUSED>(factor, number, *sum);
    }
}

#[inline(always)]
fn scale_and_add_loop<const FUSED: bool>(numbers: &mut [f32], factor: f32, others: &[f32]) {
    for (number, &other) in numbers.iter_mut().zip(others) {
        *number = product::<FUSED>(factor, *number, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many numbers as no vector divides.
    fn numbers(by: f32) -> [f32; 131] {
        std::array::from_fn(|n| (n as f32 * by).sin())
    }

    fn assert_alike(fast: &[f32], plain: &[f32]) {
        assert!(fast.iter().zip(plain).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn columns_multiply_on_this_processor_as_on_any() {
        let columns: Vec<[f32; WIDTH]> =
            (0..131).map(|k| std::array::from_fn(|n| ((k * 31 + n * 17) % 23) as f32 / 23.0 - 0.4)).collect();
        let (mut fast, mut plain) = ([0.5; WIDTH], [0.5; WIDTH]);
        multiply(&columns, &numbers(0.37), &mut fast);
        multiply_loop::<false>(&columns, &numbers(0.37), &mut plain);
        assert_alike(&fast, &plain);
    }

    #[test]
    fn sums_are_on_this_processor_what_they_are_one_number_at_a_time() {
        let (a, b) = (numbers(0.37), numbers(0.61));
        assert_alike(&[dot(&a, &b)], &[a.iter().zip(b).map(|(a, b)| a * b).sum()]);
        let mut sums = a;
        add(&mut sums, -2.0, &b);
        assert_alike(&sums, &std::array::from_fn::<f32, 131, _>(|n| a[n] - 2.0 * b[n]));
        scale_and_add(&mut sums, 0.5, &a);
        assert_alike(&sums, &std::array::from_fn::<f32, 131, _>(|n| 1.5 * a[n] - b[n]));
    }
}
