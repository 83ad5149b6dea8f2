//! The attention of one sequence on bare slices: a band below the diagonal, as wide as the memory, cut into blocks of
//! notes so that most of the work is matrix products.

use super::shape::{ATTENTION, ATTENTION_HEADS, HEAD_WIDTH, MEMORY};
use crate::model::{
    product::{Before, Matrix, MatrixMut, Sizes, product_here},
    vector,
};

/// Notes of a block; with the memory a multiple of 16, as vectors like it.
const BLOCK: usize = 42;
/// The pairs that a block of notes may read, and one place that is free in each line of its looks.
const SPAN: usize = MEMORY + BLOCK;
/// A pair: the keys of all heads, then the values.
const PAIR: usize = 2 * ATTENTION;

/// One sequence of T notes.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// How many of the older pairs there are.
    pub heard: usize,
    /// (T, A)
    pub queries: &'a [f32],
    /// (M + T, 2A)
    pub pairs: &'a [f32],
    /// (heads, M + 1)
    pub age: &'a [f32],
}

/// The weights of the attention: how much each note looks at each pair. All looks of a note sum to 1.
pub struct Looks {
    /// (heads, T, SPAN): the first place is the first pair that the note's block reads.
    at_pairs: Vec<f32>,
    /// (heads, T)
    at_nothing: Vec<f32>,
}

/// What a sequence gives back, each as long as what it belongs to.
pub struct Gradients {
    pub queries: Vec<f32>,
    pub pairs: Vec<f32>,
    pub age: Vec<f32>,
}

/// Keeps the products of keys and queries small, however many numbers they sum over.
fn scale() -> f32 {
    1.0 / (HEAD_WIDTH as f32).sqrt()
}

/// Some notes of a sequence and one head.
#[derive(Clone, Copy)]
struct Block {
    head: usize,
    first: usize,
    notes: usize,
}

impl Block {
    /// Where the block's looks begin among those of all.
    fn looks(self, time: usize) -> usize {
        self.head * time + self.first
    }

    /// Where the first number of the head stands for the block's first note.
    fn query(self) -> usize {
        self.first * ATTENTION + self.head * HEAD_WIDTH
    }

    /// Where the first key of the block stands; its value stands [`ATTENTION`] further.
    fn pair(self) -> usize {
        self.first * PAIR + self.head * HEAD_WIDTH
    }

    /// (notes, span) = (notes, HEAD_WIDTH) · (HEAD_WIDTH, span), and the like.
    fn sizes(self, rows: usize, depth: usize, columns: usize) -> Sizes {
        let size = |n| if n == SPAN { MEMORY + self.notes } else { n };
        Sizes { rows: size(rows), depth: size(depth), columns: size(columns) }
    }
}

