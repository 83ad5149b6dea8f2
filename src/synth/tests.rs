use super::*;
use crate::music::note::Key;

const RATE: f32 = 48_000.0;
const SECOND: usize = 48_000;

fn place(key: u8) -> Place {
    Place { channel: 0, key: Key::saturating(key) }
}

fn velocity(value: u8) -> Velocity {
    Velocity::saturating(value)
}

/// What sounds for so many samples, left and right.
fn heard(synth: &mut Synth, samples: usize) -> [Vec<f32>; 2] {
    let mut sides = [vec![0.0; samples], vec![0.0; samples]];
    let [left, right] = &mut sides;
    synth.render(left, right);
    sides
}

/// How loud the next samples are: the root of their mean square.
fn loudness(synth: &mut Synth, samples: usize) -> f32 {
    let sides = heard(synth, samples);
    let squares: f32 = sides.iter().flatten().map(|sample| sample * sample).sum();
    (squares / (2 * samples) as f32).sqrt()
}

/// How often the next second comes up through nought.
fn pitch_hz(synth: &mut Synth) -> usize {
    let [left, _] = heard(synth, SECOND);
    left.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count()
}

#[test]
fn a_key_sounds_at_its_pitch_while_it_is_held_and_soon_no_more() {
    let mut synth = Synth::new(RATE);
    synth.strike(place(69), velocity(30));
    assert!((438..=442).contains(&pitch_hz(&mut synth)));
    assert!(loudness(&mut synth, SECOND) > 0.002);
    synth.release(place(69).into());
    heard(&mut synth, SECOND);
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
}

#[test]
fn the_wheel_bends_by_a_whole_tone_and_only_its_own_channel() {
    let mut synth = Synth::new(RATE);
    synth.strike(place(69), velocity(30));
    synth.bend(1, 1.0);
    assert!((438..=442).contains(&pitch_hz(&mut synth)));
    synth.bend(0, 1.0);
    assert!((492..=496).contains(&pitch_hz(&mut synth)));
    synth.bend(0, -1.0);
    assert!((390..=394).contains(&pitch_hz(&mut synth)));
}

#[test]
fn the_harder_a_key_is_struck_the_louder_it_is() {
    let loudness = [1, 20, 64, 100, 127].map(|force| {
        let mut synth = Synth::new(RATE);
        synth.strike(place(60), velocity(force));
        loudness(&mut synth, SECOND / 2)
    });
    assert!(loudness.is_sorted_by(|softer, louder| softer < louder), "{loudness:?}");
    assert!(loudness[0] > 0.0);
}

#[test]
fn the_pedal_keeps_what_is_released_until_it_comes_up() {
    let mut synth = Synth::new(RATE);
    synth.pedal(0, Pedal::Down);
    synth.strike(place(60), velocity(90));
    synth.release(place(60).into());
    heard(&mut synth, SECOND);
    assert!(loudness(&mut synth, SECOND) > 0.01);
    synth.pedal(0, Pedal::Up);
    heard(&mut synth, SECOND);
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
}

#[test]
fn the_pedal_releases_no_key_that_is_held() {
    let mut synth = Synth::new(RATE);
    synth.strike(place(60), velocity(90));
    synth.pedal(0, Pedal::Down);
    synth.pedal(0, Pedal::Up);
    heard(&mut synth, SECOND);
    assert!(loudness(&mut synth, SECOND) > 0.01);
}

#[test]
fn a_key_that_is_struck_twice_sounds_until_it_is_released_twice() {
    let mut synth = Synth::new(RATE);
    for _ in 0..2 {
        synth.strike(place(60), velocity(90));
    }
    synth.release(place(60).into());
    heard(&mut synth, SECOND);
    assert!(loudness(&mut synth, SECOND) > 0.01);
    synth.release(place(60).into());
    heard(&mut synth, SECOND);
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
}

#[test]
fn one_note_too_many_takes_the_place_of_the_oldest() {
    let mut synth = Synth::new(RATE);
    for key in 30..30 + VOICES as u8 + 1 {
        synth.strike(place(key), velocity(60));
        heard(&mut synth, 100);
    }
    let sounds = |key| synth.voices.iter().any(|voice| voice.is_of(place(key)));
    assert!(!sounds(30));
    assert!((31..30 + VOICES as u8 + 1).all(sounds));
}

#[test]
fn a_note_that_makes_room_does_not_click() {
    let steepest =
        |samples: &[f32]| samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0f32, f32::max);
    let mut synth = Synth::new(RATE);
    for _ in 0..VOICES {
        synth.strike(place(36), velocity(40));
    }
    let before = heard(&mut synth, SECOND / 2);
    synth.strike(place(36), velocity(1));
    let after = heard(&mut synth, SECOND / 2);
    assert!(steepest(&after[0]) <= 1.1 * steepest(&before[0]));
}

#[test]
fn the_loudest_chord_stays_within_full_scale() {
    let mut synth = Synth::new(RATE);
    for key in 40..40 + VOICES as u8 {
        synth.strike(place(key), velocity(127));
    }
    let peak = heard(&mut synth, SECOND).iter().flatten().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert!((0.5..=1.0).contains(&peak), "{peak}");
}

#[test]
fn at_volume_nought_all_is_silent_and_no_note_waits() {
    let mut synth = Synth::new(RATE);
    synth.strike(place(60), velocity(90));
    heard(&mut synth, SECOND / 10);
    synth.set_volume(0.0);
    heard(&mut synth, SECOND);
    synth.strike(place(64), velocity(90));
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
    synth.set_volume(1.0);
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
}

#[test]
fn all_sound_off_ends_a_channel_even_under_the_pedal() {
    let mut synth = Synth::new(RATE);
    synth.pedal(0, Pedal::Down);
    synth.strike(place(60), velocity(90));
    synth.release(place(60).into());
    synth.cut(0);
    heard(&mut synth, SECOND);
    assert_eq!(loudness(&mut synth, SECOND), 0.0);
}

#[test]
fn the_same_notes_sound_the_same_for_every_partition() {
    let play = |block: usize| {
        let mut synth = Synth::new(RATE);
        let mut left = Vec::new();
        for (index, key) in [48, 55, 60, 64, 96, 60].into_iter().enumerate() {
            synth.strike(place(key), velocity(50 + 10 * index as u8));
            if index == 3 {
                synth.release(place(55).into());
            }
            for start in (0..2_400).step_by(block) {
                left.extend(heard(&mut synth, block.min(2_400 - start))[0].iter().copied());
            }
        }
        left
    };
    let whole = play(2_400);
    for block in [1, 7, 64, 512] {
        assert!(play(block) == whole, "in blocks of {block}");
    }
}
