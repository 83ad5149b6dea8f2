//! How many onsets crowd together.

use crate::music::{
    manner::{Crowd, Density},
    time::Moment,
};

/// The largest crowd is still known where as many notes as lanes and schedule hold were taken back.
const KEPT: usize = 4 * Density::LARGEST_CROWD;

/// The newest onsets of an answer, in order. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Onsets {
    /// A ring.
    newest: [Moment; KEPT],
    count: usize,
    /// How many of them are still in the ring.
    known: usize,
}

impl Onsets {
    pub const fn new() -> Self {
        Self { newest: [Moment(0.0); KEPT], count: 0, known: 0 }
    }

    pub fn push(&mut self, onset: Moment) {
        self.newest[self.count % KEPT] = onset;
        self.count += 1;
        self.known = KEPT.min(self.known + 1);
    }

    /// Before when one more would make a larger crowd; `None` where it would not.
    pub fn next(&self, crowd: Crowd) -> Option<Moment> {
        (crowd.onsets <= self.known).then(|| self.back(crowd.onsets) + crowd.span)
    }

    /// Forgets the onsets from a moment on.
    pub fn take_back(&mut self, from: Moment) {
        while self.known > 0 && self.back(1) >= from {
            self.count -= 1;
            self.known -= 1;
        }
    }

    fn back(&self, count: usize) -> Moment {
        self.newest[(self.count - count) % KEPT]
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
    fn what_is_taken_back_crowds_nobody() {
        let mut onsets = Onsets::new();
        (0..1000).for_each(|n| onsets.push(Moment(f64::from(n))));
        onsets.take_back(Moment(903.0));
        assert_eq!(onsets.next(THREE), Some(Moment(901.0)));
        assert!(
            onsets
                .next(Crowd { onsets: Density::LARGEST_CROWD, ..THREE })
                .is_none_or(|next| next == Moment(872.0))
        );
    }
}
