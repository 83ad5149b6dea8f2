//! The worker's mind: hears what is heard, and makes an answer note by note.

mod mind;

use std::sync::Arc;

use rand::SeedableRng;

use self::mind::Mind;
use crate::{
    lane::{Ending, ImproviserEnd, Reply, Request, Wish},
    model::{Chance, Model, Taste},
    music::{
        grid::Cell,
        hands::Berth,
        memory::{LARGEST_MEMORY, Memory},
        note::{Note, RelativeNote},
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

/// A silence that ends a phrase: so real performances are cut too.
const PHRASE_END: Seconds = Seconds(2.0);
/// So often a note is drawn again that would get in the player's way; then there is a rest instead.
const DRAWS: usize = 12;
const REST_INSTEAD: Seconds = Seconds(0.1);

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
    /// The memory with the answer so far.
    scene: Memory,
    /// How the last answer was wished for, as the next one probably will be.
    wish: Option<Wish>,
    /// What the next answer leaves to the player.
    berth: Berth,
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
    berth: Berth,
    chance: Chance,
    /// Of the call or the answer: where the next step begins.
    last_onset: Moment,
    /// No note may begin earlier: the hand-over, the end of a wall, or what is left to the player.
    from: Moment,
    /// A note has been made.
    begun: bool,
}

/// What comes next in an answer.
enum Next {
    Note(Note),
    Rest,
    End,
}

impl Improviser {
    /// `models` are the embedded ones in the order of [`Wish::model`]; at least one. Allocates.
    pub fn new(end: ImproviserEnd, models: &[Arc<dyn Model>]) -> Self {
        assert!(!models.is_empty(), "an improviser has a model");
        let minds = Minds { embedded: models.iter().cloned().map(Mind::new).collect(), guest: None };
        let (memory, scene) = (Memory::new(), Memory::new());
        Self { end, minds, memory, answer: None, scene, wish: None, berth: Berth::default() }
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
        if self.answer.is_none() && self.follow() {
            return Progress::Worked;
        }
        if self.end.requests.is_abandoned() { Progress::Closed } else { Progress::Idle }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Heard(note) => self.memory.remember(note),
            Request::Answer { turn, from, length, wish } => self.begin(turn, from, from + length, wish),
            Request::Avoid(berth) => self.berth = berth,
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
        self.wish = Some(wish);
        let last_onset = Cell::of(self.scene.newest(1).first().map_or(from, |note| note.onset)).moment();
        let chance = Chance::seed_from_u64(u64::from(wish.seed));
        let berth = std::mem::take(&mut self.berth);
        self.answer = Some(Answer { turn, until, wish, berth, chance, last_onset, from, begun: false });
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
        let turn = answer.turn;
        let reply = match answer.next(self.minds.of(answer.wish.model), &self.scene) {
            Next::Rest => return,
            Next::Note(note) if note.onset < answer.until => {
                self.scene.remember(note);
                answer.follow(note, &self.scene);
                Reply::Play { turn, note }
            }
            Next::Note(_) | Next::End => {
                self.answer = None;
                Reply::Done(turn)
            }
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
    fn next(&mut self, mind: &mut Mind, scene: &Memory) -> Next {
        let certain = (self.from - self.last_onset).max(Seconds::ZERO);
        mind.hear(scene, self.wish.memory.into(), usize::MAX);
        let Some(drawn) = self.draw(mind, certain) else {
            self.from = self.last_onset + certain + REST_INSTEAD;
            return if self.from < self.until { Next::Rest } else { Next::End };
        };
        if self.begun && self.wish.ending == Ending::Phrase && drawn.step.0 >= PHRASE_END.0 {
            return Next::End;
        }
        self.begun = true;
        self.last_onset = self.last_onset + drawn.step.min(certain.max(LONGEST_STEP));
        let end = self.last_onset + drawn.duration.min(LONGEST_DURATION);
        let onset = self.last_onset.max(self.from);
        Next::Note(Note { onset, duration: end - onset, key: drawn.key, velocity: drawn.velocity })
    }

    /// A note that leaves the player's keys alone, if one comes up.
    fn draw(&mut self, mind: &mut Mind, certain: Seconds) -> Option<RelativeNote> {
        let taste = Taste { temperature: self.wish.temperature, focus: FOCUS };
        let mut draw = || mind.model.draw(&mut mind.state, &taste, certain, &mut self.chance);
        (0..DRAWS).map(|_| draw()).find(|drawn| !self.berth.keys.contains(drawn.key))
    }

    /// After a note: where the next one may begin.
    fn follow(&mut self, note: Note, scene: &Memory) {
        let wall = scene.newest(WALL_NOTES);
        if wall.len() == WALL_NOTES && (note.onset - wall[0].onset).0 < WALL_SPAN.0 {
            self.from = wall[0].onset + WALL_SPAN;
        }
        if self.berth.spacing.0 > 0.0 {
            self.from = self.from.max(note.onset + self.berth.spacing);
        }
    }
}
