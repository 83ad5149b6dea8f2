//! What is played.

use std::sync::Arc;

use antiphon::{
    model::Model,
    music::{manner::Manner, time::Moment},
};
use anyhow::{Result, ensure};

use super::{extent::Extent, prompt::Prompt};
use crate::{
    corpus::Note,
    playing::{Playing, Task},
};

/// One continuation, or one piece.
pub struct Take {
    pub seed: u32,
    /// In the time of the prompt; from nothing, the first note begins at 0.
    pub notes: Vec<Note>,
    /// The model has said that the piece is over.
    pub is_over: bool,
}

impl Take {
    /// # Errors
    /// When nothing may be played.
    pub fn new(
        model: &Arc<dyn Model>,
        manner: Manner,
        seed: u32,
        prompt: &Prompt,
        extent: &Extent,
    ) -> Result<Self> {
        let asked = extent.asked(prompt);
        let task = Task { manner, seed, length: asked.length, ending: asked.ending };
        let heard = prompt.heard();
        let drawn: Vec<_> =
            Playing::new(model, &task, &heard, Moment(prompt.from)).take(asked.notes).collect();
        ensure!(!manner.keys().is_empty(), "no key from --low to --high is in the scale: give more room");
        // The silence before a recording begins is no music.
        let shift = if heard.is_empty() { drawn.first().map_or(0.0, |note| note.onset.0) } else { 0.0 };
        let mut before = prompt.from;
        let note = |note: &antiphon::music::note::Note| {
            let onset = note.onset.0 - shift;
            let step = onset - std::mem::replace(&mut before, onset);
            let end = onset + f64::from(note.duration.0);
            Note { key: note.key, onset, end, step, velocity: note.velocity, instrument: 0 }
        };
        let notes: Vec<Note> = drawn.iter().map(note).collect();
        Ok(Self { seed, is_over: extent.whole_piece && notes.len() < asked.notes, notes })
    }

    /// Where its last note ends, in seconds.
    pub fn end(&self) -> f64 {
        self.notes.iter().map(|note| note.end).fold(0.0, f64::max)
    }
}
