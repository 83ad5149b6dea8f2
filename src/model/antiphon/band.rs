//! The attention of one sequence on bare slices: a band below the diagonal, as wide as the memory.

use super::shape::{ATTENTION, ATTENTION_HEADS, HEAD, MEMORY};

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

/// What a sequence gives back, each as long as what it belongs to.
pub struct Gradients {
    pub queries: Vec<f32>,
    pub pairs: Vec<f32>,
    pub age: Vec<f32>,
}

/// Keeps the products of keys and queries small, however many numbers they sum over.
fn scale() -> f32 {
    1.0 / (HEAD as f32).sqrt()
}

impl Row<'_> {
    /// Fills `outputs` (T, A) and returns the looks (heads, T, M + 1): at the pairs, the newest
    /// last, and then at nothing.
    pub fn forward(&self, outputs: &mut [f32]) -> Vec<f32> {
        let time = self.queries.len() / ATTENTION;
        let mut looks = vec![0.0; ATTENTION_HEADS * time * (MEMORY + 1)];
        for (head, looks) in looks.chunks_exact_mut(time * (MEMORY + 1)).enumerate() {
            let keys = self.columns(head * HEAD);
            let age = &self.age[head * (MEMORY + 1)..][..=MEMORY];
            for (t, looks) in looks.chunks_exact_mut(MEMORY + 1).enumerate() {
                let (count, from) = self.band(t);
                let looks = &mut looks[MEMORY - count..];
                // The oldest first; nothing comes last.
                looks.iter_mut().zip(age[..=count].iter().rev()).for_each(|(look, age)| *look = *age);
                let query = &self.queries[t * ATTENTION + head * HEAD..][..HEAD];
                for (q, keys) in query.iter().zip(&keys) {
                    add(&mut looks[..count], q * scale(), &keys[from..from + count]);
                }
                softmax(looks);
                let output = &mut outputs[t * ATTENTION + head * HEAD..][..HEAD];
                for (n, look) in looks[..count].iter().enumerate() {
                    add(output, *look, self.value(from + n, head));
                }
            }
        }
        looks
    }

    /// From the looks of the forward pass and the gradient of its outputs (T, A).
    pub fn backward(&self, looks: &[f32], gradient: &[f32]) -> Gradients {
        let time = self.queries.len() / ATTENTION;
        let mut back = Gradients {
            queries: vec![0.0; self.queries.len()],
            pairs: vec![0.0; self.pairs.len()],
            age: vec![0.0; self.age.len()],
        };
        let mut flow = vec![0.0; MEMORY + 1];
        for (head, looks) in looks.chunks_exact(time * (MEMORY + 1)).enumerate() {
            let values = self.columns(ATTENTION + head * HEAD);
            for (t, looks) in looks.chunks_exact(MEMORY + 1).enumerate() {
                let (count, from) = self.band(t);
                let looks = &looks[MEMORY - count..];
                let flow = &mut flow[..=count];
                flow.fill(0.0);
                let gradient = &gradient[t * ATTENTION + head * HEAD..][..HEAD];
                for (g, values) in gradient.iter().zip(&values) {
                    add(&mut flow[..count], *g, &values[from..from + count]);
                }
                let mean: f32 = flow.iter().zip(looks).map(|(flow, look)| flow * look).sum();
                flow.iter_mut().zip(looks).for_each(|(flow, look)| *flow = look * (*flow - mean));
                self.spread(head, t, looks, flow, gradient, &mut back);
            }
        }
        back
    }

    /// Adds to the gradients what comes from one note and one head; `flow` is the gradient of its scores.
    fn spread(
        &self,
        head: usize,
        t: usize,
        looks: &[f32],
        flow: &[f32],
        gradient: &[f32],
        back: &mut Gradients,
    ) {
        let (count, from) = self.band(t);
        let at = t * ATTENTION + head * HEAD;
        let query = &self.queries[at..][..HEAD];
        for n in 0..count {
            let pair = (from + n) * 2 * ATTENTION + head * HEAD;
            add(&mut back.queries[at..][..HEAD], flow[n] * scale(), &self.pairs[pair..][..HEAD]);
            add(&mut back.pairs[pair..][..HEAD], flow[n] * scale(), query);
            add(&mut back.pairs[pair + ATTENTION..][..HEAD], looks[n], gradient);
        }
        let age = &mut back.age[head * (MEMORY + 1)..][..=count];
        age.iter_mut().rev().zip(flow).for_each(|(age, flow)| *age += flow);
    }

    /// How many pairs note `t` reads, and the first of them.
    fn band(&self, t: usize) -> (usize, usize) {
        let count = MEMORY.min(self.heard + t);
        (count, MEMORY + t - count)
    }

    fn value(&self, pair: usize, head: usize) -> &[f32] {
        &self.pairs[pair * 2 * ATTENTION + ATTENTION + head * HEAD..][..HEAD]
    }

    /// The numbers of a head, each for all pairs in a row, so that loops over pairs vectorise.
    fn columns(&self, from: usize) -> Vec<Vec<f32>> {
        (from..from + HEAD)
            .map(|n| self.pairs.iter().skip(n).step_by(2 * ATTENTION).copied().collect())
            .collect()
    }
}

/// `sums += factor * numbers`
pub fn add(sums: &mut [f32], factor: f32, numbers: &[f32]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += factor * number);
}

fn softmax(scores: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - top).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
