//! What learns in a training.

use anyhow::Result;

use super::checkpoint::Checkpoint;
use crate::{
    corpus::GridNote,
    score::{Figure, Score},
};

/// A network with what it learns from.
pub trait Pupil {
    /// Learns from its next batch at a rate. Fails, with the weights as they were, when the loss is not a number.
    fn learn(&mut self, rate: f64) -> Result<Lesson>;

    /// Scores every note of every piece.
    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score>;

    /// Keeps all that it is between two lessons, but for its weights.
    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()>;

    /// The way back from [`Pupil::keep`].
    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()>;
}

/// What came of a batch.
#[derive(Debug, Clone)]
pub struct Lesson {
    pub notes: usize,
    /// The parts of the loss, means over the notes.
    pub loss: Vec<Figure>,
}

/// Three keys in turn, 99 notes: what any pupil must be able to learn.
#[cfg(test)]
pub fn melody() -> Vec<GridNote> {
    use antiphon::music::note::{Key, Velocity};

    let note = |n: u8| GridNote {
        step: 20,
        key: Key::saturating(60 + n % 3 * 4),
        velocity: Velocity::saturating(64),
        duration: 30,
        conditions: Default::default(),
    };
    (0..99).map(note).collect()
}
