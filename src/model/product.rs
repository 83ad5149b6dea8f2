//! Matrix products on bare slices: the one place that calls the library for them.

use gemm::Parallelism;

/// A matrix seen through strides: the number at (r, c) stands at `r * row + c * column`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub numbers: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `width` numbers, one after the other.
    pub fn rows(numbers: &'a [f32], width: usize) -> Self {
        Self { numbers, row: width, column: 1 }
    }

    /// The same numbers, rows and columns exchanged.
    pub fn turned(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// Rows of adjacent numbers that begin `row` apart.
pub struct MatrixMut<'a> {
    pub numbers: &'a mut [f32],
    pub row: usize,
}

/// What is there before a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    Overwritten,
    Kept,
}

/// The sizes of a product: (rows, depth) · (depth, columns).
#[derive(Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// `output = a · b`, or `output += a · b`, on all threads of the current pool.
pub fn product(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Before) {
    run(sizes, a, b, output, before, Parallelism::Rayon(0));
}

/// [`product`] on this thread.
pub fn product_here(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Before) {
    run(sizes, a, b, output, before, Parallelism::None);
}

fn run(sizes: Sizes, a: Matrix, b: Matrix, output: MatrixMut, before: Before, parallelism: Parallelism) {
    let Sizes { rows, depth, columns } = sizes;
    assert!(rows > 0 && depth > 0 && columns > 0 && (output.row >= columns || rows == 1));
    assert!((rows - 1) * output.row + columns <= output.numbers.len());
    assert!((rows - 1) * a.row + (depth - 1) * a.column < a.numbers.len());
    assert!((depth - 1) * b.row + (columns - 1) * b.column < b.numbers.len());
    let stride = |n: usize| isize::try_from(n).expect("a stride is shorter than a slice");
    // SAFETY: the assertions above keep every index that the strides can reach inside its slice, and the rows of
    // `output`, which is borrowed mutably, apart from each other.
    unsafe {
        // Turned, because the library works fastest where the columns of its output are adjacent.
        gemm::gemm(
            columns,
            rows,
            depth,
            output.numbers.as_mut_ptr(),
            stride(output.row),
            1,
            before == Before::Kept,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_only_say_where_the_numbers_stand() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 1.0, 1.0, 3.0];
        let sizes = Sizes { rows: 2, depth: 3, columns: 2 };
        let (mut plain, mut turned) = ([9.0; 4], [1.0; 4]);
        let output = MatrixMut { numbers: &mut plain, row: 2 };
        product(sizes, Matrix::rows(&a, 3), Matrix::rows(&b, 2), output, Before::Overwritten);
        assert_eq!(plain, [8.0, 11.0, 20.0, 23.0]);
        let across = [1.0, 2.0, 1.0, 0.0, 1.0, 3.0];
        let output = MatrixMut { numbers: &mut turned, row: 2 };
        product_here(sizes, Matrix::rows(&a, 3), Matrix::rows(&across, 3).turned(), output, Before::Kept);
        assert_eq!(turned, [9.0, 12.0, 21.0, 24.0]);
    }
}
