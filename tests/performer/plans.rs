//! Laws of plans: what the worker has made is what is heard, however far it is ahead and however often it is asked anew.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, Progress},
    lane::{ImproviserEnd, PerformerEnd, Reply, Request, Telemetry, lanes, lanes_of},
    model::{Chance, Limits, Model, SamplingSettings, State},
    music::{
        grid::GridNote,
        note::{Key, Note, RelativeNote, Velocity},
        time::{Moment, SampleRate, Samples, Seconds},
        turn::{Rules, TurnId},
    },
    performer::{Partner, Past, Performer, Settings, Sound, Triggers},
};
use proptest::prelude::*;

use crate::rig::{BEAT, Dice, ENTRY, RATE, SETTINGS, one_call, playing, stage, transport_at};

const ENDLESS: Settings = Settings { rules: Rules::Endless { entry: ENTRY }, ..SETTINGS };
/// 5 ms.
const BLOCK: u64 = 40;

/// Plays a note every so often, each a key higher, and is never out of keys.
struct Steady(f32);

impl Model for Steady {
    fn name(&self) -> &str {
        "steady"
    }

    fn window(&self) -> Option<usize> {
        Some(25)
    }

    fn silence(&self) -> State {
        State::of(0_f32)
    }

    fn forget(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn draw(&self, state: &mut State, _: &SamplingSettings, limits: &Limits, _: &mut Chance) -> RelativeNote {
        *state.own_mut::<f32>() = (*state.own_mut::<f32>() + 1.0) % 60.0;
        RelativeNote {
            step: limits.step(Seconds(self.0)),
            duration: Seconds(0.01),
            key: limits.keys.nearest(Key::saturating(30 + *state.own_mut::<f32>() as u8)).expect("a key"),
            velocity: Velocity::saturating(80),
        }
    }
}

/// What it plays hangs on every note that it has heard.
pub struct Listener;

impl Model for Listener {
    fn name(&self) -> &str {
        "listener"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        State::of(0_f32)
    }

    fn forget(&self, state: &mut State) {
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
        chance: &mut Chance,
    ) -> RelativeNote {
        let drawn = Dice.draw(state, sampling, limits, chance);
        let key = Key::saturating(40 + (*state.own_mut::<f32>() as u32 % 40) as u8);
        RelativeNote { key: limits.keys.nearest(key).expect("a key"), ..drawn }
    }
}

/// Two pairs of lanes with somebody between, who sees all that is made.
struct Relay {
    improviser: Improviser,
    to_performer: ImproviserEnd,
    to_improviser: PerformerEnd,
    made: Vec<(TurnId, Note)>,
    /// From when on a plan was given up, or an answer cancelled.
    given_up: Vec<(TurnId, Moment)>,
}

impl Relay {
    fn new(model: Arc<dyn Model>, telemetry: &Arc<Telemetry>) -> (Self, PerformerEnd) {
        let (performer_end, to_performer) = lanes();
        let (to_improviser, improviser_end) = lanes_of(telemetry.clone());
        let improviser = Improviser::new(improviser_end, &[model]);
        (
            Self { improviser, to_performer, to_improviser, made: Vec::new(), given_up: Vec::new() },
            performer_end,
        )
    }

    /// The improviser takes all requests, makes up to so many notes and none beyond a moment, and all that it has made
    /// arrives.
    fn work(&mut self, steps: usize, until: Moment) {
        let mut requests = 0;
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
            self.to_improviser.requests.push(request).expect("room");
            requests += 1;
        }
        for step in 0..requests + steps {
            let is_ahead = self.made.last().is_some_and(|(_, note)| note.onset >= until);
            if step >= requests && is_ahead || self.improviser.step() != Progress::Worked {
                break;
            }
            self.carry();
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

    /// Whether a note was taken back, by its own plan's successor or by a later one.
    fn took_back(&self, turn: TurnId, note: &Note) -> bool {
        self.given_up.iter().any(|(other, from)| *other >= turn && note.onset >= *from)
    }
}

/// Plays an endless answer with a worker that takes so many steps a block and plans no further than `ahead`, until `beats`;
/// re-rolls at these blocks.
fn play(
    model: Arc<dyn Model>,
    ahead: Seconds,
    steps: impl Fn(u64) -> usize,
    rolls: &[u64],
    beats: u64,
) -> (Relay, Vec<(u64, Sound)>, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let (mut relay, performer_end) = Relay::new(model, &telemetry);
    let (rate, past) = (SampleRate(RATE), Past::default());
    let partner = Partner::Worker;
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), ENDLESS, past);
    let mut stage = stage(&one_call(), usize::MAX);
    while stage.begin < beats * BEAT {
        let block = stage.begin / BLOCK;
        let triggers = Triggers { re_roll: rolls.contains(&block), ..Triggers::NONE };
        stage.end = stage.begin + BLOCK;
        let transport = transport_at(&playing(), stage.begin);
        performer.process(&transport, Samples(BLOCK), Settings { triggers, ..ENDLESS }, &mut stage);
        stage.begin = stage.end;
        relay.work(steps(block), Moment(stage.begin as f64 / RATE) + ahead);
    }
    (relay, stage.heard, telemetry)
}

