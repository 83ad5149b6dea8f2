//! The worker's mind: hears what is heard, and makes an answer note by note.

use std::sync::Arc;

use rand::SeedableRng;

use crate::{
    lane::{ImproviserEnd, Reply, Request, Wish},
    model::{Chance, Model, State, Taste},
    music::{
        grid::{Cell, GridNote},
        memory::Memory,
        note::Note,
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

/// The longest step within an answer: beyond it, a partner seems to have left.
const LONGEST_STEP: Seconds = Seconds(2.0);
/// The longest note of an answer.
const LONGEST_DURATION: Seconds = Seconds(8.0);
/// So many onsets may share `WALL_SPAN`: ten fingers; one more waits until the span is over.
const WALL_NOTES: usize = 10;
const WALL_SPAN: Seconds = Seconds(0.1);

/// What the worker is to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more to do.
    Worked,
    /// Nothing to do until a request comes or a lane drains.
    Idle,
    /// The audio thread is gone.
    Closed,
}

/// Listens and answers, one small step at a time. Owned by the worker, or by the audio thread offline.
pub struct Improviser {
    end: ImproviserEnd,
    embedded: Vec<Mind>,
    /// The model of the player's own file; it goes before the embedded ones.
    guest: Option<Mind>,
    memory: Memory,
    answer: Option<Answer>,
    /// The memory with the answer so far.
    scene: Memory,
}

/// A model and what it makes of the notes.
struct Mind {
    model: Arc<dyn Model>,
    state: State,
}

struct Answer {
    turn: TurnId,
    until: Moment,
    wish: Wish,
    chance: Chance,
    last_onset: Moment,
    /// No note may begin earlier: the hand-over, or the end of a wall.
    from: Moment,
}

impl Improviser {
    /// `models` are the embedded ones in the order of [`Wish::model`]; at least one. Allocates.
    pub fn new(end: ImproviserEnd, models: &[Arc<dyn Model>]) -> Self {
        assert!(!models.is_empty(), "an improviser has a model");
        let embedded = models.iter().cloned().map(Mind::new).collect();
        Self { end, embedded, guest: None, memory: Memory::new(), answer: None, scene: Memory::new() }
    }

    /// From now on this model answers; `None` gives way to the embedded ones. Allocates.
    pub fn invite(&mut self, model: Option<Arc<dyn Model>>) {
        self.guest = model.map(Mind::new);
    }

    /// Takes one request, or makes one note. Realtime-safe.
    pub fn step(&mut self) -> Progress {
        if let Ok(request) = self.end.requests.pop() {
            self.take(request);
            return Progress::Worked;
        }
        if self.answer.is_some() && !self.end.replies.is_full() {
            self.play_next();
            return Progress::Worked;
        }
        if self.end.requests.is_abandoned() { Progress::Closed } else { Progress::Idle }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Heard(note) => self.memory.remember(note),
            Request::Answer { turn, from, length, wish } => self.begin(turn, from, from + length, wish),
            Request::Cancel(turn) => {
                self.answer.take_if(|answer| answer.turn == turn);
            }
            Request::Forget => {
                self.memory.clear();
                self.answer = None;
            }
        }
    }

    fn begin(&mut self, turn: TurnId, from: Moment, until: Moment, wish: Wish) {
        self.scene.copy_from(&self.memory);
        let last_onset = self.scene.newest(1).first().map_or(from, |note| note.onset);
        let chance = Chance::seed_from_u64(u64::from(wish.seed));
        self.answer = Some(Answer { turn, until, wish, chance, last_onset, from });
    }

    fn play_next(&mut self) {
        let Some(answer) = &mut self.answer else { return };
        let mind = match &mut self.guest {
            Some(guest) => guest,
            None => {
                let last = self.embedded.len() - 1;
                &mut self.embedded[usize::from(answer.wish.model).min(last)]
            }
        };
        let note = answer.next_note(mind, &self.scene);
        let turn = answer.turn;
        let reply = if note.onset < answer.until {
            self.scene.remember(note);
            answer.follow(note, &self.scene);
            Reply::Play { turn, note }
        } else {
            self.answer = None;
            Reply::Done(turn)
        };
        let sent = self.end.replies.push(reply);
        debug_assert!(sent.is_ok(), "a lane that was not full takes a reply");
    }
}

impl Answer {
    fn next_note(&mut self, mind: &mut Mind, scene: &Memory) -> Note {
        let certain = (self.from - self.last_onset).max(Seconds::ZERO);
        let taste = Taste { temperature: self.wish.temperature, focus: 0.0 };
        mind.hear(scene, usize::from(self.wish.memory));
        let drawn = mind.model.draw(&mut mind.state, &taste, certain, &mut self.chance);
        let step = drawn.step.max(certain).min(certain.max(LONGEST_STEP));
        Note {
            onset: self.last_onset + step,
            duration: drawn.duration.min(LONGEST_DURATION),
            key: drawn.key,
            velocity: drawn.velocity,
        }
    }

    /// After a note: where the next one may begin.
    fn follow(&mut self, note: Note, scene: &Memory) {
        self.last_onset = note.onset;
        let wall = scene.newest(WALL_NOTES);
        if wall.len() == WALL_NOTES && (note.onset - wall[0].onset).0 < WALL_SPAN.0 {
            self.from = wall[0].onset + WALL_SPAN;
        }
    }
}

impl Mind {
    fn new(model: Arc<dyn Model>) -> Self {
        let state = model.silence();
        Self { model, state }
    }

    /// Hears the newest notes anew, from silence: at most `memory`, and no more than the model can. Realtime-safe.
    fn hear(&mut self, scene: &Memory, memory: usize) {
        let count = memory.min(self.model.window());
        let notes = scene.newest(count);
        // The step of the first note leads to a note that is not heard any more, if that is still known.
        let older = scene.newest(count + 1);
        let mut before = older.first().map_or(Cell::of(Moment(0.0)), |note| Cell::of(note.onset));
        self.model.forget(&mut self.state);
        for note in notes {
            self.model.hear(&mut self.state, GridNote::after(before, note));
            before = Cell::of(note.onset);
        }
    }
}
