//! Scores how well a model predicts the notes of real performances.

mod networks;

use std::{borrow::Cow, fmt};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use antiphon::{
    model::{
        self,
        weights::{Architecture, Weights},
    },
    thread_pool::parallel_map,
};

use crate::corpus::GridNote;

/// A network that can be scored, with sequences side by side.
pub trait Scorer {
    /// The state of all sequences.
    type Known;

    /// The state before the first note of `rows` sequences, which may begin in the middle of a piece.
    fn silence(&self, rows: usize) -> Result<Self::Known>;

    /// The state before the first note of `rows` pieces.
    fn beginning(&self, rows: usize) -> Result<Self::Known> {
        self.silence(rows)
    }

    /// Keeps only the first `rows` sequences.
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
        Ok(match weights.architecture {
            Architecture::Antiphon => Self::Antiphon(model::antiphon::Network::new(tensor)?),
            Architecture::Classic(config) => Self::Classic(model::classic::Network::new(config, tensor)?),
        })
    }

    /// Scores every note, see [`unbounded`].
    pub fn unbounded(&self, pieces: &[Vec<GridNote>], progress: impl Fn(usize) + Sync) -> Result<Score> {
        match self {
            Self::Antiphon(network) => unbounded(network, pieces, progress),
            Self::Classic(network) => unbounded(network, pieces, progress),
        }
    }

    /// Scores some notes with a limited memory, see [`remembered`].
    pub fn remembered(&self, pieces: &[Vec<GridNote>], memory: usize, count: usize) -> Result<Score> {
        match self {
            Self::Antiphon(network) => remembered(network, pieces, memory, count),
            Self::Classic(network) => remembered(network, pieces, memory, count),
        }
    }
}

/// Scores every note of every piece, with the state carried on from the first note of its piece. `progress`
/// is called on any thread with the number of further notes that have been scored.
pub fn unbounded<L: Scorer + Sync>(
    network: &L,
    pieces: &[Vec<GridNote>],
    progress: impl Fn(usize) + Sync,
) -> Result<Score> {
    // Enough sequences for large products, few enough to divide well among threads.
    const SEQUENCES: usize = 16;
    let mut by_length: Vec<&[GridNote]> =
        pieces.iter().map(Vec::as_slice).filter(|p| !p.is_empty()).collect();
    by_length.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let groups: Vec<_> = by_length.chunks(SEQUENCES).collect();
    let scores = parallel_map(&groups, |group| together(network, group, &progress))?;
    Ok(sum(&scores))
}

/// Scores pieces side by side, the longest first.
fn together<L: Scorer>(network: &L, group: &[&[GridNote]], progress: &impl Fn(usize)) -> Result<Score> {
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

/// Scores `count` evenly spaced notes. Each is predicted from the `memory` notes before it, which are heard
/// from silence; where these are all notes before it, from the beginning of the piece.
pub fn remembered<L: Scorer + Sync>(
    network: &L,
    pieces: &[Vec<GridNote>],
    memory: usize,
    count: usize,
) -> Result<Score> {
    const SEQUENCES: usize = 32;
    let total: usize = pieces.iter().map(Vec::len).sum();
    let count = count.min(total);
    let mut places: Vec<_> = (0..count).map(|n| Place::new(pieces, n * total / count, memory)).collect();
    // Sequences of the same length are scored together.
    places.sort_by_key(Place::kind);
    let same = places.chunk_by(|a, b| a.kind() == b.kind());
    let groups: Vec<_> = same.flat_map(|same| same.chunks(SEQUENCES)).collect();
    let scores = parallel_map(&groups, |group| {
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

/// A note to score, and the notes before it that the memory holds.
struct Place<'a> {
    heard: &'a [GridNote],
    next: &'a [GridNote],
    begins_piece: bool,
}

impl<'a> Place<'a> {
    /// The note at `index`, counted over all pieces one after the other.
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

    /// The kind of a place; places of one kind can be scored side by side.
    fn kind(&self) -> (usize, bool) {
        (self.heard.len(), self.begins_piece)
    }
}

/// A score as sums, so that the scores of parts can be added. `None` where a model has no likelihood or
/// predicts no time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    pub notes: usize,
    /// Sums of nats: step, pitch, velocity, duration.
    pub nats: [Option<f64>; 4],
    /// Sums of absolute errors in seconds: step, duration.
    pub errors_s: [Option<f64>; 2],
}

impl Score {
    pub fn add(&mut self, other: &Self) {
        let plus = |sum: &mut Option<f64>, more: Option<f64>| {
            *sum = more.map(|more| sum.unwrap_or(0.0) + more).or(*sum);
        };
        self.notes += other.notes;
        self.nats.iter_mut().zip(other.nats).for_each(|(sum, more)| plus(sum, more));
        self.errors_s.iter_mut().zip(other.errors_s).for_each(|(sum, more)| plus(sum, more));
    }

    /// Nats per note: step, pitch, velocity, duration.
    pub fn nats_per_note(&self) -> [Option<f64>; 4] {
        self.nats.map(|sum| sum.map(|sum| sum / self.notes as f64))
    }

    /// The nats per note of all attributes together.
    pub fn total(&self) -> Option<f64> {
        self.nats_per_note().into_iter().sum()
    }

    /// Mean absolute errors in seconds: step, duration.
    pub fn mae_s(&self) -> [Option<f64>; 2] {
        self.errors_s.map(|sum| sum.map(|sum| sum / self.notes as f64))
    }

    /// All figures that are known.
    pub fn figures(&self) -> Vec<Metric> {
        let nats = ["step", "pitch", "velocity", "duration"].into_iter().zip(self.nats_per_note());
        let nats = nats.chain([("total", self.total())]);
        let errors = ["step error", "duration error"].into_iter().zip(self.mae_s());
        let nats = nats.filter_map(|(name, nats)| Some(Metric::new(name, "nats", nats?)));
        nats.chain(errors.filter_map(|(name, error)| Some(Metric::new(name, "s", error?)))).collect()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&Metric::line(&self.figures()))
    }
}

/// A named figure with its unit: the average loss of a note, or the average error of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub name: Cow<'static, str>,
    pub unit: Cow<'static, str>,
    pub value: f64,
}

