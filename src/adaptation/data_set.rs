//! The data set of an adaptation: a player's notes, the part of them that is held out, and minibatches of the
//! rest.

use std::{collections::HashSet, ops::Range};

use rand::{RngExt, SeedableRng, seq::SliceRandom};

use super::Player;
use crate::{
    model::{
        Rng,
        antiphon::{Minibatch, Scene},
    },
    music::note::{GridNote, Key, Velocity},
};

/// Least number of notes from which something lasting can be learnt: about two minutes of playing.
pub const FEWEST_NOTES: usize = 400;
/// Largest number of notes: more are not one player's.
const MOST_NOTES: usize = 1_000_000;
/// Least number of different keys: with fewer it is no music.
const FEWEST_KEYS: usize = 5;
/// Part of the notes that is held out.
const HELD_OUT: f64 = 0.15;
/// Largest number of held-out notes, since each evaluation costs time.
const MOST_HELD_OUT: usize = 4_000;
/// Largest part of the notes that is held out as whole pieces, so that enough is left to learn from.
const LARGEST_HELD_OUT: f64 = 0.35;
/// Number of notes of a held-out stretch, which is heard from silence, as a memory begins.
const STRETCH: usize = 500;

/// Largest number of notes of a passage, which is heard from silence, as a player's memory begins.
const PASSAGE: usize = 480;
/// Probability that a passage is heard in another key, and a little louder or softer.
const VARIED: f64 = 0.5;
/// Largest transposition in semitones, up or down.
const TRANSPOSITION: i16 = 3;
/// Largest change of the velocities, up or down.
const LOUDNESS: i16 = 4;
/// Probability that the beat is an input feature, and likewise the harmony and the style: the plugin plays
/// without them as well.
const TOLD: f64 = 0.7;

/// A player's notes, divided into what is learnt from and what is held out.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// The notes to learn from, piece by piece.
    pub learnt: Vec<Vec<GridNote>>,
    /// The held-out notes, in stretches that are heard from silence.
    pub held_out: Vec<Vec<GridNote>>,
    /// Figures of all the player's music.
    pub player: Player,
    /// Indices of the pieces that are held out whole. Empty where there are too few pieces; then the end of
    /// each piece is held out.
    pub held_out_pieces: Vec<usize>,
}

/// Why nothing can be learnt from some music, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataSetError {
    #[error(
        "{notes} notes are too few to learn a manner from: give more music of the same player, at least {FEWEST_NOTES} notes, better half an hour"
    )]
    TooFew { notes: usize },
    #[error(
        "{notes} notes are more than one player's manner: give some of one player, or train a model with `cargo xtask train`"
    )]
    TooMany { notes: usize },
    #[error(
        "{keys} different keys are no music to learn a manner from: give files of a keyboard or another melodic instrument"
    )]
    Monotone { keys: usize },
}

impl DataSet {
    /// Holds out a part of some pieces: whole pieces where there are three or more. A piece that is given
    /// twice counts once.
    ///
    /// # Errors
    /// Where there are too few or too many notes, or too few different keys.
    pub fn divided(pieces: &[Vec<GridNote>], seed: u64) -> Result<Self, DataSetError> {
        let different = different(pieces);
        let notes = different.iter().map(|&n| pieces[n].len()).sum();
        if notes > MOST_NOTES {
            return Err(DataSetError::TooMany { notes });
        }
        if notes < FEWEST_NOTES {
            return Err(DataSetError::TooFew { notes });
        }
        let keys: HashSet<_> = pieces.iter().flatten().map(|note| note.key).collect();
        if keys.len() < FEWEST_KEYS {
            return Err(DataSetError::Monotone { keys: keys.len() });
        }
        let whole = whole(pieces, &different, seed);
        let (mut learnt, mut held_out) = (Vec::new(), Vec::new());
        for &n in &different {
            let piece = &pieces[n];
            let from = match (whole.is_empty(), whole.contains(&n)) {
                (true, _) => piece.len() - (piece.len() as f64 * HELD_OUT) as usize,
                (_, true) => 0,
                (_, false) => piece.len(),
            };
            let (before, after) = piece.split_at(from);
            learnt.push(before.to_vec());
            held_out.extend(after.chunks(STRETCH).map(<[GridNote]>::to_vec));
        }
        learnt.retain(|piece| !piece.is_empty());
        let player = Player::of(&different.iter().map(|&n| &pieces[n]).collect::<Vec<_>>());
        Ok(Self { learnt, held_out: thinned(held_out), player, held_out_pieces: whole })
    }

