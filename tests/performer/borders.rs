//! Laws of hearing: what holds when bypass, *Listen* or the input channel changes while keys are down.

use antiphon::{
    event_log::{Event, Record},
    lane::{Request, lanes},
    music::{
        note::{Key, Velocity},
        note_tracker::{ChannelKey, Pedal},
        time::{Beats, SampleRate, Samples},
        turn::{Rules, Standing},
    },
    performer::{Gesture, InputFilter, Partner, Past, Performer, Settings, Sound},
};
use proptest::prelude::*;

use crate::{
    control::{render, strikes},
    event_log,
    rig::{
        ANSWER, BEAT, ENTRY, RATE, SETTINGS, host, journeys, one_call, place, playing, scores,
        sounding_after, transport_at,
    },
};

const BLOCK: u64 = 500;
/// The sample from which [`border_at`] bypasses the plugin, before the end of the take.
const LAST: u64 = 115 * BEAT;
const ENDLESS: Rules = Rules::Endless { entry: ENTRY };
const LOUD: Velocity = Velocity::saturating(90);
/// The input filter, and whether the plugin is bypassed.
type Border = (InputFilter, bool);
const OPEN: Border = (InputFilter::All, false);
/// All ways not to hear the first channel.
const DEAF: [Border; 3] =
    [(InputFilter::Closed, false), (InputFilter::Channel(3), false), (InputFilter::All, true)];

fn with(rules: Rules, (input_filter, bypass): Border) -> Settings {
    Settings { rules, input_filter, bypass, ..SETTINGS }
}

/// Settings that do not hear the player from one sample until another.
fn deaf(rules: Rules, border: Border, from: u64, until: u64) -> impl Fn(u64) -> Settings {
    move |at| with(rules, if (from..until).contains(&at) { border } else { OPEN })
}

fn note(key: u8, from: u64, until: u64) -> [(u64, Gesture); 2] {
    [(from, Gesture::KeyDown(place(key), LOUD)), (until, Gesture::KeysUp(place(key).into()))]
}

fn in_time(mut score: Vec<(u64, Gesture)>) -> Vec<(u64, Gesture)> {
    score.sort_by_key(|(at, _)| *at);
    score
}

fn hears((input_filter, bypass): Border, channel: u8) -> bool {
    let hears = match input_filter {
        InputFilter::Closed => false,
        InputFilter::Channel(heard) => heard == channel,
        InputFilter::AllBut(other) => other != channel,
        InputFilter::All => true,
    };
    hears && !bypass
}

/// The keys that are down after all that happens up to and at a sample.
fn down_at(score: &[(u64, Gesture)], at: u64) -> Vec<ChannelKey> {
    let mut down: Vec<ChannelKey> = Vec::new();
    for (_, gesture) in score.iter().take_while(|(when, _)| *when <= at) {
        match gesture {
            Gesture::KeyDown(place, _) => down.push(*place),
            Gesture::KeysUp(places) => down.retain(|place| !places.contains(*place)),
            _ => {}
        }
    }
    down
}

/// Scores on two channels.
fn duets() -> impl Strategy<Value = Vec<(u64, Gesture)>> {
    let on_channel = |place: ChannelKey| ChannelKey { channel: place.key.number() % 2, ..place };
    let moved = move |gesture| match gesture {
        Gesture::KeyDown(place, velocity) => Gesture::KeyDown(on_channel(place), velocity),
        Gesture::KeysUp(places) => {
            let key = places.key.expect("one key goes up at a time");
            Gesture::KeysUp(on_channel(ChannelKey { channel: 0, key }).into())
        }
        other => other,
    };
    scores().prop_map(move |score| score.into_iter().map(|(at, gesture)| (at, moved(gesture))).collect())
}

/// Random borders, and for how many blocks each of them holds.
fn borders() -> impl Strategy<Value = Vec<(u64, Border)>> {
    let borders = vec![
        OPEN,
        OPEN,
        (InputFilter::Closed, false),
        (InputFilter::Channel(0), false),
        (InputFilter::All, true),
    ];
    prop::collection::vec((1..80u64, prop::sample::select(borders)), 1..12)
}

