//! Laws of a worker that fails: the player hears silence at worst, and is answered again.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::lanes_of,
    model::{Limits, Model, Rng, SamplingSettings, State},
    music::{
        note::{GridNote, RelativeNote},
        time::{SampleRate, Samples},
    },
    performer::{Gesture, Partner, Past, Performer, Sound},
    telemetry::Telemetry,
};

use crate::rig::{
    BEAT, Dice, RATE, SETTINGS, TestHost, host, one_call, place, playing, render_with, sounding_after,
    transport_at,
};

/// The sample at which the second call begins.
const AGAIN: u64 = 24 * BEAT;
const END: u64 = 48 * BEAT;

/// Draws like [`Dice`], but panics at some draws, which are counted from 0.
struct Stumbling {
    drawn: AtomicU32,
    panics: fn(u32) -> bool,
}

impl Stumbling {
    fn model(panics: fn(u32) -> bool) -> Arc<dyn Model> {
        Arc::new(Self { drawn: AtomicU32::new(0), panics })
    }
}

impl Model for Stumbling {
    fn name(&self) -> &str {
        "stumbling"
    }

    fn window(&self) -> Option<usize> {
        Dice.window()
    }

    fn initial_state(&self) -> State {
        Dice.initial_state()
    }

    fn reset(&self, state: &mut State) {
        Dice.reset(state);
    }

    fn hear(&self, state: &mut State, note: GridNote) {
        Dice.hear(state, note);
    }

    fn draw(
        &self,
        state: &mut State,
        sampling: &SamplingSettings,
        limits: &Limits,
        rng: &mut Rng,
    ) -> RelativeNote {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        assert!(!(self.panics)(drawn), "draw {drawn} fails, as is wanted");
        Dice.draw(state, sampling, limits, rng)
    }
}

fn two_calls() -> Vec<(u64, Gesture)> {
    let [down, up] = one_call()[..] else { panic!("a strike and a release") };
    vec![down, up, (AGAIN, down.1), (AGAIN + BEAT, Gesture::KeysUp(place(60).into()))]
}

fn strikes(heard: &[(u64, Sound)], from: u64, to: u64) -> usize {
    let is_strike =
        |(at, sound): &&(u64, Sound)| matches!(sound, Sound::NoteOn(..)) && (from..to).contains(at);
    heard.iter().filter(is_strike).count()
}

fn answers_with(panics: fn(u32) -> bool) -> Vec<(u64, Sound)> {
    let host = host(&two_calls(), usize::MAX);
    render_with(Stumbling::model(panics), host, SETTINGS, &playing(), &[512], END)
}

#[test]
fn a_panic_within_an_answer_ends_it_and_the_next_call_is_answered() {
    let heard = answers_with(|draw| draw == 3);
    assert_eq!(sounding_after(&heard), vec![]);
    assert_eq!(strikes(&heard, 0, AGAIN), 3, "what was drawn before the fault sounds");
    assert!(strikes(&heard, AGAIN, END) > 0, "the second call is not answered");
}

#[test]
fn a_worker_that_always_fails_leaves_silence_and_nothing_hanging() {
    assert_eq!(answers_with(|_| true), vec![]);
}

#[test]
fn faults_are_counted() {
    let telemetry = Arc::new(Telemetry::default());
    let (performer_end, improviser_end) = lanes_of(telemetry.clone());
    let partner =
        Partner::Inline(Box::new(Improviser::new(improviser_end, &[Stumbling::model(|draw| draw == 0)])));
    let (rate, past) = (SampleRate(RATE), Past::default());
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), SETTINGS, past);
    let mut host = host(&one_call(), usize::MAX);
    host.end = END;
    performer.process(&transport_at(&playing(), 0), Samples(END), SETTINGS, &mut host);
    assert_eq!((telemetry.faults.count(), host.heard.len()), (1, 0));
}

/// Plays two calls in real blocks. The worker stands still until the sample `until`.
fn stalled(until: u64) -> (TestHost, Arc<Telemetry>) {
    const BLOCK: u64 = 80;
    let telemetry = Arc::new(Telemetry::default());
    let (performer_end, improviser_end) = lanes_of(telemetry.clone());
    let mut improviser = Improviser::new(improviser_end, &[Arc::new(Dice)]);
    let (rate, past, partner) = (SampleRate(RATE), Past::default(), Partner::Worker);
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), SETTINGS, past);
    let mut host = host(&two_calls(), usize::MAX);
    while host.begin < END {
        host.end = host.begin + BLOCK;
        performer.process(&transport_at(&playing(), host.begin), Samples(BLOCK), SETTINGS, &mut host);
        host.begin = host.end;
        while host.begin >= until && improviser.step() == StepResult::Worked {}
    }
    (host, telemetry)
}

#[test]
fn a_worker_that_stands_still_for_10_ms_to_10_s_delays_silences_and_then_answers() {
    const MILLISECOND: u64 = RATE as u64 / 1_000;
    const STALLS: [u64; 6] = [10, 100, 1_000, 1_500, 3_000, 10_000];
    for stall in STALLS {
        let (host, telemetry) = stalled(stall * MILLISECOND);
        assert_eq!(sounding_after(&host.heard), vec![], "{stall} ms");
        assert!(strikes(&host.heard, AGAIN, END) > 0, "{stall} ms: the second call is not answered");
        assert_eq!(telemetry.unsent.count(), 0, "{stall} ms: the lane holds what the player does meanwhile");
    }
    println!("proved: {} stalls survived", STALLS.len());
}

#[test]
fn a_worker_that_never_wakes_up_fills_the_lane_and_nothing_else_happens() {
    let (host, _) = stalled(u64::MAX);
    assert_eq!(host.heard, vec![]);
}
