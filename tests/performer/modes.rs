//! Laws of every mode, and laws of each mode alone.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        note::{Key, Velocity},
        time::Beats,
        turn::{Alignment, Cue, Entry, Foot, Length, Rules},
    },
    performer::{Gesture, Settings, Sound},
};
use proptest::prelude::*;

use crate::rig::{
    BEAT, ENTRY, Journey, SETTINGS, held_keys_at, host, journeys, one_call, place, playing, render_for,
    scores, sounding_after,
};

const TAKE: u64 = 60 * BEAT;
const TWO: NonZeroU8 = NonZeroU8::new(2).expect("not nought");
const TOGETHER: Rules = Rules::Together { longest: Beats(8.0) };

pub fn modes() -> impl Strategy<Value = Rules> {
    let cue = prop::sample::select(vec![
        Cue::Silence(Beats(0.5)),
        Cue::Key(Key::saturating(45)),
        Cue::Controller(64),
        Cue::Pedal(Foot::Soft),
    ]);
    let alignment = prop::sample::select(vec![Alignment::Off, Alignment::Beat, Alignment::Bar]);
    let entry = (cue, alignment).prop_map(|(cue, alignment)| Entry { cue, alignment });
    let length = prop::sample::select(vec![
        Length::Call { longest: Beats(8.0) },
        Length::Bars(TWO),
        Length::Phrase { longest: Beats(12.0) },
    ]);
    prop_oneof![
        (entry.clone(), length).prop_map(|(entry, length)| Rules::Answer { entry, length }),
        (1..4u8).prop_map(|bars| Rules::Trade { bars: NonZeroU8::new(bars).expect("not nought") }),
        Just(TOGETHER),
        entry.prop_map(|entry| Rules::Endless { entry }),
    ]
}

fn play(rules: Rules, score: &[(u64, Gesture)], journey: &Journey, blocks: &[u64]) -> Vec<(u64, Sound)> {
    let settings = Settings { rules, ..SETTINGS };
    render_for(host(score, usize::MAX), settings, journey, blocks, TAKE)
}

