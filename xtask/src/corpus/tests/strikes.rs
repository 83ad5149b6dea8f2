//! Tests of which note a release, a pedal or a channel mode message ends.

use super::*;

const BOTH: [Convention; 2] = [Convention::KeyUp, Convention::Sustained];

fn port(number: u8) -> TrackEvent<'static> {
    event(0, TrackEventKind::Meta(MetaMessage::MidiPort(u7::from(number))))
}

#[test]
fn a_release_ends_the_oldest_open_strike_of_its_key() {
    let track = || vec![on(0, 60, 80), on(100, 60, 70), off(50, 60), off(50, 60), end(0)];
    for convention in BOTH {
        assert_eq!(table(track(), convention), [(60, 0, 150), (60, 100, 200)]);
    }
}

#[test]
fn a_release_at_the_moment_of_the_next_strike_ends_the_strike_before() {
    // The result is the same whichever of the two comes first in the file.
    let strike_first = vec![on(0, 60, 80), on(100, 60, 70), off(0, 60), off(100, 60), end(0)];
    let release_first = vec![on(0, 60, 80), off(100, 60), on(0, 60, 70), off(100, 60), end(0)];
    for track in [strike_first, release_first] {
        for convention in BOTH {
            assert_eq!(table(track.clone(), convention), [(60, 0, 100), (60, 100, 200)]);
        }
    }
}

#[test]
fn strikes_of_one_key_at_one_moment_are_each_as_long_as_they_are_held() {
    let doubled = vec![on(0, 60, 80), on(0, 60, 80), off(100, 60), off(0, 60), end(0)];
    assert_eq!(table(doubled, Convention::KeyUp), [(60, 0, 100), (60, 0, 100)]);
    let touched = vec![on(0, 60, 80), off(0, 60), on(0, 60, 70), off(100, 60), end(0)];
    assert_eq!(table(touched, Convention::KeyUp), [(60, 0, 0), (60, 0, 100)]);
}

#[test]
fn a_release_of_a_key_that_is_up_ends_nothing() {
    let track = vec![off(0, 60), on(100, 60, 80), off(100, 60), off(50, 60), on(50, 60, 80), end(50)];
    assert_eq!(table(track, Convention::KeyUp), [(60, 100, 200), (60, 300, 350)]);
}

#[test]
fn tracks_that_share_a_channel_release_their_own_strikes() {
    let right = vec![on(0, 60, 80), off(400, 60), end(0)];
    let left = vec![on(0, 60, 50), off(200, 60), on(100, 60, 50), off(50, 60), end(0)];
    for convention in BOTH {
        let notes = tables(vec![right.clone(), left.clone()], convention);
        assert_eq!(notes, [(60, 0, 400), (60, 0, 200), (60, 300, 350)]);
    }
}

#[test]
fn ports_are_players_of_their_own() {
    let track = vec![
        on(0, 60, 80),
        port(1),
        on(0, 60, 50),
        pedal(0, 127),
        off(200, 60),
        port(0),
        off(200, 60),
        port(1),
        pedal(200, 0),
        end(0),
    ];
    assert_eq!(table(track.clone(), Convention::KeyUp), [(60, 0, 400), (60, 0, 200)]);
    assert_eq!(table(track, Convention::Sustained), [(60, 0, 400), (60, 0, 600)]);
}

#[test]
fn the_same_key_on_another_channel_is_another_note() {
    let other = |delta, vel| midi(delta, 3, MidiMessage::NoteOn { key: u7::from(60), vel: u7::from(vel) });
    let track = vec![on(0, 60, 80), other(100, 90), off(100, 60), other(100, 0), end(0)];
    assert_eq!(table(track, Convention::KeyUp), [(60, 0, 200), (60, 100, 300)]);
}

#[test]
fn a_note_that_is_never_released_ends_with_its_track() {
    assert_eq!(table(vec![on(100, 60, 80), end(400)], Convention::KeyUp), [(60, 100, 500)]);
}

#[test]
fn the_pedal_holds_a_released_note_until_it_is_released_itself() {
    let track = || vec![pedal(0, 64), on(100, 60, 80), off(100, 60), pedal(300, 63), end(100)];
    assert_eq!(table(track(), Convention::Sustained), [(60, 100, 500)]);
    assert_eq!(table(track(), Convention::KeyUp), [(60, 100, 200)]);
}

#[test]
fn the_next_onset_of_a_key_ends_the_note_that_the_pedal_holds() {
    let track = vec![
        pedal(0, 127),
        on(0, 60, 80),
        off(100, 60),
        on(100, 60, 80),
        off(100, 60),
        pedal(100, 0),
        end(0),
    ];
    assert_eq!(table(track, Convention::Sustained), [(60, 0, 200), (60, 200, 400)]);
}

#[test]
fn a_pedal_that_rises_leaves_held_keys_sounding() {
    let track = vec![pedal(0, 127), on(0, 60, 80), pedal(100, 0), off(100, 60), end(100)];
    assert_eq!(table(track, Convention::Sustained), [(60, 0, 200)]);
}

#[test]
fn a_pedal_that_is_never_released_holds_to_the_end_of_the_file() {
    let track = vec![pedal(0, 127), on(0, 60, 80), off(100, 60), end(300)];
    assert_eq!(table(track.clone(), Convention::Sustained), [(60, 0, 400)]);
    assert_eq!(tables(vec![track, vec![end(900)]], Convention::Sustained), [(60, 0, 900)]);
}

