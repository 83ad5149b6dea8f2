//! Products with a matrix that is laid out once, after Goto and van de Geijn, *Anatomy of High-Performance Matrix
//! Multiplication* (2008): what they call packed panels.
//!
//! A recurrence multiplies few rows with the same weights at every note. A library that sees one product at a time reads
//! them where they lie, a page apart, or lays them out anew each time; either takes longer than the product.

use rayon::prelude::*;

use crate::model::{
    product::{Matrix, MatrixMut},
    vector::{Line, PANEL, TILE, tile},
};

/// So many rows stay in the cache while all panels pass.
const BLOCK: usize = 64;

/// A matrix (depth, columns).
#[derive(Debug)]
pub struct Panels {
    depth: usize,
    columns: usize,
    /// (panels, depth), beyond the last column filled up with 0.
    lines: Vec<Line>,
}

impl Panels {
    /// Copies a matrix (depth, columns), both above 0, through its strides. Panics where its numbers do not reach so far.
    pub fn new(depth: usize, columns: usize, matrix: Matrix) -> Self {
        let mut lines = vec![Line([0.0; PANEL]); columns.div_ceil(PANEL) * depth];
        for (panel, first) in lines.chunks_exact_mut(depth).zip((0..columns).step_by(PANEL)) {
            for (k, line) in panel.iter_mut().enumerate() {
                let numbers = matrix.numbers[k * matrix.row + first * matrix.column..].iter();
                let line = line.0.iter_mut().take(columns - first);
                line.zip(numbers.step_by(matrix.column)).for_each(|(to, &from)| *to = from);
            }
        }
        Self { depth, columns, lines }
    }

    /// `output += rows · matrix` on this thread, for `rows` (count, depth) and an output (count, columns) that has no more
    /// rows than that. Allocates nothing.
    pub fn add_product(&self, rows: &[f32], output: MatrixMut) {
        let MatrixMut { numbers: output, row } = output;
        for (rows, output) in rows.chunks(BLOCK * self.depth).zip(output.chunks_mut(BLOCK * row)) {
            for (panel, first) in self.lines.chunks_exact(self.depth).zip((0..).step_by(PANEL)) {
                for (rows, output) in rows.chunks(TILE * self.depth).zip(output.chunks_mut(TILE * row)) {
                    self.add_tile(
                        panel,
                        rows,
                        MatrixMut { numbers: &mut output[first..], row },
                        self.columns - first,
                    );
                }
            }
        }
    }

    /// For up to [`TILE`] rows and one panel, of which `width` columns, or all where there are more, are the matrix's.
    fn add_tile(&self, panel: &[Line], rows: &[f32], output: MatrixMut, width: usize) {
        let count = rows.len() / self.depth;
        // Where there are fewer rows than a tile has, the last one stands in for those that are missing.
        let rows = std::array::from_fn(|r| &rows[r.min(count - 1) * self.depth..][..self.depth]);
        if count == TILE && width >= PANEL {
            return tile(panel, &rows, output.numbers, output.row);
        }
        let mut sums = [0.0; PANEL * TILE];
        tile(panel, &rows, &mut sums, PANEL);
        for (output, sums) in output.numbers.chunks_mut(output.row).zip(sums.chunks(PANEL)).take(count) {
            output.iter_mut().zip(sums).take(width).for_each(|(output, sum)| *output += sum);
        }
    }

    /// The same on all threads of the current pool.
    pub fn add_product_by_all(&self, rows: &[f32], output: MatrixMut) {
        let MatrixMut { numbers, row } = output;
        let blocks = rows.par_chunks(BLOCK * self.depth).zip(numbers.par_chunks_mut(BLOCK * row));
        blocks.for_each(|(rows, numbers)| self.add_product(rows, MatrixMut { numbers, row }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::product::{Before, Sizes, product_here};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn panels_give_the_products_of_the_library(rows in 1usize..90, depth in 1usize..40, columns in 1usize..130) {
            let some = |count: usize, by: f32| (0..count).map(|n| (n as f32 * by).sin()).collect::<Vec<f32>>();
            let (a, b) = (some(rows * depth, 0.7), some(depth * columns, 1.3));
            let mut ours = some(rows * columns, 0.1);
            let mut theirs = ours.clone();
            let sizes = Sizes { rows, depth, columns };
            let output = MatrixMut { numbers: &mut theirs, row: columns };
            product_here(sizes, Matrix::rows(&a, depth), Matrix::rows(&b, columns), output, Before::Kept);
            let panels = Panels::new(depth, columns, Matrix::rows(&b, columns));
            panels.add_product_by_all(&a, MatrixMut { numbers: &mut ours, row: columns });
            prop_assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-4));
        }
    }
}
