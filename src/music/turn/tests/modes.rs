//! The modes, the cues and the lines that the plugin waits for.

use std::num::NonZeroU8;

use super::*;
use crate::music::bars::Signature;

const TWO: NonZeroU8 = NonZeroU8::new(2).expect("not nought");
const TRADE: Rules = Rules::Trade { bars: TWO };
const TOGETHER: Rules = Rules::Together { longest: Beats(16.0) };

fn answers(cue: Cue, alignment: Alignment, length: Length) -> Rules {
    Rules::Answer { entry: Entry { cue, alignment }, length }
}

/// The next change from a sample on, as its sample.
fn next(turns: &Turns, from: u64, timeline: &Timeline) -> Option<(u64, Change)> {
    let change = turns.next_change(SampleTime(from), timeline);
    change.map(|(at, change)| (at.0, change))
}

/// Lets time pass until the plugin takes the floor; returns the sample of that, and that of its end, if it
/// has one.
fn pass(turns: &mut Turns, from: u64, timeline: &Timeline, rules: &Rules) -> (u64, Option<u64>) {
    let (asked, _) = turns.next_change(SampleTime(from), timeline).expect("to ask");
    turns.ask(asked, timeline, rules).expect("an answer");
    let (handed_over, change) = next(turns, asked.0, timeline).expect("to hand over");
    assert_eq!(change, Change::HandOver);
    turns.hand_over(timeline, rules);
    (handed_over, next(turns, handed_over, timeline).map(|(at, _)| at))
}

#[test]
fn the_plugin_waits_for_the_next_beat_or_bar_if_it_is_to() {
    let timeline = timeline();
    for (alignment, expected) in
        [(Alignment::Off, 120_480), (Alignment::Beat, 144_000), (Alignment::Bar, 192_000)]
    {
        let rules = answers(Cue::Silence(Beats(1.02)), alignment, Length::Bars(TWO));
        let mut turns = called_in(&rules, &timeline);
        assert_eq!(pass(&mut turns, 96_000, &timeline, &rules), (expected, Some(expected + 192_000)));
    }
}

#[test]
fn without_bars_the_plugin_does_not_wait_for_them() {
    let timeline = Timeline::new(SampleRate(48_000.0));
    let rules = answers(Cue::Silence(Beats(1.02)), Alignment::Bar, Length::Bars(TWO));
    let mut turns = called_in(&rules, &timeline);
    assert_eq!(pass(&mut turns, 96_000, &timeline, &rules), (120_480, Some(120_480 + 192_000)));
}

#[test]
fn where_a_cue_is_wanted_silence_hands_nothing_over() {
    let timeline = timeline();
    let rules = answers(Cue::Pedal(Foot::Soft), Alignment::Off, Length::Bars(TWO));
    let mut turns = called_in(&rules, &timeline);
    assert_eq!(next(&turns, 96_000, &timeline), None);
    assert_eq!(turns.cue(SampleTime(200_000), &timeline, &rules), Consequence::PlayOn);
    assert_eq!(pass(&mut turns, 200_000, &timeline, &rules), (200_000, Some(392_000)));
}

#[test]
fn who_has_given_the_cue_may_play_on_to_the_bar_line() {
    let timeline = timeline();
    let rules = answers(Cue::Controller(80), Alignment::Bar, Length::Bars(TWO));
    let mut turns = called_in(&rules, &timeline);
    turns.cue(SampleTime(100_000), &timeline, &rules);
    assert_eq!(turns.key_down(SampleTime(110_000), &timeline, &rules), Consequence::PlayOn);
    assert_eq!(pass(&mut turns, 110_000, &timeline, &rules), (192_000, Some(384_000)));
    let struck = turns.key_down(SampleTime(200_000), &timeline, &rules);
    assert!(matches!(struck, Consequence::FallSilent(Some(_))));
}

#[test]
fn the_cue_given_again_takes_the_floor_back() {
    let timeline = timeline();
    let entry = Entry { cue: Cue::Pedal(Foot::Sostenuto), alignment: Alignment::Off };
    let rules = Rules::Endless { entry };
    let mut turns = called_in(&rules, &timeline);
    turns.cue(SampleTime(100_000), &timeline, &rules);
    assert_eq!(pass(&mut turns, 100_000, &timeline, &rules), (100_000, None), "endless");
    let again = turns.cue(SampleTime(900_000), &timeline, &rules);
    assert!(matches!(again, Consequence::FallSilent(Some(_))));
    assert_eq!(next(&turns, 900_000, &timeline), None);
}

