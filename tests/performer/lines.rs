//! Laws of lines: hand-overs, ends and bar lines that were decided stay in place, however the host reports
//! its time.

use std::{num::NonZeroU8, sync::Arc};

use antiphon::{
    improviser::Improviser,
    lane::{Reply, Request, lanes},
    music::{
        note::Velocity,
        note_tracker::Pedal,
        time::{BeatTime, Beats, Moment, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::{Alignment, Cue, Entry, Length, Rules},
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
    telemetry::Telemetry,
};
use proptest::prelude::*;

use crate::rig::{Dice, SETTINGS, host, one_call, place};

const RATE: f64 = 48_000.0;
const ONE: NonZeroU8 = NonZeroU8::new(1).expect("not nought");
/// Lengths of blocks, in samples.
const LENGTHS: [u64; 6] = [64, 256, 333, 512, 2_048, 4_096];
/// Tempos in beats per minute.
const TEMPI: [f64; 4] = [90.0, 111.0, 120.0, 127.0];
const TRADE: Settings = Settings { rules: Rules::Trade { bars: ONE }, ..SETTINGS };

/// What a host reports at the beginning of a block: length in samples, beat, tempo.
type Block = (u64, f64, f64);

fn transport(beat: f64, tempo: f64) -> Transport {
    Transport {
        playing: true,
        tempo: Tempo::new(tempo),
        position: Some(BeatTime(beat)),
        ..Transport::default()
    }
}

/// The beats on which the plugin's notes begin in a trade over these blocks, counted from the reported beats;
/// each with the number of beats per sample.
fn traded(blocks: &[Block]) -> Vec<(f64, f64)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let mut performer =
        Performer::new(SampleRate(RATE), performer_end, partner, Arc::default(), TRADE, Past::default());
    let score = [
        (100, Gesture::KeyDown(place(60), Velocity::saturating(90))),
        (2_000, Gesture::KeysUp(place(60).into())),
    ];
    let mut host = host(&score, usize::MAX);
    let mut onsets = Vec::new();
    for &(length, beat, tempo) in blocks {
        host.end = host.begin + length;
        let before = host.heard.len();
        performer.process(&transport(beat, tempo), Samples(length), TRADE, &mut host);
        let per_sample = tempo / 60.0 / RATE;
        onsets.extend(host.heard[before..].iter().filter_map(|(at, sound)| {
            let onset = beat + (at - host.begin) as f64 * per_sample;
            matches!(sound, Sound::NoteOn(..)).then_some((onset, per_sample))
        }));
        host.begin = host.end;
    }
    onsets
}

/// Onsets within the player's bars, farther from a line than the rounding to a sample explains.
fn in_the_players_bars(onsets: &[(f64, f64)]) -> Vec<f64> {
    let is_players = |(beat, per_sample): &(f64, f64)| {
        let of_two_bars = beat.rem_euclid(8.0);
        (*per_sample..4.0 - per_sample).contains(&of_two_bars)
    };
    onsets.iter().filter(|onset| is_players(onset)).map(|(beat, _)| *beat).collect()
}

/// Blocks as reported by a host whose tempo changes from block to block, with an error in each report.
fn told(
    lengths: &[u64],
    tempo: impl Fn(f64) -> f64,
    jitter: impl Fn(usize) -> f64,
    beats: f64,
) -> Vec<Block> {
    let (mut beat, mut seconds, mut blocks) = (0.0, 0.0, Vec::new());
    for (nth, &length) in lengths.iter().cycle().enumerate() {
        if beat > beats {
            break;
        }
        let now = tempo(seconds);
        blocks.push((length, if nth == 0 { beat } else { beat + jitter(nth) }, now));
        beat += length as f64 * now / 60.0 / RATE;
        seconds += length as f64 / RATE;
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_trade_leaves_the_players_bars_alone_for_any_partition_ramp_and_jitter(
        lengths in prop::collection::vec(64..8_192u64, 1..30),
        begin in 50f64..180.0,
        ramp in -8f64..8.0,
        jitter in prop::collection::vec(-1f64..1.0, 1..40),
        // Errors of the reports, from a thousandth of a millisecond up to half of what counts as a jump.
        size in prop::sample::select(vec![0.0, 2e-6, 1e-4, 2e-3, 0.014]),
    ) {
        let tempo = |seconds: f64| (begin + ramp * seconds).clamp(40.0, 240.0);
        let blocks = told(&lengths, tempo, |nth| jitter[nth % jitter.len()] * size, 48.0);
        let onsets = traded(&blocks);
        prop_assert!(onsets.len() > 10, "the plugin plays in its own bars");
        prop_assert_eq!(in_the_players_bars(&onsets), Vec::<f64>::new());
    }
}

#[test]
fn a_host_that_tells_the_line_a_little_late_and_faster_is_not_played_over() {
    let mut blocks: Vec<Block> = (0..80).map(|n| (4_800, f64::from(n) * 0.2, 120.0)).collect();
    let per_block = 4_800.0 * 121.0 / 60.0 / RATE;
    blocks.extend((0..40).map(|n| (4_800, 16.0001 + f64::from(n) * per_block, 121.0)));
    assert_eq!(in_the_players_bars(&traded(&blocks)), Vec::<f64>::new());
}

#[test]
fn an_accelerando_is_not_played_over() {
    for (length, begin) in LENGTHS.into_iter().flat_map(|length| [(length, 60.0), (length, 90.0)]) {
        let stepwise = told(&[length], |seconds| begin + 6.25 * seconds, |_| 0.0, 64.0);
        let true_at = |nth: u64| {
            let seconds = (nth * length) as f64 / RATE;
            (length, (begin + 6.25 * seconds / 2.0) * seconds / 60.0, begin + 6.25 * seconds)
        };
        let integrated = (0..).map(true_at).take_while(|(_, beat, _)| *beat < 64.0).collect();
        for (how, blocks) in [("stepwise", stepwise), ("integrated", integrated)] {
            let onsets = in_the_players_bars(&traded(&blocks));
            assert_eq!(onsets, Vec::<f64>::new(), "{how}, from {begin}, blocks of {length}");
        }
    }
}

#[test]
fn a_host_that_tells_whole_milliseconds_is_not_played_over() {
    for round in [f64::floor, f64::round, f64::ceil] {
        for (length, tempo) in LENGTHS.into_iter().flat_map(|length| TEMPI.map(|tempo| (length, tempo))) {
            let whole = |nth: usize| {
                let seconds = (nth as u64 * length) as f64 / RATE;
                (round(seconds * 1e3) / 1e3 - seconds) * tempo / 60.0
            };
            let onsets = in_the_players_bars(&traded(&told(&[length], |_| tempo, whole, 100.0)));
            assert_eq!(onsets, Vec::<f64>::new(), "at {tempo}, blocks of {length}");
        }
    }
}

fn aligned(alignment: Alignment, silence: f64) -> Settings {
    let entry = Entry { cue: Cue::Silence(Beats(silence)), alignment };
    let rules = Rules::Answer { entry, length: Length::Call { longest: Beats(8.0) } };
    Settings { rules, ..SETTINGS }
}

/// The beats of the hand-overs that are asked for at 120 beats per minute, where a worker reports when it
/// expects the end of the call. Each of `words` is a report: how many beats after the player's silence it
/// comes, and how many beats after that it expects the end.
fn hand_overs(
    score: &[(u64, Gesture)],
    settings: impl Fn(f64) -> Settings,
    words: &[(f64, f64)],
    block: u64,
) -> Vec<f64> {
    let (performer_end, mut worker) = lanes();
    let (rate, telemetry) = (SampleRate(RATE), Arc::new(Telemetry::default()));
    let partner = Partner::Worker;
    let mut performer =
        Performer::new(rate, performer_end, partner, telemetry, settings(0.0), Past::default());
    let mut host = host(score, usize::MAX);
    let mut words = words.iter().cycle();
    let (mut found, mut replies) = (Vec::new(), Vec::new());
    while host.begin < 40 * 24_000 {
        let beat = host.begin as f64 / 24_000.0;
        host.end = host.begin + block;
        performer.process(&transport(beat, 120.0), Samples(block), settings(beat), &mut host);
        host.begin = host.end;
        let now = host.begin as f64 / 24_000.0;
        while let Ok(request) = worker.requests.pop() {
            match request {
                Request::Answer { from, .. } => found.push(from.0 * 2.0),
                Request::Silence(silence) => {
                    let &(wait, expects) = words.next().expect("a cycle");
                    let hand_over = Some(Moment((now + wait + expects) / 2.0));
                    replies.push((now + wait, Reply::Expect { silence: silence.id, hand_over }));
                }
                _ => {}
            }
        }
        let due = replies.extract_if(.., |(at, _)| *at <= now);
        due.for_each(|(_, reply)| worker.replies.push(reply).expect("room"));
    }
    found
}

const NEVER: &[(f64, f64)] = &[(1e9, 0.0)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn with_an_alignment_every_hand_over_stands_on_a_line_whatever_arrives_when(
        gaps in prop::collection::vec((1..90_000u64, 1..40_000u64, any::<bool>()), 1..8),
        silences in prop::collection::vec(0.25f64..8.0, 1..8),
        words in prop::collection::vec((0.0..2.0f64, -1.0..3.0f64), 1..5),
        alignment in prop::sample::select(vec![Alignment::Beat, Alignment::Bar]),
        block in 64..4_000u64,
    ) {
        let mut at = 0;
        let mut score = Vec::new();
        for (gap, length, pedal) in gaps {
            at += gap;
            let pedal = if pedal { Pedal::Down } else { Pedal::Up };
            score.push((at, Gesture::Pedal { channel: 0, pedal }));
            score.push((at, Gesture::KeyDown(place(60), Velocity::saturating(90))));
            at += length;
            score.push((at, Gesture::KeysUp(place(60).into())));
        }
        let settings = |beat: f64| aligned(alignment, silences[(beat / 1.7) as usize % silences.len()]);
        let grid = if alignment == Alignment::Beat { 1.0 } else { 4.0 };
        for hand_over in hand_overs(&score, settings, &words, block) {
            let off = (hand_over / grid - (hand_over / grid).round()).abs() * grid;
            prop_assert!(off < 1e-4, "hands over at {hand_over}");
        }
    }
}

#[test]
fn a_silence_that_is_made_shorter_still_waits_for_its_line() {
    let score = [
        (5 * 24_000, Gesture::KeyDown(place(60), Velocity::saturating(90))),
        (6 * 24_000, Gesture::KeysUp(place(60).into())),
    ];
    let settings = |beat: f64| aligned(Alignment::Bar, if beat < 13.3 { 8.0 } else { 4.0 });
    assert_eq!(hand_overs(&score, settings, NEVER, 100), [16.0]);
}

#[test]
fn a_word_that_comes_a_few_milliseconds_late_still_takes_its_line() {
    let score = [
        (5 * 24_000, Gesture::KeyDown(place(60), Velocity::saturating(90))),
        (24_000 * 797 / 100, Gesture::KeysUp(place(60).into())),
    ];
    // The end of the call is expected at beat 7.99; the report comes 10 ms after the line.
    let words = |wait: f64| vec![(wait, 0.02 - wait)];
    let found = |wait| hand_overs(&score, |_| aligned(Alignment::Bar, 8.0), &words(wait), 100);
    assert_eq!(found(0.05), [8.0]);
    assert_eq!(found(0.5), [12.0]);
}

/// The notes of an answer where the host reports these beats, at tempo 120 and in blocks of 500 samples at 48
/// kHz.
fn answered(calls: &[u64], told: impl Fn(u64) -> Transport, beats: u64) -> Vec<u64> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let settings = aligned(Alignment::Off, 1.0);
    let mut performer =
        Performer::new(SampleRate(RATE), performer_end, partner, Arc::default(), settings, Past::default());
    let call = |beat: u64| one_call().into_iter().map(move |(at, gesture)| (beat * 24_000 + at, gesture));
    let mut host = host(&calls.iter().copied().flat_map(call).collect::<Vec<_>>(), usize::MAX);
    while host.begin < beats * 24_000 {
        host.end = host.begin + 500;
        performer.process(&told(host.begin), Samples(500), settings, &mut host);
        host.begin = host.end;
    }
    let onset = |(at, sound): &(u64, Sound)| matches!(sound, Sound::NoteOn(..)).then_some(*at);
    host.heard.iter().filter_map(onset).collect()
}

#[test]
fn an_answer_goes_on_through_a_loop_of_the_host() {
    let calls = [1, 13, 27, 44];
    let looped = |at: u64| Transport {
        cycle: Some(Beats(16.0)),
        ..transport((at as f64 / 24_000.0).rem_euclid(16.0), 120.0)
    };
    let straight = answered(&calls, |at| transport(at as f64 / 24_000.0, 120.0), 64);
    let through = answered(&calls, looped, 64);
    assert!(straight.len() > 20);
    assert_eq!(through, straight);
}

#[test]
fn a_beat_that_is_not_a_number_changes_nothing() {
    let beat = |at: u64| at as f64 / 24_000.0;
    let straight = answered(&[1, 20], |at| transport(beat(at), 120.0), 40);
    let broken = |at: u64| at / 500 % 7 == 3;
    for none in [f64::NAN, f64::INFINITY, 1e300] {
        let told = |at| transport(if broken(at) { none } else { beat(at) }, 120.0);
        assert_eq!(answered(&[1, 20], told, 40), straight);
        let never = answered(&[1, 20], |_| transport(none, 120.0), 40);
        let without = Transport { position: None, ..transport(0.0, 120.0) };
        assert_eq!(never, answered(&[1, 20], |_| without, 40));
        assert!(!never.is_empty());
    }
}