fn onsets(heard: &[(u64, Sound)]) -> Vec<u64> {
    heard.iter().filter(|(_, sound)| matches!(sound, Sound::NoteOn(..))).map(|(at, _)| *at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_note_that_was_made_and_not_taken_back_has_sounded(
        steps in prop::collection::vec(0..4usize, 1..30),
        rolls in prop::collection::vec(200..900u64, 0..12),
    ) {
        // Never so slow that a note is late.
        let ahead = |block: u64| steps[block as usize % steps.len()] + usize::from(block.is_multiple_of(4));
        let (relay, heard, telemetry) = play(Arc::new(Dice), Seconds::FOREVER, ahead, &rolls, 10);
        let end = heard.last().map_or(0, |(at, _)| *at);
        for (turn, note) in &relay.made {
            let at = (note.onset.0 * RATE).round() as u64;
            let sounded = heard.iter().any(|(when, sound)| {
                matches!(sound, Sound::NoteOn(place, _) if place.key == note.key) && when.abs_diff(at) <= BLOCK * 6
            });
            let is_due = at + BLOCK * 6 < end;
            prop_assert!(
                !is_due || sounded || relay.took_back(*turn, note) || telemetry.dropped.count() > 0,
                "{:?} of {:?} is a ghost", note, turn
            );
        }
    }
}

#[test]
fn a_re_roll_leaves_no_hole_and_no_ghost_where_the_worker_is_hardly_ahead() {
    let roll = 4 * BEAT / BLOCK;
    let (relay, heard, _) = play(Arc::new(Steady(0.025)), Seconds(0.03), |_| 9, &[roll], 6);
    let onsets = onsets(&heard);
    let around: Vec<u64> = onsets.into_iter().filter(|at| at.abs_diff(roll * BLOCK) < 2_000).collect();
    let widest = around.windows(2).map(|pair| pair[1] - pair[0]).max().expect("notes");
    assert!(widest < 480, "a hole of {} ms", widest as f64 / 8.0);
    let sounded = |note: &Note| {
        let at = (note.onset.0 * RATE).round() as u64;
        around.iter().any(|when| when.abs_diff(at) <= 250)
    };
    let near = |note: &&(TurnId, Note)| (note.1.onset.0 * RATE - (roll * BLOCK) as f64).abs() < 1_500.0;
    for (turn, note) in relay.made.iter().filter(near) {
        assert!(sounded(note) || relay.took_back(*turn, note), "{note:?} is a ghost");
    }
}

#[test]
fn after_a_stall_of_the_worker_the_answer_goes_on_from_there_and_nothing_comes_in_a_clump() {
    let (from, until) = (4 * BEAT / BLOCK, 6 * BEAT / BLOCK);
    let stalled = |block: u64| if (from..until).contains(&block) { 0 } else { 8 };
    let (relay, heard, telemetry) = play(Arc::new(Steady(0.05)), Seconds::FOREVER, stalled, &[], 12);
    let onsets = onsets(&heard);
    let closest = onsets.windows(2).map(|pair| pair[1] - pair[0]).min().expect("notes");
    assert!(closest >= 150, "two notes within {} ms", closest as f64 / 8.0);
    let last = onsets.last().copied().unwrap_or(0);
    assert!(last > 11 * BEAT, "it plays on");
    // What could not come in time was not even made.
    let late = relay.made.iter().filter(|(_, note)| {
        let at = (note.onset.0 * RATE).round() as u64;
        !onsets.iter().any(|when| when.abs_diff(at) <= 250) && at < last
    });
    assert_eq!(late.count(), telemetry.dropped.count() as usize);
    assert!(telemetry.dropped.count() <= 1, "{} notes were made in vain", telemetry.dropped.count());
}

#[test]
fn no_note_of_an_answer_is_planned_shorter_than_30_ms() {
    let (relay, _, _) = play(Arc::new(Steady(0.05)), Seconds::FOREVER, |_| 8, &[500, 600], 10);
    assert!(relay.made.len() > 50);
    assert!(relay.made.iter().all(|(_, note)| note.duration.0 >= 0.03));
}
