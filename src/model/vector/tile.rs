//! The heart of a matrix product: some rows times some columns, all sums in registers.

use super::scalar::product;

/// How many columns lie side by side.
pub const PANEL: usize = 48;
/// How many rows are multiplied at once: eight times three of the widest vectors leave registers for the factors.
pub const TILE: usize = 8;
/// The same where vectors are narrower, as there are half as many of them.
const PAIR: usize = 2;

/// How many lines pass between two looks at where a row ends.
const STRETCH: usize = 8;

/// One line of a panel, where the widest vectors load it best.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [f32; PANEL]);

/// `output += rows · panel`: each row is as long as the panel has lines, and its [`PANEL`] sums begin `stride` after those of
/// the row before. Panics where the output is too short.
pub fn tile(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) {
    if super::has_widest_vectors() {
        return eight(panel, rows, output, stride);
    }
    for (rows, output) in rows.as_chunks::<PAIR>().0.iter().zip(output.chunks_mut(PAIR * stride)) {
        two(panel, rows, output, stride);
    }
}

vectorised! {
    /// [`tile`] where vectors are the widest: all rows at once.
    pub fn eight(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) = eight_loop
}

vectorised! {
    /// [`tile`] where they are not: one pair of its rows.
    pub fn two(panel: &[Line], rows: &[&[f32]; PAIR], output: &mut [f32], stride: usize) = two_loop
}

#[inline(always)]
fn eight_loop<const FUSED: bool>(panel: &[Line], rows: &[&[f32]; TILE], output: &mut [f32], stride: usize) {
    rows_loop::<FUSED, TILE>(panel, rows, output, stride);
}

#[inline(always)]
fn two_loop<const FUSED: bool>(panel: &[Line], rows: &[&[f32]; PAIR], output: &mut [f32], stride: usize) {
    rows_loop::<FUSED, PAIR>(panel, rows, output, stride);
}

#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "with constant ends all is unrolled, and the sums stay in registers"
)]
fn rows_loop<const FUSED: bool, const ROWS: usize>(
    panel: &[Line],
    rows: &[&[f32]; ROWS],
    output: &mut [f32],
    stride: usize,
) {
    // From nought, and added at the end: sums that begin elsewhere are kept in memory.
    let mut sums = [[0.0; PANEL]; ROWS];
    let (blocks, rest) = panel.as_chunks::<STRETCH>();
    for (b, block) in blocks.iter().enumerate() {
        // As arrays, so that the ends are checked once for all of them.
        let rows: [&[f32; STRETCH]; ROWS] = std::array::from_fn(|r| &rows[r].as_chunks().0[b]);
        for k in 0..STRETCH {
            let line = block[k].0;
            for r in 0..ROWS {
                for n in 0..PANEL {
                    sums[r][n] = product::<FUSED>(rows[r][k], line[n], sums[r][n]);
                }
            }
        }
    }
    for (k, line) in (panel.len() - rest.len()..).zip(rest) {
        for r in 0..ROWS {
            for n in 0..PANEL {
                sums[r][n] = product::<FUSED>(rows[r][k], line.0[n], sums[r][n]);
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
        for output in [at_once, chosen, paired(two), paired(rows_loop::<false, PAIR>)] {
            for (place, sum) in output.into_iter().enumerate() {
                let (row, column) = (rows[place / PANEL], place % PANEL);
                let products: f32 = row.iter().zip(&panel).map(|(x, line)| x * line.0[column]).sum();
                assert!((sum - 0.5 - products).abs() < 1e-5, "{place}");
            }
        }
    }
}
