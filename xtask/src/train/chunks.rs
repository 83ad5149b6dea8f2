//! Long chunks of notes to learn from, each piece played differently each time.

use std::{ops::Range, sync::Arc};

use anyhow::{Context, Result, bail};
use rand::{RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use antiphon::{
    model::{
        Chance,
        antiphon::{Page, Scene, Stretch},
    },
    music::note::{Key, Velocity},
};

use super::checkpoint::Checkpoint;
use crate::corpus::{self, GridNote, Placed};

/// Semitones up or down.
const TRANSPOSITION: i16 = 6;
/// A piece is played faster or slower by up to this part.
const STRETCH: f64 = 0.1;
/// Louder or softer.
const LOUDNESS: i16 = 10;

/// So many notes of a piece are played in a row, in silence before: long enough to learn to remember, short enough that
/// what is learnt at a time comes from many pieces.
const PASSAGE: usize = 640;

/// An endless stream of chunks, rows that each play one passage after the other. A chunk follows on the one before
/// until its passage is over.
pub struct Chunks {
    pieces: Arc<[Vec<GridNote>]>,
    /// What has not been played yet.
    passages: Vec<Passage>,
    rows: Vec<Row>,
    time: usize,
    /// The part of the passages that are played differently, 0..=1; the others are played as written.
    varied: f64,
    chance: Chance,
}

/// Some notes of a piece.
#[derive(Serialize, Deserialize)]
struct Passage {
    piece: usize,
    notes: Range<usize>,
}

/// A row: the passage that it plays, as it plays it, and what sounds at its place.
struct Row {
    notes: Vec<GridNote>,
    /// Whether the piece begins with them.
    first: bool,
    /// Whether the piece is over after them.
    over: bool,
    at: usize,
    scene: Scene,
}

impl Chunks {
    /// Fails when there is no note.
    pub fn new(
        pieces: Arc<[Vec<GridNote>]>,
        (rows, time): (usize, usize),
        varied: f64,
        chance: Chance,
    ) -> Result<Self> {
        if pieces.iter().all(Vec::is_empty) {
            bail!("no file holds a note: give MIDI files with notes");
        }
        let rows = (0..rows).map(|_| Row::begun(Vec::new(), false, false)).collect();
        Ok(Self { pieces, passages: Vec::new(), rows, time, varied, chance })
    }

    /// How many there are side by side.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// In a full chunk.
    pub fn notes(&self) -> usize {
        self.rows() * self.time
    }

    /// Keeps where it stands, under a name.
    pub fn keep(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let places: Vec<_> = self.rows.iter().map(|row| (row.at, row.first, row.over)).collect();
        checkpoint.keep(name, &(&self.chance, &self.passages, places))?;
        self.rows
            .iter()
            .enumerate()
            .try_for_each(|(n, row)| checkpoint.keep_bytes(&row_name(name, n), &corpus::to_bytes(&row.notes)))
    }

    /// The way back from [`Chunks::keep`].
    pub fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let places: Vec<(usize, bool, bool)>;
        (self.chance, self.passages, places) = checkpoint.fact(name)?;
        let row = |(n, (at, first, over))| {
            let notes = corpus::from_bytes(&checkpoint.bytes(&row_name(name, n))?);
            let notes = notes.context("the checkpoint holds no notes where they should be")?;
            Row::begun(notes, first, over).at(at)
        };
        self.rows = places.into_iter().enumerate().map(row).collect::<Result<_>>()?;
        Ok(())
    }

    /// The next chunk, and which of its rows go on from the chunk before.
    pub fn next(&mut self) -> (Page, Vec<bool>) {
        let mut rows = std::mem::take(&mut self.rows);
        let mut going_on = Vec::with_capacity(rows.len());
        for row in &mut rows {
            let goes_on = row.at < row.length();
            going_on.push(goes_on);
            if !goes_on {
                *row = self.begin();
            }
        }
        let stretches: Vec<Stretch> = rows.iter().map(Row::rest).collect();
        let mut scenes: Vec<Scene> = rows.iter().map(|row| row.scene.clone()).collect();
        let page = Page::of(&stretches, self.time, &mut scenes);
        for (row, scene) in rows.iter_mut().zip(scenes) {
            row.at = (row.at + self.time).min(row.length());
            row.scene = scene;
        }
        self.rows = rows;
        (page, going_on)
    }

    /// A passage that has not been played for longest.
    fn begin(&mut self) -> Row {
        if self.passages.is_empty() {
            for piece in 0..self.pieces.len() {
                self.cut(piece);
            }
            self.passages.shuffle(&mut self.chance);
        }
        let Passage { piece, notes } = self.passages.pop().expect("some piece has a note");
        let first = notes.start == 0;
        let over = notes.end == self.pieces[piece].len();
        let written = &self.pieces[piece][notes];
        let notes = match self.chance.random_bool(self.varied) {
            true => varied(written, &mut self.chance),
            false => written.to_vec(),
        };
        Row::begun(notes, first, over)
    }

    /// Adds the passages of a piece, each time other ones.
    fn cut(&mut self, piece: usize) {
        let (mut from, count) = (0, self.pieces[piece].len());
        let mut to = self.chance.random_range(1..=PASSAGE);
        while from < count {
            self.passages.push(Passage { piece, notes: from..to.min(count) });
            (from, to) = (to, to + PASSAGE);
        }
    }
}

