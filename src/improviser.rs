//! The worker's mind: hears what is heard, and makes an answer note by note.

mod lull;
mod mind;

use std::sync::Arc;

use rand::SeedableRng;

pub use self::{
    lull::{PHRASE_END, SHORTEST, Signs, WEIGHTS, Weights},
    mind::Mind,
};
use crate::{
    lane::{ImproviserEnd, Lull, Reply, Request, Wish},
    model::{Chance, Model, Taste},
    music::{
        grid::Cell,
        hearing::OPEN_NOTES,
        memory::{LARGEST_MEMORY, Memory},
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
/// What is less likely than this part of the likeliest is left out: one slip among hundreds of notes is heard.
const FOCUS: f32 = 0.02;

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
    minds: Minds,
    memory: Memory,
    answer: Option<Answer>,
    /// The memory with what sounds still, and with the answer so far.
    scene: Memory,
    /// What sounds still, as the audio thread has told since it last asked anything.
    sounding: Vec<Note>,
    /// The lull about which nothing was said yet.
    lull: Option<Lull>,
    /// How the last answer was wished for, as the next one probably will be.
    wish: Option<Wish>,
}

/// Who may answer.
struct Minds {
    embedded: Vec<Mind>,
    /// The model of the player's own file; it goes before the embedded ones.
    guest: Option<Mind>,
}

struct Answer {
    turn: TurnId,
    until: Moment,
    wish: Wish,
    chance: Chance,
    /// Of the call or the answer: where the next step begins.
    last_onset: Moment,
    /// No note may begin earlier: the hand-over, or the end of a wall.
    from: Moment,
}

impl Improviser {
    /// `models` are the embedded ones in the order of [`Wish::model`]; at least one. Allocates.
    pub fn new(end: ImproviserEnd, models: &[Arc<dyn Model>]) -> Self {
        assert!(!models.is_empty(), "an improviser has a model");
        let minds = Minds { embedded: models.iter().cloned().map(Mind::new).collect(), guest: None };
        Self {
            end,
            minds,
            memory: Memory::new(),
            answer: None,
            scene: Memory::new(),
            sounding: Vec::with_capacity(OPEN_NOTES),
            lull: None,
            wish: None,
        }
    }

    /// From now on this model answers; `None` gives way to the embedded ones. Allocates.
    pub fn invite(&mut self, model: Option<Arc<dyn Model>>) {
        self.minds.guest = model.map(Mind::new);
    }

    /// Takes one request, makes one note, or hears one in advance. Realtime-safe.
    pub fn step(&mut self) -> Progress {
        if let Ok(request) = self.end.requests.pop() {
            self.take(request);
            return Progress::Worked;
        }
        if self.answer.is_some() && !self.end.replies.is_full() {
            self.play_next();
            return Progress::Worked;
        }
        if let Some(lull) = self.lull.filter(|_| !self.end.replies.is_full()) {
            self.expect(lull);
            return Progress::Worked;
        }
        if self.answer.is_none() && self.follow() {
            return Progress::Worked;
        }
        if self.end.requests.is_abandoned() { Progress::Closed } else { Progress::Idle }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Heard(note) => {
                self.memory.remember(note);
                self.lull = None;
            }
            Request::Sounding(note) if self.sounding.len() < OPEN_NOTES => self.sounding.push(note),
            Request::Sounding(_) => {}
            Request::Lull(lull) => {
                self.set_scene();
                self.lull = Some(lull);
            }
            Request::Answer { turn, from, length, wish } => self.begin(turn, from, from + length, wish),
            Request::Cancel(turn) => {
                self.answer.take_if(|answer| answer.turn == turn);
            }
            Request::Forget => {
                self.memory.clear();
                self.sounding.clear();
                self.lull = None;
                self.answer = None;
            }
        }
    }

    fn begin(&mut self, turn: TurnId, from: Moment, until: Moment, wish: Wish) {
        self.set_scene();
        self.lull = None;
        self.wish = Some(wish);
        let last_onset = Cell::of(self.scene.newest(1).first().map_or(from, |note| note.onset)).moment();
        let chance = Chance::seed_from_u64(u64::from(wish.seed));
        self.answer = Some(Answer { turn, until, wish, chance, last_onset, from });
    }

    /// The memory, and what sounds still as if it ended now.
    fn set_scene(&mut self) {
        self.scene.copy_from(&self.memory);
        self.sounding.drain(..).for_each(|note| self.scene.suppose(note));
    }

    /// Hears a note of the lull's scene that was not heard yet; where there is none, says when to take the floor.
    fn expect(&mut self, lull: Lull) {
        let mind = self.minds.of(lull.model);
        if mind.model.window().is_none() && mind.hear(&self.scene, lull.memory.into(), 1) > 0 {
            return;
        }
        self.lull = None;
        let silence = mind.model.expect(&mut mind.state).and_then(|expectation| {
            Signs::new(expectation, &self.scene, lull.since).hand_over(lull.lasted, lull.patience)
        });
        let hand_over = silence.map(|silence| lull.since + silence);
        let sent = self.end.replies.push(Reply::Expect { lull: lull.id, hand_over });
        debug_assert!(sent.is_ok(), "a lane that was not full takes a reply");
    }

    /// Hears a note that was not heard yet, so that an answer that begins now need not; false if there is none.
    fn follow(&mut self) -> bool {
        let (model, memory) = match self.wish {
            Some(wish) => (wish.model, wish.memory.into()),
            None => (0, LARGEST_MEMORY),
        };
        let mind = self.minds.of(model);
        // A window that slides is heard anew in any case.
        mind.model.window().is_none() && mind.hear(&self.memory, memory, 1) > 0
    }

    fn play_next(&mut self) {
        let Some(answer) = &mut self.answer else { return };
        let note = answer.next_note(self.minds.of(answer.wish.model), &self.scene);
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

impl Minds {
    /// The guest, or an embedded one.
    fn of(&mut self, model: u8) -> &mut Mind {
        let last = self.embedded.len() - 1;
        match &mut self.guest {
            Some(guest) => guest,
            None => &mut self.embedded[usize::from(model).min(last)],
        }
    }
}

impl Answer {
    fn next_note(&mut self, mind: &mut Mind, scene: &Memory) -> Note {
        let certain = (self.from - self.last_onset).max(Seconds::ZERO);
        let taste = Taste { temperature: self.wish.temperature, focus: FOCUS };
        mind.hear(scene, self.wish.memory.into(), usize::MAX);
        let drawn = mind.model.draw(&mut mind.state, &taste, certain, &mut self.chance);
        self.last_onset = self.last_onset + drawn.step.min(certain.max(LONGEST_STEP));
        let end = self.last_onset + drawn.duration.min(LONGEST_DURATION);
        let onset = self.last_onset.max(self.from);
        Note { onset, duration: end - onset, key: drawn.key, velocity: drawn.velocity }
    }

    /// After a note: where the next one may begin.
    fn follow(&mut self, note: Note, scene: &Memory) {
        let wall = scene.newest(WALL_NOTES);
        if wall.len() == WALL_NOTES && (note.onset - wall[0].onset).0 < WALL_SPAN.0 {
            self.from = wall[0].onset + WALL_SPAN;
        }
    }
}
