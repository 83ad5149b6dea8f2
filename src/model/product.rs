//! Matrix products on bare slices: through the `gemm` library, which is called only here, and with a packed
//! matrix.

mod amx;
mod mixed;
mod single;

use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

use self::amx::Unit;

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

    /// The matrix below its first rows.
    fn below(self, first: usize) -> Self {
        Self { numbers: &self.numbers[first * self.row..], ..self }
    }

    /// Copies as much of these rows and columns as there is room for.
    fn copy<const W: usize, const H: usize>(
        self,
        rows: Range<usize>,
        columns: Range<usize>,
        to: &mut [[f32; W]; H],
    ) {
        let (height, width) = (rows.len().min(H), columns.len().min(W));
        let numbers = &self.numbers[rows.start * self.row + columns.start * self.column..];
        if self.column == 1 {
            for (row, to) in to.iter_mut().take(height).enumerate() {
                to[..width].copy_from_slice(&numbers[row * self.row..][..width]);
            }
            return;
        }
        for column in 0..width {
            let from = numbers[column * self.column..].iter().step_by(self.row);
            to.iter_mut().take(height).zip(from).for_each(|(to, &from)| to[column] = from);
        }
    }
}

/// A mutable matrix with rows of adjacent numbers, which begin `row` numbers apart.
pub struct MatrixMut<'a> {
    pub numbers: &'a mut [f32],
    pub row: usize,
}

/// How exact the factors of a product are; sums have single precision always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Single,
    /// Rounded to bf16 where the processor has a matrix unit for that, as in training with mixed precision
    /// (Micikevicius et al., 2018).
    Mixed,
}

