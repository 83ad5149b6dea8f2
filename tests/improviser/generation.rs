//! Laws of generation: every network keeps to the player's settings, whatever they are.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, PerformerEnd, Reply, Request, lanes},
    model::{Model, registry::embedded},
    music::{
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        hands::Part,
        note::{Key, Note, Velocity},
        scale::{Root, Scale},
        time::{Moment, Seconds},
        turn::TurnId,
    },
};
use proptest::prelude::*;

const LENGTH: Seconds = Seconds(4.0);
const FROM: Moment = Moment(10.0);
const LOUD: Velocity = Velocity::saturating(110);
const SOFT: Velocity = Velocity::saturating(25);
const ROUNDING: f32 = 1e-4;

fn partner(model: &Arc<dyn Model>) -> (PerformerEnd, Improviser) {
    partner_after(model, 0.2)
}

/// An improviser that has heard a scale in thirds, one third every `step` seconds, some notes held by the
/// pedal.
fn partner_after(model: &Arc<dyn Model>, step: f64) -> (PerformerEnd, Improviser) {
    let (mut end, improviser_end) = lanes();
    for n in 0..60 {
        let onset = Moment(FROM.0 - f64::from(40 - n / 2) * step);
        let key = Key::saturating(48 + n / 2 % 24 + n % 2 * 4);
        let note = Note {
            onset,
            duration: Seconds(0.2 + f32::from(n % 7) * 0.3),
            key,
            velocity: Velocity::saturating(60 + n % 9),
        };
        tell(&mut end, Request::heard(note));
    }
    (end, Improviser::new(improviser_end, std::slice::from_ref(model)))
}

fn tell(end: &mut PerformerEnd, request: Request) {
    end.requests.push(request).expect("room for a request");
}

fn answer(turn: u32, touch: Velocity) -> Request {
    Request::Answer { turn: TurnId(turn), from: FROM, length: LENGTH, seed: 5, touch, ending: Ending::Full }
}

/// All notes that are drawn until the improviser is idle.
fn notes(end: &mut PerformerEnd, improviser: &mut Improviser) -> Vec<Note> {
    let mut notes = Vec::new();
    loop {
        while let Ok(reply) = end.replies.pop() {
            if let Reply::Play { note, .. } = reply {
                notes.push(note);
            }
        }
        if improviser.step() != StepResult::Worked {
            return notes;
        }
    }
}

fn played(model: &Arc<dyn Model>, generation: GenerationSettings, touch: Velocity) -> Vec<Note> {
    let (mut end, mut improviser) = partner(model);
    tell(&mut end, Request::GenerationSettings(generation));
    tell(&mut end, answer(0, touch));
    notes(&mut end, &mut improviser)
}

