//! Matrix products on bare slices: through the `gemm` library, which is called only here, and with a packed
//! matrix.

use gemm::Parallelism;
use rayon::prelude::*;

use super::vector::{Line, PANEL, TILE, tile};

/// Number of rows that stay in the cache while all panels pass.
const BLOCK: usize = 64;

/// A matrix with strides: the number at (r, c) stands at `r * row + c * column`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub numbers: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix with rows of `width` numbers, one after the other.
    pub fn rows(numbers: &'a [f32], width: usize) -> Self {
        Self { numbers, row: width, column: 1 }
    }

    /// The transposed matrix over the same numbers.
    pub fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// A mutable matrix with rows of adjacent numbers, which begin `row` numbers apart.
pub struct MatrixMut<'a> {
    pub numbers: &'a mut [f32],
    pub row: usize,
}

/// Whether a product overwrites its output or is added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Overwrite,
    Accumulate,
}

/// The sizes of a product: (rows, depth) · (depth, columns).
#[derive(Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// [`product`] on all threads of the current pool.
pub fn par_product(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output) {
    run(sizes, a, b, output, before, Parallelism::Rayon(0));
}

/// `output = a · b`, or `output += a · b`, on this thread.
pub fn product(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output) {
    run(sizes, a, b, output, before, Parallelism::None);
}

fn run(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output, parallelism: Parallelism) {
    let Sizes { rows, depth, columns } = sizes;
    assert!(rows > 0 && depth > 0 && columns > 0 && (output.row >= columns || rows == 1));
    assert!((rows - 1) * output.row + columns <= output.numbers.len());
    assert!((rows - 1) * a.row + (depth - 1) * a.column < a.numbers.len());
    assert!((depth - 1) * b.row + (columns - 1) * b.column < b.numbers.len());
    let stride = |n: usize| isize::try_from(n).expect("a stride is shorter than a slice");
    // SAFETY: the assertions above keep every index that the strides can reach inside its slice, and the rows of
    // `output`, which is borrowed mutably, apart from each other.
    unsafe {
        // Transposed, because the library works fastest where the columns of its output are adjacent.
        gemm::gemm(
            columns,
            rows,
            depth,
            output.numbers.as_mut_ptr(),
            stride(output.row),
            1,
            before == Output::Accumulate,
            b.numbers.as_ptr(),
            stride(b.row),
            stride(b.column),
            a.numbers.as_ptr(),
            stride(a.row),
            stride(a.column),
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// A matrix (depth, columns) that is packed once, in what Goto and van de Geijn, *Anatomy of High-Performance
/// Matrix Multiplication* (2008), call packed panels.
///
/// A recurrence multiplies few rows with the same weights at every note. A library that sees one product at a
/// time either reads the weights where they lie, a page apart, or packs them anew each time. Both take longer
/// than the product.
#[derive(Debug)]
pub struct Panels {
    depth: usize,
    columns: usize,
    /// (panels, depth), filled up with 0 beyond the last column.
    lines: Vec<Line>,
}

impl Panels {
    /// Packs a matrix (depth, columns), both above 0. Panics where `matrix` has too few numbers for its
    /// strides.
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

    /// `output += rows · matrix` on this thread, for `rows` (count, depth) and `output` (count, columns),
    /// which must have no more rows than that. Allocates nothing.
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

    /// [`Panels::add_product`] on all threads of the current pool.
    pub fn par_add_product(&self, rows: &[f32], output: MatrixMut) {
        let MatrixMut { numbers, row } = output;
        let blocks = rows.par_chunks(BLOCK * self.depth).zip(numbers.par_chunks_mut(BLOCK * row));
        blocks.for_each(|(rows, numbers)| self.add_product(rows, MatrixMut { numbers, row }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strides_only_say_where_the_numbers_stand() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 1.0, 1.0, 3.0];
        let sizes = Sizes { rows: 2, depth: 3, columns: 2 };
        let (mut plain, mut turned) = ([9.0; 4], [1.0; 4]);
        let output = MatrixMut { numbers: &mut plain, row: 2 };
        par_product(sizes, Matrix::rows(&a, 3), Matrix::rows(&b, 2), output, Output::Overwrite);
        assert_eq!(plain, [8.0, 11.0, 20.0, 23.0]);
        let across = [1.0, 2.0, 1.0, 0.0, 1.0, 3.0];
        let output = MatrixMut { numbers: &mut turned, row: 2 };
        product(
            sizes,
            Matrix::rows(&a, 3),
            Matrix::rows(&across, 3).transposed(),
            output,
            Output::Accumulate,
        );
        assert_eq!(turned, [9.0, 12.0, 21.0, 24.0]);
    }

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
            product(sizes, Matrix::rows(&a, depth), Matrix::rows(&b, columns), output, Output::Accumulate);
            let panels = Panels::new(depth, columns, Matrix::rows(&b, columns));
            panels.par_add_product(&a, MatrixMut { numbers: &mut ours, row: columns });
            prop_assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-4));
        }
    }
}
