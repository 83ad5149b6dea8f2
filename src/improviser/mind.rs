//! A model and what it makes of the notes: it hears only what is new.

use std::sync::Arc;

use crate::{
    model::{Model, State},
    music::{
        grid::GridNote,
        memory::{LARGEST_MEMORY, Memory, Span},
    },
};

/// A mark is set at every so many notes. Notes come in the order of their ends, so one may belong behind others.
const BETWEEN_MARKS: usize = 32;
/// So the last mark but one is at least [`BETWEEN_MARKS`] notes back.
const MARKS: usize = 2;

/// A model, and what it has heard. What it knows depends on the notes alone, not on when they came.
pub struct Mind {
    pub model: Arc<dyn Model>,
    pub state: State,
    /// Since silence.
    heard: Vec<GridNote>,
    /// That silence was the one before a piece.
    begins_piece: bool,
    marks: [Mark; MARKS],
    /// Before the first note of the newest memory that was not settled.
    settled: Mark,
}

/// What was known after some of the notes.
struct Mark {
    /// 0 where there is no mark.
    notes: usize,
    state: State,
}

impl Mind {
    /// Allocates.
    pub fn new(model: Arc<dyn Model>) -> Self {
        let (state, heard) = (model.silence(), Vec::with_capacity(2 * LARGEST_MEMORY));
        let marks = std::array::from_fn(|_| Mark { notes: 0, state: model.silence() });
        let settled = Mark { notes: 0, state: model.silence() };
        Self { model, state, heard, begins_piece: false, marks, settled }
    }

    /// Has heard nothing, whatever state a failed step has left. Realtime-safe.
    pub fn begin_anew(&mut self) {
        self.marks.iter_mut().chain([&mut self.settled]).for_each(|mark| mark.notes = 0);
        self.heard.clear();
        self.model.forget(&mut self.state);
    }

    /// How much of a memory of so many notes the model is to hear.
    fn span(&self, memory: usize) -> Span {
        match self.model.window() {
            Some(window) => Span { notes: memory.min(window), stride: 1 },
            None => Span { notes: memory, stride: memory.div_ceil(2) },
        }
    }

    /// Hears what a memory of so many notes holds and was not heard yet, at most `most` notes; gives how many they
    /// were. Realtime-safe.
    pub fn hear(&mut self, memory: &Memory, notes: usize, most: usize) -> usize {
        let span = self.span(notes);
        self.begin(memory.begins_piece(span));
        let known =
            memory.on_grid(span).zip(&self.heard).take_while(|(note, heard)| note.is_the_note(heard)).count();
        if known < self.heard.len() {
            self.go_back(known);
        }
        let before = self.heard.len();
        let settled = memory.on_grid(span).count().saturating_sub(memory.unsettled());
        for note in memory.on_grid(span).skip(before).take(most) {
            if self.heard.len() == settled {
                self.settled.set(settled, &self.state);
            }
            self.model.hear(&mut self.state, note);
            self.heard.push(note);
            self.mark();
        }
        self.heard.len() - before
    }

    /// Forgets all if it began otherwise.
    fn begin(&mut self, begins_piece: bool) {
        if begins_piece != std::mem::replace(&mut self.begins_piece, begins_piece) {
            self.go_back(0);
        }
    }

    /// To the last moment at which nothing but the first `notes` notes had been heard, of which a state is left.
    fn go_back(&mut self, notes: usize) {
        let marks = self.marks.iter_mut().chain([&mut self.settled]);
        marks.filter(|mark| mark.notes > notes).for_each(|mark| mark.notes = 0);
        let marks = self.marks.iter().chain([&self.settled]);
        let last = marks.max_by_key(|mark| mark.notes).filter(|mark| mark.notes > 0);
        self.heard.truncate(last.map_or(0, |mark| mark.notes));
        match last {
            Some(mark) => self.state.copy_from(&mark.state),
            None => {
                self.model.forget(&mut self.state);
                if self.begins_piece {
                    self.model.begin_piece(&mut self.state);
                }
            }
        }
    }

    fn mark(&mut self) {
        let notes = self.heard.len();
        if notes.is_multiple_of(BETWEEN_MARKS) {
            self.marks[notes / BETWEEN_MARKS % MARKS].set(notes, &self.state);
        }
    }
}

impl Mark {
    fn set(&mut self, notes: usize, state: &State) {
        self.notes = notes;
        self.state.copy_from(state);
    }
}

#[cfg(test)]
mod tests;
