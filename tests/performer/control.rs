//! Laws of the controls: polyphony, quantise, channels, MPE zones, the input filter, panic and re-roll.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    model::registry::embedded,
    music::{
        generation::{GenerationSettings, Polyphony, Register},
        note::{Key, Velocity},
        note_tracker::{ChannelKey, Pedal, Zone},
        quantise::{Grid, Quantise},
        scale::{Root, Scale},
        time::{SampleRate, Samples},
    },
    performer::{Gesture, InputFilter, OutputSettings, Partner, Past, Performer, Settings, Sound, Triggers},
    telemetry::Telemetry,
};
use proptest::prelude::*;

use crate::{
    owners::{ENDLESS, LOUD, in_time, note, performer, play, rack},
    rig::{
        BEAT, Dice, Journey, RATE, SETTINGS, host, journeys, one_call, place, playing, render_for, scores,
        sounding_after, transport_at,
    },
};

const TAKE: u64 = 120 * BEAT;
const BLOCK: u64 = 500;
/// A sample in the middle of the answer to [`one_call`].
const LATER: u64 = 3 * BEAT;

/// Renders with settings that may change at the beginning of each block.
pub fn render(
    score: &[(u64, Gesture)],
    journey: &Journey,
    settings: impl Fn(u64) -> Settings,
) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let telemetry = Arc::new(Telemetry::default());
    let mut performer = Performer::new(
        SampleRate(RATE),
        performer_end,
        partner,
        telemetry.clone(),
        settings(0),
        Past::default(),
    );
    let mut host = host(score, usize::MAX);
    while host.begin < TAKE {
        host.end = host.begin + BLOCK;
        let transport = transport_at(journey, host.begin);
        performer.process(&transport, Samples(BLOCK), settings(host.begin), &mut host);
        host.begin = host.end;
    }
    assert_eq!(telemetry.late.count(), 0, "offline nothing is late");
    host.heard
}

pub fn strikes(heard: &[(u64, Sound)]) -> Vec<(u64, ChannelKey, Velocity)> {
    let strike = |(at, sound): &(u64, Sound)| match sound {
        Sound::NoteOn(place, velocity) => Some((*at, *place, *velocity)),
        Sound::NoteOff(_) | Sound::PedalUp { .. } | Sound::Unbend { .. } => None,
    };
    heard.iter().filter_map(strike).collect()
}

fn with_generation(generation: GenerationSettings) -> Settings {
    Settings { generation, ..SETTINGS }
}

/// Settings with triggers that are pressed for one block from [`LATER`] on.
fn pressed(triggers: Triggers) -> impl Fn(u64) -> Settings {
    move |at| if at == LATER { Settings { triggers, ..SETTINGS } } else { SETTINGS }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_more_notes_sound_at_once_than_there_are_voices(
        score in scores(),
        journey in journeys(),
        voices in 1..6u8,
        grid in prop::sample::select(Grid::ALL.to_vec()),
    ) {
        let quantise = Quantise { grid, ..Quantise::OFF };
        let generation = GenerationSettings { polyphony: Polyphony::voices(voices), ..GenerationSettings::DEFAULT };
        let settings = Settings { output: OutputSettings { quantise, ..OutputSettings::PLAIN }, ..with_generation(generation) };
        let heard = render(&score, &journey, |_| settings);
        let mut sounding = 0;
        for (_, sound) in &heard {
            sounding += match sound {
                Sound::NoteOn(..) => 1,
                Sound::NoteOff(_) => -1,
                Sound::PedalUp { .. } | Sound::Unbend { .. } => 0,
            };
            prop_assert!(sounding <= i32::from(voices));
        }
        prop_assert_eq!(sounding_after(&heard), vec![]);
    }

    #[test]
    fn nothing_outside_the_scale_of_the_moment_sounds(
        score in scores(),
        journey in journeys(),
        changes in prop::collection::vec((0..TAKE / BLOCK, 0..12u8, 30..90u8), 1..8),
    ) {
        let settings = |at: u64| {
            let newest = changes.iter().filter(|(block, ..)| block * BLOCK <= at).max_by_key(|(block, ..)| *block);
            let &(_, root, low) = newest.unwrap_or(&changes[0]);
            with_generation(GenerationSettings {
                pitch_classes: Scale::MinorPentatonic.on(Root::new(root)),
                register: Register::between(Key::saturating(low), Key::saturating(low + 14)),
                ..GenerationSettings::DEFAULT
            })
        };
        let heard = render(&score, &journey, settings);
        for (at, place, _) in strikes(&heard) {
            prop_assert!(settings(at / BLOCK * BLOCK).generation.keys().contains(place.key));
        }
        prop_assert_eq!(sounding_after(&heard), vec![]);
    }

    #[test]
    fn every_onset_is_on_the_players_grid(score in scores(), blocks in prop::collection::vec(1..3_000u64, 1..9)) {
        let quantise = Quantise { grid: Grid::Sixteenth, ..Quantise::OFF };
        let settings = Settings { output: OutputSettings { quantise, ..OutputSettings::PLAIN }, ..SETTINGS };
        let heard = render_for(host(&score, usize::MAX), settings, &playing(), &blocks, TAKE);
        for (at, ..) in strikes(&heard) {
            prop_assert_eq!(at % (BEAT / 4), 0);
        }
        prop_assert_eq!(sounding_after(&heard), vec![]);
    }
}