    pub fn learnt_notes(&self) -> usize {
        self.learnt.iter().map(Vec::len).sum()
    }

    pub fn held_out_notes(&self) -> usize {
        self.held_out.iter().map(Vec::len).sum()
    }
}

/// Indices of the pieces that have notes and are not the beginning of another piece: takes are saved while
/// they go on.
fn different(pieces: &[Vec<GridNote>]) -> Vec<usize> {
    let is_new = |&n: &usize| {
        let goes_on = |(m, piece): (usize, &Vec<GridNote>)| {
            (piece.len() > pieces[n].len() || piece.len() == pieces[n].len() && m < n)
                && begins(&pieces[n], piece)
        };
        !pieces.iter().enumerate().any(goes_on)
    };
    (0..pieces.len()).filter(|&n| !pieces[n].is_empty()).filter(is_new).collect()
}

/// Whether a piece begins like a shorter one, whatever the conditions of the notes. The last notes of the
/// shorter one are not compared, since they may still have been held.
fn begins(shorter: &[GridNote], piece: &[GridNote]) -> bool {
    const HELD: usize = 16;
    let certain = &shorter[..shorter.len().saturating_sub(HELD).max(1)];
    // The step of the first note is not compared, since it counts from the beginning of the file.
    let same = |(one, other): (&GridNote, &GridNote)| one.is_the_note(&GridNote { step: one.step, ..*other });
    same((&certain[0], &piece[0]))
        && certain[1..].iter().zip(&piece[1..]).all(|(one, other)| one.is_the_note(other))
}

