//! How many onsets crowd together.

use crate::music::{
    manner::{Crowd, Density},
    time::Moment,
};

const KEPT: usize = Density::LARGEST_CROWD;

/// The newest onsets of an answer, in order. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Onsets {
    /// A ring.
    newest: [Moment; KEPT],
    count: usize,
}

impl Onsets {
    pub const fn new() -> Self {
        Self { newest: [Moment(0.0); KEPT], count: 0 }
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes an onset to its place: notes of one chord stand in the order of their keys where they are remembered.
    pub fn push(&mut self, onset: Moment) {
        let mut place = self.count;
        while place > (self.count + 1).saturating_sub(KEPT) && self.newest[(place - 1) % KEPT] > onset {
            self.newest[place % KEPT] = self.newest[(place - 1) % KEPT];
            place -= 1;
        }
        self.newest[place % KEPT] = onset;
        self.count += 1;
    }

    /// The same, but none later than a moment. Keeps their order.
    pub fn by(self, moment: Moment) -> Self {
        Self { newest: self.newest.map(|onset| onset.min(moment)), ..self }
    }

    /// Notes come in order: none may begin earlier.
    pub fn newest(&self) -> Moment {
        self.newest[(self.count + KEPT - 1) % KEPT]
    }

    /// Before when one more would make a larger crowd; `None` where it would not. A crowd that is larger than all that
    /// is kept is none.
    pub fn next(&self, crowd: Crowd) -> Option<Moment> {
        let first = self.count.checked_sub(crowd.onsets).filter(|_| crowd.onsets <= KEPT)?;
        Some(self.newest[first % KEPT] + crowd.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::time::Seconds;

    const THREE: Crowd = Crowd { onsets: 3, span: Seconds(1.0) };

    #[test]
    fn a_crowd_is_full_until_its_first_onset_is_long_enough_ago() {
        let mut onsets = Onsets::new();
        [0.0, 0.25].map(Moment).into_iter().for_each(|onset| onsets.push(onset));
        assert_eq!(onsets.next(THREE), None);
        onsets.push(Moment(0.5));
        assert_eq!(onsets.next(THREE), Some(Moment(1.0)));
        onsets.push(Moment(1.0));
        assert_eq!(onsets.next(THREE), Some(Moment(1.25)));
    }

    #[test]
    fn a_crowd_is_the_same_in_whatever_order_its_onsets_are_told() {
        let mut onsets = Onsets::new();
        [0.5, 0.0, 0.25, 1.5, 1.0].map(Moment).into_iter().for_each(|onset| onsets.push(onset));
        assert_eq!((onsets.next(THREE), onsets.newest()), (Some(Moment(1.5)), Moment(1.5)));
        (0..1000).rev().for_each(|n| onsets.push(Moment(f64::from(n))));
        assert_eq!(onsets.newest(), Moment(999.0));
    }

    #[test]
    fn only_the_newest_onsets_crowd() {
        let mut onsets = Onsets::new();
        (0..1000).for_each(|n| onsets.push(Moment(f64::from(n))));
        assert_eq!(onsets.next(THREE), Some(Moment(998.0)));
        assert_eq!(onsets.next(Crowd { onsets: KEPT, ..THREE }), Some(Moment(1001.0 - KEPT as f64)));
        assert_eq!(onsets.next(Crowd { onsets: 128, ..THREE }), None);
    }
}
