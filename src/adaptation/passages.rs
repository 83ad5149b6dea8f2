//! The passages of a player's pieces, chunk by chunk and row by row, each time played a little differently.

use std::ops::Range;

use rand::{RngExt, seq::SliceRandom};

use crate::{
    model::{
        Chance,
        antiphon::{Page, Scene},
    },
    music::{
        grid::GridNote,
        note::{Key, Velocity},
    },
};

/// So many notes are played in a row, from silence, as a player's memory begins.
const PASSAGE: usize = 480;
/// Some passages are heard in another key, so many semitones away at most, or a little louder or softer.
const VARIED: f64 = 0.5;
const TRANSPOSITION: i16 = 3;
const LOUDNESS: i16 = 4;
/// How likely it is that what is known is told: the plugin plays without it as well.
const TOLD: f64 = 0.7;

/// An endless stream of chunks.
pub struct Passages {
    pieces: Vec<Vec<GridNote>>,
    /// What was not played yet in this round.
    left: Vec<(usize, Range<usize>)>,
    rows: Vec<Row>,
    time: usize,
    chance: Chance,
}

/// A passage as it is played, and what sounds at its place.
struct Row {
    notes: Vec<GridNote>,
    at: usize,
    scene: Scene,
}

impl Passages {
    /// Chunks of so many rows and notes; there is a note.
    pub fn new(pieces: Vec<Vec<GridNote>>, (rows, time): (usize, usize), chance: Chance) -> Self {
        let rows = (0..rows).map(|_| Row { notes: Vec::new(), at: 0, scene: Scene::SILENCE }).collect();
        Self { pieces, left: Vec::new(), rows, time, chance }
    }

    /// The next chunk, and which of its rows go on from the chunk before.
    pub fn next(&mut self) -> (Page, Vec<bool>) {
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
        let page = Page::new(&rests, self.time, &mut scenes);
        for (row, scene) in rows.iter_mut().zip(scenes) {
            row.at = row.notes.len().min(row.at + self.time);
            row.scene = scene;
        }
        self.rows = rows;
        (page, going_on)
    }

    fn begin(&mut self) -> Row {
        if self.left.is_empty() {
            self.cut();
        }
        let (piece, notes) = self.left.pop().expect("a piece has a note");
        let scene = if notes.start == 0 { Scene::BEGINNING } else { Scene::SILENCE };
        let notes = played(&self.pieces[piece][notes], &mut self.chance);
        Row { notes, at: 0, scene }
    }

    /// Divides all pieces, each time elsewhere.
    fn cut(&mut self) {
        for (n, piece) in self.pieces.iter().enumerate() {
            let (mut from, mut to) = (0, self.chance.random_range(PASSAGE / 2..=PASSAGE));
            while from < piece.len() {
                self.left.push((n, from..to.min(piece.len())));
                (from, to) = (to, to + PASSAGE);
            }
        }
        self.left.shuffle(&mut self.chance);
    }
}

fn played(written: &[GridNote], chance: &mut Chance) -> Vec<GridNote> {
    let (mut shift, mut louder) = (0, 0);
    if chance.random_bool(VARIED) {
        shift = chance.random_range(-TRANSPOSITION..=TRANSPOSITION);
        louder = chance.random_range(-LOUDNESS..=LOUDNESS);
    }
    let told = [0; 3].map(|_| chance.random_bool(TOLD));
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
    use rand::SeedableRng;

    use super::*;

    fn piece(notes: u32) -> Vec<GridNote> {
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
        let pieces = vec![piece(700), piece(3), piece(1200)];
        let mut passages = Passages::new(pieces, (1, 50), Chance::seed_from_u64(1));
        for _ in 0..3 {
            let mut notes = 0;
            while notes < 1903 {
                notes += passages.next().0.notes;
            }
            assert_eq!(notes, 1903);
        }
    }

    #[test]
    fn a_passage_keeps_its_rhythm_and_its_intervals() {
        let written = piece(100);
        for seed in 0..20 {
            let played = played(&written, &mut Chance::seed_from_u64(seed));
            let shift = |n: usize| i16::from(played[n].key.number()) - i16::from(written[n].key.number());
            assert!((0..100).all(|n| played[n].step == written[n].step && shift(n) == shift(0)));
        }
    }
}
