use midly::{
    Format, Fps, Header, MetaMessage, MidiMessage, PitchBend, Smf, Timing, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};
use proptest::prelude::*;

use super::*;
use crate::file::tests::Folder;

mod reading;
mod strikes;

/// Ticks per quarter note: at 120 quarter notes a minute one tick is 1 ms.
const QUARTER: u16 = 500;

fn event(delta: u32, kind: TrackEventKind<'static>) -> TrackEvent<'static> {
    TrackEvent { delta: u28::from(delta), kind }
}

fn midi(delta: u32, channel: u8, message: MidiMessage) -> TrackEvent<'static> {
    event(delta, TrackEventKind::Midi { channel: u4::from(channel), message })
}

fn on(delta: u32, key: u8, velocity: u8) -> TrackEvent<'static> {
    midi(delta, 0, MidiMessage::NoteOn { key: u7::from(key), vel: u7::from(velocity) })
}

fn off(delta: u32, key: u8) -> TrackEvent<'static> {
    midi(delta, 0, MidiMessage::NoteOff { key: u7::from(key), vel: u7::from(64) })
}

fn control(delta: u32, channel: u8, controller: u8, value: u8) -> TrackEvent<'static> {
    midi(delta, channel, MidiMessage::Controller { controller: u7::from(controller), value: u7::from(value) })
}

fn pedal(delta: u32, value: u8) -> TrackEvent<'static> {
    control(delta, 0, 64, value)
}

fn program(delta: u32, channel: u8, program: u8) -> TrackEvent<'static> {
    midi(delta, channel, MidiMessage::ProgramChange { program: u7::from(program) })
}

fn tempo(delta: u32, microseconds: u32) -> TrackEvent<'static> {
    event(delta, TrackEventKind::Meta(MetaMessage::Tempo(u24::from(microseconds))))
}

fn end(delta: u32) -> TrackEvent<'static> {
    event(delta, TrackEventKind::Meta(MetaMessage::EndOfTrack))
}

fn file(format: Format, timing: Timing, tracks: Vec<Vec<TrackEvent<'static>>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Smf { header: Header { format, timing }, tracks }.write_std(&mut bytes).expect("memory takes all");
    bytes
}

fn musical(tracks: Vec<Vec<TrackEvent<'static>>>) -> Vec<u8> {
    file(Format::Parallel, Timing::Metrical(u15::from(QUARTER)), tracks)
}

fn parse(bytes: &[u8], convention: Convention) -> Result<Piece, Refusal> {
    midi::read(Path::new("a.mid"), bytes, convention).map(|document| document.piece)
}

/// (key, onset in ms, end in ms) of each note of one track.
fn table(track: Vec<TrackEvent<'static>>, convention: Convention) -> Vec<(u8, i64, i64)> {
    tables(vec![track], convention)
}

/// The same for several tracks.
fn tables(tracks: Vec<Vec<TrackEvent<'static>>>, convention: Convention) -> Vec<(u8, i64, i64)> {
    let piece = parse(&musical(tracks), convention).expect("a sound file");
    let ms = |seconds: f64| (seconds * 1000.0).round() as i64;
    piece.notes.iter().map(|note| (note.key.number(), ms(note.onset), ms(note.end))).collect()
}

#[test]
fn a_note_lasts_from_its_onset_to_its_release() {
    let track = vec![on(100, 60, 80), off(250, 60), end(0)];
    assert_eq!(table(track, Convention::KeyUp), [(60, 100, 350)]);
}

#[test]
fn velocity_nought_is_a_release() {
    let track = vec![on(0, 60, 80), on(250, 60, 0), end(0)];
    assert_eq!(table(track, Convention::KeyUp), [(60, 0, 250)]);
}

#[test]
fn tempos_of_all_tracks_count_for_all_tracks() {
    // A quarter note at 120, then quarter notes at 60 quarter notes a minute.
    let tempos = vec![tempo(0, 500_000), tempo(500, 1_000_000), end(1000)];
    let notes = vec![on(250, 60, 80), off(500, 60), end(1000)];
    let piece = parse(&musical(vec![notes, tempos]), Convention::KeyUp).expect("a sound file");
    assert!((piece.notes[0].onset - 0.25).abs() < 1e-12);
    assert!((piece.notes[0].end - 1.0).abs() < 1e-12);
}

#[test]
fn smpte_time_ignores_tempos() {
    let track = vec![tempo(0, 250_000), on(250, 60, 80), off(500, 60), end(0)];
    let bytes = file(Format::SingleTrack, Timing::Timecode(Fps::Fps25, 40), vec![track]);
    let piece = parse(&bytes, Convention::KeyUp).expect("a sound file");
    assert!((piece.notes[0].onset - 0.25).abs() < 1e-12);
    assert!((piece.notes[0].end - 0.75).abs() < 1e-12);
}