impl Row {
    fn begun(notes: Vec<GridNote>, first: bool, over: bool) -> Self {
        let scene = if first { Scene::BEGINNING } else { Scene::SILENCE };
        Self { notes, first, over, at: 0, scene }
    }

    /// Some notes have been played already.
    fn at(mut self, at: usize) -> Result<Self> {
        if at > self.length() {
            bail!("the checkpoint lacks notes");
        }
        self.notes.iter().take(at).for_each(|note| self.scene.hear(note));
        Ok(Self { at, ..self })
    }

    /// The notes, and where a piece is over, that.
    fn length(&self) -> usize {
        self.notes.len() + usize::from(self.over)
    }

    fn rest(&self) -> Stretch<'_> {
        Stretch { notes: &self.notes[self.at.min(self.notes.len())..], over: self.over }
    }
}

/// A word of the checkpoints that there are already.
fn row_name(name: &str, row: usize) -> String {
    format!("{name}.lane.{row}")
}

/// In another key, at another tempo, louder or softer. Onsets and ends move together, so that what ends together still
/// does.
fn varied(notes: &[GridNote], chance: &mut Chance) -> Vec<GridNote> {
    let shift = fitting(notes, chance.random_range(-TRANSPOSITION..=TRANSPOSITION));
    let stretch = chance.random_range(1.0 - STRETCH..=1.0 + STRETCH);
    let louder = chance.random_range(-LOUDNESS..=LOUDNESS);
    let cell = |cells: u32| (f64::from(cells) * stretch).round() as u32;
    let moved = |number: u8, by: i16| u8::try_from((i16::from(number) + by).clamp(0, 127)).unwrap_or(0);
    let varied = corpus::placed(notes).map(|note| Placed {
        onset: cell(note.onset),
        end: cell(note.end),
        key: Key::saturating(moved(note.key.number(), shift)),
        velocity: Velocity::saturating(moved(note.velocity.value(), louder)),
    });
    corpus::in_order(varied.collect())
}

/// The wanted transposition, or none where it leads off the keyboard.
fn fitting(notes: &[GridNote], shift: i16) -> i16 {
    let fits = |note: &GridNote| (0..=127).contains(&(i16::from(note.key.number()) + shift));
    if notes.iter().all(fits) { shift } else { 0 }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn piece(count: u32) -> Vec<GridNote> {
        let note = |n: u32| GridNote {
            step: 10 + n % 7,
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
            duration: 100 - 20 * (n % 3),
        };
        (0..count).map(note).collect()
    }

    #[test]
    fn every_note_of_a_piece_is_learnt_once_a_visit() {
        let count = 2 * PASSAGE + 100;
        let pieces = vec![piece(u32::try_from(count).expect("few"))];
        let mut chunks = Chunks::new(pieces.into(), (1, 20), 1.0, Chance::seed_from_u64(1)).expect("notes");
        for _ in 0..3 {
            let mut learnt = 0;
            while learnt < count {
                learnt += chunks.next().0.notes;
            }
            assert_eq!(learnt, count);
        }
    }

    #[test]
    fn chunks_of_a_passage_follow_on_each_other() {
        let pieces = vec![piece(50)];
        let mut chunks = Chunks::new(pieces.into(), (1, 20), 1.0, Chance::seed_from_u64(1)).expect("notes");
        let (mut passages, mut learnt) = (0, 0);
        while learnt < 50 {
            let (page, going_on) = chunks.next();
            passages += usize::from(!going_on[0]);
            learnt += page.notes;
        }
        assert!(passages <= 2, "{passages}");
    }

    #[test]
    fn what_ends_together_still_does_at_another_tempo() {
        let mut piece = piece(40);
        let mut onset = 0;
        for note in &mut piece {
            onset += note.step;
            note.duration = 1000 - onset;
        }
        for seed in 0..20 {
            let varied = varied(&piece, &mut Chance::seed_from_u64(seed));
            let ends: Vec<u32> = corpus::placed(&varied).map(|note| note.end).collect();
            assert!(ends.iter().all(|&end| end == ends[0]));
        }
    }
}
