//! The order of notes: batch first outside, as tensors are; time first inside, so that what one note of all sequences needs
//! lies together.

use std::ops::Range;

use super::sequence::Size;

/// How sequences are shared out among threads, and the order of notes inside: share after share, in each note after note, of
/// each note sequence after sequence.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    batch: usize,
    time: usize,
    /// How many sequences a share has; the last one may have fewer.
    pub sequences: usize,
}

impl Order {
    /// A share for every thread, and shares so small that a thread that is held up does not hold up the others.
    pub fn of(size: Size) -> Self {
        const MOST: usize = 32;
        let sequences = size.batch.div_ceil(rayon::current_num_threads()).clamp(1, MOST);
        Self { batch: size.batch, time: size.time, sequences }
    }

    /// How many notes a share has; the last one may have fewer.
    pub fn share(self) -> usize {
        self.sequences * self.time
    }

    /// Where, batch first, the notes stand that are in this range inside.
    pub fn places(self, range: Range<usize>) -> impl Iterator<Item = usize> {
        range.map(move |note| {
            let first = note / self.share() * self.sequences;
            let sequences = self.sequences.min(self.batch - first);
            let note = note % self.share();
            (first + note % sequences) * self.time + note / sequences
        })
    }

    /// From batch first to this order; `width` numbers a note.
    pub fn inside(self, numbers: &[f32], width: usize) -> Vec<f32> {
        let notes = self.places(0..self.batch * self.time);
        let mut inside = Vec::with_capacity(numbers.len());
        notes.for_each(|place| inside.extend_from_slice(&numbers[place * width..][..width]));
        inside
    }

    /// Back again.
    pub fn outside(self, numbers: &[f32], width: usize) -> Vec<f32> {
        let mut outside = vec![0.0; numbers.len()];
        for (place, numbers) in self.places(0..self.batch * self.time).zip(numbers.chunks_exact(width)) {
            outside[place * width..][..width].copy_from_slice(numbers);
        }
        outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_has_one_place_inside_and_comes_back_from_it() {
        // The last share has fewer sequences than the others.
        let order = Order { batch: 5, time: 3, sequences: 2 };
        let numbers: Vec<f32> = (0..30_u8).map(f32::from).collect();
        let inside = order.inside(&numbers, 2);
        assert_eq!(inside[..8], [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0]);
        assert_eq!(inside[24..], numbers[24..]);
        assert_eq!(order.outside(&inside, 2), numbers);
    }
}