#[test]
fn running_status_repeats_the_status_byte_before() {
    let events = [0, 0x90, 60, 80, 10, 64, 80, 20, 60, 0, 30, 64, 0, 0, 0xFF, 0x2F, 0];
    let head = b"MThd\0\0\0\x06\0\0\0\x01\x01\xF4MTrk\0\0\0\x11";
    let bytes = [head.as_slice(), &events].concat();
    let piece = parse(&bytes, Convention::KeyUp).expect("a sound file");
    let keys: Vec<_> =
        piece.notes.iter().map(|note| (note.key.number(), (note.end * 1000.0).round())).collect();
    assert_eq!(keys, [(60, 30.0), (64, 60.0)]);
}

#[test]
fn notes_stand_by_onset_and_then_by_key_with_steps_between_onsets() {
    let track = vec![on(100, 67, 1), on(0, 60, 2), on(200, 64, 3), end(100)];
    let piece = parse(&musical(vec![track]), Convention::KeyUp).expect("a sound file");
    let rows: Vec<_> = piece.notes.iter().map(|n| (n.key.number(), (n.step * 1000.0).round())).collect();
    assert_eq!(rows, [(60, 100.0), (67, 0.0), (64, 200.0)]);
    assert!((piece.notes[2].duration() - 0.1).abs() < 1e-12);
}

#[test]
fn every_note_knows_its_instrument() {
    let drum = midi(0, 9, MidiMessage::NoteOn { key: u7::from(36), vel: u7::from(99) });
    let bend = midi(0, 0, MidiMessage::PitchBend { bend: PitchBend::mid_raw_value() });
    let tracks = vec![vec![end(0)], vec![program(0, 0, 40), bend, on(0, 60, 80), drum, end(10)]];
    let piece = parse(&musical(tracks), Convention::KeyUp).expect("a sound file");
    let names: Vec<_> = piece.notes.iter().map(|n| piece.instruments[n.instrument].name()).collect();
    assert_eq!(names, ["Drums", "Violin"]);
    assert_eq!(
        piece.instruments[piece.notes[1].instrument],
        Instrument { track: 1, port: 0, channel: 0, program: 40, is_drums: false }
    );
    assert!(piece.instruments[piece.notes[0].instrument].is_drums);
}

#[test]
fn middle_c_is_c4() {
    assert_eq!([0, 60, 61, 127].map(|n| key_name(Key::saturating(n))), ["C-1", "C4", "C#4", "G9"]);
}

#[test]
fn the_grid_rounds_ends_and_onsets_and_orders_chords_by_key() {
    // 104 ms and 96 ms fall into one cell; the note of 3 ms still takes one.
    let track = vec![on(96, 67, 80), on(8, 60, 80), off(3, 60), off(143, 67), end(0)];
    let piece = parse(&musical(vec![track]), Convention::KeyUp).expect("a sound file");
    let rows: Vec<_> = piece.on_grid().iter().map(|n| (n.step, n.key.number(), n.duration)).collect();
    assert_eq!(rows, [(10, 60, 1), (0, 67, 15)]);
}

#[test]
fn empty_files_other_files_and_type_2_are_refused() {
    assert_eq!(parse(&[], Convention::KeyUp), Err(Refusal::Empty));
    assert_eq!(parse(b"RIFF", Convention::KeyUp), Err(Refusal::NotMidi));
    assert_eq!(parse(b"%PDF-1.7 and so on", Convention::KeyUp), Err(Refusal::NotMidi));
    let sequential = file(Format::Sequential, Timing::Metrical(u15::from(QUARTER)), vec![vec![end(0)]]);
    assert_eq!(parse(&sequential, Convention::KeyUp), Err(Refusal::Sequential));
    let timeless = file(Format::SingleTrack, Timing::Metrical(u15::from(0)), vec![vec![end(0)]]);
    assert_eq!(parse(&timeless, Convention::KeyUp), Err(Refusal::NoTime));
}

#[test]
fn bytes_that_are_not_midi_inside_a_track_are_refused() {
    let mut bytes = musical(vec![vec![on(0, 60, 80), off(100, 60), end(0)]]);
    // The status byte of the release becomes a system message, which files cannot hold.
    let status = bytes.iter().rposition(|&byte| byte == 0x80).expect("the release");
    bytes[status] = 0xF4;
    assert_eq!(parse(&bytes, Convention::KeyUp), Err(Refusal::Malformed));
}

