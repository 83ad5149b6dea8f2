//! Tests of malformed files: what is read of them, and the message for those that are not read.

use super::*;

/// The division of a file whose ticks take 1 ms at 120 quarter notes per minute.
const DIVISION: [u8; 2] = [1, 0xF4];
/// A C4 from 0 to 100 ms.
const NOTE: [u8; 8] = [0, 0x90, 60, 80, 100, 0x80, 60, 64];
const END: [u8; 4] = [0, 0xFF, 0x2F, 0];

fn chunk(name: &[u8; 4], length: usize, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).expect("a small file");
    [name, length.to_be_bytes().as_slice(), body].concat()
}

fn header(declared: u8, division: [u8; 2]) -> Vec<u8> {
    chunk(b"MThd", 6, &[0, 1, 0, declared, division[0], division[1]])
}

/// A file whose tracks hold these bytes, each with an end-of-track event behind it.
fn raw(tracks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = header(u8::try_from(tracks.len()).expect("few tracks"), DIVISION);
    for track in tracks {
        let body = [track, END.as_slice()].concat();
        bytes.extend(chunk(b"MTrk", body.len(), &body));
    }
    bytes
}

fn little(name: &[u8; 4], length: usize, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).expect("a small file");
    [name, length.to_le_bytes().as_slice(), body].concat()
}

/// A file within a RIFF file, with other bytes before and after it.
fn wrapped(before: &[u8], bare: &[u8], after: &[u8]) -> Vec<u8> {
    let body = [b"RMID".as_slice(), before, &little(b"data", bare.len(), bare), after].concat();
    little(b"RIFF", body.len(), &body)
}

fn read_all(bytes: &[u8]) -> Result<Document, Refusal> {
    midi::read(Path::new("a.mid"), bytes, Convention::KeyUp)
}

/// (key, onset in ms, end in ms) of each note.
fn notes(bytes: &[u8]) -> Vec<(u8, i64, i64)> {
    let ms = |seconds: f64| (seconds * 1000.0).round() as i64;
    let notes = read_all(bytes).expect("a sound file").piece.notes;
    notes.iter().map(|note| (note.key.number(), ms(note.onset), ms(note.end))).collect()
}

#[test]
fn a_status_byte_holds_on_across_meta_events_and_sysex() {
    let text = [0, 0xFF, 1, 2, b'h', b'i'];
    let sysex = [0, 0xF0, 3, 0x7E, 9, 0xF7];
    for between in [text.as_slice(), &sysex] {
        let track = [&[0, 0x90, 60, 80], between, &[100, 60, 0, 0, 64, 80], between, &[50, 64, 0]].concat();
        assert_eq!(notes(&raw(&[&track])), [(60, 0, 100), (64, 100, 150)]);
    }
}

#[test]
fn a_track_that_begins_without_a_status_is_refused() {
    assert_eq!(read_all(&raw(&[&[0, 60, 80, 100, 60, 0]])).err(), Some(Refusal::Malformed));
}

#[test]
fn what_stands_behind_the_first_end_of_a_track_is_read() {
    let tempo = [0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40];
    let track = [NOTE.as_slice(), &END, &tempo, &NOTE].concat();
    assert_eq!(notes(&raw(&[&track])), [(60, 0, 100), (60, 100, 300)]);
    // Bytes that are no events there are padding.
    for padding in [[0; 5], [0xFF; 5]] {
        let track = [NOTE.as_slice(), &END, &padding].concat();
        assert_eq!(notes(&raw(&[&track])), [(60, 0, 100)]);
    }
}

#[test]
fn a_meta_event_with_too_little_in_it_is_passed_over() {
    let track =
        [[0, 0xFF, 0x59, 0].as_slice(), &[0, 0xFF, 0x51, 1, 7], &[0, 0xFF, 0x21, 1, 0x80], &NOTE].concat();
    assert_eq!(notes(&raw(&[&track])), [(60, 0, 100)]);
}

#[test]
fn a_file_that_was_cut_within_a_track_is_refused_and_between_two_the_missing_one_is_told() {
    let whole = raw(&[&NOTE, &NOTE]);
    let between = whole.len() - (NOTE.len() + END.len() + 8);
    assert_eq!(read_all(&whole).expect("a sound file").left_out, LeftOut::default());
    for length in 1..whole.len() {
        match read_all(&whole[..length]) {
            Ok(read) => assert_eq!((length, read.left_out.tracks), (between, 1)),
            Err(refusal) => {
                assert!(length != between && refusal == Refusal::Truncated, "{length}: {refusal}")
            }
        }
    }
}

#[test]
fn a_wrapped_file_that_was_cut_anywhere_is_refused_unless_its_music_is_whole() {
    let bare = raw(&[&NOTE, &NOTE]);
    let info = little(b"LIST", 5, b"INFOx\0");
    let whole = wrapped(&info, &bare, &info);
    let music = whole.len() - info.len();
    for length in 1..whole.len() {
        assert_eq!(read_all(&whole[..length]).is_ok(), length >= music, "{length}");
    }
}