#[test]
fn where_the_transport_stands_still_the_grid_counts_from_the_hand_over() {
    let quantise = Quantise { grid: Grid::Eighth, ..Quantise::OFF };
    let settings = Settings { output: OutputSettings { quantise, ..OutputSettings::PLAIN }, ..SETTINGS };
    let call = [one_call()[0], (BEAT + 777, Gesture::KeysUp(place(60).into()))];
    let strikes = strikes(&render(&call, &vec![(0, None)], |_| settings));
    assert!(!strikes.is_empty());
    assert!(strikes.iter().all(|(at, ..)| (at - 777) % (BEAT / 2) == 0), "{strikes:?}");
}

#[test]
fn a_change_of_the_register_is_heard_at_once_and_the_answer_goes_on() {
    let high = GenerationSettings {
        register: Register::between(Key::saturating(66), Key::saturating(71)),
        ..SETTINGS.generation
    };
    let long = vec![one_call()[0], (12 * BEAT, Gesture::KeysUp(place(60).into()))];
    let change = 15 * BEAT;
    let settings = |at| if at >= change { with_generation(high) } else { SETTINGS };
    let strikes = strikes(&render(&long, &playing(), settings));
    assert!(strikes.iter().any(|(at, place, _)| *at < change && !high.keys().contains(place.key)));
    let after: Vec<_> = strikes.iter().filter(|(at, ..)| *at >= change).collect();
    assert!(after.iter().all(|(_, place, _)| high.keys().contains(place.key)));
    assert!(after.iter().any(|(at, ..)| *at < change + BEAT), "it goes on soon: {after:?}");
}

#[test]
fn panic_releases_everything_in_its_block_and_nothing_planned_sounds() {
    let settings = pressed(Triggers { panic: true, ..Triggers::NONE });
    let undisturbed = strikes(&render(&one_call(), &playing(), |_| SETTINGS));
    assert!(undisturbed.iter().any(|(at, ..)| *at > LATER));
    let heard = render(&one_call(), &playing(), settings);
    assert!(heard.iter().all(|(at, _)| *at <= LATER));
    assert_eq!(sounding_after(&heard), vec![]);
}

#[test]
fn panic_releases_what_has_passed_through_as_well() {
    let settings = |at| Settings { thru: true, ..pressed(Triggers { panic: true, ..Triggers::NONE })(at) };
    let score = vec![(0, Gesture::Pedal { channel: 0, pedal: Pedal::Down }), one_call()[0]];
    let heard = render(&score, &playing(), settings);
    assert_eq!(heard.last(), Some(&(LATER, Sound::PedalUp { channel: 0 })));
    assert_eq!(sounding_after(&heard), vec![]);
}

#[test]
fn a_re_roll_goes_on_with_other_notes_and_leaves_none_hanging() {
    let usual = render(&one_call(), &playing(), |_| SETTINGS);
    let rolled = render(&one_call(), &playing(), pressed(Triggers { re_roll: true, ..Triggers::NONE }));
    let until = |heard: &[(u64, Sound)], end| -> Vec<_> {
        strikes(heard).into_iter().filter(|(at, ..)| *at < end).collect()
    };
    assert_eq!(until(&usual, LATER), until(&rolled, LATER));
    let after =
        |heard| strikes(heard).into_iter().filter(|(at, ..)| *at > LATER + BEAT / 4).collect::<Vec<_>>();
    assert!(!after(&rolled).is_empty() && after(&usual) != after(&rolled));
    assert_eq!(sounding_after(&rolled), vec![]);
}

