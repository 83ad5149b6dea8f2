//! How well a model foretells the notes of real performances.

mod antiphon;
mod classic;
mod figure;
mod sum;

use ::antiphon::{
    desk::shared_out,
    model::{self, Preset, weights::Weights},
};
use anyhow::Result;

use crate::corpus::GridNote;
pub use figure::Figure;
pub use sum::Score;

/// What scores: a network that hears sequences side by side.
pub trait Listener {
    /// What is known of each sequence.
    type Known;

    /// Before the first note of `rows` sequences.
    fn silence(&self, rows: usize) -> Result<Self::Known>;

    /// Before the first note of `rows` pieces.
    fn beginning(&self, rows: usize) -> Result<Self::Known> {
        self.silence(rows)
    }

    /// The first `rows` sequences go on alone.
    fn narrow(&self, known: Self::Known, rows: usize) -> Result<Self::Known>;

    /// Hears up to `time` notes of each sequence without a score.
    fn hear(&self, sequences: &[&[GridNote]], time: usize, known: &mut Self::Known) -> Result<()>;

    /// Hears up to `time` notes of each sequence and scores them.
    fn score(&self, sequences: &[&[GridNote]], time: usize, known: &mut Self::Known) -> Result<Score>;
}

/// A network of either kind.
pub enum Network {
    Antiphon(model::antiphon::Network),
    Classic(model::classic::Network),
}

impl Network {
    /// The network of a model file, on the CPU.
    pub fn of(weights: &Weights) -> Result<Self> {
        let tensor = |name: &str| weights.tensor(name);
        Ok(match weights.preset {
            Preset::Antiphon => Self::Antiphon(model::antiphon::Network::new(tensor)?),
            Preset::Classic(preset) => Self::Classic(model::classic::Network::new(preset, tensor)?),
        })
    }

    /// See [`unbounded`].
    pub fn unbounded(&self, pieces: &[Vec<GridNote>], progress: impl Fn(usize) + Sync) -> Result<Score> {
        match self {
            Self::Antiphon(network) => unbounded(network, pieces, progress),
            Self::Classic(network) => unbounded(network, pieces, progress),
        }
    }

    /// See [`remembered`].
    pub fn remembered(&self, pieces: &[Vec<GridNote>], memory: usize, count: usize) -> Result<Score> {
        match self {
            Self::Antiphon(network) => remembered(network, pieces, memory, count),
            Self::Classic(network) => remembered(network, pieces, memory, count),
        }
    }
}

/// Scores every note of every piece, what is known carried from the first note of its piece. `progress` is told how many
/// notes more have been scored, on any thread.
pub fn unbounded<L: Listener + Sync>(
    network: &L,
    pieces: &[Vec<GridNote>],
    progress: impl Fn(usize) + Sync,
) -> Result<Score> {
    // Enough sequences for large products, few enough to share out well.
    const SEQUENCES: usize = 16;
    let mut by_length: Vec<&[GridNote]> =
        pieces.iter().map(Vec::as_slice).filter(|p| !p.is_empty()).collect();
    by_length.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let groups: Vec<_> = by_length.chunks(SEQUENCES).collect();
    let scores = shared_out(&groups, |group| together(network, group, &progress))?;
    Ok(sum(&scores))
}

/// Scores pieces side by side, the longest first.
fn together<L: Listener>(network: &L, group: &[&[GridNote]], progress: &impl Fn(usize)) -> Result<Score> {
    const NOTES: usize = 256;
    let mut score = Score::default();
    let mut known = network.beginning(group.len())?;
    for from in (0..group[0].len()).step_by(NOTES) {
        // The longest come first, so those that go on are a prefix.
        let active: Vec<_> =
            group.iter().filter(|piece| piece.len() > from).map(|piece| &piece[from..]).collect();
        known = network.narrow(known, active.len())?;
        let time = NOTES.min(active[0].len());
        let part = network.score(&active, time, &mut known)?;
        progress(part.notes);
        score.add(&part);
    }
    Ok(score)
}

fn sum(scores: &[Score]) -> Score {
    let mut sum = Score::default();
    scores.iter().for_each(|score| sum.add(score));
    sum
}

/// Scores `count` evenly spaced notes, each from silence and the `memory` notes before it; where these are all, from the
/// beginning of the piece.
pub fn remembered<L: Listener + Sync>(
    network: &L,
    pieces: &[Vec<GridNote>],
    memory: usize,
    count: usize,
) -> Result<Score> {
    const SEQUENCES: usize = 32;
    let total: usize = pieces.iter().map(Vec::len).sum();
    let count = count.min(total);
    let mut places: Vec<_> = (0..count).map(|n| Place::new(pieces, n * total / count, memory)).collect();
    // Sequences of one length run together.
    places.sort_by_key(Place::kind);
    let same = places.chunk_by(|a, b| a.kind() == b.kind());
    let groups: Vec<_> = same.flat_map(|same| same.chunks(SEQUENCES)).collect();
    let scores = shared_out(&groups, |group| {
        let (heard, next): (Vec<_>, Vec<_>) = group.iter().map(|place| (place.heard, place.next)).unzip();
        let (length, begins_piece) = group[0].kind();
        let mut known =
            if begins_piece { network.beginning(group.len()) } else { network.silence(group.len()) }?;
        if length > 0 {
            network.hear(&heard, length, &mut known)?;
        }
        network.score(&next, 1, &mut known)
    })?;
    Ok(sum(&scores))
}

/// A note to score, and what of its piece the memory holds.
struct Place<'a> {
    heard: &'a [GridNote],
    next: &'a [GridNote],
    begins_piece: bool,
}

impl<'a> Place<'a> {
    /// The note at `index` of all pieces in a row.
    fn new(pieces: &'a [Vec<GridNote>], mut index: usize, memory: usize) -> Self {
        for piece in pieces {
            if index < piece.len() {
                let heard = &piece[index.saturating_sub(memory)..index];
                return Self { heard, next: &piece[index..=index], begins_piece: index <= memory };
            }
            index -= piece.len();
        }
        unreachable!("the index counts the notes of these pieces")
    }

    /// Places of one kind can be scored side by side.
    fn kind(&self) -> (usize, bool) {
        (self.heard.len(), self.begins_piece)
    }
}

#[cfg(test)]
mod tests;
