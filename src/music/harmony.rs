//! The harmony that is held: a chord with the left hand, or on a channel of its own.

use std::collections::VecDeque;

use super::{
    conditions::Harmony,
    keys::{Keys, PITCH_CLASSES},
    note::Key,
    time::{Moment, Seconds},
};

/// Fewest pitch classes of a chord.
const FEWEST: usize = 2;
/// How long a harmony holds after its keys have gone up, if no other one is held before.
const STANDS: Seconds = Seconds(8.0);
/// Number of newest changes that are kept: more than come while a memory is filled.
const CHANGES: usize = 128;

/// Where the harmony comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Off,
    /// The keys that are held below this one.
    Below(Key),
    /// The keys that are held on a channel, 0..16. They are not music to be answered.
    Channel(u8),
}

/// The harmony from a moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub from: Moment,
    /// The harmony holds no longer than this.
    pub until: Moment,
    pub harmony: Harmony,
}

/// Follows the harmony that is held.
#[derive(Debug, Default)]
pub struct Held {
    now: Option<Harmony>,
    is_down: bool,
}

impl Held {
    /// Takes the keys of the chord that are down. Returns a change of the harmony, if there is one.
    /// Realtime-safe.
    pub fn follow(&mut self, keys: Keys, at: Moment) -> Option<Change> {
        let held = of(keys);
        let is_news = held.is_some() && held != self.now || held.is_some() != self.is_down;
        (self.now, self.is_down) = (held.or(self.now), held.is_some());
        let until = if self.is_down { Moment::NEVER } else { at + STANDS };
        self.now.filter(|_| is_news).map(|harmony| Change { from: at, until, harmony })
    }

    /// The harmony that was held last.
    pub fn now(&self) -> Option<Harmony> {
        self.now
    }
}

/// The changes of harmony, the newest last. Never allocates after [`Changes::new`].
#[derive(Debug, Clone)]
pub struct Changes(VecDeque<Change>);

impl Changes {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self(VecDeque::with_capacity(CHANGES))
    }

    /// Adds a change; a full list drops its oldest one. Realtime-safe.
    pub fn push(&mut self, change: Change) {
        if self.0.len() == CHANGES {
            self.0.pop_front();
        }
        self.0.push_back(change);
    }

    /// The harmony at a moment; `None` where none is known. Realtime-safe.
    pub fn at(&self, moment: Moment) -> Option<Harmony> {
        let then = self.0.iter().rev().find(|change| change.from.0 <= moment.0)?;
        (moment <= then.until).then_some(then.harmony)
    }

    /// Drops all changes. Realtime-safe.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

/// The harmony of some keys; `None` where they are no chord.
fn of(keys: Keys) -> Option<Harmony> {
    let (lowest, _) = keys.bounds()?;
    let classes = keys.iter().fold(0_u16, |classes, key| classes | 1 << (key.index() % PITCH_CLASSES));
    let is_chord = classes.count_ones() as usize >= FEWEST;
    let bass = lowest.index() % PITCH_CLASSES;
    Harmony::new(classes, Some(root(classes, bass))).filter(|_| is_chord)
}

/// The pitch class above which most of the others form a chord of thirds; the bass is preferred.
fn root(classes: u16, bass: usize) -> u8 {
    // Weights of the intervals above the root: a fifth counts more than a third, a third more than a
    // seventh.
    const WORTH: [u16; PITCH_CLASSES] = [0, 0, 1, 4, 4, 0, 2, 6, 2, 1, 3, 2];
    let holds = |class: usize| classes >> (class % PITCH_CLASSES) & 1;
    let worth = |root: usize| -> u16 {
        let above: u16 = WORTH.iter().enumerate().map(|(step, worth)| worth * holds(root + step)).sum();
        2 * above + if root == bass { 3 } else { 0 }
    };
    let roots = (0..PITCH_CLASSES).filter(|&root| holds(root) == 1);
    roots.max_by_key(|&root| (worth(root), root == bass)).unwrap_or(bass) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(keys: &[u8]) -> Option<Harmony> {
        of(keys.iter().copied().map(Key::saturating).collect())
    }

    fn root_of(keys: &[u8]) -> Option<usize> {
        chord(keys).and_then(Harmony::root)
    }

    #[test]
    fn a_chord_has_its_root_in_every_inversion() {
        for keys in [[48, 52, 55], [52, 55, 60], [55, 60, 64]] {
            assert_eq!(root_of(&keys), Some(0), "{keys:?}");
        }
        assert_eq!(root_of(&[50, 53, 57, 60]), Some(2), "D minor seventh");
        assert_eq!(root_of(&[55, 59, 65]), Some(7), "a seventh without its fifth");
        assert_eq!(root_of(&[57, 60, 64]), Some(9), "A minor");
        assert_eq!((chord(&[48, 60]), chord(&[])), (None, None));
    }

    #[test]
    fn a_harmony_stands_until_another_is_held_or_for_a_while() {
        let (mut held, mut changes) = (Held::default(), Changes::new());
        let mut hold = |keys: &[u8], at: f64| {
            let keys = keys.iter().copied().map(Key::saturating).collect();
            let change = held.follow(keys, Moment(at));
            change.into_iter().for_each(|change| changes.push(change));
            change.is_some()
        };
        assert!(hold(&[48, 52, 55], 1.0) && !hold(&[48, 52, 55, 60], 1.5) && hold(&[], 2.0));
        assert!(hold(&[53, 57, 60], 30.0) && !hold(&[53, 57, 60], 31.0));
        let root = |at| changes.at(Moment(at)).and_then(Harmony::root);
        assert_eq!(
            [0.9, 1.0, 9.0, 11.0, 30.0, 300.0].map(root),
            [None, Some(0), Some(0), None, Some(5), Some(5)]
        );
    }
}