#[test]
fn a_pedal_serves_its_channel_whatever_track_it_stands_on_and_outlives_the_end_of_a_track() {
    let notes = vec![on(0, 60, 80), off(100, 60), on(0, 64, 80), end(100)];
    let pedals = vec![pedal(0, 127), pedal(600, 0), end(0)];
    let both = [vec![notes.clone(), pedals.clone()], vec![pedals, notes]];
    for tracks in both {
        assert_eq!(tables(tracks.clone(), Convention::Sustained), [(60, 0, 600), (64, 100, 600)]);
        assert_eq!(tables(tracks, Convention::KeyUp), [(60, 0, 100), (64, 100, 200)]);
    }
}

#[test]
fn all_notes_off_and_the_modes_release_every_key_of_their_channel_and_leave_what_the_pedal_holds() {
    for controller in [123, 124, 125, 126, 127] {
        let track = |foot| {
            vec![
                pedal(0, foot),
                on(0, 60, 80),
                control(100, 0, controller, 0),
                off(100, 60),
                pedal(100, 0),
                end(0),
            ]
        };
        assert_eq!(table(track(0), Convention::Sustained), [(60, 0, 100)], "{controller}");
        assert_eq!(table(track(127), Convention::Sustained), [(60, 0, 300)], "{controller}");
        assert_eq!(table(track(127), Convention::KeyUp), [(60, 0, 100)], "{controller}");
    }
}

#[test]
fn all_sound_off_ends_what_the_pedal_holds_too() {
    let track = vec![
        pedal(0, 127),
        on(0, 60, 80),
        off(50, 60),
        on(0, 64, 80),
        control(50, 0, 120, 0),
        off(100, 64),
        // The pedal is still down.
        on(0, 67, 80),
        off(100, 67),
        pedal(100, 0),
        end(0),
    ];
    assert_eq!(table(track, Convention::Sustained), [(60, 0, 100), (64, 50, 100), (67, 200, 400)]);
}

#[test]
fn a_reset_of_the_controllers_lifts_the_pedal_and_no_key() {
    let track = vec![
        pedal(0, 127),
        on(0, 60, 80),
        off(100, 60),
        on(0, 64, 80),
        control(100, 0, 121, 0),
        off(100, 64),
        on(0, 67, 80),
        off(100, 67),
        end(500),
    ];
    assert_eq!(table(track, Convention::Sustained), [(60, 0, 200), (64, 100, 300), (67, 300, 400)]);
}

#[test]
fn what_ends_the_notes_of_a_channel_ends_those_of_all_its_tracks_and_of_no_other_channel() {
    let other = midi(0, 1, MidiMessage::NoteOn { key: u7::from(60), vel: u7::from(80) });
    let strikes = vec![on(0, 60, 80), other, end(400)];
    let silence = vec![control(100, 0, 123, 0), end(0)];
    assert_eq!(tables(vec![strikes, silence], Convention::KeyUp), [(60, 0, 100), (60, 0, 400)]);
}

#[test]
fn the_pedal_is_shown_to_be_up_after_a_reset_of_the_controllers() {
    let track = vec![pedal(0, 127), on(0, 60, 80), control(100, 0, 121, 0), off(300, 60), end(0)];
    let document = midi::read(Path::new("a.mid"), &musical(vec![track]), Convention::Sustained);
    let pedal = document.expect("a sound file").pedal;
    assert!(pedal.len() == 1 && (pedal[0].end - 0.1).abs() < 1e-9, "{pedal:?}");
}

#[test]
fn drums_are_left_out_of_what_is_learnt_and_counted() {
    let drum = |channel| midi(0, channel, MidiMessage::NoteOn { key: u7::from(36), vel: u7::from(99) });
    // The drums of General MIDI, and a kit of another bank.
    let kit = [control(0, 3, 0, 127), program(0, 3, 0)];
    let mut track = vec![on(0, 60, 80), drum(9), drum(3)];
    track.extend(kit);
    track.extend([drum(3), off(100, 60), drum(9), end(100)]);
    let folder = Folder::new("drums");
    folder.write("a.mid", &musical(vec![track]));
    let files = find(folder.path(), None).expect("a folder");
    let corpus = read(&files, Convention::KeyUp).expect("a sound file");
    let keys: Vec<_> = corpus.pieces[0].notes.iter().map(|note| note.key.number()).collect();
    assert_eq!((keys, corpus.left_out.drums), (vec![36, 60], 3));
    let cache = Cache::within(folder.join("cache"));
    for _ in ["read", "kept"] {
        let corpus = read_on_grid(&files, Convention::KeyUp, &cache).expect("a sound file");
        assert_eq!((corpus.notes(), corpus.left_out.drums), (2, 3));
    }
}

#[test]
fn sysex_of_gs_makes_a_channel_one_of_drums_and_the_tenth_one_of_pitches() {
    let sysex: &'static [u8] = &[0x41, 0x10, 0x42, 0x12, 0x40, 0x1A, 0x15, 1, 0, 0xF7];
    let melodic: &'static [u8] = &[0x41, 0x10, 0x42, 0x12, 0x40, 0x10, 0x15, 0, 0, 0xF7];
    let struck = |channel| midi(0, channel, MidiMessage::NoteOn { key: u7::from(40), vel: u7::from(99) });
    let track = vec![
        event(0, TrackEventKind::SysEx(sysex)),
        event(0, TrackEventKind::SysEx(melodic)),
        struck(9),
        struck(10),
        struck(11),
        end(100),
    ];
    let piece = parse(&musical(vec![track]), Convention::KeyUp).expect("a sound file");
    let channels: Vec<u8> = piece.melodic().map(|note| piece.instruments[note.instrument].channel).collect();
    assert_eq!(channels, [9, 11]);
}
