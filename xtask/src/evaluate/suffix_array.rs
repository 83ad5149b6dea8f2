//! A suffix array, for the longest run of notes that also stands in a corpus: what was learnt by heart.

use antiphon::music::{
    note::{Key, RelativeNote},
    time::Seconds,
};
use rayon::prelude::*;

use crate::corpus::{GridNote, Piece};

/// Number of bins of the logarithm of a step. Shorter and longer steps fall into the first and the last bin.
pub const STEP_BINS: usize = 16;
pub const SHORTEST_STEP: Seconds = Seconds(0.005);
pub const LONGEST_STEP: Seconds = Seconds(3.0);
/// Number of notes up to which runs are compared.
pub const LONGEST_RUN: usize = 100;

/// A note as it is compared: its key and the bin of its step, without velocity and duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(u16);

impl Token {
    /// The end of a piece; it equals no note.
    const END: Self = Self(u16::MAX);

    pub fn of(note: &RelativeNote) -> Self {
        Self::new(note.key, note.step)
    }

    fn new(key: Key, step: Seconds) -> Self {
        Self(u16::from(key.number()) * STEP_BINS as u16 + step_bin(step) as u16)
    }
}

/// The tokens of all pieces, and all their places sorted by the tokens that follow: six bytes a note.
pub struct SuffixArray {
    tokens: Vec<Token>,
    places: Vec<u32>,
}

impl SuffixArray {
    pub fn of(pieces: &[Piece]) -> Self {
        let tokens = pieces.iter().flat_map(|piece| {
            let notes = piece.notes.iter().map(|note| Token::new(note.key, Seconds(note.step as f32)));
            notes.chain([Token::END])
        });
        Self::new(tokens.collect())
    }

    /// The suffix array of notes on the grid.
    pub fn of_grid(pieces: &[Vec<GridNote>]) -> Self {
        let tokens = pieces.iter().flat_map(|piece| {
            let notes = piece.iter().map(|note| Token::new(note.key, note.step_seconds()));
            notes.chain([Token::END])
        });
        Self::new(tokens.collect())
    }

    /// The length of the longest run that stands at two places: how much the player repeats.
    pub fn longest_repeat(&self) -> usize {
        // In this order, the places that have most in common stand side by side.
        let shared = |pair: &[u32]| {
            let pairs = following(&self.tokens, pair[0]).iter().zip(following(&self.tokens, pair[1]));
            pairs.take_while(|(one, other)| one == other && **one != Token::END).count()
        };
        self.places.windows(2).map(shared).max().unwrap_or(0)
    }

    /// The length of the longest run: successive notes whose keys and bins of steps also stand in a row
    /// within one piece. The step that leads to the first of them counts too.
    pub fn longest_run(&self, tokens: &[Token]) -> usize {
        (0..tokens.len()).map(|from| self.run(&tokens[from..])).max().unwrap_or(0)
    }

    fn new(tokens: Vec<Token>) -> Self {
        let count = u32::try_from(tokens.len()).expect("no corpus has billions of notes");
        let mut places: Vec<u32> = (0..count).collect();
        places.par_sort_unstable_by_key(|&place| following(&tokens, place));
        Self { tokens, places }
    }

    /// The number of these tokens, from the first on, that stand in a row somewhere in the corpus.
    fn run(&self, tokens: &[Token]) -> usize {
        let at = self.places.partition_point(|&place| following(&self.tokens, place) < tokens);
        // In this order, the places that have most in common with the tokens stand next to them.
        let neighbours = &self.places[at.saturating_sub(1)..self.places.len().min(at + 1)];
        let shared = |&place: &u32| {
            let pairs = following(&self.tokens, place).iter().zip(tokens);
            pairs.take_while(|(one, other)| one == other).count()
        };
        neighbours.iter().map(shared).max().unwrap_or(0)
    }
}

/// The bin of a step.
pub fn step_bin(step: Seconds) -> usize {
    let place = (step.max(SHORTEST_STEP).0 / SHORTEST_STEP.0).ln() / (LONGEST_STEP.0 / SHORTEST_STEP.0).ln();
    ((place * STEP_BINS as f32) as usize).min(STEP_BINS - 1)
}

/// The tokens at a place and after it, as far as runs are compared.
fn following(tokens: &[Token], place: u32) -> &[Token] {
    let from = place as usize;
    &tokens[from..tokens.len().min(from + LONGEST_RUN)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(notes: &[u8]) -> Vec<Token> {
        notes.iter().map(|&n| Token(n.into())).collect()
    }

    fn suffix_array(pieces: &[Vec<u8>]) -> SuffixArray {
        let end = |piece: &Vec<u8>| [tokens(piece), vec![Token::END]].concat();
        SuffixArray::new(pieces.iter().flat_map(end).collect())
    }

    /// The longest run, by trying every place of every piece.
    fn longest(pieces: &[Vec<u8>], played: &[u8]) -> usize {
        let stands = |run: &&[u8]| pieces.iter().any(|piece| piece.windows(run.len()).any(|w| w == *run));
        let runs = (0..played.len()).flat_map(|from| (from..played.len()).map(move |to| &played[from..=to]));
        runs.filter(stands).map(<[u8]>::len).max().unwrap_or(0)
    }

    #[test]
    fn a_run_does_not_go_from_one_piece_into_the_next() {
        let pieces = [vec![1, 2, 3], vec![4, 5, 6]];
        assert_eq!(suffix_array(&pieces).longest_run(&tokens(&[9, 2, 3, 4, 9])), 2);
        assert_eq!(suffix_array(&[]).longest_run(&tokens(&[1])), 0);
    }

    #[test]
    fn a_repeat_is_the_longest_run_that_stands_at_two_places() {
        assert_eq!(suffix_array(&[vec![1, 2, 3, 9, 1, 2, 3, 4], vec![2, 3, 4, 7]]).longest_repeat(), 3);
        assert_eq!(suffix_array(&[vec![1, 2], vec![3, 4]]).longest_repeat(), 0);
    }

    #[test]
    fn items_tell_keys_and_steps_apart() {
        let token = |key, step| Token::new(Key::saturating(key), Seconds(step));
        assert_eq!(token(60, 0.100), token(60, 0.101));
        assert!(token(60, 0.1) != token(61, 0.1) && token(60, 0.1) != token(60, 0.2));
        assert!(token(127, 60.0) < Token::END);
    }

    proptest! {
        #[test]
        fn the_longest_run_is_the_one_found_by_trying_every_place(
            pieces in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..30), 0..4),
            played in proptest::collection::vec(0u8..3, 0..20),
        ) {
            prop_assert_eq!(suffix_array(&pieces).longest_run(&tokens(&played)), longest(&pieces, &played));
        }
    }
}
