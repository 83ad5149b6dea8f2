//! Laws of the hand-over: when a silence of the player is the end of the call.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    music::{
        generation::{Density, GenerationSettings},
        memory::Memory,
        note::{Key, Note, Velocity},
        note_tracker::Pedal,
        patience::{Patience, PhraseEnd},
        time::{BeatTime, Beats, Moment, SampleRate, Samples, Seconds, Tempo},
        timeline::Transport,
        turn::{Cue, Entry, Length, Rules},
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
};
use proptest::prelude::*;

use crate::{
    control::strikes,
    rig::{
        BEAT, Dice, ENTRY, RATE, SETTINGS, held_at, host, journeys, one_call, place, playing, render_with,
        scores,
    },
};

/// Settings for a player who is not in a hurry: the longest silence is 4 seconds.
fn settings(patience: f32) -> Settings {
    let entry = Entry { cue: Cue::Silence(Beats(8.0)), ..ENTRY };
    let rules = Rules::Answer { entry, length: Length::Call { longest: Beats(8.0) } };
    Settings { rules, patience: Patience::saturating(patience), ..SETTINGS }
}

fn played(score: &[(u64, Gesture)], patience: f32) -> Vec<(u64, Sound)> {
    let host = host(score, usize::MAX);
    render_with(Arc::new(Dice), host, settings(patience), &playing(), &[512], 30 * BEAT)
}

fn first(heard: &[(u64, Sound)]) -> u64 {
    heard.first().expect("an answer").0
}

#[test]
fn the_plugin_takes_the_floor_on_the_sample_on_which_patience_is_over() {
    let mut memory = Memory::new();
    let (key, velocity) = (Key::saturating(60), Velocity::saturating(90));
    memory.remember(Note { onset: Moment(0.0), duration: Seconds(0.5), key, velocity });
    for patience in [0.0, 0.5, 0.75, 0.9] {
        let rule = PhraseEnd::new(&memory, Moment(0.5));
        let silence = rule.hand_over(Seconds::ZERO, Patience::saturating(patience)).expect("an end");
        let sample = BEAT + SampleRate(RATE).samples(silence).0;
        assert_eq!(first(&played(&one_call(), patience)), sample, "at {patience}");
    }
}

#[test]
fn a_player_who_goes_on_in_time_keeps_the_floor() {
    let mut score = one_call();
    score.push((7_000, Gesture::KeyDown(place(62), Velocity::saturating(90))));
    score.push((9_000, Gesture::KeysUp(place(62).into())));
    assert!(first(&played(&score, 0.9)) > 9_000);
}

/// Twelve notes or triads, each held for `held` seconds and then released for `lifted` seconds.
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

/// Plays `calls` calls of one note, each `after` samples after the first note of the previous answer. Gives
/// how long the last call waits for its answer, in samples.
fn wait_of_last(calls: usize, after: u64) -> u64 {
    let (mut score, mut from) = (Vec::new(), 0);
    for _ in 0..calls - 1 {
        score.extend(call_at(from));
        from = first_after(&played(&score, 0.75), from) + after;
    }
    score.extend(call_at(from));
    first_after(&played(&score, 0.75), from) - from
}

fn call_at(from: u64) -> [(u64, Gesture); 2] {
    let down = Gesture::KeyDown(place(60), Velocity::saturating(90));
    [(from, down), (from + BEAT / 2, Gesture::KeysUp(place(60).into()))]
}

fn first_after(heard: &[(u64, Sound)], from: u64) -> u64 {
    let strikes = heard.iter().filter(|(at, sound)| *at > from && matches!(sound, Sound::NoteOn(..)));
    strikes.map(|(at, _)| *at).next().expect("an answer")
}

#[test]
fn who_overrides_the_plugin_is_waited_for_longer_and_who_lets_it_play_a_little_less() {
    let usual = wait_of_last(1, 0);
    let overridden = wait_of_last(2, BEAT / 4);
    let let_be = wait_of_last(2, 3 * BEAT);
    assert!(overridden * 10 > usual * 11 && overridden < usual * 2, "{usual}, then {overridden}");
    assert!(let_be < usual && let_be * 10 > usual * 9, "{usual}, then {let_be}");
}

