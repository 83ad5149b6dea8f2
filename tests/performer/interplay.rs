//! Laws of what happens in the middle of an answer: changes of mode, cues, the input filter, bypass,
//! re-rolls, and the host's start.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        generation::{Density, GenerationSettings, Register},
        harmony::Source,
        note::{Key, Velocity},
        note_tracker::ChannelKey,
        quantise::{Grid, Quantise},
        scale::{Root, Scale},
        time::Beats,
        turn::{Alignment, Cue, Entry, Length, Rules},
    },
    performer::{Gesture, InputFilter, OutputSettings, Settings, Sound, Triggers},
};

use crate::{
    control::{render, strikes},
    rig::{BEAT, ENTRY, RATE, SETTINGS, one_call, place, playing, sounding_after},
};

const SECOND: u64 = RATE as u64;
/// Notes that are planned for less than this after a re-roll are played all the same, in samples.
const LEAD: u64 = SECOND / 10;
const LOUD: Velocity = Velocity::saturating(90);
const TRADE: Rules = Rules::Trade { bars: NonZeroU8::MIN };
const TOGETHER: Rules = Rules::Together { longest: Beats(16.0) };
const ENDLESS: Rules = Rules::Endless { entry: ENTRY };

fn with(rules: Rules) -> Settings {
    Settings { rules, ..SETTINGS }
}

fn in_answer(length: Length) -> Settings {
    with(Rules::Answer { entry: ENTRY, length })
}

/// Settings with re-roll pressed for one block.
fn rolled(settings: Settings, at: u64) -> impl Fn(u64) -> Settings {
    let triggers = Triggers { re_roll: true, ..Triggers::NONE };
    move |now| if now == at { Settings { triggers, ..settings } } else { settings }
}

fn onsets(heard: &[(u64, Sound)]) -> Vec<u64> {
    strikes(heard).into_iter().map(|(at, ..)| at).collect()
}

fn note(at: u64, place: ChannelKey, length: u64) -> [(u64, Gesture); 2] {
    [(at, Gesture::KeyDown(place, LOUD)), (at + length, Gesture::KeysUp(place.into()))]
}

#[test]
fn in_every_mode_a_re_roll_keeps_what_comes_at_once_and_goes_on_otherwise() {
    let bars = Length::Bars(NonZeroU8::new(4).expect("not nought"));
    for settings in [in_answer(bars), with(TRADE), with(TOGETHER), with(ENDLESS)] {
        let roll = if settings.rules == TRADE { 5 * BEAT } else { 4 * BEAT };
        let usual = render(&one_call(), &playing(), |_| settings);
        let heard = render(&one_call(), &playing(), rolled(settings, roll));
        let split = |heard: &[(u64, Sound)]| {
            let strikes = strikes(heard);
            let at = strikes.partition_point(|(at, ..)| *at < roll + LEAD);
            (strikes[..at].to_vec(), strikes[at..].to_vec())
        };
        let ((before, after), (same, other)) = (split(&usual), split(&heard));
        assert_eq!(before, same, "{:?}", settings.rules);
        assert_ne!(after, other, "{:?}", settings.rules);
        assert!(other.first().is_some_and(|(at, ..)| *at < roll + 2 * BEAT), "{:?}", settings.rules);
    }
}

#[test]
fn an_answer_that_began_before_the_transport_is_re_rolled_from_now_on() {
    let (start, roll) = (20 * BEAT, 30 * BEAT);
    let journey = vec![(0, None), (start, Some(3.0))];
    let usual = onsets(&render(&one_call(), &journey, |_| with(ENDLESS)));
    let heard = onsets(&render(&one_call(), &journey, rolled(with(ENDLESS), roll)));
    let before = |onsets: &[u64]| onsets.partition_point(|at| *at < roll);
    assert_eq!(usual[..before(&usual)], heard[..before(&heard)]);
    assert!(heard[before(&heard)..].first().is_some_and(|at| *at < roll + 2 * BEAT));
    assert_ne!(usual, heard);
}

#[test]
fn a_re_roll_when_the_answer_is_over_begins_no_other() {
    // The answer is over after two beats, and the re-roll comes when it is quiet again.
    let length = Length::Call { longest: Beats(2.0) };
    let usual = render(&one_call(), &playing(), |_| in_answer(length));
    let heard = render(&one_call(), &playing(), rolled(in_answer(length), 20 * BEAT));
    assert_eq!(usual, heard);
}

#[test]
fn an_endless_answer_goes_on_when_there_are_keys_for_it_again() {
    let nothing = GenerationSettings {
        register: Register::between(Key::saturating(61), Key::saturating(61)),
        pitch_classes: Scale::MajorPentatonic.on(Root::new(0)),
        ..GenerationSettings::DEFAULT
    };
    let (close, open) = (10 * BEAT, 20 * BEAT);
    let settings = |at| Settings {
        generation: if (close..open).contains(&at) { nothing } else { GenerationSettings::DEFAULT },
        ..with(ENDLESS)
    };
    let onsets = onsets(&render(&one_call(), &playing(), settings));
    assert!(!onsets.iter().any(|at| (close..open).contains(at)));
    assert!(onsets.iter().any(|at| (open..open + 2 * BEAT).contains(at)), "{onsets:?}");
}