impl Row<'_> {
    fn time(&self) -> usize {
        self.queries.len() / ATTENTION
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let time = self.time();
        let firsts = move |head| {
            (0..time).step_by(BLOCK).map(move |first| Block { head, first, notes: BLOCK.min(time - first) })
        };
        (0..ATTENTION_HEADS).flat_map(firsts)
    }

    /// Fills `outputs` (T, A).
    pub fn forward(&self, outputs: &mut [f32]) -> Looks {
        let time = self.time();
        let mut looks = Looks {
            at_pairs: vec![0.0; ATTENTION_HEADS * time * SPAN],
            at_nothing: vec![0.0; ATTENTION_HEADS * time],
        };
        for block in self.blocks() {
            let Block { notes, .. } = block;
            let lines = &mut looks.at_pairs[block.looks(time) * SPAN..][..notes * SPAN];
            let (queries, keys) = (self.queries(block), self.pairs(block, 0));
            let scores = MatrixMut { numbers: lines, row: SPAN };
            product_here(
                block.sizes(notes, HEAD_WIDTH, SPAN),
                queries,
                keys.turned(),
                scores,
                Before::Overwritten,
            );
            for (n, line) in lines.chunks_exact_mut(SPAN).enumerate() {
                looks.at_nothing[block.looks(time) + n] = self.look(block, n, line);
            }
            let output = MatrixMut { numbers: &mut outputs[block.query()..], row: ATTENTION };
            let values = self.pairs(block, ATTENTION);
            let sizes = block.sizes(notes, SPAN, HEAD_WIDTH);
            product_here(sizes, Matrix::rows(lines, SPAN), values, output, Before::Overwritten);
        }
        looks
    }

    /// Turns the scores of note `n` of a block into looks; gives the look at nothing.
    fn look(&self, block: Block, n: usize, line: &mut [f32]) -> f32 {
        let (from, to) = self.band(block.first + n, n);
        let age = &self.age[block.head * (MEMORY + 1)..][..=MEMORY];
        // Older pairs come first in a line.
        let mut ages = [0.0; MEMORY];
        ages.iter_mut().rev().zip(&age[1..]).for_each(|(to, from)| *to = *from);
        line[..from].fill(0.0);
        vector::scale_and_add(&mut line[from..to], scale(), &ages[MEMORY - (to - from)..]);
        line[to] = age[0];
        let sum = vector::soften(&mut line[from..=to]);
        vector::share_out(&mut line[from..=to], sum);
        let nothing = line[to];
        line[to..].fill(0.0);
        nothing
    }

    /// From the looks of the forward pass and the gradient of its outputs (T, A).
    pub fn backward(&self, looks: &Looks, gradient: &[f32]) -> Gradients {
        let time = self.time();
        let mut back = Gradients {
            queries: vec![0.0; self.queries.len()],
            pairs: vec![0.0; self.pairs.len()],
            age: vec![0.0; self.age.len()],
        };
        let mut flow = [0.0; BLOCK * SPAN];
        for block in self.blocks() {
            let Block { notes, .. } = block;
            let lines = &looks.at_pairs[block.looks(time) * SPAN..][..notes * SPAN];
            let down = Matrix { numbers: &gradient[block.query()..], row: ATTENTION, column: 1 };
            let values = self.pairs(block, ATTENTION);
            let flow = &mut flow[..notes * SPAN];
            let scores = MatrixMut { numbers: flow, row: SPAN };
            product_here(
                block.sizes(notes, HEAD_WIDTH, SPAN),
                down,
                values.turned(),
                scores,
                Before::Overwritten,
            );
            for (n, (flow, line)) in flow.chunks_exact_mut(SPAN).zip(lines.chunks_exact(SPAN)).enumerate() {
                let nothing = looks.at_nothing[block.looks(time) + n];
                self.look_backward(block, n, (line, nothing), flow, &mut back.age);
            }
            self.spread(block, lines, flow, down, &mut back);
        }
        back
    }

    /// Turns the gradient of the looks of note `n` of a block into that of its scores.
    fn look_backward(
        &self,
        block: Block,
        n: usize,
        (line, nothing): (&[f32], f32),
        flow: &mut [f32],
        dage: &mut [f32],
    ) {
        let (from, to) = self.band(block.first + n, n);
        let mean = vector::soften_backward(&mut flow[from..to], &line[from..to]);
        flow[..from].fill(0.0);
        flow[to..].fill(0.0);
        let dage = &mut dage[block.head * (MEMORY + 1)..][..=MEMORY];
        dage[0] -= nothing * mean;
        dage[1..].iter_mut().zip(flow[from..to].iter().rev()).for_each(|(age, flow)| *age += flow);
    }

    /// Adds to the gradients what comes from a block; `flow` is the gradient of its scores.
    fn spread(&self, block: Block, lines: &[f32], flow: &mut [f32], down: Matrix, back: &mut Gradients) {
        let Block { notes, .. } = block;
        flow.iter_mut().for_each(|flow| *flow *= scale());
        let (looks, flow) = (Matrix::rows(lines, SPAN), Matrix::rows(flow, SPAN));
        let dqueries = MatrixMut { numbers: &mut back.queries[block.query()..], row: ATTENTION };
        let (queries, keys) = (self.queries(block), self.pairs(block, 0));
        product_here(block.sizes(notes, SPAN, HEAD_WIDTH), flow, keys, dqueries, Before::Overwritten);
        let sizes = block.sizes(SPAN, notes, HEAD_WIDTH);
        let dkeys = MatrixMut { numbers: &mut back.pairs[block.pair()..], row: PAIR };
        product_here(sizes, flow.turned(), queries, dkeys, Before::Kept);
        let dvalues = MatrixMut { numbers: &mut back.pairs[block.pair() + ATTENTION..], row: PAIR };
        product_here(sizes, looks.turned(), down, dvalues, Before::Kept);
    }

    /// The places of the pairs that note `t` reads, in the line of note `n` of its block.
    fn band(&self, t: usize, n: usize) -> (usize, usize) {
        (n + MEMORY - MEMORY.min(self.heard + t), n + MEMORY)
    }

    fn queries(&self, block: Block) -> Matrix<'_> {
        Matrix { numbers: &self.queries[block.query()..], row: ATTENTION, column: 1 }
    }

    /// The keys of a block's pairs, or what stands so far behind them.
    fn pairs(&self, block: Block, behind: usize) -> Matrix<'_> {
        Matrix { numbers: &self.pairs[block.pair() + behind..], row: PAIR, column: 1 }
    }
}