#[test]
fn a_wrapped_file_is_checked_as_deeply_as_a_bare_one() {
    let bare = raw(&[&NOTE, &NOTE]);
    for length in 1..bare.len() {
        let cut = &bare[..length];
        assert_eq!(read_all(&wrapped(b"", cut, b"")).err(), read_all(cut).err(), "{length}");
    }
}

#[test]
fn the_lengths_that_a_wrapping_tells_of_itself_count_for_nothing() {
    let bare = raw(&[&NOTE]);
    let mut file = wrapped(b"", &bare, b"");
    for told in [0, file.len() as u32, u32::MAX] {
        file[4..8].copy_from_slice(&told.to_le_bytes());
        assert_eq!(notes(&file), [(60, 0, 100)], "{told}");
        file[16..20].copy_from_slice(&(bare.len() as u32 + 9).to_le_bytes());
        assert_eq!(notes(&file), [(60, 0, 100)], "{told}");
    }
}

#[test]
fn whatever_a_header_counts_all_tracks_are_read_and_those_that_are_missing_are_told() {
    let mut more = raw(&[&NOTE, &NOTE]);
    more[11] = 1;
    assert_eq!(notes(&more).len(), 2);
    let mut fewer = raw(&[&NOTE]);
    for (promised, told) in [
        (5, "4 tracks that a header promises and its file lacks"),
        (2, "1 track that a header promises and its file lacks"),
    ] {
        fewer[11] = promised;
        assert_eq!(notes(&fewer), [(60, 0, 100)]);
        assert_eq!(read_all(&fewer).expect("a sound file").left_out.to_string(), told);
        assert_eq!(notes(&wrapped(b"", &fewer, b"")), [(60, 0, 100)]);
    }
}

#[test]
fn a_tempo_of_nought_is_left_out_with_a_word() {
    let nought = [0, 0xFF, 0x51, 3, 0, 0, 0];
    let file = raw(&[&[nought.as_slice(), &NOTE].concat()]);
    assert_eq!(notes(&file), [(60, 0, 100)]);
    let left_out = read_all(&file).expect("a sound file").left_out;
    assert_eq!(left_out.to_string(), "1 tempo of 0");
}

#[test]
fn a_key_signature_of_eight_flats_or_more_is_left_out() {
    let key = |sharps: i8| [0, 0xFF, 0x59, 2, sharps as u8, 0];
    let tracks = [-18, -8, -7, 0, 7, 8].map(key).concat();
    let document = read_all(&raw(&[&tracks])).expect("a sound file");
    let keys: Vec<_> = document.written_keys.iter().map(|(_, key)| key.to_string()).collect();
    assert_eq!((keys.len(), document.left_out.keys), (3, 3), "{keys:?}");
}

#[test]
fn film_frames_that_no_film_has_are_named() {
    let refused = |frames: u8| {
        let track = chunk(b"MTrk", END.len(), &END);
        read_all(&[header(1, [frames.wrapping_neg(), 40]), track].concat()).err()
    };
    assert_eq!([24, 25, 29, 30].map(refused), [None, None, None, None]);
    assert_eq!([12, 60].map(refused), [12, 60].map(|frames| Some(Refusal::OddFrames(frames))));
    assert_eq!(refused(128), Some(Refusal::NoTime));
}

#[test]
fn a_track_has_the_first_name_that_has_letters() {
    let name =
        |letters: &[u8]| [&[0, 0xFF, 3, u8::try_from(letters.len()).expect("short")], letters].concat();
    let track = [name(b" "), name(b"Fl\xF6te"), name(b"other")].concat();
    let document = read_all(&raw(&[&track, &[]])).expect("a sound file");
    assert_eq!(document.tracks, [Some("Flöte".to_owned()), None]);
}

#[test]
fn files_of_lyrics_and_wrapped_files_are_read_in_folders_too() {
    let folder = Folder::new("endings");
    let bare = raw(&[&NOTE]);
    folder.write("a.kar", &bare);
    folder.write("b.RMI", &wrapped(b"", &bare, b""));
    folder.write("c.rmi", &bare[..20]);
    folder.write("d.txt", b"no music");
    let files = find(folder.path(), None).expect("a folder");
    let corpus = read(&files, Convention::KeyUp).expect("two sound files");
    assert_eq!((corpus.notes(), corpus.pieces.len()), (2, 2));
    assert_eq!(corpus.refused, [(folder.join("c.rmi"), Refusal::Truncated)]);
    let (_, others) = files::walk(folder.path()).expect("a folder");
    assert_eq!(others, [folder.join("d.txt")]);
}
