//! Products and sums: of two rows, of a matrix and a row, and of the tiles of a matrix product.

use super::{LANES, has_widest_vectors, mul_add};

/// Number of sums that are kept in registers while a column streams by.
pub const WIDTH: usize = 64;
/// Number of columns in a panel.
pub const PANEL: usize = 48;
/// Number of rows that are multiplied at once: eight times three of the widest vectors leave registers for
/// the factors.
pub const TILE: usize = 8;
/// The same where vectors are narrower, since there are half as many registers.
const PAIR: usize = 2;

/// Number of lines between two checks of where a row ends.
const STRETCH: usize = 8;

/// A row of a table, with the amount that is added of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    pub row: u16,
    pub amount: f32,
}

/// One line of a panel, aligned for the widest vectors.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [f32; PANEL]);

vectorised! {
    /// `output += matrix · input`, the matrix in columns of [`WIDTH`] numbers, one for each number of
    /// `input`.
    pub fn multiply(columns: &[[f32; WIDTH]], input: &[f32], output: &mut [f32; WIDTH]) = multiply_loop
}

vectorised! {
    /// `output += Σ amount · row` over the rows of `table` that `items` name. Each row is as wide as
    /// `output`, a multiple of [`WIDTH`].
    pub fn embedding_bag(table: &[f32], items: &[Item], output: &mut [f32]) = embedding_bag_loop
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

/// `output += rows · panel`. Each row is as long as the panel has lines. The [`PANEL`] sums of a row begin
/// `stride` numbers after those of the row before. Panics where the output is too short.
pub fn tile(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) {
    if has_widest_vectors() {
        return eight(panel, rows, output, stride);
    }
    for (rows, output) in rows.as_chunks::<PAIR>().0.iter().zip(output.chunks_mut(PAIR * stride)) {
        two(panel, rows, output, stride);
    }
}

vectorised! {
    /// [`tile`] for the widest vectors: all rows at once.
    pub fn eight(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) = eight_loop
}

vectorised! {
    /// [`tile`] for narrower vectors: one pair of its rows.
    pub fn two(panel: &[Line], rows: &[&[f32]; PAIR], output: &mut [f32], stride: usize) = two_loop
}

#[inline(always)]
fn multiply_loop<const FUSED: bool>(columns: &[[f32; WIDTH]], input: &[f32], output: &mut [f32; WIDTH]) {
    let mut sums = *output;
    for (column, &x) in columns.iter().zip(input) {
        for (sum, &w) in sums.iter_mut().zip(column) {
            *sum = mul_add::<FUSED>(w, x, *sum);
        }
    }
    *output = sums;
}

#[inline(always)]
fn embedding_bag_loop<const FUSED: bool>(table: &[f32], items: &[Item], output: &mut [f32]) {
    let width = output.len();
    for (block, output) in output.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        let mut sums = *output;
        for item in items {
            let at = usize::from(item.row) * width + block * WIDTH;
            for (sum, &number) in sums.iter_mut().zip(&table[at..at + WIDTH]) {
                *sum = mul_add::<FUSED>(number, item.amount, *sum);
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
            *lane = mul_add::<FUSED>(a, b, *lane);
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[inline(always)]
fn add_loop<const FUSED: bool>(sums: &mut [f32], factor: f32, numbers: &[f32]) {
    for (sum, &number) in sums.iter_mut().zip(numbers) {
        *sum = mul_add::<FUSED>(factor, number, *sum);
    }
}

#[inline(always)]
fn scale_and_add_loop<const FUSED: bool>(numbers: &mut [f32], factor: f32, others: &[f32]) {
    for (number, &other) in numbers.iter_mut().zip(others) {
        *number = mul_add::<FUSED>(factor, *number, other);
    }
}

#[inline(always)]
fn eight_loop<const FUSED: bool>(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) {
    rows_loop::<FUSED, TILE, PANEL>(panel, rows, output, stride);
}

#[inline(always)]
fn two_loop<const FUSED: bool>(panel: &[Line], rows: &[&[f32]; PAIR], output: &mut [f32], stride: usize) {
    rows_loop::<FUSED, PAIR, 8>(panel, rows, output, stride);
}

/// Multiplies `PART` numbers of a line with all rows before the next ones are loaded. `PART` is the whole
/// line where there are enough registers, and otherwise one vector: more would push the sums out of theirs.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "with constant ends all is unrolled, and the sums stay in registers"
)]
fn rows_loop<const FUSED: bool, const ROWS: usize, const PART: usize>(
    panel: &[Line],
    rows: &[&[f32]; ROWS],
    output: &mut [f32],
    stride: usize,
) {
    // The sums begin at 0 and are added at the end: sums that begin elsewhere are kept in memory.
    let mut sums = [[0.0; PANEL]; ROWS];
    let (blocks, rest) = panel.as_chunks::<STRETCH>();
    for (b, block) in blocks.iter().enumerate() {
        // As arrays, so that the bounds are checked once for all of them.
        let rows: [&[f32; STRETCH]; ROWS] = std::array::from_fn(|r| &rows[r].as_chunks().0[b]);
        for k in 0..STRETCH {
            let line = &block[k].0;
            for part in 0..PANEL / PART {
                for r in 0..ROWS {
                    for n in part * PART..(part + 1) * PART {
                        sums[r][n] = mul_add::<FUSED>(rows[r][k], line[n], sums[r][n]);
                    }
                }
            }
        }
    }
    for (k, line) in (panel.len() - rest.len()..).zip(rest) {
        for r in 0..ROWS {
            for n in 0..PANEL {
                sums[r][n] = mul_add::<FUSED>(rows[r][k], line.0[n], sums[r][n]);
            }
        }
    }
    for r in 0..ROWS {
        let output =
            output[r * stride..].first_chunk_mut::<PANEL>().expect("the output has room for a panel");
        for n in 0..PANEL {
            output[n] += sums[r][n];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Two = fn(&[Line], &[&[f32]; PAIR], &mut [f32], usize);

    /// A number of elements that is no multiple of a vector's length.
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

    #[test]
    fn a_tile_adds_the_products_of_its_rows_with_the_panel_however_wide_vectors_are() {
        let panel: Vec<Line> = (0..37)
            .map(|k| Line(std::array::from_fn(|n| ((k * 31 + n * 17) % 23) as f32 / 23.0 - 0.4)))
            .collect();
        let rows: Vec<[f32; 37]> =
            (0..TILE).map(|r| std::array::from_fn(|k| ((r * 7 + k) as f32).sin())).collect();
        let rows: [&[f32]; TILE] = std::array::from_fn(|r| &rows[r][..]);
        let paired = |two: Two| {
            let mut output = [0.5; PANEL * TILE];
            let pairs = rows.as_chunks::<PAIR>().0.iter().zip(output.chunks_mut(PAIR * PANEL));
            pairs.for_each(|(rows, output)| two(&panel, rows, output, PANEL));
            output
        };
        let (mut at_once, mut chosen) = ([0.5; PANEL * TILE], [0.5; PANEL * TILE]);
        eight(&panel, &rows, &mut at_once, PANEL);
        tile(&panel, &rows, &mut chosen, PANEL);
        for output in [at_once, chosen, paired(two), paired(rows_loop::<false, PAIR, 8>)] {
            for (place, sum) in output.into_iter().enumerate() {
                let (row, column) = (rows[place / PANEL], place % PANEL);
                let products: f32 = row.iter().zip(&panel).map(|(x, line)| x * line.0[column]).sum();
                assert!((sum - 0.5 - products).abs() < 1e-5, "{place}");
            }
        }
    }
}
