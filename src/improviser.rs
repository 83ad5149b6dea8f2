//! The worker's mind: hears what is heard, and makes an answer note by note.

mod answer;
mod crowd;
mod mind;
mod voices;

use std::sync::Arc;

use self::{
    answer::{Answer, Task},
    mind::Mind,
};
use crate::{
    lane::{Ending, ImproviserEnd, Reply, Request},
    model::Model,
    music::{hands::Berth, manner::Manner, memory::Memory},
};

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
    manner: Manner,
    answer: Option<Answer>,
    /// The memory with the answer so far.
    scene: Memory,
    /// What the next answer leaves to the player.
    berth: Berth,
}

/// Who may answer.
struct Minds {
    embedded: Vec<Mind>,
    /// The model of the player's own file; it goes before the embedded ones.
    guest: Option<Mind>,
}

impl Improviser {
    /// `models` are the embedded ones in the order of [`Manner::model`]; at least one. Allocates.
    pub fn new(end: ImproviserEnd, models: &[Arc<dyn Model>]) -> Self {
        assert!(!models.is_empty(), "an improviser has a model");
        let minds = Minds { embedded: models.iter().cloned().map(Mind::new).collect(), guest: None };
        Self {
            end,
            minds,
            memory: Memory::new(),
            manner: Manner::DEFAULT,
            answer: None,
            scene: Memory::new(),
            berth: Berth::default(),
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
        let is_answering = self.answer.as_ref().is_some_and(|answer| !answer.is_complete());
        if is_answering && !self.end.replies.is_full() {
            self.play_next();
            return Progress::Worked;
        }
        if !is_answering && self.follow() {
            return Progress::Worked;
        }
        if self.end.requests.is_abandoned() { Progress::Closed } else { Progress::Idle }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Heard(note) => self.memory.remember(note),
            Request::Manner(manner) => self.manner = manner,
            Request::Answer { turn, from, length, seed, touch, ending } => {
                let berth = std::mem::take(&mut self.berth);
                self.begin(Task { turn, from, until: from + length, seed, touch, ending, berth });
            }
            Request::Again { turn, from, length, seed, touch } => {
                let (ending, berth) = (Ending::Full, Berth::default());
                self.go_on(Task { turn, from, until: from + length, seed, touch, ending, berth });
            }
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

    fn begin(&mut self, task: Task) {
        self.scene.copy_from(&self.memory);
        self.answer = Some(Answer::new(task, &self.scene));
    }

    fn go_on(&mut self, task: Task) {
        match &self.answer {
            Some(answer) => {
                self.scene.take_back(task.from);
                self.answer = Some(answer.again(task, &self.scene, &self.manner));
            }
            None => self.begin(task),
        }
    }

    /// Hears a note that was not heard yet, so that an answer that begins now need not; false if there is none.
    fn follow(&mut self) -> bool {
        let mind = self.minds.of(self.manner.model);
        // A window that slides is heard anew in any case.
        mind.model.window().is_none() && mind.hear(&self.memory, self.manner.memory.into(), 1) > 0
    }

    fn play_next(&mut self) {
        let Self { end, minds, manner, answer: Some(answer), scene, .. } = self else { return };
        let turn = answer.turn;
        let reply = match answer.next_note(minds.of(manner.model), scene, manner) {
            Some(note) => Reply::Play { turn, note },
            None => Reply::Done(turn),
        };
        let sent = end.replies.push(reply);
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