#[test]
fn with_closed_ears_no_cue_is_heeded() {
    for cue in [Cue::Controller(80), Cue::Key(Key::saturating(21))] {
        let rules = Rules::Endless { entry: Entry { cue, alignment: Alignment::Off } };
        let mut score = one_call();
        score.push((4 * BEAT, Gesture::Controller { number: 80, value: 127 }));
        score.push((4 * BEAT, Gesture::KeyDown(place(21), LOUD)));
        let note_tracker =
            |input_filter| onsets(&render(&score, &playing(), |_| Settings { input_filter, ..with(rules) }));
        assert!(!note_tracker(InputFilter::All).is_empty(), "{cue:?}");
        assert!(note_tracker(InputFilter::Closed).is_empty(), "{cue:?}");
    }
}

#[test]
fn a_cue_key_on_a_channel_that_is_not_heard_is_a_note_that_passes_whole() {
    let key = Key::saturating(21);
    let rules = Rules::Endless { entry: Entry { cue: Cue::Key(key), alignment: Alignment::Off } };
    let settings = Settings { input_filter: InputFilter::Channel(0), thru: true, ..with(rules) };
    let (elsewhere, here) = (ChannelKey { channel: 4, key }, ChannelKey { channel: 0, key });
    let alone = render(&note(4 * BEAT, elsewhere, BEAT), &playing(), |_| settings);
    assert_eq!(alone, [(4 * BEAT, Sound::NoteOn(elsewhere, LOUD)), (5 * BEAT, Sound::NoteOff(elsewhere))]);
    // The same while a key on the heard channel is down.
    let mut score = [note(3 * BEAT, here, 4 * BEAT), note(4 * BEAT, elsewhere, BEAT)].concat();
    score.sort_by_key(|(at, _)| *at);
    let heard = render(&score, &playing(), |_| settings);
    assert!(heard.contains(&(5 * BEAT, Sound::NoteOff(elsewhere))));
    assert!(!heard.iter().any(|(_, sound)| matches!(sound, Sound::NoteOn(at, _) if *at == here)));
}

#[test]
fn bypass_ends_an_answer_for_good() {
    for rules in [SETTINGS.rules, TRADE, TOGETHER, ENDLESS] {
        let (on, off) = (6 * BEAT, 7 * BEAT);
        let settings = |at| Settings { bypass: (on..off).contains(&at), ..with(rules) };
        let heard = render(&one_call(), &playing(), settings);
        assert!(heard.iter().any(|(at, _)| *at <= on), "{rules:?}");
        assert!(heard.iter().all(|(at, _)| *at <= on), "{rules:?}");
        assert_eq!(sounding_after(&heard), vec![]);
    }
}

#[test]
fn an_answer_goes_on_when_the_ears_close_and_nobody_takes_the_floor_from_it() {
    let close = 4 * BEAT;
    let closing = |at| Settings {
        input_filter: if at < close { InputFilter::All } else { InputFilter::Closed },
        ..with(ENDLESS)
    };
    let alone = render(&one_call(), &playing(), closing);
    let strike = note(10 * BEAT + 77, place(30), BEAT);
    let heard = render(&[one_call(), strike.to_vec()].concat(), &playing(), closing);
    assert!(onsets(&alone).last().is_some_and(|last| *last > 100 * BEAT));
    assert_eq!(alone, heard);
}

#[test]
fn a_channel_with_chords_is_no_call_and_takes_no_floor() {
    let chord = |at| {
        let keys = [60, 64, 67].map(Key::saturating);
        let mut notes = keys.map(|key| note(at, ChannelKey { channel: 9, key }, BEAT)).concat();
        notes.sort_by_key(|(at, _)| *at);
        notes
    };
    let settings = Settings { harmony: Source::Channel(9), ..with(ENDLESS) };
    assert_eq!(render(&chord(0), &playing(), |_| settings), []);
    let onsets = onsets(&render(&[one_call(), chord(20 * BEAT)].concat(), &playing(), |_| settings));
    assert!(onsets.last().is_some_and(|last| *last > 100 * BEAT), "it plays on");
}

#[test]
fn a_trade_on_a_grid_keeps_to_its_bars_and_to_the_grid() {
    let quantise = Quantise { grid: Grid::Quarter, ..Quantise::OFF };
    let settings = Settings { output: OutputSettings { quantise, ..OutputSettings::PLAIN }, ..with(TRADE) };
    let onsets = onsets(&render(&one_call(), &playing(), |_| settings));
    assert!(onsets.len() > 20);
    for onset in onsets {
        assert_eq!((onset % BEAT, onset / (4 * BEAT) % 2), (0, 1), "{onset}");
    }
}

#[test]
fn a_lull_of_the_player_in_the_plugins_bars_takes_nothing_from_a_trade() {
    let in_plugins_bar = note(5 * BEAT, place(30), BEAT / 2);
    let onsets =
        onsets(&render(&[one_call(), in_plugins_bar.to_vec()].concat(), &playing(), |_| with(TRADE)));
    let late = 6 * BEAT..8 * BEAT;
    assert!(onsets.iter().any(|at| late.contains(at)), "{onsets:?}");
}

#[test]
fn who_plays_along_is_no_denser_than_asked_for_however_often_the_player_strikes() {
    let generation = GenerationSettings { density: Density::per_second(2.0), ..GenerationSettings::DEFAULT };
    // Five strikes per second.
    let score: Vec<_> = (0..100).flat_map(|n| note(n * SECOND / 5, place(40), SECOND / 10)).collect();
    let onsets = onsets(&render(&score, &playing(), |_| Settings { generation, ..with(TOGETHER) }));
    assert!(onsets.iter().filter(|at| **at < 20 * SECOND).count() > 20, "it plays: {onsets:?}");
    // One sample is allowed for rounding.
    assert!(onsets.windows(3).all(|three| three[2] - three[0] + 1 >= SECOND), "{onsets:?}");
}
