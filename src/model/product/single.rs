//! Products of rows with a packed matrix in single precision.

use super::{BLOCK, Matrix, MatrixMut};
use crate::model::vector::{Line, PANEL, TILE, tile};

/// A matrix (depth, columns) that is packed once, in what Goto and van de Geijn, *Anatomy of High-Performance
/// Matrix Multiplication* (2008), call packed panels.
///
/// A recurrence multiplies few rows with the same weights at every note. A library that sees one product at a
/// time either reads the weights where they lie, a page apart, or packs them anew each time. Both take longer
/// than the product.
#[derive(Debug)]
pub struct Panels {
    pub depth: usize,
    columns: usize,
    /// (panels, depth), filled up with 0 beyond the last column.
    lines: Vec<Line>,
}

impl Panels {
    /// Packs a matrix (depth, columns), both above 0.
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

    /// `output += rows · matrix` on this thread, for `rows` (count, depth) and `output` (count, columns).
    /// Allocates nothing.
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

    /// Multiplies up to [`TILE`] rows by one panel. The first `width` columns of the panel, or all if it has
    /// fewer, belong to the matrix.
    fn add_tile(&self, panel: &[Line], rows: &[f32], output: MatrixMut, width: usize) {
        let count = rows.len() / self.depth;
        // Where there are fewer rows than a tile has, the last row stands in for the missing ones.
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
}
