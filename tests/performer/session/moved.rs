//! What quantise may do to an onset.

use antiphon::music::quantise::{Grid, Quantise};

use super::{
    plans::{Song, Turn},
    wishes::GRIDS,
};

/// What it may have done to one.
#[derive(Clone, Copy, PartialEq)]
pub enum Moved {
    Nowhere,
    /// Onto lines of which every second one is so far from the first, in pairs so long, in beats.
    OntoLines {
        pair: f64,
        second: f64,
    },
    /// Nobody knows on which grid.
    Somewhere,
}

impl Moved {
    /// `stays` where the setting has been the same since the note was there.
    pub fn by(quantise: &Quantise, stays: bool) -> Self {
        let lines = GRIDS.iter().find(|(grid, _)| *grid == quantise.grid).expect("a grid of the player's").1;
        let is_straight = quantise.grid != Grid::EighthTriplet;
        match (stays, lines > 0.0) {
            (true, false) => Self::Nowhere,
            (true, true) if quantise.strength == 1.0 => {
                let swing = if is_straight { quantise.swing } else { 0.5 };
                Self::OntoLines { pair: 2.0 * lines, second: 2.0 * lines * swing }
            }
            _ => Self::Somewhere,
        }
    }

    /// At most so many beats: a pair of the widest lines.
    pub fn beats(self) -> f64 {
        match self {
            Self::Nowhere => 0.0,
            Self::OntoLines { pair, .. } => pair,
            Self::Somewhere => 1.0,
        }
    }

    /// In samples. What the host has just skipped is due at once.
    pub fn off_grid(self, turn: &Turn, song: &Song, at: u64) -> Option<f64> {
        let Self::OntoLines { pair, second } = self else { return None };
        let beat = song.beat_at(at).filter(|_| turn.is_on_the_beat())?.rem_euclid(pair);
        let behind = [0.0, second, pair].map(|line| song.samples(beat - line));
        let is_skipped = at == song.begin && behind.into_iter().any(|behind| song.skips(behind));
        let off = behind.into_iter().map(f64::abs).fold(f64::INFINITY, f64::min);
        Some(if is_skipped { 0.0 } else { off })
    }
}
