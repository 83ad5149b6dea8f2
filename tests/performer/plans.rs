//! Laws of plans: the notes that the worker has made are heard, however far ahead it is and however often it
//! replans.

use std::{collections::VecDeque, sync::Arc};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{ImproviserEnd, PerformerEnd, Reply, Request, lanes, lanes_of},
    model::{Limits, Model, Rng, SamplingSettings, State},
    music::{
        note::{GridNote, Key, Note, RelativeNote, Velocity},
        time::{Moment, SampleRate, Samples, Seconds},
        turn::{Rules, TurnId},
    },
    performer::{Partner, Past, Performer, Settings, Sound, Triggers},
    telemetry::Telemetry,
};
use proptest::prelude::*;

use crate::rig::{BEAT, Dice, ENTRY, RATE, SETTINGS, host, one_call, playing, transport_at};

const ENDLESS: Settings = Settings { rules: Rules::Endless { entry: ENTRY }, ..SETTINGS };
/// The length of a block in samples: 5 ms.
const BLOCK: u64 = 40;
/// Largest delay of a note in samples, 30 ms: a note that would be later is left out.
const STRAY: u64 = 240;

/// A model that plays a note at a fixed interval in seconds, each a key higher, and never runs out of keys.
struct Steady(f32);

impl Model for Steady {
    fn name(&self) -> &str {
        "steady"
    }

    fn window(&self) -> Option<usize> {
        Some(25)
    }

    fn initial_state(&self) -> State {
        State::of(0_f32)
    }

    fn reset(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn draw(&self, state: &mut State, _: &SamplingSettings, limits: &Limits, _: &mut Rng) -> RelativeNote {
        *state.own_mut::<f32>() = (*state.own_mut::<f32>() + 1.0) % 60.0;
        RelativeNote {
            step: limits.step(Seconds(self.0)),
            duration: Seconds(0.01),
            key: limits.keys.nearest(Key::saturating(30 + *state.own_mut::<f32>() as u8)).expect("a key"),
            velocity: Velocity::saturating(80),
        }
    }
}

/// A model whose notes depend on every note that it has heard.
pub struct Listener;

impl Model for Listener {
    fn name(&self) -> &str {
        "listener"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn initial_state(&self) -> State {
        State::of(0_f32)
    }

    fn reset(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        let heard = f32::from(note.key.number()) + f32::from(note.velocity.value());
        *state.own_mut::<f32>() = (*state.own_mut::<f32>() * 3.0 + heard) % 1_009.0;
    }

    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        rng: &mut Rng,
    ) -> RelativeNote {
        let drawn = Dice.draw(state, sampling, limits, rng);
        let key = Key::saturating(40 + (*state.own_mut::<f32>() as u32 % 40) as u8);
        RelativeNote { key: limits.keys.nearest(key).expect("a key"), ..drawn }
    }
}

/// How far ahead and how late a worker works.
#[derive(Debug, Clone, Copy)]
struct Worker {
    /// It plans no farther ahead than this.
    ahead: Seconds,
    /// Number of blocks after which a request reaches it, as if it were in the middle of a step.
    delay: u64,
}

impl Worker {
    const EAGER: Self = Self { ahead: Seconds::FOREVER, delay: 0 };
}

/// A relay between two pairs of lanes, which sees every note that is made.
struct Relay {
    improviser: Improviser,
    to_performer: ImproviserEnd,
    to_improviser: PerformerEnd,
    blocks: u64,
    /// Requests, each with the block by which it arrives.
    under_way: VecDeque<(u64, Request)>,
    made: Vec<(TurnId, Note)>,
    /// The moments from which on a plan was replaced or an answer cancelled.
    given_up: Vec<(TurnId, Moment)>,
}

impl Relay {
    fn new(model: Arc<dyn Model>, telemetry: &Arc<Telemetry>) -> (Self, PerformerEnd) {
        let (performer_end, to_performer) = lanes();
        let (to_improviser, improviser_end) = lanes_of(telemetry.clone());
        let improviser = Improviser::new(improviser_end, &[model]);
        let (made, given_up, under_way) = (Vec::new(), Vec::new(), VecDeque::new());
        let relay = Self { improviser, to_performer, to_improviser, blocks: 0, under_way, made, given_up };
        (relay, performer_end)
    }