#[test]
fn a_trade_goes_back_and_forth_on_the_bar_lines() {
    let timeline = timeline();
    let mut turns = Turns::new();
    assert_eq!(next(&turns, 0, &timeline), None, "nobody has played yet");
    turns.key_down(SampleTime(5_000), &timeline, &TRADE);
    assert_eq!(next(&turns, 5_000, &timeline), Some((180_000, Change::Ask)));
    for round in 0..5 {
        let line = round * 384_000 + 192_000;
        assert_eq!(pass(&mut turns, line - 192_000, &timeline, &TRADE), (line, Some(line + 192_000)));
        turns.end(&timeline, &TRADE);
    }
}

#[test]
fn a_strike_in_the_plugins_bars_takes_nothing_from_it() {
    let timeline = timeline();
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TRADE);
    pass(&mut turns, 0, &timeline, &TRADE);
    assert_eq!(turns.key_down(SampleTime(200_000), &timeline, &TRADE), Consequence::PlayOn);
    turns.end(&timeline, &TRADE);
    let struck = turns.key_down(SampleTime(400_000), &timeline, &TRADE);
    assert_eq!(struck, Consequence::FallSilent(None), "what rings on makes way");
}

#[test]
fn a_trade_without_a_transport_counts_from_the_first_note() {
    let timeline = Timeline::new(SampleRate(48_000.0));
    let mut turns = Turns::new();
    turns.key_down(SampleTime(7_000), &timeline, &TRADE);
    assert_eq!(pass(&mut turns, 7_000, &timeline, &TRADE), (199_000, Some(391_000)));
}

#[test]
fn the_bars_before_the_song_are_the_players() {
    let mut timeline = timeline();
    let pre_roll = Transport {
        playing: true,
        tempo: Tempo::new(120.0),
        position: Some(BeatTime(-6.0)),
        ..Transport::default()
    };
    timeline.begin_block(&pre_roll);
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TRADE);
    let bar_two = 24_000 * (6 + 8);
    assert_eq!(pass(&mut turns, 0, &timeline, &TRADE), (bar_two, Some(bar_two + 192_000)));
}

fn at_beat(beat: f64, signature: Option<Signature>) -> Transport {
    Transport {
        playing: true,
        tempo: Tempo::new(120.0),
        position: Some(BeatTime(beat)),
        signature,
        cycle: Some(Beats(8.0)),
        ..Transport::default()
    }
}

#[test]
fn a_trade_over_a_loop_that_is_as_long_as_one_side_goes_back_and_forth() {
    let mut timeline = Timeline::new(SampleRate(48_000.0));
    timeline.begin_block(&at_beat(0.0, None));
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TRADE);
    for round in 0..6_u64 {
        let now = 384_000 * round;
        let (asked, _) = turns.next_change(SampleTime(now), &timeline).expect("to ask");
        assert_eq!(asked, SampleTime(now + 180_000));
        turns.ask(asked, &timeline, &TRADE);
        let line = now + 192_000;
        assert_eq!(go_round(&mut turns, &mut timeline), Consequence::PlayOn);
        assert_eq!(next(&turns, line, &timeline), Some((line, Change::HandOver)));
        turns.hand_over(&timeline, &TRADE);
        assert_eq!(next(&turns, line, &timeline), Some((line + 192_000, Change::End)));
        assert_eq!(go_round(&mut turns, &mut timeline), Consequence::PlayOn);
        let end = line + 192_000;
        assert_eq!(next(&turns, end, &timeline), Some((end, Change::End)));
        turns.end(&timeline, &TRADE);
    }
}

/// Once around a loop of two bars.
fn go_round(turns: &mut Turns, timeline: &mut Timeline) -> Consequence {
    timeline.end_block(Samples(192_000));
    let motion = timeline.begin_block(&at_beat(0.0, None));
    assert_eq!(motion, Motion::Looped(Beats(-8.0)));
    let consequence = turns.jump(motion, timeline, None, &TRADE);
    turns.recount(timeline.now(), timeline, &TRADE);
    consequence
}