impl Precision {
    fn unit(self) -> Option<Unit> {
        if self == Self::Mixed { Unit::get() } else { None }
    }
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

/// [`product`] on all threads of the current pool, of factors as exact as `precision` says.
pub fn par_product(
    sizes: Sizes,
    a: Matrix,
    b: Matrix,
    output: MatrixMut,
    before: Output,
    precision: Precision,
) {
    match precision.unit() {
        Some(unit) => par_mixed(unit, sizes, a, b, output, before),
        None => run(sizes, a, b, output, before, Parallelism::Rayon(0)),
    }
}

fn par_mixed(unit: Unit, sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output) {
    check(sizes, a, b, &output);
    let Sizes { rows, depth, columns } = sizes;
    let panels = mixed::Panels::new(unit, depth, columns, b);
    let MatrixMut { numbers, row } = output;
    numbers.par_chunks_mut(BLOCK * row).zip((0..rows).into_par_iter().step_by(BLOCK)).for_each(
        |(numbers, first)| {
            let count = BLOCK.min(rows - first);
            if before == Output::Overwrite {
                numbers.chunks_mut(row).take(count).for_each(|numbers| numbers[..columns].fill(0.0));
            }
            panels.add_product(a.below(first), count, MatrixMut { numbers, row });
        },
    );
}

/// `output = a · b`, or `output += a · b`, on this thread, for `a` (rows, depth), `b` (depth, columns) and `output`
/// (rows, columns). Panics where a size is 0, or a slice too short for its strides.
pub fn product(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output) {
    run(sizes, a, b, output, before, Parallelism::None);
}

fn run(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Output, parallelism: Parallelism) {
    check(sizes, a, b, &output);
    let Sizes { rows, depth, columns } = sizes;
    let stride = |n: usize| isize::try_from(n).expect("a stride is shorter than a slice");
    // SAFETY: the check above keeps every index that the strides can reach inside its slice, and the rows of
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

/// Panics where the strides of a product reach beyond a slice.
fn check(sizes: Sizes, a: Matrix, b: Matrix, output: &MatrixMut) {
    let Sizes { rows, depth, columns } = sizes;
    assert!(rows > 0 && depth > 0 && columns > 0 && output.row >= columns);
    assert!((rows - 1) * output.row + columns <= output.numbers.len());
    assert!((rows - 1) * a.row + (depth - 1) * a.column < a.numbers.len());
    assert!((depth - 1) * b.row + (columns - 1) * b.column < b.numbers.len());
}

/// A matrix (depth, columns) that is packed once, and multiplied with rows again and again.
#[derive(Debug)]
pub enum Panels {
    Single(single::Panels),
    Mixed(mixed::Panels),
}

impl Panels {
    /// Packs a matrix (depth, columns), both above 0. Panics where `matrix` has too few numbers for its
    /// strides.
    pub fn new(depth: usize, columns: usize, matrix: Matrix, precision: Precision) -> Self {
        match precision.unit() {
            Some(unit) => Self::Mixed(mixed::Panels::new(unit, depth, columns, matrix)),
            None => Self::Single(single::Panels::new(depth, columns, matrix)),
        }
    }

    /// `output += rows · matrix` on this thread, for `rows` (count, depth) and `output` (count, columns). Panics where
    /// the output has fewer rows. Allocates in mixed precision.
    pub fn add_product(&self, rows: &[f32], output: MatrixMut) {
        assert!(rows.len().div_ceil(self.depth()) <= output.numbers.len().div_ceil(output.row));
        match self {
            Self::Single(panels) => panels.add_product(rows, output),
            Self::Mixed(panels) => {
                panels.add_product(Matrix::rows(rows, panels.depth), rows.len() / panels.depth, output)
            }
        }
    }

    /// [`Panels::add_product`] on all threads of the current pool.
    pub fn par_add_product(&self, rows: &[f32], output: MatrixMut) {
        let MatrixMut { numbers, row } = output;
        let blocks = rows.par_chunks(BLOCK * self.depth()).zip(numbers.par_chunks_mut(BLOCK * row));
        blocks.for_each(|(rows, numbers)| self.add_product(rows, MatrixMut { numbers, row }));
    }

    fn depth(&self) -> usize {
        match self {
            Self::Single(panels) => panels.depth,
            Self::Mixed(panels) => panels.depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strides_only_say_where_the_numbers_stand() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 1.0, 1.0, 3.0];
        let across = [1.0, 2.0, 1.0, 0.0, 1.0, 3.0];
        let sizes = Sizes { rows: 2, depth: 3, columns: 2 };
        // In mixed precision as well: numbers as small and round as these are not rounded.
        for precision in [Precision::Single, Precision::Mixed] {
            let (mut plain, mut turned) = ([9.0; 4], [1.0; 4]);
            let (a, b) = (Matrix::rows(&a, 3), Matrix::rows(&b, 2));
            let output = MatrixMut { numbers: &mut plain, row: 2 };
            par_product(sizes, a, b, output, Output::Overwrite, precision);
            assert_eq!(plain, [8.0, 11.0, 20.0, 23.0]);
            let output = MatrixMut { numbers: &mut turned, row: 2 };
            let b = Matrix::rows(&across, 3).transposed();
            par_product(sizes, a, b, output, Output::Accumulate, precision);
            assert_eq!(turned, [9.0, 12.0, 21.0, 24.0]);
        }
    }

    /// Numbers that mixed precision leaves as they are.
    fn some(count: usize, by: f32) -> Vec<f32> {
        (0..count).map(|n| bf16::from_f32((n as f32 * by).sin()).to_f32()).collect()
    }

    /// The numbers of a matrix with rows of `width` numbers, column by column.
    fn across(numbers: &[f32], width: usize) -> Vec<f32> {
        (0..width).flat_map(|column| numbers[column..].iter().step_by(width)).copied().collect()
    }

    /// The largest difference between two lists.
    fn apart(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn panels_give_the_products_of_the_library(rows in 1usize..90, depth in 1usize..80, columns in 1usize..150) {
            let (a, b) = (some(rows * depth, 0.7), some(depth * columns, 1.3));
            let (a_across, b_across) = (across(&a, depth), across(&b, columns));
            let (a_turned, b_turned) =
                (Matrix::rows(&a_across, rows).transposed(), Matrix::rows(&b_across, depth).transposed());
            let sizes = Sizes { rows, depth, columns };
            let product_by = |run: &dyn Fn(MatrixMut)| {
                let mut numbers = some(rows * columns, 0.1);
                run(MatrixMut { numbers: &mut numbers, row: columns });
                numbers
            };
            let (plain_a, plain_b) = (Matrix::rows(&a, depth), Matrix::rows(&b, columns));
            let theirs = product_by(&|output| product(sizes, plain_a, plain_b, output, Output::Accumulate));
            for precision in [Precision::Single, Precision::Mixed] {
                for b in [plain_b, b_turned] {
                    let panels = Panels::new(depth, columns, b, precision);
                    let ours = product_by(&|output| panels.par_add_product(&a, output));
                    prop_assert!(apart(&ours, &theirs) < 1e-4, "{precision:?}");
                    let ours = product_by(&|output| par_product(sizes, a_turned, b, output, Output::Accumulate, precision));
                    prop_assert!(apart(&ours, &theirs) < 1e-4, "{precision:?}, turned");
                }
            }
        }
    }
}