#[test]
fn one_broken_file_does_not_keep_the_others_from_being_read() {
    let folder = Folder::new("tree");
    let whole = musical(vec![vec![on(0, 60, 80), off(100, 60), end(0)]]);
    folder.write("a.mid", &whole);
    folder.write("deeper/b.MIDI", &whole);
    folder.write("broken.mid", &whole[..30]);
    folder.write("readme.txt", b"not music");
    let files = find(folder.path(), None).expect("a folder");
    let corpus = read(&files, Convention::KeyUp).expect("two sound files");
    assert_eq!(corpus.pieces.iter().map(|piece| piece.notes.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(corpus.refused, [(folder.join("broken.mid"), Refusal::Truncated)]);
}

#[test]
fn the_only_file_asked_for_must_be_sound() {
    let folder = Folder::new("single");
    folder.write("empty.mid", &[]);
    let files = find(&folder.join("empty.mid"), None).expect("it exists");
    let error = read(&files, Convention::KeyUp).expect_err("it is empty").to_string();
    assert!(error.ends_with("empty.mid: it is empty"), "{error}");
    assert!(find(&folder.join("missing.mid"), None).is_err());
    assert!(find(&folder.join("deeper"), None).is_err());
}

#[test]
fn a_list_gives_the_files_of_a_split() {
    let folder = Folder::new("list");
    let rows = "split,canonical_title,midi_filename\ntrain,\"Prelude, \"\"op. 1\"\"\",a.mid\r\nvalidation,Fugue,deeper/b.midi\n";
    folder.write("list.csv", rows.as_bytes());
    for source in [folder.path().to_owned(), folder.join("list.csv")] {
        let files = |split| find(&source, split).expect("a list");
        assert_eq!(files(Some(Split::Train)), [folder.join("a.mid")]);
        assert_eq!(files(Some(Split::Validation)), [folder.join("deeper/b.midi")]);
        assert_eq!(files(None).len(), 2);
        assert!(find(&source, Some(Split::Test)).is_err());
    }
    assert!(find(&folder.join("deeper"), Some(Split::Train)).is_err());
}

#[test]
fn a_csv_that_is_no_list_of_splits_lies_beside_midi_files_without_harm() {
    let folder = Folder::new("other-csv");
    folder.write("a.mid", &musical(vec![vec![on(0, 60, 80), off(100, 60), end(0)]]));
    folder.write("table.csv", b"file,artist\na.mid,Anna\n");
    assert_eq!(find(folder.path(), None).expect("a folder"), [folder.join("a.mid")]);
    assert!(!has_list(folder.path()));
    let sentence = find(&folder.join("table.csv"), None).expect_err("no list").to_string();
    assert!(sentence.contains("is not a MAESTRO list"), "{sentence}");
}

#[test]
fn where_a_list_lacks_a_split_those_that_it_has_are_named() {
    let folder = Folder::new("no-split");
    folder.write("list.csv", b"split,midi_filename\ntest,b.mid\ntrain,a.mid\n");
    let sentence = find(folder.path(), Some(Split::Validation)).expect_err("no such split").to_string();
    let end = "list.csv lists no file of the validation split: ask for `--split train` or `--split test`, which it has";
    assert!(sentence.ends_with(end), "{sentence}");
    folder.write("list.csv", b"split,midi_filename\n");
    let sentence = find(folder.path(), Some(Split::Train)).expect_err("nothing at all").to_string();
    assert!(sentence.ends_with("lists no file of the train split: give other files"), "{sentence}");
}

#[test]
fn a_unit_of_time_that_has_no_opposite_is_refused_in_a_wrapped_file_and_behind_another_head_too() {
    let plain = b"MThd\0\0\0\x06\0\0\0\0\x80\xF0";
    let wrapped = [b"RIFF\x1A\0\0\0RMIDdata\x0E\0\0\0".as_slice(), plain].concat();
    let second = [b"MThd\0\0\0\x06\0\x01\0\0\x01\xF4".as_slice(), plain].concat();
    for bytes in [plain.as_slice(), &wrapped, &second] {
        assert_eq!(parse(bytes, Convention::Sustained).err(), Some(Refusal::NoTime));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let headed = [b"MThd\0\0\0\x06\0\x01\0\x01\x01\xF4MTrk\0\0\0\x40".as_slice(), &bytes].concat();
        for bytes in [&bytes, &headed] {
            if let Ok(piece) = parse(bytes, Convention::Sustained) {
                prop_assert!(piece.notes.iter().all(|note| note.end >= note.onset && note.step >= 0.0));
                piece.on_grid();
            }
        }
    }
}
