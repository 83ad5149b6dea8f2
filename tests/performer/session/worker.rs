//! A worker that stalls now and then, with somebody at the lanes who writes down what passes.

use std::{collections::VecDeque, sync::Arc};

use antiphon::{
    improviser::{Improviser, Progress},
    lane::{ImproviserEnd, PerformerEnd, Reply, Request},
    music::{generation::GenerationSettings, note::Velocity},
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::{RATE, log::Log};
use crate::rig::Dice;

/// Relays between the performer's lanes and the improviser's.
pub struct Worker {
    improviser: Improviser,
    /// Where the performer's requests come out and its replies go in.
    outside: ImproviserEnd,
    /// Where the improviser's lanes are fed.
    inside: PerformerEnd,
    waiting: VecDeque<Request>,
    /// Samples until it wakes up.
    asleep: u64,
    notes: u32,
    /// What the improviser was told last, and when it drew what waits in its lane.
    generation: GenerationSettings,
    drawn: VecDeque<GenerationSettings>,
}

impl Worker {
    pub fn new(outside: ImproviserEnd, inside: PerformerEnd, end: ImproviserEnd) -> Self {
        let improviser = Improviser::new(end, &[Arc::new(Dice), Arc::new(Dice)]);
        Self {
            improviser,
            outside,
            inside,
            waiting: VecDeque::new(),
            asleep: 0,
            notes: 0,
            generation: GenerationSettings::DEFAULT,
            drawn: VecDeque::new(),
        }
    }

    /// Works while a block of so many samples is played, unless it sleeps; replies are there at `now`.
    pub fn work(&mut self, frames: u64, now: u64, log: &mut Log, chance: &mut Pcg32) {
        while let Ok(request) = self.outside.requests.pop() {
            log.request(request);
            self.waiting.push_back(request);
        }
        self.asleep = self.asleep.saturating_sub(frames);
        if self.asleep == 0 && chance.random_bool(frames as f64 / RATE / 10.0) {
            self.asleep = (chance.random_range(0.0..1.5) * RATE) as u64;
        }
        if self.asleep > 0 {
            return;
        }
        while let Some(request) = self.waiting.pop_front() {
            if let Request::GenerationSettings(generation) = request {
                self.generation = generation;
            }
            // A step takes a request before it draws anything.
            self.inside.requests.push(request).expect("the improviser empties its lane");
            self.improviser.step();
        }
        while self.improviser.step() == Progress::Worked {}
        self.drawn.resize(self.inside.replies.slots(), self.generation);
        self.relay(now, log);
    }

    /// Marks each note by its velocity, so that it is known again when it sounds.
    fn relay(&mut self, now: u64, log: &mut Log) {
        while !self.outside.replies.is_full() {
            let Ok(mut reply) = self.inside.replies.pop() else { break };
            let generation = self.drawn.pop_front().expect("it was drawn");
            match &mut reply {
                Reply::Play { turn, note, .. } => {
                    note.velocity = Velocity::saturating((self.notes % 127) as u8 + 1);
                    self.notes += 1;
                    log.planned(*turn, *note, generation, now);
                }
                Reply::Expect { hand_over, .. } => log.expected(*hand_over),
                Reply::Done(_) => {}
            }
            self.outside.replies.push(reply).expect("the lane was not full");
        }
    }
}
