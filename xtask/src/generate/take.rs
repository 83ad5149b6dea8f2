//! One continuation or piece: its notes, and the limits on its length.

use std::{mem, sync::Arc};

use antiphon::{
    lane::Ending,
    model::Model,
    music::{
        generation::GenerationSettings,
        note::Note as Drawn,
        time::{Moment, Seconds},
    },
};
use anyhow::{Result, ensure};

use super::prompt::{self, Prompt};
use crate::{
    continuation::{Continuation, Task},
    corpus::Note,
};

/// Number of notes if no other limit is given.
const NOTES: usize = 200;
/// Number of notes after which a piece is cut that does not end by itself; the longest performances of
/// MAESTRO have as many.
pub const MOST_NOTES: usize = 30_000;

/// The length of a take: notes, seconds, bars, or until the model ends the piece.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub struct Extent {
    /// Number of notes [default: 200]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=MOST_NOTES as i64))]
    notes: Option<u32>,
    /// Number of seconds
    #[arg(long, value_parser = prompt::length)]
    seconds: Option<f64>,
    /// Number of bars, in the file's signature and tempo where it goes on; without a file, of 4/4 at 120
    /// beats a minute
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bars: Option<u32>,
    /// Until the model says that the piece is over
    #[arg(long)]
    pub whole_piece: bool,
}

/// One continuation, or one piece.
pub struct Take {
    pub seed: u32,
    /// The notes in the time of the prompt; without a prompt, the first note begins at 0.
    pub notes: Vec<Note>,
    /// Whether the model has said that the piece is over.
    pub is_over: bool,
}

impl Take {
    /// # Errors
    /// When no key may be played.
    pub fn new(
        model: &Arc<dyn Model>,
        generation: GenerationSettings,
        seed: u32,
        prompt: &Prompt,
        extent: &Extent,
    ) -> Result<Self> {
        let (most, length, ending) = extent.limits(prompt);
        let task = Task { generation, seed, length, ending };
        let heard = prompt.heard();
        let drawn: Vec<_> = Continuation::new(model, &task, &heard, Moment(prompt.from)).take(most).collect();
        ensure!(!generation.keys().is_empty(), "no key from --low to --high is in the scale: give more room");
        // The silence at the beginning of a recording is no music.
        let shift = if heard.is_empty() { drawn.first().map_or(0.0, |note| note.onset.0) } else { 0.0 };
        let mut before = prompt.from;
        let note = |note: &Drawn| {
            let onset = note.onset.0 - shift;
            let step = onset - mem::replace(&mut before, onset);
            let end = onset + f64::from(note.duration.0);
            Note { key: note.key, onset, end, step, velocity: note.velocity, instrument: 0 }
        };
        let notes: Vec<Note> = drawn.iter().map(note).collect();
        Ok(Self { seed, is_over: extent.whole_piece && notes.len() < most, notes })
    }

    /// Where its last note ends, in seconds.
    pub fn end(&self) -> f64 {
        self.notes.iter().map(|note| note.end).fold(0.0, f64::max)
    }
}

impl Extent {
    /// The largest number of notes, the greatest length, and how it ends.
    fn limits(&self, prompt: &Prompt) -> (usize, Seconds, Ending) {
        let most = |length: f64| (MOST_NOTES, Seconds(length as f32), Ending::Full);
        match *self {
            Self { whole_piece: true, .. } => (MOST_NOTES, Seconds::FOREVER, Ending::Piece),
            Self { seconds: Some(seconds), .. } => most(seconds),
            Self { bars: Some(bars), .. } => most(prompt.bars(bars)),
            Self { notes, .. } => {
                let notes = notes.map_or(NOTES, |notes| notes as usize);
                (notes, Seconds::FOREVER, Ending::Full)
            }
        }
    }
}
