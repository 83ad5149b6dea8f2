mod modes;

use super::*;
use crate::music::{
    time::{BeatTime, SampleRate, Samples, Tempo},
    timeline::Transport,
};

const ENTRY: Entry = Entry { cue: Cue::Silence(Beats(1.0)), alignment: Alignment::Off };
const RULES: Rules = Rules::Answer { entry: ENTRY, length: Length::Call { longest: Beats(16.0) } };

/// 120 beats a minute at 48 kHz: 24,000 samples a beat.
fn timeline() -> Timeline {
    let mut timeline = Timeline::new(SampleRate(48_000.0));
    let tempo = Tempo::new(120.0);
    timeline.begin_block(&Transport {
        playing: true,
        tempo,
        position: Some(BeatTime(0.0)),
        ..Transport::default()
    });
    timeline
}

/// The sample on which the next change is due.
fn now(turns: &Turns, timeline: &Timeline) -> SampleTime {
    turns.next_change(SampleTime(96_000), timeline).map_or(SampleTime(0), |(at, _)| at)
}

fn called(timeline: &Timeline) -> Turns {
    called_in(&RULES, timeline)
}

fn called_in(rules: &Rules, timeline: &Timeline) -> Turns {
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), timeline, rules);
    turns.last_key_up(SampleTime(96_000), timeline, rules);
    turns
}

#[test]
fn the_plugin_takes_the_floor_a_beat_after_the_last_release() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    assert_eq!(turns.next_change(SampleTime(96_000), &timeline), Some((SampleTime(108_000), Change::Ask)));
    turns.ask(now(&turns, &timeline), &timeline, &RULES);
    assert_eq!(
        turns.next_change(SampleTime(96_000), &timeline),
        Some((SampleTime(120_000), Change::HandOver))
    );
}

#[test]
fn an_answer_is_as_long_as_its_call() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    turns.ask(now(&turns, &timeline), &timeline, &RULES);
    turns.hand_over(&timeline, &RULES);
    assert_eq!(turns.next_change(SampleTime(96_000), &timeline), Some((SampleTime(216_000), Change::End)));
}

#[test]
fn a_strike_at_any_time_takes_the_floor_back() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    let asked = turns.ask(now(&turns, &timeline), &timeline, &RULES).map(|ask| ask.turn);
    let struck = turns.key_down(SampleTime(110_000), &timeline, &RULES);
    assert_eq!(struck, Consequence::FallSilent(asked));
    assert_eq!(turns.next_change(SampleTime(96_000), &timeline), None);
    turns.last_key_up(SampleTime(111_000), &timeline, &RULES);
    let asked = turns.ask(now(&turns, &timeline), &timeline, &RULES).map(|ask| ask.turn);
    turns.hand_over(&timeline, &RULES);
    let struck = turns.key_down(SampleTime(140_000), &timeline, &RULES);
    assert_eq!(struck, Consequence::FallSilent(asked));
}

#[test]
fn nothing_is_answered_twice() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    turns.ask(now(&turns, &timeline), &timeline, &RULES);
    turns.hand_over(&timeline, &RULES);
    turns.end(&timeline, &RULES);
    turns.last_key_up(SampleTime(300_000), &timeline, &RULES);
    assert_eq!(turns.next_change(SampleTime(96_000), &timeline), None);
}

#[test]
fn a_silence_goes_on_through_a_jump_and_a_stop_forgets_the_call() {
    let mut timeline = timeline();
    let mut turns = called(&timeline);
    let asked = turns.ask(SampleTime(108_000), &timeline, &RULES).map(|ask| ask.turn);
    timeline.end_block(Samples(114_000));
    let silence = turns.silence(&timeline, timeline.pin(timeline.now()));
    assert_eq!(silence, Some(Beats(0.75)));
    let looped = Transport {
        playing: true,
        tempo: Tempo::new(120.0),
        position: Some(BeatTime(-8.0)),
        ..Transport::default()
    };
    timeline.begin_block(&looped);
    let jumped = turns.jump(Motion::Sought(Beats(-12.75)), &timeline, silence, &RULES);
    assert_eq!(jumped, Consequence::FallSilent(asked));
    turns.ask(timeline.now(), &timeline, &RULES);
    assert_eq!(
        turns.next_change(SampleTime(96_000), &timeline),
        Some((SampleTime(120_000), Change::HandOver))
    );
    turns.stop();
    assert_eq!(turns.next_change(SampleTime(96_000), &timeline), None);
}

#[test]
fn a_new_take_begins_chance_anew_and_goes_on_counting_turns() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    let first = turns.ask(SampleTime(108_000), &timeline, &RULES).expect("a silence");
    turns.restart();
    turns.key_down(SampleTime(0), &timeline, &RULES);
    turns.last_key_up(SampleTime(96_000), &timeline, &RULES);
    let again = turns.ask(SampleTime(108_000), &timeline, &RULES).expect("a silence");
    assert_eq!(again.ordinal, first.ordinal);
    assert!(again.turn > first.turn);
}

#[test]
fn a_silence_that_is_cut_short_hands_over_now() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    let late = SampleTime(200_000);
    turns.set(late, &timeline, &RULES);
    let ask = turns.ask(late, &timeline, &RULES).expect("a silence");
    assert_eq!(timeline.sample(ask.hand_over), late);
}

#[test]
fn a_turn_that_was_asked_for_in_vain_keeps_its_number() {
    let timeline = timeline();
    let mut turns = called(&timeline);
    let first = turns.ask(now(&turns, &timeline), &timeline, &RULES).map(|ask| ask.turn);
    turns.key_down(SampleTime(110_000), &timeline, &RULES);
    turns.last_key_up(SampleTime(111_000), &timeline, &RULES);
    assert!(turns.ask(now(&turns, &timeline), &timeline, &RULES).map(|ask| ask.turn) > first);
}