#[test]
fn a_switch_that_stays_down_acts_once() {
    let held = |at| {
        if at >= LATER { pressed(Triggers { re_roll: true, ..Triggers::NONE })(LATER) } else { SETTINGS }
    };
    let once = render(&one_call(), &playing(), pressed(Triggers { re_roll: true, ..Triggers::NONE }));
    assert_eq!(render(&one_call(), &playing(), held), once);
}

#[test]
fn an_answer_goes_to_the_channel_that_is_asked_for() {
    let to = |at| {
        let channel = if at < LATER { Some(9) } else { Some(3) };
        Settings { output: OutputSettings { channel, ..OutputSettings::PLAIN }, ..SETTINGS }
    };
    let heard = render(&one_call(), &playing(), to);
    for (at, place, _) in strikes(&heard) {
        assert_eq!(place.channel, if at < LATER { 9 } else { 3 });
    }
    assert_eq!(sounding_after(&heard), vec![]);
}

#[test]
fn a_channel_that_is_not_heard_passes_and_takes_no_floor() {
    let elsewhere = ChannelKey { channel: 4, key: Key::saturating(50) };
    let strike = (LATER, Gesture::KeyDown(elsewhere, Velocity::saturating(70)));
    let release = (LATER + BEAT, Gesture::KeysUp(elsewhere.into()));
    let settings = Settings { input_filter: InputFilter::Channel(0), thru: true, ..SETTINGS };
    let alone = render(&one_call(), &playing(), |_| settings);
    let heard = render(&[one_call(), vec![strike, release]].concat(), &playing(), |_| settings);
    let theirs = |(_, sound): &&(u64, Sound)| matches!(sound, Sound::NoteOn(place, _) | Sound::NoteOff(place) if *place == elsewhere);
    assert_eq!(heard.iter().filter(theirs).map(|(at, _)| *at).collect::<Vec<_>>(), [LATER, LATER + BEAT]);
    assert_eq!(
        heard.iter().filter(|sound| !theirs(sound)).collect::<Vec<_>>(),
        alone.iter().collect::<Vec<_>>()
    );
}

#[test]
fn with_closed_ears_nothing_is_answered() {
    let closed = Settings { input_filter: InputFilter::Closed, ..SETTINGS };
    assert_eq!(render(&one_call(), &playing(), |_| closed), []);
}

#[test]
fn keys_that_are_held_when_the_ears_close_are_let_go_and_answered() {
    let held = vec![one_call()[0]];
    assert_eq!(render(&held, &playing(), |_| SETTINGS), []);
    let closing =
        |at| if at >= LATER { Settings { input_filter: InputFilter::Closed, ..SETTINGS } } else { SETTINGS };
    let heard = render(&held, &playing(), closing);
    assert!(heard.first().is_some_and(|(at, _)| (LATER + BEAT..LATER + 2 * BEAT).contains(at)));
}

#[test]
fn the_scale_of_velocities_changes_what_is_sent_and_nothing_else() {
    let scaled = |velocity_scale| {
        let settings =
            Settings { output: OutputSettings { velocity_scale, ..OutputSettings::PLAIN }, ..SETTINGS };
        strikes(&render(
            &[one_call(), vec![(30 * BEAT, one_call()[0].1), (31 * BEAT, one_call()[1].1)]].concat(),
            &playing(),
            |_| settings,
        ))
    };
    let (usual, half) = (scaled(1.0), scaled(0.5));
    assert_eq!(usual.len(), half.len());
    for (one, other) in usual.iter().zip(&half) {
        assert_eq!((one.0, one.1), (other.0, other.1));
        assert_eq!(other.2.value(), (f32::from(one.2.value()) * 0.5).round().max(1.0) as u8);
    }
}

/// The sample of the second call, so late that the answer to the first is over.
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