#[test]
fn a_seek_asks_the_song_whose_bars_they_are() {
    let mut timeline = timeline();
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TRADE);
    timeline.end_block(Samples(24_000));
    let motion = timeline.begin_block(&at_beat(26.0, None));
    assert_eq!(turns.jump(motion, &timeline, None, &TRADE), Consequence::FallSilent(None));
    assert_eq!(pass(&mut turns, 24_000, &timeline, &TRADE), (24_000, Some(24_000 + 144_000)));
    timeline.end_block(Samples(24_000));
    let motion = timeline.begin_block(&at_beat(2.0, None));
    assert!(matches!(turns.jump(motion, &timeline, None, &TRADE), Consequence::FallSilent(Some(_))));
    assert_eq!(pass(&mut turns, 48_000, &timeline, &TRADE).0, 48_000 + 144_000);
}

#[test]
fn a_change_of_signature_moves_the_lines_of_a_trade() {
    let mut timeline = timeline();
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TRADE);
    pass(&mut turns, 0, &timeline, &TRADE);
    timeline.end_block(Samples(192_000));
    let waltz = Transport {
        bar: Some(crate::music::bars::Bar { number: 2, start: BeatTime(8.0) }),
        ..at_beat(8.0, Signature::new(3, 4))
    };
    assert_eq!(timeline.begin_block(&waltz), Motion::Steady);
    assert_eq!(turns.recount(timeline.now(), &timeline, &TRADE), Consequence::PlayOn);
    assert_eq!(next(&turns, 192_000, &timeline), Some((192_000 + 144_000, Change::End)));
}

#[test]
fn together_a_strike_has_the_plan_made_anew_from_the_next_beat_and_silence_ends_it_in_time() {
    let timeline = timeline();
    let mut turns = Turns::new();
    assert_eq!(turns.key_down(SampleTime(0), &timeline, &TOGETHER), Consequence::PlayOn);
    assert_eq!(pass(&mut turns, 0, &timeline, &TOGETHER), (24_000, Some(24_000 + 384_000)));
    let struck = turns.key_down(SampleTime(50_000), &timeline, &TOGETHER);
    assert_eq!(struck, Consequence::PlayOn, "what was planned before that beat is kept");
    turns.last_key_up(SampleTime(51_000), &timeline, &TOGETHER);
    assert_eq!(pass(&mut turns, 51_000, &timeline, &TOGETHER), (72_000, Some(72_000 + 384_000)));
}

#[test]
fn who_plays_along_comes_in_on_the_beat_of_a_song_that_has_started() {
    let mut timeline = Timeline::new(SampleRate(48_000.0));
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TOGETHER);
    timeline.end_block(Samples(1_000));
    let motion = timeline.begin_block(&at_beat(0.75, None));
    assert_eq!(turns.jump(motion, &timeline, None, &TOGETHER), Consequence::PlayOn);
    let ask = turns.ask(timeline.now(), &timeline, &TOGETHER).expect("it comes in");
    assert_eq!(ask.hand_over, Position::Beat(BeatTime(1.0)));
}

#[test]
fn who_plays_along_goes_on_from_the_beat_of_a_song_that_has_started() {
    let mut timeline = Timeline::new(SampleRate(48_000.0));
    let mut turns = Turns::new();
    turns.key_down(SampleTime(0), &timeline, &TOGETHER);
    pass(&mut turns, 0, &timeline, &TOGETHER);
    turns.key_down(SampleTime(30_000), &timeline, &TOGETHER);
    timeline.end_block(Samples(31_000));
    let motion = timeline.begin_block(&at_beat(0.75, None));
    assert_eq!(turns.jump(motion, &timeline, None, &TOGETHER), Consequence::PlayOn);
    let ask = turns.ask(timeline.now(), &timeline, &TOGETHER).expect("it plans anew");
    assert_eq!(ask.hand_over, Position::Beat(BeatTime(1.0)));
}

#[test]
fn what_is_endless_goes_on_from_the_new_place() {
    let mut timeline = timeline();
    let rules = Rules::Endless { entry: ENTRY };
    let mut turns = called_in(&rules, &timeline);
    pass(&mut turns, 96_000, &timeline, &rules);
    let before = turns.answering().expect("it plays");
    timeline.end_block(Samples(240_000));
    let motion = timeline.begin_block(&at_beat(100.0, None));
    assert_eq!(turns.jump(motion, &timeline, None, &rules), Consequence::PlayOn);
    let after = turns.answering().expect("it plays on");
    assert_eq!(after.turn, before.turn);
    assert_eq!(timeline.sample(after.hand_over), SampleTime(120_000), "the same sample as before");
}
