//! Long chunks of notes to learn from, each piece played differently each time.

use anyhow::{Result, bail};
use rand::{RngExt, seq::SliceRandom};

use antiphon::{
    model::{
        Chance,
        antiphon::{MEMORY, Page, Scene},
    },
    music::note::{Key, Velocity},
};

use crate::corpus::{self, GridNote, Placed};

/// Semitones up or down.
const TRANSPOSITION: i16 = 6;
/// A piece is played faster or slower by up to this part.
const STRETCH: f64 = 0.1;
/// Louder or softer.
const LOUDNESS: i16 = 10;

/// An endless stream of chunks. In most rows a chunk follows on the one before, from the beginning of a piece to its
/// end; the others begin anywhere, in silence, as a player's memory does.
pub struct Chunks {
    pieces: Vec<Vec<GridNote>>,
    order: Vec<usize>,
    lanes: Vec<Lane>,
    time: usize,
    chance: Chance,
}

/// A row: the piece that it plays, as it plays it, and what sounds at its place.
struct Lane {
    notes: Vec<GridNote>,
    at: usize,
    scene: Scene,
}

impl Chunks {
    /// Fails when there is no note.
    pub fn new(mut pieces: Vec<Vec<GridNote>>, rows: usize, time: usize, chance: Chance) -> Result<Self> {
        pieces.retain(|piece| !piece.is_empty());
        if pieces.is_empty() {
            bail!("no file holds a note: give MIDI files with notes");
        }
        let lanes = (0..rows).map(|_| Lane { notes: Vec::new(), at: 0, scene: Scene::SILENCE }).collect();
        Ok(Self { pieces, order: Vec::new(), lanes, time, chance })
    }

    pub fn rows(&self) -> usize {
        self.lanes.len()
    }

    /// The next chunk, and which of its rows go on from the chunk before.
    pub fn next(&mut self) -> Result<(Page, Vec<bool>)> {
        let rows = self.rows();
        let mut lanes = std::mem::take(&mut self.lanes);
        let mut going_on = Vec::with_capacity(rows);
        for (row, lane) in lanes.iter_mut().enumerate() {
            let anywhere = row >= rows - rows / 4;
            going_on.push(!anywhere && lane.at < lane.notes.len());
            if !going_on[row] {
                *lane = self.begin(anywhere);
            }
        }
        let sequences: Vec<&[GridNote]> = lanes.iter().map(|lane| &lane.notes[lane.at..]).collect();
        let mut scenes: Vec<Scene> = lanes.iter().map(|lane| lane.scene.clone()).collect();
        let page = Page::new(&sequences, self.time, &mut scenes)?;
        for (lane, scene) in lanes.iter_mut().zip(scenes) {
            lane.at = (lane.at + self.time).min(lane.notes.len());
            lane.scene = scene;
        }
        self.lanes = lanes;
        Ok((page, going_on))
    }

    /// A piece that has not been played for longest, from its beginning or only a chunk from anywhere in it.
    fn begin(&mut self, anywhere: bool) -> Lane {
        if self.order.is_empty() {
            self.order = (0..self.pieces.len()).collect();
            self.order.shuffle(&mut self.chance);
        }
        let piece = &self.pieces[self.order.pop().expect("it has just been filled")];
        let part = if anywhere {
            let from = self.chance.random_range(0..=piece.len().saturating_sub(MEMORY));
            &piece[from..piece.len().min(from + self.time)]
        } else {
            &piece[..]
        };
        Lane { notes: varied(part, &mut self.chance), at: 0, scene: Scene::SILENCE }
    }
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
        let mut chunks = Chunks::new(vec![piece(50)], 1, 20, Chance::seed_from_u64(1)).expect("notes");
        for _ in 0..3 {
            let pages = [(); 3].map(|()| chunks.next().expect("endless"));
            assert_eq!(pages.each_ref().map(|(page, _)| page.notes), [20, 20, 10]);
            assert_eq!(pages.each_ref().map(|(_, going_on)| going_on[0]), [false, true, true]);
        }
    }

    #[test]
    fn a_quarter_of_the_rows_begins_anew_with_every_chunk() {
        let mut chunks = Chunks::new(vec![piece(500)], 4, 20, Chance::seed_from_u64(1)).expect("notes");
        chunks.next().expect("endless");
        assert_eq!(chunks.next().expect("endless").1, [true, true, true, false]);
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
