//! Laws of the hand-over: a model says when a silence would be the end of the call.

use std::sync::Arc;

use antiphon::{
    improviser::Signs,
    model::{Chance, Expectation, Limits, Model, State, Taste},
    music::{
        grid::GridNote,
        hearing::Pedal,
        memory::Memory,
        note::{Key, Note, RelativeNote, Velocity},
        patience::Patience,
        time::{Beats, Moment, SampleRate, Seconds},
        turn::{Cue, Entry, Length, Rules},
    },
    performer::{Gesture, Settings, Sound},
};
use proptest::prelude::*;

use crate::rig::{
    BEAT, ENTRY, RATE, SETTINGS, held_at, journeys, one_call, place, playing, render_with, scores, stage,
};

/// Expects what it is told to expect, and plays one note after the other.
struct Clock(Expectation);

impl Clock {
    /// Knows by when the next onset comes, within 1.28 s: exactly up to 0.64 s, then to 80 ms.
    fn by(seconds: f32) -> Self {
        let cell = (seconds * 100.0) as usize;
        let bin = if cell <= 64 { cell } else { 64 + (cell - 64) / 8 };
        let mut weights = [0.0; 113];
        weights[bin - 1] = 1.0;
        Self(Expectation::of(&weights))
    }

    /// Knows nothing.
    fn even() -> Self {
        Self(Expectation::of(&[1.0; 113]))
    }
}

impl Model for Clock {
    fn name(&self) -> &str {
        "clock"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        State::of(Vec::new())
    }

    fn forget(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn expect(&self, _: &mut State) -> Option<Expectation> {
        Some(self.0)
    }

    fn draw(&self, _: &mut State, _: &Taste, limits: &Limits, _: &mut Chance) -> RelativeNote {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        RelativeNote { step: limits.step(Seconds(0.1)), duration: Seconds(0.1), key, velocity }
    }
}

/// A player with time: the longest silence is 4 seconds.
fn settings(patience: f32) -> Settings {
    let entry = Entry { cue: Cue::Silence(Beats(8.0)), ..ENTRY };
    let rules = Rules::Answer { entry, length: Length::Call { longest: Beats(8.0) } };
    Settings { rules, patience: Patience::saturating(patience), ..SETTINGS }
}

fn played(score: &[(u64, Gesture)], clock: Clock, patience: f32) -> Vec<(u64, Sound)> {
    let stage = stage(score, usize::MAX);
    render_with(Arc::new(clock), stage, settings(patience), &playing(), &[512], 30 * BEAT)
}

fn first(heard: &[(u64, Sound)]) -> u64 {
    heard.first().expect("an answer").0
}

#[test]
fn the_plugin_takes_the_floor_on_the_sample_that_the_model_expects() {
    for expected in [0.2, 0.64, 0.8, 0.96] {
        let mut memory = Memory::new();
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(90));
        memory.remember(Note { onset: Moment(0.0), duration: Seconds(0.5), key, velocity });
        let signs = Signs::new(Clock::by(expected).0, &memory, Moment(0.5));
        let silence = signs.hand_over(Seconds::ZERO, Patience::DEFAULT).expect("an end");
        let sample = BEAT + SampleRate(RATE).samples(silence).0;
        let heard = played(&one_call(), Clock::by(expected), Patience::DEFAULT.part());
        assert_eq!(first(&heard), sample, "{expected} s");
    }
}

#[test]
fn what_the_model_expected_and_did_not_come_ends_the_call() {
    let first = |expected| first(&played(&one_call(), Clock::by(expected), 0.5));
    let due = SampleRate(RATE).samples(Seconds(0.88)).0;
    let soon = SampleRate(RATE).samples(Seconds(0.05)).0;
    assert!((due..due + soon).contains(&first(0.88)), "{}", first(0.88));
    assert!(first(0.2) < first(0.72) && first(0.72) < first(0.88));
}

