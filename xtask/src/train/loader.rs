//! The data loader of antiphon: long passages of notes, each piece played differently each time.

use std::{mem, ops::Range, sync::Arc};

use anyhow::{Result, bail};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use antiphon::model::{
    Rng,
    antiphon::{Minibatch, Scene, Stretch},
};

use super::{
    augmentation::{self, Augmentation, Example},
    data_set::TrainingSet,
    output::Checkpoint,
};

/// Largest number of notes of a passage, which begins in silence. It is long enough to learn to remember, and
/// short enough that a minibatch has notes of many pieces.
const PASSAGE: usize = 640;

/// An endless data loader. Each row of its minibatches plays one passage after the other, and follows on the
/// minibatch before until its passage is over. The corpora are drawn by their weights.
pub struct PassageLoader {
    training: Arc<TrainingSet>,
    /// For each corpus, the passages that have not yet been played in this round.
    passages: Vec<Vec<Passage>>,
    rows: Vec<Row>,
    time: usize,
    augmentation: Augmentation,
    rng: Rng,
}

/// A range of notes of a piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Passage {
    piece: usize,
    notes: Range<usize>,
}

/// A passage as a row plays it, and how much of it has been played. All random changes follow from the seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    passage: Passage,
    seed: u64,
    at: usize,
}

/// A row of a minibatch: its passage, the notes as it plays them, and the scene at its position.
struct Row {
    cursor: Option<Cursor>,
    example: Example,
    /// Whether the piece ends with the passage.
    over: bool,
    scene: Scene,
}

impl PassageLoader {
    /// Fails when there are no notes.
    pub fn new(
        training: Arc<TrainingSet>,
        (rows, time): (usize, usize),
        augmentation: Augmentation,
        rng: Rng,
    ) -> Result<Self> {
        if training.pieces.iter().all(Vec::is_empty) {
            bail!("no file holds a note: give MIDI files with notes");
        }
        let passages = training.corpora.iter().map(|_| Vec::new()).collect();
        let rows = (0..rows).map(|_| Row::NONE).collect();
        Ok(Self { training, passages, rows, time, augmentation, rng })
    }

    /// Number of rows of a minibatch.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of notes in a full minibatch.
    pub fn notes(&self) -> usize {
        self.rows() * self.time
    }

    /// Saves the position of the loader in a checkpoint, under a name.
    pub fn keep(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let cursors: Vec<_> = self.rows.iter().map(|row| &row.cursor).collect();
        checkpoint.keep(name, &(&self.rng, &self.passages, cursors))
    }

