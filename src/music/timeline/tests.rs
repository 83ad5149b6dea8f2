use super::*;

const RATE: SampleRate = SampleRate(48_000.0);

fn playing(beat: f64, tempo: f64) -> Transport {
    Transport {
        playing: true,
        tempo: Tempo::new(tempo),
        position: Some(BeatTime(beat)),
        ..Transport::default()
    }
}

#[test]
fn a_beat_falls_on_the_same_sample_in_every_partition_into_blocks() {
    let due = |blocks: &[u64]| {
        let mut timeline = Timeline::new(RATE);
        for &length in blocks {
            timeline.begin_block(&playing(timeline.now().0 as f64 / 24_000.0, 120.0));
            timeline.end_block(Samples(length));
        }
        timeline.sample(Position::Beat(BeatTime(1.234_567)))
    };
    assert_eq!(due(&[512; 20]), due(&[1, 7, 137, 4096, 33, 2048]));
    assert_eq!(due(&[64]), SampleTime(29_630));
}

#[test]
fn a_position_on_a_beat_follows_a_change_of_tempo() {
    let mut timeline = Timeline::new(RATE);
    timeline.begin_block(&playing(0.0, 120.0));
    assert_eq!(timeline.sample(Position::Beat(BeatTime(2.0))), SampleTime(48_000));
    timeline.end_block(Samples(24_000));
    assert_eq!(timeline.begin_block(&playing(1.0, 60.0)), Motion::Steady);
    assert_eq!(timeline.sample(Position::Beat(BeatTime(2.0))), SampleTime(72_000));
}

#[test]
fn a_loop_is_a_jump_and_a_ramp_is_none() {
    let mut timeline = Timeline::new(RATE);
    assert_eq!(timeline.begin_block(&playing(-1.0, 120.0)), Motion::Started);
    timeline.end_block(Samples(4_096));
    let beat = -1.0 + 4_096.0 / 24_000.0;
    assert_eq!(timeline.begin_block(&playing(beat + 0.004, 124.0)), Motion::Steady);
    timeline.end_block(Samples(4_096));
    assert!(matches!(timeline.begin_block(&playing(-1.0, 124.0)), Motion::Sought(_)));
}

#[test]
fn a_step_of_the_tempo_within_a_long_block_is_no_jump() {
    let mut timeline = Timeline::new(RATE);
    timeline.begin_block(&playing(0.0, 60.0));
    timeline.end_block(Samples(8_192));
    let beat = 8_192.0 / RATE.0 * 2.5;
    assert_eq!(timeline.begin_block(&playing(beat, 180.0)), Motion::Steady);
}

#[test]
fn a_transport_without_a_position_leaves_the_sample_clock_in_charge() {
    let mut timeline = Timeline::new(RATE);
    let bare = Transport { playing: true, tempo: Tempo::new(90.0), ..Transport::default() };
    assert_eq!(timeline.begin_block(&bare), Motion::Steady);
    assert_eq!(timeline.pin(SampleTime(10)), Position::Sample(SampleTime(10)));
    let later = timeline.after(Position::Sample(SampleTime(0)), Beats(1.5));
    assert_eq!(later, Position::Sample(SampleTime(48_000)));
}

#[test]
fn a_jump_by_the_length_of_the_loop_is_a_loop_and_its_bars_count_on() {
    let mut timeline = Timeline::new(RATE);
    let looping = |beat| Transport { cycle: Some(Beats(8.0)), ..playing(beat, 120.0) };
    timeline.begin_block(&looping(4.0));
    timeline.end_block(Samples(96_000));
    assert_eq!(timeline.begin_block(&looping(0.0)), Motion::Looped(Beats(-8.0)));
    let bars = timeline.song_bars().expect("the transport runs");
    assert_eq!(bars.number_at(timeline.now()), 2);
    timeline.end_block(Samples(24_000));
    assert_eq!(timeline.begin_block(&looping(5.5)), Motion::Sought(Beats(4.5)));
    let bars = timeline.song_bars().expect("the transport runs");
    assert_eq!(bars.number_at(timeline.now()), 1, "after a seek the song says which bar it is");
}

#[test]
fn free_bars_go_from_their_sample_at_their_tempo() {
    let timeline = Timeline::new(RATE);
    let tempo = Tempo::new(60.0).expect("a tempo");
    let bars = timeline.barlines(SampleTime(1_000), tempo);
    assert_eq!(bars.number_at(SampleTime(900)), -1);
    assert_eq!(bars.next_line(SampleTime(1_001), 1, 2).at, Position::Sample(SampleTime(193_000)));
    assert_eq!(bars.next_line(SampleTime(193_000), 1, 2).at, Position::Sample(SampleTime(193_000)));
    assert_eq!(bars.next_line(SampleTime(193_001), 0, 2).at, Position::Sample(SampleTime(385_000)));
}
