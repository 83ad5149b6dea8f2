//! An instance: its performer, and a worker that stalls now and then. Everything that passes the lanes is
//! logged.

use std::{collections::VecDeque, sync::Arc};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{ImproviserEnd, PerformerEnd, Reply, Request, lanes},
    music::{generation::GenerationSettings, note::Velocity, time::SampleRate, turn::TurnId},
    performer::{Partner, Past, Performer, Settings},
    telemetry::Telemetry,
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::{RATE, log::Log};
use crate::rig::Dice;

/// More turns than one activation ever has.
const TURNS: u32 = 1_000_000;

/// An instance: its performer and its worker.
pub struct Instance {
    pub performer: Performer,
    pub worker: Worker,
    telemetry: Arc<Telemetry>,
}

impl Instance {
    pub fn new(settings: Settings) -> Self {
        let telemetry = Arc::new(Telemetry::default());
        let (performer_end, improviser_end) = lanes();
        let performer = performer(performer_end, &telemetry, settings, Past::default());
        Self { performer, worker: Worker::new(improviser_end), telemetry }
    }

    /// Deactivates the plugin and activates it again.
    pub fn activated_anew(self, settings: Settings, log: &mut Log) -> Self {
        let Self { performer: left, worker, telemetry } = self;
        let past = left.leave();
        let (performer_end, improviser_end) = lanes();
        let worker = worker.activated_anew(improviser_end, log);
        log.activated_anew();
        let mut performer = performer(performer_end, &telemetry, settings, past);
        performer.reset();
        Self { performer, worker, telemetry }
    }
}

fn performer(end: PerformerEnd, telemetry: &Arc<Telemetry>, settings: Settings, past: Past) -> Performer {
    Performer::new(SampleRate(RATE), end, Partner::Worker, telemetry.clone(), settings, past)
}

/// Relays between the performer's lanes and the improviser's.
pub struct Worker {
    improviser: Improviser,
    /// The end at which the performer's requests come out, and replies to it go in.
    outside: ImproviserEnd,
    /// The end at which requests to the improviser go in, and its replies come out.
    inside: PerformerEnd,
    waiting: VecDeque<Request>,
    /// Samples until the worker wakes up; 0 while it is awake.
    asleep: u64,
    notes: u32,
    /// The newest settings that the improviser has. `drawn` has those of each reply that waits in its lane.
    generation: GenerationSettings,
    drawn: VecDeque<GenerationSettings>,
    /// Offset that makes turn ids unique: each activation counts them from 0 again.
    turns_before: u32,
}

impl Worker {
    pub fn new(outside: ImproviserEnd) -> Self {
        let (inside, end) = lanes();
        Self {
            improviser: Improviser::new(end, &[Arc::new(Dice), Arc::new(Dice)]),
            outside,
            inside,
            waiting: VecDeque::new(),
            asleep: 0,
            notes: 0,
            generation: GenerationSettings::DEFAULT,
            drawn: VecDeque::new(),
            turns_before: 0,
        }
    }

    /// The same worker at new lanes. It first takes the requests that are still in the old lane.
    pub fn activated_anew(mut self, outside: ImproviserEnd, log: &mut Log) -> Self {
        self.receive(log);
        for request in self.waiting.drain(..) {
            self.inside.requests.push(request).expect("a sleep is too short to fill the lane");
        }
        let (inside, end) = lanes();
        let improviser = self.improviser.resumed(end);
        let turns_before = self.turns_before + TURNS;
        Self { improviser, outside, inside, asleep: 0, drawn: VecDeque::new(), turns_before, ..self }
    }

    /// Works during a block of `frames` samples, unless it sleeps. Its replies arrive at `now`.
    pub fn work(&mut self, frames: u64, now: u64, log: &mut Log, rng: &mut Pcg32) {
        self.receive(log);
        self.asleep = self.asleep.saturating_sub(frames);
        if self.asleep == 0 && rng.random_bool(frames as f64 / RATE / 10.0) {
            self.asleep = (rng.random_range(0.0..1.5) * RATE) as u64;
        }
        if self.asleep > 0 {
            return;
        }
        self.improvise();
        self.relay(now, log);
    }

    fn receive(&mut self, log: &mut Log) {
        while let Ok(request) = self.outside.requests.pop() {
            log.request(self.counted_on(request));
            self.waiting.push_back(request);
        }
    }

    /// The request with a turn id that is unique in the session.
    fn counted_on(&self, mut request: Request) -> Request {
        if let Request::Answer { turn, .. } | Request::Replan { turn, .. } | Request::Cancel { turn, .. } =
            &mut request
        {
            turn.0 += self.turns_before;
        }
        request
    }

    /// Handles all requests, as far as there is room for the replies.
    fn improvise(&mut self) {
        while let Some(request) = self.waiting.pop_front() {
            if let Request::GenerationSettings(generation) = request {
                self.generation = generation;
            }
            // A step takes a request before it draws anything.
            self.inside.requests.push(request).expect("the improviser empties its lane");
            self.improviser.step();
        }
        while self.improviser.step() == StepResult::Worked {}
        self.drawn.resize(self.inside.replies.slots(), self.generation);
    }

    /// Passes replies on, and marks each note by its velocity, so that it can be identified when it sounds.
    fn relay(&mut self, now: u64, log: &mut Log) {
        while !self.outside.replies.is_full() {
            let Ok(mut reply) = self.inside.replies.pop() else { break };
            let generation = self.drawn.pop_front().expect("it was drawn");
            match &mut reply {
                Reply::Play { turn, note, .. } => {
                    note.velocity = Velocity::saturating((self.notes % 127) as u8 + 1);
                    self.notes += 1;
                    log.planned(TurnId(self.turns_before + turn.0), *note, generation, now);
                }
                Reply::Expect { hand_over, .. } => log.expected(*hand_over),
                Reply::Done(_) => {}
            }
            self.outside.replies.push(reply).expect("the lane was not full");
        }
    }
}