    /// Works after a block that ends `now`. The improviser takes the requests that reach it and makes at most
    /// `steps` notes, none too far ahead. All that it has made arrives.
    fn work(&mut self, worker: Worker, steps: usize, now: Moment) {
        self.look_at_requests(worker.delay);
        let mut requests = 0;
        while let Some((_, request)) = self.under_way.pop_front_if(|(by, _)| *by <= self.blocks) {
            self.to_improviser.requests.push(request).expect("room");
            requests += 1;
        }
        self.blocks += 1;
        let until = now + worker.ahead;
        for step in 0..requests + steps {
            let is_ahead = self.made.last().is_some_and(|(_, note)| note.onset >= until);
            if step >= requests && is_ahead || self.improviser.step() != StepResult::Worked {
                break;
            }
            self.carry();
        }
    }

    fn look_at_requests(&mut self, delay: u64) {
        while let Ok(request) = self.to_performer.requests.pop() {
            let newest = self.made.last().map(|(turn, _)| *turn);
            match request {
                Request::Replan { turn, from, .. } => {
                    self.given_up.push((TurnId(turn.0.wrapping_sub(1)), from));
                }
                Request::Cancel { turn, .. } => self.given_up.push((turn, Moment::EARLIEST)),
                Request::Answer { .. } => {
                    newest.into_iter().for_each(|turn| self.given_up.push((turn, Moment::EARLIEST)));
                }
                _ => {}
            }
            self.under_way.push_back((self.blocks + delay, request));
        }
    }

    fn carry(&mut self) {
        while !self.to_performer.replies.is_full() {
            let Ok(reply) = self.to_improviser.replies.pop() else { break };
            if let Reply::Play { turn, note, .. } = reply {
                self.made.push((turn, note));
            }
            self.to_performer.replies.push(reply).expect("room");
        }
    }

    /// Whether a note was taken back, by the next plan or by a later one.
    fn took_back(&self, turn: TurnId, note: &Note) -> bool {
        self.given_up.iter().any(|(other, from)| *other >= turn && note.onset >= *from)
    }

    /// Notes that were planned for before the sample `end`, were not taken back, and yet have not sounded.
    fn ghosts(&self, heard: &[(u64, Sound)], end: u64) -> Vec<Note> {
        let is_ghost = |(turn, note): &&(TurnId, Note)| {
            let at = sample(note);
            let sounded = heard.iter().any(|(when, sound)| {
                matches!(sound, Sound::NoteOn(place, _) if place.key == note.key)
                    && when.abs_diff(at) <= STRAY
            });
            at + STRAY < end && !sounded && !self.took_back(*turn, note)
        };
        self.made.iter().filter(is_ghost).map(|(_, note)| *note).collect()
    }
}

/// Plays an endless answer until `beats`. The worker takes `steps` steps in each block, and the blocks in
/// `rolls` re-roll.
fn play(
    model: Arc<dyn Model>,
    worker: Worker,
    steps: impl Fn(u64) -> usize,
    rolls: &[u64],
    beats: u64,
) -> (Relay, Vec<(u64, Sound)>, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let (mut relay, performer_end) = Relay::new(model, &telemetry);
    let (rate, past) = (SampleRate(RATE), Past::default());
    let partner = Partner::Worker;
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), ENDLESS, past);
    let mut host = host(&one_call(), usize::MAX);
    while host.begin < beats * BEAT {
        let block = host.begin / BLOCK;
        let triggers = Triggers { re_roll: rolls.contains(&block), ..Triggers::NONE };
        host.end = host.begin + BLOCK;
        let transport = transport_at(&playing(), host.begin);
        performer.process(&transport, Samples(BLOCK), Settings { triggers, ..ENDLESS }, &mut host);
        host.begin = host.end;
        relay.work(worker, steps(block), Moment(host.begin as f64 / RATE));
    }
    (relay, host.heard, telemetry)
}

