//! What was there to learn by heart.

use antiphon::music::{
    note::{Key, RelativeNote},
    time::Seconds,
};
use rayon::prelude::*;

use super::{likeness, prompt::NEXT};
use crate::corpus::{GridNote, Piece};

/// A note as memory keeps it: its key and the bin of its step, without velocity and duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item(u16);

impl Item {
    /// The end of a piece; no note is like it.
    const END: Self = Self(u16::MAX);

    pub fn of(note: &RelativeNote) -> Self {
        Self::new(note.key, note.step)
    }

    fn new(key: Key, step: Seconds) -> Self {
        Self(u16::from(key.number()) * likeness::INTERVALS as u16 + likeness::interval(step) as u16)
    }
}

/// All pieces, and all their places in the order of what follows there: six bytes a note.
pub struct Repertoire {
    items: Vec<Item>,
    places: Vec<u32>,
}

impl Repertoire {
    pub fn of(pieces: &[Piece]) -> Self {
        let items = pieces.iter().flat_map(|piece| {
            let notes = piece.notes.iter().map(|note| Item::new(note.key, Seconds(note.step as f32)));
            notes.chain([Item::END])
        });
        Self::new(items.collect())
    }

    /// The same of notes on the grid.
    pub fn of_grid(pieces: &[Vec<GridNote>]) -> Self {
        let items = pieces.iter().flat_map(|piece| {
            let notes = piece.iter().map(|note| Item::new(note.key, note.step_seconds()));
            notes.chain([Item::END])
        });
        Self::new(items.collect())
    }

    /// The length of the longest run that stands at two places: how much the player repeats.
    pub fn longest_repeat(&self) -> usize {
        // In this order, what has most in common stands side by side.
        let shared = |pair: &[u32]| {
            let pairs = following(&self.items, pair[0]).iter().zip(following(&self.items, pair[1]));
            pairs.take_while(|(one, other)| one == other && **one != Item::END).count()
        };
        self.places.windows(2).map(shared).max().unwrap_or(0)
    }

    fn new(items: Vec<Item>) -> Self {
        let count = u32::try_from(items.len()).expect("no corpus has billions of notes");
        let mut places: Vec<u32> = (0..count).collect();
        places.par_sort_unstable_by_key(|&place| following(&items, place));
        Self { items, places }
    }

    /// The length of the longest run: notes in a row whose keys and bins of steps stand in a row within one piece too,
    /// with the step that leads to the first of them.
    pub fn longest_run(&self, items: &[Item]) -> usize {
        (0..items.len()).map(|from| self.run(&items[from..])).max().unwrap_or(0)
    }

    /// How many of these items, from the first on, stand in a row somewhere.
    fn run(&self, items: &[Item]) -> usize {
        let at = self.places.partition_point(|&place| following(&self.items, place) < items);
        // In this order, what has most in common with the items stands next to them.
        let neighbours = &self.places[at.saturating_sub(1)..self.places.len().min(at + 1)];
        let shared = |&place: &u32| {
            let pairs = following(&self.items, place).iter().zip(items);
            pairs.take_while(|(one, other)| one == other).count()
        };
        neighbours.iter().map(shared).max().unwrap_or(0)
    }
}

/// What stands at a place and after it, as far as a continuation goes.
fn following(items: &[Item], place: u32) -> &[Item] {
    let from = place as usize;
    &items[from..items.len().min(from + NEXT)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(notes: &[u8]) -> Vec<Item> {
        notes.iter().map(|&n| Item(n.into())).collect()
    }

    fn repertoire(pieces: &[Vec<u8>]) -> Repertoire {
        let end = |piece: &Vec<u8>| [items(piece), vec![Item::END]].concat();
        Repertoire::new(pieces.iter().flat_map(end).collect())
    }

    /// By trying every place of every piece.
    fn longest(pieces: &[Vec<u8>], played: &[u8]) -> usize {
        let stands = |run: &&[u8]| pieces.iter().any(|piece| piece.windows(run.len()).any(|w| w == *run));
        let runs = (0..played.len()).flat_map(|from| (from..played.len()).map(move |to| &played[from..=to]));
        runs.filter(stands).map(<[u8]>::len).max().unwrap_or(0)
    }

    #[test]
    fn a_run_does_not_go_from_one_piece_into_the_next() {
        let pieces = [vec![1, 2, 3], vec![4, 5, 6]];
        assert_eq!(repertoire(&pieces).longest_run(&items(&[9, 2, 3, 4, 9])), 2);
        assert_eq!(repertoire(&[]).longest_run(&items(&[1])), 0);
    }

    #[test]
    fn a_repeat_is_the_longest_run_that_stands_at_two_places() {
        assert_eq!(repertoire(&[vec![1, 2, 3, 9, 1, 2, 3, 4], vec![2, 3, 4, 7]]).longest_repeat(), 3);
        assert_eq!(repertoire(&[vec![1, 2], vec![3, 4]]).longest_repeat(), 0);
    }

    #[test]
    fn items_tell_keys_and_steps_apart() {
        let item = |key, step| Item::new(Key::saturating(key), Seconds(step));
        assert_eq!(item(60, 0.100), item(60, 0.101));
        assert!(item(60, 0.1) != item(61, 0.1) && item(60, 0.1) != item(60, 0.2));
        assert!(item(127, 60.0) < Item::END);
    }

    proptest! {
        #[test]
        fn the_longest_run_is_the_one_found_by_trying_every_place(
            pieces in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..30), 0..4),
            played in proptest::collection::vec(0u8..3, 0..20),
        ) {
            prop_assert_eq!(repertoire(&pieces).longest_run(&items(&played)), longest(&pieces, &played));
        }
    }
}
