//! Products of rows with a packed matrix in mixed precision.

use std::ops::Range;

use super::{
    Matrix, MatrixMut,
    amx::{Block, DEPTH, Line, PANEL, SIDE, Tiles, Unit},
};

/// A matrix (depth, columns), rounded and packed once.
#[derive(Debug)]
pub struct Panels {
    unit: Unit,
    pub depth: usize,
    columns: usize,
    /// (panels, depth in blocks), filled up with 0 beyond the last row and column.
    blocks: Vec<Block>,
}

impl Panels {
    /// Rounds and packs a matrix (depth, columns), both above 0.
    pub fn new(unit: Unit, depth: usize, columns: usize, matrix: Matrix) -> Self {
        let mut blocks = vec![Block::ZERO; columns.div_ceil(PANEL) * depth.div_ceil(DEPTH)];
        let places = (0..columns).step_by(PANEL).flat_map(|c| (0..depth).step_by(DEPTH).map(move |r| (r, c)));
        for (block, (row, column)) in blocks.iter_mut().zip(places) {
            round_block(unit, matrix, row..depth, column..columns, block);
        }
        Self { unit, depth, columns, blocks }
    }

    /// `output += rows · matrix` on this thread, for `rows` (count, depth) and `output` (count, columns).
    pub fn add_product(&self, rows: Matrix, count: usize, output: MatrixMut) {
        let per_row = self.lines_per_row();
        let mut lines = vec![Line::ZERO; count.next_multiple_of(SIDE) * per_row];
        for (lines, row) in lines.chunks_exact_mut(SIDE * per_row).zip((0..count).step_by(SIDE)) {
            self.round(rows.below(row), SIDE.min(count - row), lines);
        }
        // SAFETY: what runs there multiplies, and nothing else.
        unsafe { self.unit.with_tiles(|tiles| self.add_rounded(tiles, &lines, count, output)) };
    }

    fn lines_per_row(&self) -> usize {
        self.depth.div_ceil(DEPTH)
    }

    /// Rounds `count` rows, up to [`SIDE`], to `lines` ([`SIDE`], lines per row). What stands in the others does not
    /// matter.
    fn round(&self, rows: Matrix, count: usize, lines: &mut [Line]) {
        for (n, column) in (0..self.depth).step_by(DEPTH).enumerate() {
            if rows.column == 1 && self.depth - column >= DEPTH {
                for (lines, row) in lines.chunks_exact_mut(self.lines_per_row()).zip(0..count) {
                    self.unit.round_line(&rows.numbers[row * rows.row + column..], &mut lines[n]);
                }
                continue;
            }
            let mut numbers = [[0.0; DEPTH]; SIDE];
            rows.copy(0..count, column..self.depth, &mut numbers);
            for (lines, numbers) in lines.chunks_exact_mut(self.lines_per_row()).zip(&numbers) {
                self.unit.round_line(numbers, &mut lines[n]);
            }
        }
    }

    /// [`Panels::add_product`] for rounded rows: `lines` (`count` filled up to a multiple of [`SIDE`], lines per row).
    fn add_rounded(&self, tiles: &Tiles, lines: &[Line], count: usize, output: MatrixMut) {
        let per_row = self.lines_per_row();
        let MatrixMut { numbers, row: stride } = output;
        for (panel, column) in self.blocks.chunks_exact(per_row).zip((0..).step_by(PANEL)) {
            let width = PANEL.min(self.columns - column);
            for (lines, row) in lines.chunks_exact(SIDE * per_row).zip((0..count).step_by(SIDE)) {
                let output = &mut numbers[row * stride + column..];
                if width == PANEL && count - row >= SIDE {
                    tiles.multiply(lines, panel, output, stride);
                    continue;
                }
                let mut sums = [0.0; SIDE * PANEL];
                tiles.multiply(lines, panel, &mut sums, PANEL);
                for (output, sums) in output.chunks_mut(stride).zip(sums.chunks(PANEL)).take(count - row) {
                    output.iter_mut().zip(sums).take(width).for_each(|(output, sum)| *output += sum);
                }
            }
        }
    }
}

/// Rounds as much of these rows and columns as there is room for in a block.
fn round_block(unit: Unit, matrix: Matrix, rows: Range<usize>, columns: Range<usize>, block: &mut Block) {
    let numbers = &matrix.numbers[rows.start * matrix.row + columns.start * matrix.column..];
    let is_full = rows.len() >= DEPTH && columns.len() >= PANEL;
    if is_full && matrix.column == 1 {
        return unit.round_block(numbers, matrix.row, block);
    }
    if is_full && matrix.row == 1 {
        let mut line = Line::ZERO;
        for column in 0..PANEL {
            unit.round_line(&numbers[column * matrix.column..], &mut line);
            block.set_column(column, &line);
        }
        return;
    }
    let mut numbers = [[0.0; PANEL]; DEPTH];
    matrix.copy(rows, columns, &mut numbers);
    unit.round_block(numbers.as_flattened(), PANEL, block);
}
