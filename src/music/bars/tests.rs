use super::*;

fn bars(beats: i32, value: i32, number: i64, start: f64) -> Bars {
    let signature = Signature::new(beats, value).expect("a signature");
    Bars::of_song(BeatTime(start), Some(Bar { number, start: BeatTime(start) }), signature)
}

#[test]
fn a_bar_that_the_host_tells_is_believed_where_it_holds_the_beat_alone() {
    let told = Some(Bar { number: 7, start: BeatTime(21.5) });
    let common = Signature::COMMON;
    assert_eq!(Bars::of_song(BeatTime(22.0), told, common).number_at(BeatTime(22.0)), 7);
    assert_eq!(Bars::of_song(BeatTime(40.0), told, common).number_at(BeatTime(40.0)), 10);
    assert_eq!(Bars::of_song(BeatTime(13.0), None, common).line(3), BeatTime(12.0));
}

#[test]
fn bars_of_a_pre_roll_have_numbers_below_nought() {
    let bars = Bars::of_song(BeatTime(-3.0), None, Signature::COMMON);
    assert_eq!(bars.number_at(BeatTime(-3.0)), -1);
    assert_eq!(bars.number_at(BeatTime(0.0)), 0);
}

#[test]
fn a_change_of_signature_counts_on() {
    let (four, three) = (bars(4, 4, 0, 0.0), bars(3, 4, 4, 16.0));
    assert_eq!(three.counted_on(four).number_at(BeatTime(22.5)), 6);
    let wrongly_numbered = bars(3, 4, 99, 16.0);
    assert_eq!(wrongly_numbered.counted_on(four).number_at(BeatTime(16.0)), 4);
    let in_the_middle = bars(6, 8, 0, 14.0);
    assert_eq!(in_the_middle.counted_on(four).number_at(BeatTime(14.0)), 4, "the bar cut short counts");
}

#[test]
fn the_same_bars_told_later_are_the_same_bars() {
    let first = bars(7, 8, 0, 0.0);
    assert_eq!(bars(7, 8, 5, 17.5).counted_on(first), first);
}

#[test]
fn a_loop_counts_on_as_if_the_song_were_unrolled() {
    let song = bars(4, 4, 0, 0.0);
    let looped = |length: f64| song.counted_through(song, BeatTime(length), BeatTime(0.0));
    assert_eq!(looped(16.0).number_at(BeatTime(0.0)), 4);
    assert_eq!(looped(16.0).number_at(BeatTime(5.0)), 5);
    assert_eq!(looped(6.0).number_at(BeatTime(0.0)), 2, "the bar cut short counts");
    let inside = song.counted_through(song, BeatTime(13.0), BeatTime(1.0));
    assert_eq!(inside.number_at(BeatTime(1.0)), 3, "the bar goes on");
}

#[test]
fn the_next_line_of_a_grid_is_the_one_that_is_just_reached() {
    let bars = bars(6, 8, 0, 0.0);
    let beat = bars.signature().beat();
    assert_eq!(beat, Beats(0.5));
    assert_eq!(bars.aligned(BeatTime(1.0), beat), BeatTime(1.0));
    assert_eq!(bars.aligned(BeatTime(1.1), beat), BeatTime(1.5));
    assert_eq!(bars.aligned(BeatTime(1.1), bars.signature().bar()), BeatTime(3.0));
}