/// The sample for which a note is planned.
fn sample(note: &Note) -> u64 {
    (note.onset.0 * RATE).round() as u64
}

fn onsets(heard: &[(u64, Sound)]) -> Vec<u64> {
    heard.iter().filter(|(_, sound)| matches!(sound, Sound::NoteOn(..))).map(|(at, _)| *at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_note_that_was_made_and_not_taken_back_has_sounded(
        ahead in prop::sample::select(vec![0.01, 0.03, 0.05, 0.1, 0.5, f32::INFINITY]),
        delay in 0..3u64,
        steps in prop::collection::vec(0..4usize, 1..30),
        rolls in prop::collection::vec(200..900u64, 0..12),
    ) {
        let worker = Worker { ahead: Seconds(ahead), delay };
        let steps = |block: u64| steps[block as usize % steps.len()] + usize::from(block.is_multiple_of(4));
        let (relay, heard, telemetry) = play(Arc::new(Dice), worker, steps, &rolls, 10);
        let ghosts = relay.ghosts(&heard, heard.last().map_or(0, |(at, _)| *at));
        // A note that comes too late is left out and counted.
        prop_assert!(ghosts.len() <= telemetry.dropped.count() as usize, "{ghosts:?} are ghosts");
    }
}

#[test]
fn a_re_roll_leaves_no_hole_and_no_ghost_where_the_worker_is_hardly_ahead() {
    for (ahead, delay) in [0.01, 0.03, 0.05, 0.1].into_iter().flat_map(|ahead| [(ahead, 0), (ahead, 1)]) {
        let worker = Worker { ahead: Seconds(ahead), delay };
        for roll in (0..20).map(|shift| 4 * BEAT / BLOCK + shift) {
            let (relay, heard, _) = play(Arc::new(Steady(0.025)), worker, |_| 9, &[roll], 6);
            let around = |at: &u64| at.abs_diff(roll * BLOCK) < 2_000;
            let onsets: Vec<u64> = onsets(&heard).into_iter().filter(around).collect();
            let widest = onsets.windows(2).map(|pair| pair[1] - pair[0]).max().expect("notes");
            let hole = widest as f64 / 8.0;
            assert!(hole < 60.0, "a hole of {hole} ms, {worker:?}, re-rolled at {roll}");
            let ghosts = relay.ghosts(&heard, roll * BLOCK + 1_500);
            assert!(ghosts.is_empty(), "{ghosts:?} are ghosts, {worker:?}, re-rolled at {roll}");
        }
    }
}

#[test]
fn after_a_stall_of_the_worker_the_answer_goes_on_from_there_and_nothing_comes_in_a_clump() {
    let (from, until) = (4 * BEAT / BLOCK, 6 * BEAT / BLOCK);
    let stalled = |block: u64| if (from..until).contains(&block) { 0 } else { 8 };
    for ahead in [Seconds(0.03), Seconds(0.1), Seconds(0.5), Seconds::FOREVER] {
        let worker = Worker { ahead, delay: 0 };
        let (relay, heard, telemetry) = play(Arc::new(Steady(0.05)), worker, stalled, &[], 12);
        let onsets = onsets(&heard);
        let closest = onsets.windows(2).map(|pair| pair[1] - pair[0]).min().expect("notes");
        assert!(closest >= 150, "{worker:?}: two notes within {} ms", closest as f64 / 8.0);
        let last = onsets.last().copied().unwrap_or(0);
        assert!(last > 11 * BEAT, "{worker:?} plays on");
        // Notes that could not have come in time were not even made.
        let dropped = telemetry.dropped.count();
        assert_eq!(relay.ghosts(&heard, last).len(), dropped as usize, "{worker:?}");
        assert!(dropped <= 1, "{worker:?}: {dropped} notes were made in vain");
    }
}

#[test]
fn no_note_of_an_answer_is_planned_shorter_than_30_ms() {
    let (relay, _, _) = play(Arc::new(Steady(0.05)), Worker::EAGER, |_| 8, &[500, 600], 10);
    assert!(relay.made.len() > 50);
    assert!(relay.made.iter().all(|(_, note)| note.duration.0 >= 0.03));
}