#[test]
fn who_plays_slowly_is_not_interrupted_whatever_the_patience() {
    for (held, lifted) in [(1.85, 0.15), (2.35, 0.15), (2.85, 0.15), (3.85, 0.15), (4.0, 1.0)] {
        for keys in [&[60][..], &[60, 64, 67]] {
            let score = slow(keys, held, lifted);
            let last = score.last().expect("a release").0;
            for patience in [0.3, Patience::DEFAULT.part(), 0.92, 0.99] {
                let host = host(&score, usize::MAX);
                let heard = render_with(
                    Arc::new(Dice),
                    host,
                    settings(patience),
                    &playing(),
                    &[512],
                    last + 10 * BEAT,
                );
                assert!(first(&heard) > last, "{held} s held, {lifted} s lifted, at {patience}");
            }
        }
    }
}

#[test]
fn without_any_doubt_left_to_wait_for_the_longest_silence_ends_the_call() {
    assert_eq!(first(&played(&one_call(), 1.0)), 9 * BEAT);
}

#[test]
fn more_patience_never_takes_the_floor_earlier() {
    let onsets: Vec<u64> =
        (0..=10_u8).map(|tenth| first(&played(&one_call(), f32::from(tenth) / 10.0))).collect();
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
    let first = |score: &[_]| first(&played(score, 0.8));
    assert!(first(&up) >= BEAT + 1_000 && first(&up) < first(&down), "{} {}", first(&up), first(&down));
}

proptest! {
    #[test]
    fn every_partition_into_blocks_hands_over_alike(
        score in scores(),
        journey in journeys(),
        patience in 0f32..=1.0,
        blocks in prop::collection::vec(1..5_000u64, 1..20),
    ) {
        let render = |blocks: &[u64]| {
            render_with(Arc::new(Dice), host(&score, usize::MAX), settings(patience), &journey, blocks, 60 * BEAT)
        };
        let whole = render(&[4_096]);
        prop_assert_eq!(&render(&blocks), &whole);
        for (at, sound) in whole {
            prop_assert!(!matches!(sound, Sound::NoteOn(..)) || held_at(&score, at) == 0);
        }
    }
}

const SECOND: u64 = RATE as u64;
const BLOCK: u64 = 100;

/// The output of `seconds` in which the host's tempo goes from 60 to 240 beats per minute at the sample `rise`.
fn render(score: &[(u64, Gesture)], settings: Settings, rise: u64, seconds: u64) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, partner, Arc::default(), settings, Past::default());
    let mut host = host(score, usize::MAX);
    let mut beat = 0.0;
    while host.begin < seconds * SECOND {
        let tempo = if host.begin < rise { 60.0 } else { 240.0 };
        let position = Some(BeatTime(beat));
        let transport =
            Transport { playing: true, tempo: Tempo::new(tempo), position, ..Transport::default() };
        host.end = host.begin + BLOCK;
        performer.process(&transport, Samples(BLOCK), settings, &mut host);
        host.begin = host.end;
        beat += tempo / 60.0 / RATE * BLOCK as f64;
    }
    host.heard
}

#[test]
fn who_plays_along_is_no_denser_after_a_strike_than_asked_for_where_the_tempo_has_risen() {
    let generation = GenerationSettings { density: Density::per_second(1.0), ..GenerationSettings::DEFAULT };
    let settings = Settings { rules: Rules::Together { longest: Beats(64.0) }, generation, ..SETTINGS };
    let rise = 4 * SECOND;
    // A strike may fall on any moment of the second after the rise.
    for strike in (0..20).map(|n| rise + n * SECOND / 20) {
        let down = |at| (at, Gesture::KeyDown(place(40), Velocity::saturating(90)));
        let up = |at| (at, Gesture::KeysUp(place(40).into()));
        let score = [down(0), up(SECOND / 10), down(strike), up(strike + SECOND / 10)];
        let heard = strikes(&render(&score, settings, rise, 10));
        let onsets: Vec<u64> = heard.into_iter().map(|(at, ..)| at).collect();
        let after = onsets.partition_point(|at| *at <= strike);
        assert!((1..onsets.len()).contains(&after), "it plays before and after {strike}: {onsets:?}");
        // One sample is allowed for rounding.
        let gaps = onsets[after - 1..].windows(2).map(|pair| pair[1] - pair[0] + 1);
        assert!(gaps.into_iter().all(|gap| gap >= SECOND), "a strike at {strike}: {onsets:?}");
    }
}