#[test]
fn a_player_who_goes_on_in_time_keeps_the_floor() {
    let mut score = one_call();
    score.push((7_000, Gesture::KeyDown(place(62), Velocity::saturating(90))));
    score.push((9_000, Gesture::KeysUp(place(62).into())));
    assert!(first(&played(&score, Clock::by(0.88), 0.5)) > 9_000);
}

/// Twelve notes or triads, each `held` and then lifted for so many seconds.
fn slow(keys: &[u8], held: f32, lifted: f32) -> Vec<(u64, Gesture)> {
    let samples = |seconds| SampleRate(RATE).samples(Seconds(seconds)).0;
    let strike = |n: u64| n * (samples(held) + samples(lifted));
    let down = |at, key: u8| (at, Gesture::KeyDown(place(key), Velocity::saturating(90)));
    let up = |at, key: u8| (at, Gesture::KeysUp(place(key).into()));
    let chord = |n| {
        let downs = keys.iter().map(move |&key| down(strike(n), key));
        downs.chain(keys.iter().map(move |&key| up(strike(n) + samples(held), key)))
    };
    (0..12).flat_map(chord).collect()
}

#[test]
fn who_plays_slowly_is_not_interrupted_whatever_the_patience() {
    for (held, lifted) in [(1.85, 0.15), (2.35, 0.15), (2.85, 0.15), (3.85, 0.15), (4.0, 1.0)] {
        for keys in [&[60][..], &[60, 64, 67]] {
            let score = slow(keys, held, lifted);
            let last = score.last().expect("a release").0;
            for patience in [0.3, Patience::DEFAULT.part(), 0.92, 0.99] {
                let stage = stage(&score, usize::MAX);
                let clock = Arc::new(Clock::by(0.2));
                let heard =
                    render_with(clock, stage, settings(patience), &playing(), &[512], last + 10 * BEAT);
                assert!(first(&heard) > last, "{held} s held, {lifted} s lifted, at {patience}");
            }
        }
    }
}

#[test]
fn without_any_doubt_left_to_wait_for_the_longest_silence_ends_the_call() {
    assert_eq!(first(&played(&one_call(), Clock::by(0.88), 1.0)), 9 * BEAT);
}

#[test]
fn more_patience_never_takes_the_floor_earlier() {
    let onsets: Vec<u64> = (0..=10_u8)
        .map(|tenth| first(&played(&one_call(), Clock::by(0.88), f32::from(tenth) / 10.0)))
        .collect();
    assert!(onsets.is_sorted(), "{onsets:?}");
    assert!(onsets[0] < onsets[5] && onsets[5] < onsets[10], "{onsets:?}");
}

#[test]
fn a_pedal_that_comes_up_in_a_silence_ends_the_call_sooner() {
    let pedal = |at, pedal| (at, Gesture::Pedal { channel: 0, pedal });
    let mut down = one_call();
    down.insert(0, pedal(0, Pedal::Down));
    let mut up = down.clone();
    up.push(pedal(BEAT + 1_000, Pedal::Up));
    let first = |score: &[_]| first(&played(score, Clock::even(), 0.8));
    assert!(first(&up) >= BEAT + 1_000 && first(&up) < first(&down), "{} {}", first(&up), first(&down));
}

proptest! {
    #[test]
    fn every_partition_into_blocks_hands_over_alike(
        score in scores(),
        journey in journeys(),
        expected in 0.1f32..1.28,
        blocks in prop::collection::vec(1..5_000u64, 1..20),
    ) {
        let clock = Arc::new(Clock::by(expected));
        let render = |blocks: &[u64]| {
            render_with(clock.clone(), stage(&score, usize::MAX), settings(0.5), &journey, blocks, 60 * BEAT)
        };
        let whole = render(&[4_096]);
        prop_assert_eq!(&render(&blocks), &whole);
        for (at, sound) in whole {
            prop_assert!(!matches!(sound, Sound::NoteOn(..)) || held_at(&score, at) == 0);
        }
    }
}
