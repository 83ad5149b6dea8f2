//! Laws of the buttons that begin something anew: the memory and the chance.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    model::embedded,
    music::{
        note::Velocity,
        time::{SampleRate, Samples},
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound, Triggers},
};

use crate::{
    control::strikes,
    rig::{BEAT, Journey, RATE, SETTINGS, place, sounding_after, stage, transport_at},
};

const BLOCK: u64 = 500;
/// The second call comes so late that the answer to the first is over.
const SECOND: u64 = 40 * BEAT;
const END: u64 = 80 * BEAT;
const PRESSED: u64 = 30 * BEAT;
const BOTH: Triggers = Triggers { clear_memory: true, reset_seed: true, ..Triggers::NONE };

fn call(at: u64, keys: [u8; 3]) -> Vec<(u64, Gesture)> {
    let strike = |key| Gesture::KeyDown(place(key), Velocity::saturating(80));
    let notes = keys.iter().zip([0, BEAT / 2, BEAT]);
    notes
        .flat_map(|(&key, later)| {
            [(at + later, strike(key)), (at + later + BEAT / 2, Gesture::KeysUp(place(key).into()))]
        })
        .collect()
}

/// Renders while the transport stands still, by the quickest network, with switches that are down for one block.
fn render(score: &[(u64, Gesture)], pressed: impl Fn(u64) -> Triggers) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &embedded()[1..2])));
    let (rate, past) = (SampleRate(RATE), Past::default());
    let mut performer = Performer::new(rate, performer_end, partner, Arc::default(), SETTINGS, past);
    let mut stage = stage(score, usize::MAX);
    let stands_still: Journey = vec![(0, None)];
    while stage.begin < END {
        stage.end = stage.begin + BLOCK;
        let settings = Settings { triggers: pressed(stage.begin), ..SETTINGS };
        let transport = transport_at(&stands_still, stage.begin);
        performer.process(&transport, Samples(BLOCK), settings, &mut stage);
        stage.begin = stage.end;
    }
    assert_eq!(sounding_after(&stage.heard), vec![]);
    stage.heard
}

fn at(moment: u64, triggers: Triggers) -> impl Fn(u64) -> Triggers {
    move |now| if now == moment { triggers } else { Triggers::NONE }
}

fn after(heard: &[(u64, Sound)], moment: u64) -> Vec<(u64, Sound)> {
    heard.iter().copied().filter(|(at, _)| *at >= moment).collect()
}

fn two_calls() -> Vec<(u64, Gesture)> {
    [call(0, [50, 53, 57]), call(SECOND, [60, 64, 67])].concat()
}

#[test]
fn with_memory_and_chance_anew_the_answer_is_that_to_a_first_call() {
    let alone = render(&call(SECOND, [60, 64, 67]), |_| Triggers::NONE);
    let usual = after(&render(&two_calls(), |_| Triggers::NONE), SECOND);
    assert!(!alone.is_empty() && usual != alone);
    assert_eq!(after(&render(&two_calls(), at(PRESSED, BOTH)), SECOND), alone);
    for one in
        [Triggers { clear_memory: true, ..Triggers::NONE }, Triggers { reset_seed: true, ..Triggers::NONE }]
    {
        assert_ne!(after(&render(&two_calls(), at(PRESSED, one)), SECOND), alone, "one alone is not enough");
    }
}

#[test]
fn clearing_the_memory_ends_the_answer_at_once() {
    let clear = Triggers { clear_memory: true, ..Triggers::NONE };
    let score = call(0, [50, 53, 57]);
    let undisturbed = strikes(&render(&score, |_| Triggers::NONE));
    let (first, last) = (undisturbed[0].0, undisturbed[undisturbed.len() - 1].0);
    let during = (first + last) / 2 / BLOCK * BLOCK;
    assert!(first < during && during < last);
    let heard = render(&score, at(during, clear));
    assert!(!heard.is_empty() && heard.iter().all(|(at, _)| *at <= during));
}

#[test]
fn clearing_the_memory_in_a_silence_leaves_nothing_to_answer() {
    let clear = Triggers { clear_memory: true, ..Triggers::NONE };
    assert_eq!(render(&call(0, [50, 53, 57]), at(2 * BEAT, clear)), []);
}