    /// Reverses [`PassageLoader::keep`].
    pub fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        let cursors: Vec<Option<Cursor>>;
        (self.rng, self.passages, cursors) = checkpoint.fact(name)?;
        let row = |cursor: Option<Cursor>| cursor.map_or(Ok(Row::NONE), |cursor| self.play(cursor));
        self.rows = cursors.into_iter().map(row).collect::<Result<_>>()?;
        Ok(())
    }

    /// The next minibatch, and which of its rows go on from the one before.
    pub fn next(&mut self) -> (Minibatch, Vec<bool>) {
        let mut rows = mem::take(&mut self.rows);
        let mut going_on = Vec::with_capacity(rows.len());
        for row in &mut rows {
            going_on.push(row.goes_on());
            if !row.goes_on() {
                *row = self.begin();
            }
        }
        let stretches: Vec<Stretch> = rows.iter().map(Row::rest).collect();
        let mut scenes: Vec<Scene> = rows.iter().map(|row| row.scene.clone()).collect();
        let minibatch = Minibatch::of(&stretches, self.time, &mut scenes);
        for (row, scene) in rows.iter_mut().zip(scenes) {
            row.advance(self.time);
            row.scene = scene;
        }
        self.rows = rows;
        (minibatch, going_on)
    }

    /// Draws a corpus, and begins one of its passages that have not yet been played in this round.
    fn begin(&mut self) -> Row {
        let corpus = self.training.drawn(self.rng.random());
        if self.passages[corpus].is_empty() {
            for piece in self.training.corpora[corpus].pieces.clone() {
                self.cut(corpus, piece);
            }
            self.passages[corpus].shuffle(&mut self.rng);
        }
        let passage = self.passages[corpus].pop().expect("a corpus has a note");
        let cursor = Cursor { passage, seed: self.rng.random(), at: 0 };
        self.play(cursor).expect("a passage that was just cut is there")
    }

    /// The row at a cursor. Fails where the passage does not exist, or where the cursor lies beyond its end.
    fn play(&self, cursor: Cursor) -> Result<Row> {
        let Passage { piece, notes } = &cursor.passage;
        let piece = self.training.pieces.get(*piece);
        let Some((piece, written)) = piece.and_then(|piece| Some((piece, piece.get(notes.clone())?))) else {
            bail!("the checkpoint plays notes that are not there");
        };
        let mut scene = if notes.start == 0 { Scene::BEGINNING } else { Scene::SILENCE };
        let over = notes.end == piece.len();
        let example =
            augmentation::augment(written, &self.augmentation, &mut Rng::seed_from_u64(cursor.seed));
        if cursor.at > example.heard.len() + usize::from(over) {
            bail!("the checkpoint lacks notes");
        }
        example.heard.iter().take(cursor.at).for_each(|note| scene.hear(note));
        Ok(Row { cursor: Some(cursor), example, over, scene })
    }

    /// Cuts a piece into passages, each time in other places.
    fn cut(&mut self, corpus: usize, piece: usize) {
        let (mut from, count) = (0, self.training.pieces[piece].len());
        let mut to = self.rng.random_range(1..=PASSAGE);
        while from < count {
            self.passages[corpus].push(Passage { piece, notes: from..to.min(count) });
            (from, to) = (to, to + PASSAGE);
        }
    }
}

impl Row {
    /// A row that has played nothing yet.
    const NONE: Self = Self { cursor: None, example: Example::NOTHING, over: false, scene: Scene::SILENCE };

    /// Number of places: the notes, and one for the end of a piece.
    fn length(&self) -> usize {
        self.example.heard.len() + usize::from(self.over)
    }

    fn goes_on(&self) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| cursor.at < self.length())
    }

    fn advance(&mut self, time: usize) {
        let length = self.length();
        if let Some(cursor) = &mut self.cursor {
            cursor.at = (cursor.at + time).min(length);
        }
    }

    fn rest(&self) -> Stretch<'_> {
        let at = self.cursor.as_ref().map_or(0, |cursor| cursor.at).min(self.example.heard.len());
        Stretch { notes: &self.example.truth[at..], heard: &self.example.heard[at..], over: self.over }
    }
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;
    use crate::corpus::GridNote;

    fn piece(count: u32) -> Vec<GridNote> {
        let note = |n: u32| GridNote {
            step: 10 + n % 7,
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
            duration: 100 - 20 * (n % 3),
            conditions: Default::default(),
        };
        (0..count).map(note).collect()
    }

    #[test]
    fn every_note_of_a_piece_is_learnt_once_a_visit() {
        let count = 2 * PASSAGE + 100;
        let pieces = vec![piece(u32::try_from(count).expect("few"))];
        let mut loader = PassageLoader::new(
            TrainingSet::of(pieces).into(),
            (1, 20),
            Augmentation::ALL,
            Rng::seed_from_u64(1),
        )
        .expect("notes");
        for _ in 0..3 {
            let mut learnt = 0;
            while learnt < count {
                learnt += loader.next().0.notes;
            }
            assert_eq!(learnt, count);
        }
    }

    #[test]
    fn chunks_of_a_passage_follow_on_each_other() {
        let pieces = vec![piece(50)];
        let mut loader = PassageLoader::new(
            TrainingSet::of(pieces).into(),
            (1, 20),
            Augmentation::ALL,
            Rng::seed_from_u64(1),
        )
        .expect("notes");
        let (mut passages, mut learnt) = (0, 0);
        while learnt < 50 {
            let (minibatch, going_on) = loader.next();
            passages += usize::from(!going_on[0]);
            learnt += minibatch.notes;
        }
        assert!(passages <= 2, "{passages}");
    }
}