impl Metric {
    pub const fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name: Cow::Borrowed(name), unit: Cow::Borrowed(unit), value }
    }

    /// All figures in one line.
    pub fn line(figures: &[Self]) -> String {
        figures.iter().map(Self::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {:.4} {}", self.name, self.value, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use antiphon::{
        model::registry,
        music::note::{Key, Velocity},
    };

    use super::*;

    /// One model of each kind.
    const MODELS: [&str; 2] = ["classic-25", "antiphon"];

    fn network(name: &str) -> Network {
        let weights = registry::read(registry::embedded_file(name).expect("embedded")).expect("complete");
        Network::of(&weights).expect("complete")
    }

    fn piece(length: u8, seed: u8) -> Vec<GridNote> {
        let note = |n: u8| GridNote {
            step: u32::from(n % 5) * 10,
            key: Key::saturating(40 + n.wrapping_mul(seed) % 40),
            velocity: Velocity::saturating(64),
            duration: 1 + u32::from(n % 7) * 20,
            conditions: Default::default(),
        };
        (0..length).map(note).collect()
    }

    fn close(a: &Score, b: &Score) {
        assert_eq!(a.notes, b.notes);
        let pairs = a.nats.iter().chain(&a.errors_s).zip(b.nats.iter().chain(&b.errors_s));
        for (a, b) in pairs {
            assert_eq!(a.is_some(), b.is_some());
            assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-2, "{a:?} and {b:?}");
        }
    }

    #[test]
    fn pieces_score_the_same_alone_and_side_by_side() {
        for model in MODELS {
            let (network, pieces) =
                (network(model), [piece(200, 7), piece(30, 3), piece(0, 1), piece(90, 5)]);
            let together = network.unbounded(&pieces, |_| ()).expect("shapes fit");
            let mut alone = Score::default();
            for piece in pieces {
                alone.add(&network.unbounded(&[piece], |_| ()).expect("shapes fit"));
            }
            close(&together, &alone);
        }
    }

    #[test]
    fn a_memory_longer_than_a_piece_is_unbounded() {
        for model in MODELS {
            let (network, pieces) = (network(model), [piece(40, 7), piece(25, 3)]);
            let all = network.unbounded(&pieces, |_| ()).expect("shapes fit");
            close(&all, &network.remembered(&pieces, 1000, 1000).expect("shapes fit"));
        }
    }

    #[test]
    fn what_a_model_does_not_tell_stays_unknown() {
        let score = network("classic-25").unbounded(&[piece(40, 7)], |_| ()).expect("shapes fit");
        assert!(score.total().is_none() && score.nats_per_note()[1].is_some());
    }
}