/// Renders while the transport stands still, by the fastest network, with triggers that are pressed for one
/// block.
fn render_pressing(score: &[(u64, Gesture)], pressed: impl Fn(u64) -> Triggers) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &embedded()[1..2])));
    let (rate, past) = (SampleRate(RATE), Past::default());
    let mut performer = Performer::new(rate, performer_end, partner, Arc::default(), SETTINGS, past);
    let mut host = host(score, usize::MAX);
    let stands_still: Journey = vec![(0, None)];
    while host.begin < END {
        host.end = host.begin + BLOCK;
        let settings = Settings { triggers: pressed(host.begin), ..SETTINGS };
        let transport = transport_at(&stands_still, host.begin);
        performer.process(&transport, Samples(BLOCK), settings, &mut host);
        host.begin = host.end;
    }
    assert_eq!(sounding_after(&host.heard), vec![]);
    host.heard
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
    let alone = render_pressing(&call(SECOND, [60, 64, 67]), |_| Triggers::NONE);
    let usual = after(&render_pressing(&two_calls(), |_| Triggers::NONE), SECOND);
    assert!(!alone.is_empty() && usual != alone);
    assert_eq!(after(&render_pressing(&two_calls(), at(PRESSED, BOTH)), SECOND), alone);
    for one in
        [Triggers { clear_memory: true, ..Triggers::NONE }, Triggers { reset_seed: true, ..Triggers::NONE }]
    {
        assert_ne!(
            after(&render_pressing(&two_calls(), at(PRESSED, one)), SECOND),
            alone,
            "one alone is not enough"
        );
    }
}

#[test]
fn clearing_the_memory_ends_the_answer_at_once() {
    let clear = Triggers { clear_memory: true, ..Triggers::NONE };
    let score = call(0, [50, 53, 57]);
    let undisturbed = strikes(&render_pressing(&score, |_| Triggers::NONE));
    let (first, last) = (undisturbed[0].0, undisturbed[undisturbed.len() - 1].0);
    let during = (first + last) / 2 / BLOCK * BLOCK;
    assert!(first < during && during < last);
    let heard = render_pressing(&score, at(during, clear));
    assert!(!heard.is_empty() && heard.iter().all(|(at, _)| *at <= during));
}

#[test]
fn clearing_the_memory_in_a_silence_leaves_nothing_to_answer() {
    let clear = Triggers { clear_memory: true, ..Triggers::NONE };
    assert_eq!(render_pressing(&call(0, [50, 53, 57]), at(2 * BEAT, clear)), []);
}

#[test]
fn in_a_zone_the_answer_is_on_a_clean_channel_with_a_centred_bend() {
    for (zone, members) in [(Zone::Lower, 1..16u8), (Zone::Upper, 0..15)] {
        let settings = Settings { zone, thru: true, ..SETTINGS };
        let bend = |channel| (0, Gesture::Bend { channel, is_bent: true }, None);
        let call = members.clone().take(4).flat_map(|channel| {
            let place = ChannelKey { channel, key: Key::saturating(60 + channel) };
            [(10, Gesture::KeyDown(place, LOUD), None), (BEAT, Gesture::KeysUp(place.into()), None)]
        });
        let score = in_time(members.clone().map(bend).chain(call).collect());
        let mut rack = rack(score);
        play(&mut rack, &mut performer(settings, Past::default()), 8 * BEAT, |_| settings);
        let answer: Vec<_> = rack.heard.iter().filter(|(at, _)| *at > BEAT).collect();
        let Some((_, Sound::Unbend { channel })) = answer.first() else { panic!("{:?}", answer.first()) };
        assert!(members.contains(channel) && !members.clone().take(4).any(|used| used == *channel));
        for (_, sound) in &answer[1..] {
            let (Sound::NoteOn(place, _) | Sound::NoteOff(place)) = sound else { panic!("{sound:?}") };
            assert_eq!(place.channel, *channel);
        }
    }
}

#[test]
fn an_answer_begins_unbent_and_a_player_who_bends_it_is_let_be() {
    let bend = |at, is_bent| (at, Gesture::Bend { channel: 0, is_bent }, None);
    let score = [note(60, 0, BEAT).to_vec(), vec![bend(BEAT / 2, true), bend(3 * BEAT, true)]].concat();
    let mut rack = rack(in_time(score));
    play(&mut rack, &mut performer(ENDLESS, Past::default()), 12 * BEAT, |_| ENDLESS);
    let unbent: Vec<_> =
        rack.heard.iter().filter(|(_, sound)| matches!(sound, Sound::Unbend { .. })).collect();
    let first = rack.heard.iter().find(|(at, sound)| *at > BEAT && matches!(sound, Sound::NoteOn(..)));
    assert_eq!(unbent.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [first.expect("an answer").0]);
}