/// The border at a sample. At the end of the take the plugin is bypassed: a note that sounds then would never
/// end.
fn border_at(borders: &[(u64, Border)], at: u64) -> Border {
    if at >= LAST {
        return (InputFilter::All, true);
    }
    let mut end = 0;
    let standing = borders.iter().find(|(blocks, _)| {
        end += blocks * BLOCK;
        at < end
    });
    standing.map_or(OPEN, |(_, border)| *border)
}

/// The plugin's own notes in the output: in bypass it also has the player's, which pass through.
fn own(score: &[(u64, Gesture)], mut heard: Vec<(u64, Sound)>) -> Vec<(u64, Sound)> {
    let passes = |at: u64, sound: Sound| {
        score.iter().filter(|(when, _)| *when == at).any(|(_, gesture)| match (*gesture, sound) {
            (Gesture::KeyDown(place, velocity), _) => sound == Sound::NoteOn(place, velocity),
            (Gesture::KeysUp(places), Sound::NoteOff(place)) => places.contains(place),
            _ => false,
        })
    };
    heard.retain(|(at, sound)| !passes(*at, *sound));
    heard
}

/// The samples at which the plugin takes the floor.
fn beginnings(records: &[Record]) -> Vec<u64> {
    let floors = records.iter().filter_map(|record| match record.event {
        Event::Floor(standing) => Some((record.at.0, matches!(standing, Standing::Plugin { .. }))),
        _ => None,
    });
    let mut before = false;
    let begins = |&(_, plays): &(u64, bool)| plays && !std::mem::replace(&mut before, plays);
    floors.filter(begins).map(|(at, _)| at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn no_answer_begins_while_a_key_is_down_on_a_channel_that_is_heard(
        score in duets(),
        journey in journeys(),
        borders in borders(),
        rules in prop::sample::select(vec![ANSWER, ENDLESS]),
    ) {
        let (records, heard) = event_log::render(&score, &journey, |at| with(rules, border_at(&borders, at)));
        for at in beginnings(&records) {
            let border = border_at(&borders, at);
            let held = down_at(&score, at).into_iter().any(|place| hears(border, place.channel));
            prop_assert!(!held, "an answer begins at {at}");
        }
        prop_assert_eq!(sounding_after(&own(&score, heard)), vec![]);
    }

    #[test]
    fn no_key_is_struck_that_is_down_whenever_it_went_down(
        score in duets(),
        borders in borders(),
        rules in prop::sample::select(vec![ENDLESS, Rules::Together { longest: Beats(8.0) }]),
    ) {
        let heard = own(&score, render(&score, &playing(), |at| with(rules, border_at(&borders, at))));
        for (at, place, _) in strikes(&heard) {
            prop_assert!(!down_at(&score, at).contains(&place), "{place:?} at {at}");
        }
    }
}

#[test]
fn all_notes_off_silences_what_the_plugin_plays_whatever_is_heard() {
    let (close, panic) = (4 * BEAT, 10 * BEAT + 77);
    for input_filter in [InputFilter::Closed, InputFilter::Channel(3), InputFilter::All] {
        for channel in [Some(0), None] {
            let score = [one_call(), vec![(panic, Gesture::AllOff { channel })]].concat();
            let heard = render(&score, &playing(), deaf(ENDLESS, (input_filter, false), close, u64::MAX));
            assert!(strikes(&heard).iter().any(|(at, ..)| *at > close), "{input_filter:?}");
            assert!(heard.iter().all(|(at, _)| *at <= panic), "{input_filter:?} {channel:?}");
            assert_eq!(sounding_after(&heard), vec![]);
        }
    }
}

#[test]
fn all_notes_off_on_a_channel_that_is_neither_heard_nor_played_on_ends_no_answer() {
    let settings = Settings { input_filter: InputFilter::Channel(0), ..with(ENDLESS, OPEN) };
    let alone = render(&one_call(), &playing(), |_| settings);
    let score = [one_call(), vec![(10 * BEAT, Gesture::AllOff { channel: Some(5) })]].concat();
    assert_eq!(render(&score, &playing(), |_| settings), alone);
}

#[test]
fn a_key_that_is_held_across_a_border_holds_the_answer_back_until_it_goes_up() {
    let (up, until) = (20 * BEAT, 3 * BEAT);
    for border in DEAF {
        // The key is struck before the player is not heard, or meanwhile.
        for struck in [0, 5 * BEAT / 2] {
            let score = in_time([note(40, struck, up), note(60, 4 * BEAT, 5 * BEAT)].concat());
            let heard = own(&score, render(&score, &playing(), deaf(ANSWER, border, 2 * BEAT, until)));
            let first = heard.first().map(|(at, _)| *at);
            assert!(
                first.is_some_and(|first| (up + BEAT..up + 2 * BEAT).contains(&first)),
                "{border:?} {first:?}"
            );
        }
    }
}

#[test]
fn a_silence_in_which_a_held_key_is_discovered_is_none() {
    // The input opens early in the silence, or when the answer has already been asked for.
    for open in [9 * BEAT / 2, 47 * BEAT / 8] {
        let score = in_time([note(60, 0, 5 * BEAT), note(40, 3 * BEAT, 20 * BEAT)].concat());
        let closed = deaf(ANSWER, (InputFilter::Closed, false), 2 * BEAT, open);
        let heard = render(&score, &playing(), closed);
        assert!(heard.first().is_none_or(|(at, _)| *at >= 21 * BEAT || *at < open), "{:?}", heard.first());
    }
}

#[test]
fn what_was_not_struck_as_music_is_not_answered() {
    for border in DEAF {
        let score = note(60, 3 * BEAT, 8 * BEAT);
        let heard = render(&score, &playing(), deaf(ANSWER, border, 2 * BEAT, 5 * BEAT));
        assert_eq!(own(&score, heard), []);
    }
}

/// Onset and duration in beats of all notes that are heard while the transport stands still.
fn remembered(score: &[(u64, Gesture)], settings: impl Fn(u64) -> Settings) -> Vec<(f64, f64)> {
    let (performer_end, mut worker) = lanes();
    let (rate, past) = (SampleRate(RATE), Past::default());
    let mut performer =
        Performer::new(rate, performer_end, Partner::Worker, Default::default(), settings(0), past);
    let mut host = host(score, usize::MAX);
    let mut notes = Vec::new();
    let beats = |seconds: f64| (seconds * RATE / BEAT as f64 * 1e3).round() / 1e3;
    while host.begin < 30 * BEAT {
        host.end = host.begin + BLOCK;
        let transport = transport_at(&vec![(0, None)], host.begin);
        performer.process(&transport, Samples(BLOCK), settings(host.begin), &mut host);
        host.begin = host.end;
        while let Ok(request) = worker.requests.pop() {
            if let Request::Heard { note, .. } = request {
                notes.push((beats(note.onset.0), beats(note.duration.0.into())));
            }
        }
    }
    notes
}

#[test]
fn a_note_is_remembered_as_long_as_it_was_whatever_is_heard_meanwhile() {
    for border in DEAF {
        for until in [5 * BEAT, 12 * BEAT] {
            let settings = deaf(ANSWER, border, 2 * BEAT, until);
            let whole = remembered(&note(60, 0, 9 * BEAT), settings);
            assert_eq!(whole, [(0.0, 9.0)], "{border:?}");
        }
        let unheard = remembered(&note(60, 3 * BEAT, 9 * BEAT), deaf(ANSWER, border, 2 * BEAT, 5 * BEAT));
        assert_eq!(unheard, [], "{border:?}");
    }
}

#[test]
fn a_pedal_that_goes_down_while_nobody_listens_keeps_what_is_played_afterwards() {
    let pedal = |at, pedal| (at, Gesture::Pedal { channel: 0, pedal });
    for border in DEAF {
        for pressed in [BEAT, 3 * BEAT] {
            let pedals = [pedal(pressed, Pedal::Down), pedal(9 * BEAT, Pedal::Up)];
            let score = in_time([pedals, note(60, 6 * BEAT, 7 * BEAT)].concat());
            let notes = remembered(&score, deaf(ANSWER, border, 2 * BEAT, 5 * BEAT));
            assert_eq!(notes, [(6.0, 3.0)], "{border:?}");
        }
    }
}

#[test]
fn in_bypass_the_release_of_a_key_that_was_struck_before_passes() {
    let settings =
        |at| Settings { thru: true, ..deaf(ANSWER, (InputFilter::All, true), 2 * BEAT, 5 * BEAT)(at) };
    let heard = render(&note(60, 0, 3 * BEAT), &playing(), settings);
    let key = ChannelKey { channel: 0, key: Key::saturating(60) };
    assert_eq!(heard, [(0, Sound::NoteOn(key, LOUD)), (3 * BEAT, Sound::NoteOff(key))]);
}