/// Indices of pieces that together are about as many notes as should be held out; empty where there are too
/// few pieces.
fn whole(pieces: &[Vec<GridNote>], different: &[usize], seed: u64) -> Vec<usize> {
    if different.len() < 3 {
        return Vec::new();
    }
    let all = different.iter().map(|&n| pieces[n].len()).sum::<usize>() as f64;
    let mut order = different.to_vec();
    order.shuffle(&mut Rng::seed_from_u64(seed));
    let (mut chosen, mut notes) = (Vec::new(), 0);
    for n in order {
        let more = notes + pieces[n].len();
        if (notes as f64) < HELD_OUT * all && more as f64 <= LARGEST_HELD_OUT * all {
            notes = more;
            chosen.push(n);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// Evenly spaced stretches, at most [`MOST_HELD_OUT`] notes.
fn thinned(stretches: Vec<Vec<GridNote>>) -> Vec<Vec<GridNote>> {
    let (count, most) = (stretches.len(), MOST_HELD_OUT / STRETCH);
    let is_kept = |n: usize| count <= most || n * most / count != (n + 1) * most / count;
    stretches.into_iter().enumerate().filter(|&(n, _)| is_kept(n)).map(|(_, stretch)| stretch).collect()
}

/// An endless data loader: the passages of a player's pieces, chunk by chunk and row by row, played a little
/// differently each time.
pub struct Loader {
    pieces: Vec<Vec<GridNote>>,
    /// The passages that were not yet played in this round.
    left: Vec<(usize, Range<usize>)>,
    rows: Vec<Row>,
    time: usize,
    rng: Rng,
}

/// A row of a minibatch: the passage that it plays, and the scene at its position.
struct Row {
    notes: Vec<GridNote>,
    at: usize,
    scene: Scene,
}

impl Loader {
    /// A loader of minibatches of `rows` rows with `time` notes each. The pieces have at least one note.
    pub fn new(pieces: Vec<Vec<GridNote>>, (rows, time): (usize, usize), rng: Rng) -> Self {
        let rows = (0..rows).map(|_| Row { notes: Vec::new(), at: 0, scene: Scene::SILENCE }).collect();
        Self { pieces, left: Vec::new(), rows, time, rng }
    }

    /// The next minibatch, and which of its rows go on from the minibatch before.
    pub fn next(&mut self) -> (Minibatch, Vec<bool>) {
        let mut rows = std::mem::take(&mut self.rows);
        let mut going_on = Vec::with_capacity(rows.len());
        for row in &mut rows {
            going_on.push(row.at < row.notes.len());
            if row.at >= row.notes.len() {
                *row = self.begin();
            }
        }
        let rests: Vec<&[GridNote]> = rows.iter().map(|row| &row.notes[row.at..]).collect();
        let mut scenes: Vec<Scene> = rows.iter().map(|row| row.scene.clone()).collect();
        let minibatch = Minibatch::new(&rests, self.time, &mut scenes);
        for (row, scene) in rows.iter_mut().zip(scenes) {
            row.at = row.notes.len().min(row.at + self.time);
            row.scene = scene;
        }
        self.rows = rows;
        (minibatch, going_on)
    }

    fn begin(&mut self) -> Row {
        if self.left.is_empty() {
            self.cut();
        }
        let (piece, notes) = self.left.pop().expect("a piece has a note");
        let scene = if notes.start == 0 { Scene::BEGINNING } else { Scene::SILENCE };
        let notes = played(&self.pieces[piece][notes], &mut self.rng);
        Row { notes, at: 0, scene }
    }

    /// Cuts all pieces into passages, each time in other places.
    fn cut(&mut self) {
        for (n, piece) in self.pieces.iter().enumerate() {
            let (mut from, mut to) = (0, self.rng.random_range(PASSAGE / 2..=PASSAGE));
            while from < piece.len() {
                self.left.push((n, from..to.min(piece.len())));
                (from, to) = (to, to + PASSAGE);
            }
        }
        self.left.shuffle(&mut self.rng);
    }
}

fn played(written: &[GridNote], rng: &mut Rng) -> Vec<GridNote> {
    let (mut shift, mut louder) = (0, 0);
    if rng.random_bool(VARIED) {
        shift = rng.random_range(-TRANSPOSITION..=TRANSPOSITION);
        louder = rng.random_range(-LOUDNESS..=LOUDNESS);
    }
    let told = [0; 3].map(|_| rng.random_bool(TOLD));
    let fits = |note: &GridNote| (0..Key::COUNT as i16).contains(&(i16::from(note.key.number()) + shift));
    let shift = if written.iter().all(fits) { shift } else { 0 };
    let note = |note: &GridNote| {
        let mut conditions = note.conditions;
        conditions.pulse = conditions.pulse.filter(|_| told[0]);
        conditions.harmony = conditions.harmony.filter(|_| told[1]).map(|harmony| harmony.transposed(shift));
        conditions.style = conditions.style.filter(|_| told[2]);
        GridNote {
            key: Key::saturating(moved(note.key.number(), shift)),
            velocity: Velocity::saturating(moved(note.velocity.value(), louder)),
            conditions,
            ..*note
        }
    };
    written.iter().map(note).collect()
}

fn moved(number: u8, by: i16) -> u8 {
    u8::try_from((i16::from(number) + by).clamp(0, 127)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(notes: usize, first_key: u8) -> Vec<GridNote> {
        let note = |n: usize| GridNote {
            step: 10 + (n % 7) as u32,
            key: Key::saturating(first_key + (n % 9) as u8),
            velocity: Velocity::saturating(64),
            duration: 20,
            conditions: Default::default(),
        };
        (0..notes).map(note).collect()
    }

    fn refused(pieces: &[Vec<GridNote>]) -> String {
        DataSet::divided(pieces, 1).expect_err("nothing to learn from").to_string()
    }

    #[test]
    fn where_there_are_three_pieces_whole_ones_are_held_out() {
        let pieces = [piece(500, 40), piece(700, 50), piece(600, 60), piece(400, 70)];
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        let [held_out] = data_set.held_out_pieces[..] else { panic!("{:?}", data_set.held_out_pieces) };
        assert!(!data_set.learnt.contains(&pieces[held_out]));
        assert_eq!(data_set.learnt_notes() + data_set.held_out_notes(), 2200);
    }

    #[test]
    fn of_one_piece_the_end_is_held_out() {
        let data_set = DataSet::divided(&[piece(1000, 40)], 1).expect("music");
        assert_eq!((data_set.learnt_notes(), data_set.held_out_notes()), (850, 150));
        assert!(data_set.held_out_pieces.is_empty());
    }

    #[test]
    fn a_piece_that_stands_there_twice_cannot_flatter() {
        let pieces = [piece(500, 40), piece(500, 40), piece(500, 40)];
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        assert_eq!(data_set.learnt_notes() + data_set.held_out_notes(), 500);
    }

    #[test]
    fn a_take_that_was_saved_while_it_went_on_counts_once() {
        let pieces = [piece(500, 40), piece(900, 40)];
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        assert_eq!(data_set.learnt_notes() + data_set.held_out_notes(), 900);
    }

    #[test]
    fn wrong_sets_are_answered_with_a_sentence() {
        assert!(refused(&[piece(30, 40)]).starts_with("30 notes are too few"));
        assert!(refused(&vec![piece(1, 40); 100]).starts_with("1 notes are too few"));
        assert!(refused(&[]).starts_with("0 notes are too few"));
        let mut same_key = piece(1000, 40);
        same_key.iter_mut().for_each(|note| note.key = Key::saturating(60));
        assert!(refused(&[same_key]).starts_with("1 different keys are no music"));
        assert!(refused(&[piece(1_000_001, 40)]).contains("more than one player's manner"));
    }

    #[test]
    fn no_more_is_held_out_than_a_glance_may_cost() {
        let pieces: Vec<_> = (0..60).map(|n| piece(2000, 20 + n)).collect();
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        assert!(data_set.held_out_notes() <= MOST_HELD_OUT && data_set.held_out_notes() > MOST_HELD_OUT / 2);
    }

    /// Notes that rise over forty keys.
    fn rising(notes: u32) -> Vec<GridNote> {
        let note = |n: u32| GridNote {
            step: 10 + n % 7,
            key: Key::saturating(40 + (n % 40) as u8),
            velocity: Velocity::saturating(64),
            duration: 20,
            conditions: Default::default(),
        };
        (0..notes).map(note).collect()
    }

    #[test]
    fn every_note_is_played_once_a_round() {
        let pieces = vec![rising(700), rising(3), rising(1200)];
        let mut loader = Loader::new(pieces, (1, 50), Rng::seed_from_u64(1));
        for _ in 0..3 {
            let mut notes = 0;
            while notes < 1903 {
                notes += loader.next().0.notes;
            }
            assert_eq!(notes, 1903);
        }
    }

    #[test]
    fn a_passage_keeps_its_rhythm_and_its_intervals() {
        let written = rising(100);
        for seed in 0..20 {
            let played = played(&written, &mut Rng::seed_from_u64(seed));
            let shift = |n: usize| i16::from(played[n].key.number()) - i16::from(written[n].key.number());
            assert!((0..100).all(|n| played[n].step == written[n].step && shift(n) == shift(0)));
        }
    }
}