fn generation_settings() -> impl Strategy<Value = GenerationSettings> {
    let odds = (0..=2000u16, 0..=2000u16, 0..=2000u16, 0..=1000u16, 0..=1000u16);
    let keys = (0..128u8, 0..128u8, 0..12u8, prop::sample::select(Scale::ALL.to_vec()));
    (odds, keys, 0.25f32..40.0, 1..=40u8, 25..=150u8).prop_map(|(odds, keys, density, voices, memory)| {
        GenerationSettings {
            temperature: Thousandths(odds.0),
            pitch_temperature: Thousandths(odds.1),
            timing_temperature: Thousandths(odds.2),
            focus: Thousandths(odds.3),
            velocity_follow: Thousandths(odds.4),
            key_follow: Thousandths(odds.3),
            pace_follow: Thousandths(1000 - odds.4),
            register: Register::between(Key::saturating(keys.0), Key::saturating(keys.1)),
            pitch_classes: keys.3.on(Root::new(keys.2)),
            density: Density::per_second(density),
            polyphony: Polyphony::voices(voices),
            style: None,
            part: Part::Free,
            tempo_from_player: true,
            adapts: keys.2 > 3,
            memory,
            model: 0,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_network_plays_what_is_not_asked_for(generation in generation_settings(), network in 0..3usize) {
        let notes = played(&embedded()[network], generation, LOUD);
        prop_assert!(notes.iter().all(|note| generation.keys().contains(note.key)));
        prop_assert!(notes.is_sorted_by(|one, next| one.onset <= next.onset));
        prop_assert!(notes.iter().all(|note| note.onset >= FROM && note.onset < FROM + LENGTH));
        prop_assert!(notes.iter().all(|note| note.duration.0 > 0.0 && note.duration.0 < 8.01));
        prop_assert!(notes.windows(11).all(|wall| (wall[10].onset - wall[0].onset).0 > 0.1 - ROUNDING));
        if let Some(crowd) = generation.density.crowd() {
            for crowded in notes.windows(crowd.onsets + 1) {
                let span = crowded[crowd.onsets].onset - crowded[0].onset;
                prop_assert!(span.0 > crowd.span.0 - ROUNDING, "{span:?} for {crowd:?}");
            }
        }
        let voices = generation.polyphony.count();
        let chords = notes.windows(voices + 1).filter(|chord| chord[voices].onset == chord[0].onset);
        prop_assert_eq!(chords.count(), 0, "a chord has more notes than there are voices");
    }
}

#[test]
fn an_answer_to_one_key_of_no_scale_is_silent_and_over() {
    let key = Key::saturating(61);
    let generation = GenerationSettings {
        register: Register::between(key, key),
        pitch_classes: Scale::Major.on(Root::new(0)),
        ..GenerationSettings::DEFAULT
    };
    for model in embedded() {
        let (mut end, mut improviser) = partner(model);
        tell(&mut end, Request::GenerationSettings(generation));
        tell(&mut end, answer(0, SOFT));
        while improviser.step() == StepResult::Worked {}
        assert_eq!(end.replies.pop(), Ok(Reply::Done(TurnId(0))));
    }
}

#[test]
fn one_key_alone_is_played_again_and_again() {
    let key = Key::saturating(60);
    let generation =
        GenerationSettings { register: Register::between(key, key), ..GenerationSettings::DEFAULT };
    for model in embedded() {
        let notes = played(model, generation, SOFT);
        assert!(notes.len() > 1 && notes.iter().all(|note| note.key == key), "{}", model.name());
    }
}

#[test]
fn a_change_of_scale_is_obeyed_by_all_that_is_drawn_after_it() {
    let blues =
        GenerationSettings { pitch_classes: Scale::Blues.on(Root::new(6)), ..GenerationSettings::DEFAULT };
    for model in embedded() {
        let (mut end, mut improviser) = partner(model);
        tell(&mut end, answer(0, SOFT));
        while end.replies.slots() < 6 {
            improviser.step();
        }
        let before = end.replies.slots();
        tell(&mut end, Request::GenerationSettings(blues));
        let notes = notes(&mut end, &mut improviser);
        assert!(notes.len() > before, "{}", model.name());
        assert!(notes[before..].iter().all(|note| blues.keys().contains(note.key)), "{}", model.name());
    }
}

#[test]
fn an_answer_that_goes_on_otherwise_keeps_its_beginning_and_its_end() {
    let model = &embedded()[0];
    let (mut end, mut improviser) = partner(model);
    tell(&mut end, answer(0, SOFT));
    let first = notes(&mut end, &mut improviser);
    let from = first[first.len() / 2].onset;
    let length = FROM + LENGTH - from;
    let again =
        |turn, seed| Request::Replan { turn: TurnId(turn), now: from, from, length, seed, touch: SOFT };
    tell(&mut end, again(1, 6));
    let second = notes(&mut end, &mut improviser);
    tell(&mut end, again(2, 7));
    let third = notes(&mut end, &mut improviser);
    tell(&mut end, again(3, 6));
    assert_eq!(notes(&mut end, &mut improviser), second, "what was thrown away has left no trace");
    for plan in [&second, &third] {
        assert!(plan.iter().all(|note| note.onset >= from && note.onset < FROM + LENGTH));
        assert_ne!(&first[first.len() / 2..], &plan[..]);
    }
    assert_ne!(second, third);
}

#[test]
fn dynamics_that_follow_lean_towards_the_players_touch() {
    let follow = GenerationSettings { velocity_follow: Thousandths::ONE, ..GenerationSettings::DEFAULT };
    let mean = |generation, touch| {
        let notes = played(&embedded()[0], generation, touch);
        notes.iter().map(|note| f32::from(note.velocity.value())).sum::<f32>() / notes.len() as f32
    };
    assert_eq!(mean(GenerationSettings::DEFAULT, LOUD), mean(GenerationSettings::DEFAULT, SOFT));
    assert!(mean(follow, LOUD) > mean(follow, SOFT) + 20.0);
}

#[test]
fn a_long_answer_that_follows_the_pace_keeps_near_a_slow_and_a_fast_call() {
    const LONG: Seconds = Seconds(30.0);
    let off = |call_step: f64, pace_follow, seed| {
        let (mut end, mut improviser) = partner_after(&embedded()[0], call_step);
        tell(
            &mut end,
            Request::GenerationSettings(GenerationSettings { pace_follow, ..GenerationSettings::DEFAULT }),
        );
        let (turn, touch, ending) = (TurnId(0), LOUD, Ending::Full);
        tell(&mut end, Request::Answer { turn, from: FROM, length: LONG, seed, touch, ending });
        let pace = notes(&mut end, &mut improviser).len() as f32 / LONG.0;
        (pace * call_step as f32 / 2.0).ln().abs()
    };
    for call_step in [0.6, 0.1] {
        let mean = |pace_follow| (0..8).map(|seed| off(call_step, pace_follow, seed)).sum::<f32>() / 8.0;
        let [free, following] = [Thousandths::ZERO, Thousandths::ONE].map(mean);
        // An answer that does not follow may be near by itself.
        let near = (free / 2.0).clamp(0.25, 0.4);
        assert!(following < near, "{following} and {free} after steps of {call_step} s");
    }
}

/// Answers the same eight bars of chords of `of` notes, each `duration` long, with this setting for following
/// the pace. Gives the share of notes that are struck together with the one before, and the median duration.
fn answer_to_chords(of: u8, duration: Seconds, pace_follow: Thousandths) -> (f32, f32) {
    let (mut end, improviser_end) = lanes();
    let mut improviser = Improviser::new(improviser_end, std::slice::from_ref(&embedded()[0]));
    for n in 0..60 {
        let onset = Moment(FROM.0 - f64::from((60 - n) / of) * 0.4);
        let key = Key::saturating(60 + n % 5 + n % of * 4);
        tell(&mut end, Request::heard(Note { onset, duration, key, velocity: Velocity::saturating(70) }));
    }
    tell(
        &mut end,
        Request::GenerationSettings(GenerationSettings { pace_follow, ..GenerationSettings::DEFAULT }),
    );
    let (turn, ending, length) = (TurnId(0), Ending::Full, Seconds(30.0));
    tell(&mut end, Request::Answer { turn, from: FROM, length, seed: 3, touch: LOUD, ending });
    let notes = notes(&mut end, &mut improviser);
    let together = notes.windows(2).filter(|pair| (pair[1].onset - pair[0].onset).0 < 0.035).count();
    let mut durations: Vec<f32> = notes.iter().map(|note| note.duration.0).collect();
    durations.sort_by(f32::total_cmp);
    (together as f32 / notes.len() as f32, durations[durations.len() / 2])
}

#[test]
fn an_answer_has_chords_as_its_call_has_them() {
    let share = |of| answer_to_chords(of, Seconds(0.35), Thousandths(500)).0;
    let [line, chords] = [1, 3].map(share);
    assert!(
        line < 0.15 && (0.5..0.8).contains(&chords),
        "{line} after a line and {chords} after chords of three"
    );
}

#[test]
fn an_answer_that_follows_the_pace_is_nearer_to_the_durations_of_its_call() {
    for call in [Seconds(0.1), Seconds(1.2)] {
        let off = |pace_follow| (answer_to_chords(2, call, pace_follow).1 / call.0).ln().abs();
        let [free, following] = [Thousandths::ZERO, Thousandths::ONE].map(off);
        assert!(following < free.max(0.3), "{following} and {free} after notes of {} s", call.0);
    }
}

/// What the network plays for `length` after a call, beginning `from` seconds after the call began.
fn reply_to(call: &[Note], from: f64, length: Seconds, seed: u32) -> Vec<Note> {
    reply_as(&GenerationSettings::DEFAULT, call, from, length, seed)
}

fn reply_as(
    generation: &GenerationSettings,
    call: &[Note],
    from: f64,
    length: Seconds,
    seed: u32,
) -> Vec<Note> {
    let (mut end, improviser_end) = lanes();
    let mut improviser = Improviser::new(improviser_end, &embedded()[..1]);
    tell(&mut end, Request::GenerationSettings(*generation));
    call.iter().for_each(|note| tell(&mut end, Request::heard(*note)));
    let (turn, from, touch, ending) = (TurnId(0), Moment(from), LOUD, Ending::Full);
    tell(&mut end, Request::Answer { turn, from, length, seed, touch, ending });
    notes(&mut end, &mut improviser)
}

fn struck(onset: f64, duration: f32, key: u8) -> Note {
    let (key, velocity) = (Key::saturating(key), Velocity::saturating(80));
    Note { onset: Moment(onset), duration: Seconds(duration), key, velocity }
}

#[test]
fn one_calm_note_or_chord_is_answered_as_calmly_as_high_and_as_loud() {
    const LONG: Seconds = Seconds(8.0);
    for (keys, held) in [(&[60][..], 0.5), (&[60], 2.0), (&[48, 52, 55], 0.5), (&[48, 52, 55], 30.0)] {
        let call: Vec<Note> = keys.iter().map(|&key| struck(0.0, held, key)).collect();
        let from = f64::from(held) + 0.6;
        let pace = keys.len() as f32 / (from as f32).min(2.0);
        for seed in 0..6 {
            let notes = reply_to(&call, from, LONG, seed);
            let most = 2.0 * pace * LONG.0;
            assert!(
                !notes.is_empty() && notes.len() as f32 <= most,
                "{keys:?} {held}: {} notes",
                notes.len()
            );
            let octave = |key: Key| keys.iter().any(|near| near.abs_diff(key.number()) <= 12);
            assert!(notes.iter().all(|note| octave(note.key)), "{keys:?} {held}");
            assert!(notes.iter().all(|note| note.velocity.value().abs_diff(80) <= 15), "{keys:?} {held}");
        }
    }
}

#[test]
fn an_answer_has_no_note_that_is_shorter_than_a_tenth_of_a_second_and_than_all_of_its_call() {
    for (held, least) in [(0.2, 0.1), (0.06, 0.06)] {
        let call: Vec<Note> = (0..32).map(|n| struck(f64::from(n) * 0.25, held, 60 + n % 8)).collect();
        let all = (0..8).flat_map(|seed| reply_to(&call, 8.5, Seconds(6.0), seed));
        let shortest = all.map(|note| note.duration.0).fold(f32::INFINITY, f32::min);
        assert!((least - 1e-3..least + 0.2).contains(&shortest), "{shortest} s after notes of {held} s");
    }
}

#[test]
fn an_answer_that_does_not_adapt_goes_beyond_the_register_and_the_dynamics_of_its_call() {
    let call: Vec<Note> = (0..8).map(|n| struck(f64::from(n) * 0.25, 0.2, 60 + n)).collect();
    let strays = |generation: GenerationSettings| {
        let all: Vec<Note> =
            (0..12).flat_map(|seed| reply_as(&generation, &call, 2.6, Seconds(6.0), seed)).collect();
        let far = |note: &&Note| !(48..=79).contains(&note.key.number());
        let loudness = |note: &Note| f32::from(note.velocity.value().abs_diff(80));
        let apart = all.iter().map(loudness).sum::<f32>() / all.len() as f32;
        (all.iter().filter(far).count(), apart)
    };
    let (within, beyond) =
        (strays(GenerationSettings::DEFAULT), strays(GenerationSettings::DEFAULT.unadapted()));
    assert!(within.0 == 0 && beyond.0 > 0, "{within:?} {beyond:?}");
    assert!(beyond.1 > 1.5 * within.1, "{within:?} {beyond:?}");
}

#[test]
fn the_last_chord_of_an_answer_rings_to_its_end_and_nothing_rings_on() {
    const LONG: Seconds = Seconds(6.0);
    let call: Vec<Note> = (0..16).map(|n| struck(f64::from(n) * 0.25, 0.2, 60 + n % 8)).collect();
    let until = Moment(4.5) + LONG;
    let mut closed = 0;
    for seed in 0..16 {
        let notes = reply_to(&call, 4.5, LONG, seed);
        let end = |note: &Note| (note.onset + note.duration - until).0;
        // A beat of the call lasts half a second, to the nearest hundredth.
        let close = |chord: &&[Note]| (until - chord[0].onset).0 < 0.505;
        let chords = notes.chunk_by(|one, next| (next.onset - one.onset).0 < 0.06);
        let last: Vec<&[Note]> = chords.filter(close).collect();
        closed += usize::from(!last.is_empty());
        assert!(last.iter().copied().flatten().all(|note| end(note) > -0.01), "{last:?} of {until:?}");
        assert!(last.len() <= 1, "{last:?}: one chord");
        assert!(notes.iter().all(|note| end(note) < 0.26), "{until:?}");
    }
    assert!(closed > 0, "an answer comes to a close");
}

#[test]
fn whatever_little_was_heard_no_answer_runs_and_none_strikes_more_than_two_hands() {
    const LONG: Seconds = Seconds(15.0);
    for count in [1_u8, 2, 4, 8, 16] {
        let call: Vec<Note> = (0..count).map(|n| struck(f64::from(n) * 0.25, 0.2, 60 + n % 8)).collect();
        let notes = reply_to(&call, f64::from(count) * 0.25 + 0.6, LONG, count.into());
        assert!(notes.len() as f32 <= 3.0 * 4.0 * LONG.0, "{} notes after {count}", notes.len());
        for chord in notes.chunk_by(|one, next| (next.onset - one.onset).0 < 0.02) {
            let keys: Vec<u8> = chord.iter().map(|note| note.key.number()).collect();
            let (low, high) = (keys.iter().min(), keys.iter().max());
            let (low, high) = (*low.expect("a note"), *high.expect("a note"));
            assert!(
                keys.len() <= 10 && keys.iter().all(|&key| key <= low + 16 || key + 16 >= high),
                "{keys:?}"
            );
        }
    }
}