/// The samples at which the plugin's notes begin.
fn onsets(heard: &[(u64, Sound)]) -> Vec<u64> {
    heard.iter().filter_map(|(at, sound)| matches!(sound, Sound::NoteOn(..)).then_some(*at)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_stop_leaves_nothing_hanging_in_any_mode(
        rules in modes(),
        score in scores(),
        mut journey in journeys(),
    ) {
        // A journey is in the order of time.
        journey.retain(|(at, _)| *at < TAKE - 1);
        journey.push((TAKE - 1, Some(0.0)));
        journey.push((TAKE, None));
        let settings = Settings { rules, ..SETTINGS };
        let heard = render_for(host(&score, usize::MAX), settings, &journey, &[512], TAKE + 1);
        prop_assert_eq!(sounding_after(&heard), vec![]);
    }

    #[test]
    fn every_partition_into_blocks_sounds_the_same_in_any_mode(
        rules in modes(),
        score in scores(),
        journey in journeys(),
        blocks in prop::collection::vec(1..5_000u64, 1..20),
    ) {
        let whole = play(rules, &score, &journey, &[4_096]);
        prop_assert_eq!(&play(rules, &score, &journey, &blocks), &whole);
        prop_assert_eq!(&play(rules, &score, &journey, &[64]), &whole);
    }

    #[test]
    fn the_plugin_never_strikes_a_key_that_the_player_holds(
        rules in modes(),
        score in scores(),
        journey in journeys(),
    ) {
        for (at, sound) in play(rules, &score, &journey, &[256]) {
            if let Sound::NoteOn(place, _) = sound {
                prop_assert!(!held_keys_at(&score, at).contains(&place.key), "{place:?} at {at}");
            }
        }
    }

    #[test]
    fn a_trade_is_played_in_the_plugins_bars_alone(score in scores(), bars in 1..4u8) {
        let rules = Rules::Trade { bars: NonZeroU8::new(bars).expect("not nought") };
        for onset in onsets(&play(rules, &score, &playing(), &[700])) {
            prop_assert_eq!(onset / (4 * BEAT * u64::from(bars)) % 2, 1, "{}", onset);
        }
    }
}

#[test]
fn an_endless_answer_goes_on_until_it_is_struck_down() {
    let rules = Rules::Endless { entry: ENTRY };
    let strike = 50 * BEAT;
    let mut score = one_call();
    let heard = onsets(&play(rules, &score, &playing(), &[512]));
    assert!(heard.windows(2).all(|pair| pair[1] - pair[0] < 4 * BEAT));
    assert!(heard.last().is_some_and(|last| *last > TAKE - 4 * BEAT));
    score.push((strike, Gesture::KeyDown(place(62), Velocity::saturating(90))));
    let heard = play(rules, &score, &playing(), &[512]);
    assert!(heard.iter().all(|(at, _)| *at <= strike));
    assert_eq!(sounding_after(&heard), vec![]);
}

#[test]
fn an_endless_answer_goes_on_through_a_seek_and_a_loop() {
    let rules = Rules::Endless { entry: ENTRY };
    let steady = onsets(&play(rules, &one_call(), &playing(), &[512]));
    let journey = vec![(0, Some(0.0)), (20 * BEAT, Some(4.0)), (30 * BEAT + 77, Some(-9.3))];
    let jumping = onsets(&play(rules, &one_call(), &journey, &[512]));
    assert_eq!(jumping.len(), steady.len());
    assert!(jumping.iter().zip(&steady).all(|(one, other)| one.abs_diff(*other) <= 1));
}

#[test]
fn an_answer_in_bars_is_as_long_as_its_bars() {
    let rules = Rules::Answer { entry: ENTRY, length: Length::Bars(TWO) };
    let heard = onsets(&play(rules, &one_call(), &playing(), &[512]));
    let (begin, end) = (2 * BEAT, 10 * BEAT);
    assert!(heard.iter().all(|at| (begin..end).contains(at)), "{heard:?}");
    assert!(heard.last().is_some_and(|last| *last > end - 4 * BEAT));
}

#[test]
fn a_key_switch_is_neither_heard_nor_passed_on_and_brings_the_answer_to_the_bar() {
    let entry = Entry { cue: Cue::Key(Key::saturating(21)), alignment: Alignment::Bar };
    let rules = Rules::Answer { entry, length: Length::Bars(TWO) };
    let mut score = one_call();
    score.push((5 * BEAT, Gesture::KeyDown(place(21), Velocity::saturating(1))));
    score.push((6 * BEAT, Gesture::KeysUp(place(21).into())));
    let settings = Settings { rules, thru: true, ..SETTINGS };
    let heard = render_for(host(&score, usize::MAX), settings, &playing(), &[512], TAKE);
    let begin = onsets(&heard).into_iter().find(|at| *at > BEAT);
    assert!(begin.is_some_and(|begin| (8 * BEAT..9 * BEAT).contains(&begin)), "{begin:?}");
    let of_switch = |sound: &Sound| match sound {
        Sound::NoteOn(place, _) | Sound::NoteOff(place) => place.key == Key::saturating(21),
        Sound::PedalUp { .. } | Sound::Unbend { .. } => false,
    };
    assert!(!heard.iter().any(|(_, sound)| of_switch(sound)));
}

#[test]
fn without_its_cue_the_plugin_is_silent() {
    let entry = Entry { cue: Cue::Pedal(Foot::Sostenuto), alignment: Alignment::Off };
    let rules = Rules::Answer { entry, length: Length::Bars(TWO) };
    assert_eq!(play(rules, &one_call(), &playing(), &[512]), vec![]);
    let mut score = one_call();
    score.push((3 * BEAT, Gesture::Controller { number: 66, value: 127 }));
    let heard = onsets(&play(rules, &score, &playing(), &[512]));
    assert!(heard.first().is_some_and(|first| (3 * BEAT..4 * BEAT).contains(first)));
}

#[test]
fn together_a_strike_changes_nothing_before_the_next_beat() {
    let note = |at: u64, key: u8| {
        let down = Gesture::KeyDown(place(key), Velocity::saturating(80));
        [(at, down), (at + BEAT / 2, Gesture::KeysUp(place(key).into()))]
    };
    let steady: Vec<_> = (0..16).flat_map(|beat| note(beat * BEAT, 30)).collect();
    let mut more = [steady.clone(), note(6 * BEAT + BEAT / 3, 33).to_vec()].concat();
    more.sort_by_key(|(at, _)| *at);
    let strikes = |score: &[(u64, Gesture)]| {
        let heard = play(TOGETHER, score, &playing(), &[512]);
        onsets(&heard).into_iter().filter(|at| *at < 7 * BEAT).collect::<Vec<_>>()
    };
    let usual = strikes(&steady);
    assert!(usual.iter().any(|at| *at > 6 * BEAT), "it plays on: {usual:?}");
    assert_eq!(strikes(&more), usual);
}

#[test]
fn together_the_plugin_plays_while_keys_are_held_and_away_from_the_hands() {
    let score: Vec<_> = (0..40)
        .flat_map(|note| {
            let at = note * BEAT;
            let down = Gesture::KeyDown(place(58 + (note % 3) as u8), Velocity::saturating(80));
            [(at, down), (at + BEAT - 1, Gesture::KeysUp(place(58 + (note % 3) as u8).into()))]
        })
        .collect();
    let heard = play(TOGETHER, &score, &playing(), &[512]);
    assert!(onsets(&heard).len() > 40, "{}", onsets(&heard).len());
    for (at, sound) in heard {
        if let Sound::NoteOn(place, _) = sound {
            // From the third strike on, all three keys count for two seconds.
            let in_hands = (54..=64).contains(&place.key.number());
            assert!(!in_hands || !(3 * BEAT..40 * BEAT).contains(&at), "{place:?} at {at}");
        }
    }
}
