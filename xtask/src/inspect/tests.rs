use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;

use super::*;
use crate::{
    commands::tests::assert_documented,
    file::tests::Folder,
    midi_file::{Mark, MidiFile, Part, Placed},
};

/// Expected notes, made by benches/peers/notes_by_pretty_midi.py.
const GOLDEN: &str = include_str!("golden.json");

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(words: &[&str]) -> Arguments {
    Line::parse_from([&["inspect"], words].concat()).arguments
}

/// What is printed of these files, and how many were skipped.
fn printed(words: &[&str], files: &[PathBuf]) -> (String, usize) {
    let mut out = Vec::new();
    let words: Vec<&str> = words.iter().copied().chain(["FOLDER"]).collect();
    let Ok(refused) = print(&arguments(&words), files, &mut out) else { panic!("a folder has other files") };
    (String::from_utf8(out).expect("words"), refused.len())
}

fn object(words: &[&str], file: &Path) -> Value {
    let (text, _) = printed(&[&["--json"], words].concat(), &[file.to_owned()]);
    serde_json::from_str::<Value>(&text).expect("an array")[0].take()
}

/// Two bars of 3/4 and one of 4/4 on a flute, with a drum.
fn small_file(folder: &Folder) -> PathBuf {
    let note = |channel, key, on, off| Placed { channel, key, velocity: 80, on, off };
    let score = MidiFile {
        ticks_per_quarter: 480,
        marks: vec![
            (0, Mark::Tempo { microseconds_per_quarter: 500_000 }),
            (0, Mark::Signature { numerator: 3, denominator: 4 }),
            (2880, Mark::Signature { numerator: 4, denominator: 4 }),
            (2880, Mark::Tempo { microseconds_per_quarter: 1_000_000 }),
        ],
        parts: vec![
            Part {
                name: "Flute".to_owned(),
                program: Some(73),
                notes: vec![note(0, 61, 0, 960), note(0, 65, 480, 960), note(0, 68, 2880, 3360)],
            },
            Part { name: String::new(), program: None, notes: vec![note(9, 36, 0, 240)] },
        ],
    };
    let path = folder.join("small.mid");
    std::fs::write(&path, score.bytes().expect("a score")).expect("a file");
    path
}

#[test]
fn every_note_is_where_an_independent_parser_has_it_to_the_millisecond() {
    let files: Vec<Value> = serde_json::from_str(GOLDEN).expect("an array");
    for file in &files {
        let digits = file["midi"].as_str().expect("digits");
        let byte = |n: usize| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("two digits");
        let bytes: Vec<u8> = (0..digits.len() / 2).map(byte).collect();
        let folder = Folder::new("golden");
        folder.write("a.mid", &bytes);
        let ours = object(&["--convention", "key-up"], &folder.join("a.mid"));
        let (ours, theirs) = (ours["table"].as_array(), file["notes"].as_array());
        let (ours, theirs) = (ours.expect("a table"), theirs.expect("a table"));
        assert!(ours.len() == theirs.len() && ours.len() > 90);
        for (one, other) in ours.iter().zip(theirs) {
            assert_eq!((&one["key"], &one["velocity"]), (&other[0], &other[3]));
            for (time, name) in ["onset_s", "end_s"].into_iter().enumerate() {
                let off = one[name].as_f64().expect("seconds") - other[time + 1].as_f64().expect("seconds");
                assert!(off.abs() < 1e-3, "{one} and {other}");
            }
        }
    }
}

#[test]
fn the_facts_of_a_small_file_are_told() {
    let folder = Folder::new("facts");
    let facts = object(&[], &small_file(&folder));
    assert_eq!((&facts["notes"], &facts["tracks"], &facts["length_s"]), (&4.into(), &3.into(), &4.0.into()));
    assert_eq!(facts["instruments"][0]["name"], "Flute");
    assert_eq!(
        (&facts["instruments"][1]["drums"], &facts["instruments"][1]["notes"]),
        (&true.into(), &1.into())
    );
    assert_eq!((&facts["tempos"][1]["at_s"], &facts["tempos"][1]["bpm"]), (&3.0.into(), &60.0.into()));
    assert_eq!(
        (&facts["signatures"][1]["bar"], &facts["signatures"][1]["numerator"]),
        (&3.into(), &4.into())
    );
    // The bass drum must not count as a C2.
    assert_eq!((&facts["register"]["lowest"], &facts["register"]["highest"]), (&"C#4".into(), &"G#4".into()));
    assert_eq!((&facts["polyphony_most"], &facts["busiest_second"]), (&2.into(), &3.into()));
    assert_eq!((&facts["velocity"]["median"], &facts["pedal_share"]), (&80.into(), &0.0.into()));
    assert_eq!(facts["table"][0]["name"], "C2");
}

#[test]
fn programs_are_told_what_they_read() {
    let folder = Folder::new("inspect-json");
    assert_documented("inspect", &object(&[], &small_file(&folder)));
}

#[test]
fn words_csv_and_json_tell_the_same_notes() {
    let folder = Folder::new("kinds");
    let file = [small_file(&folder)];
    let (words, _) = printed(&[], &file);
    assert!(words.contains("61\tC#4\t0.0000\t1.0000\t1.0000\t0.0000\t80\t1\t1\tFlute\n"), "{words}");
    assert!(words.contains("3/4 from bar 1, 4/4 from bar 3"), "{words}");
    let (csv, _) = printed(&["--csv"], &file);
    assert!(csv.contains(",61,C#4,0.0,1.0,1.0,0.0,80,1,1,Flute\n"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + 4);
    let (summary, _) = printed(&["--summary"], &file);
    assert!(words.starts_with(&summary) && !summary.contains("onset_s"));
    assert!(object(&["--summary"], &file[0])["table"].is_null());
}

#[test]
fn a_stretch_of_time_is_told_alone() {
    let folder = Folder::new("stretch");
    let facts = object(&["--from", "0.2", "--until", "3"], &small_file(&folder));
    assert_eq!((&facts["notes"], &facts["table"][0]["key"]), (&1.into(), &65.into()));
}

#[test]
fn a_broken_file_among_others_is_skipped_and_the_others_are_told() {
    let folder = Folder::new("several");
    let file = small_file(&folder);
    folder.write("empty.mid", b"");
    let (text, skipped) = printed(&["--json"], &[file.clone(), folder.join("empty.mid"), file]);
    let files: Vec<Value> = serde_json::from_str(&text).expect("an array");
    assert_eq!((files.len(), skipped), (2, 1));
}

#[test]
fn a_picture_shows_the_notes_on_either_paper() -> Result<()> {
    let folder = Folder::new("inspect-plot");
    let file = small_file(&folder);
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let plot = folder.join("a.png");
        let words = ["--theme", name, "--plot", plot.to_str().expect("letters")];
        printed(&words, std::slice::from_ref(&file));
        let (image, inks) = (image::open(&plot)?.to_rgb8(), theme.inks());
        for color in [inks.ground, inks.first] {
            assert!(image.pixels().any(|pixel| pixel.0 == [color.0, color.1, color.2]));
        }
    }
    Ok(())
}

/// What `inspect` says if it is asked only for a file that it cannot read.
fn refusal(file: &Path) -> String {
    run(&arguments(&[file.to_str().expect("letters")])).expect_err("no music").to_string()
}

#[test]
fn a_folder_without_music_an_empty_file_and_a_text_are_refused_in_a_sentence() {
    let folder = Folder::new("refused");
    folder.write("empty.mid", b"");
    folder.write("text.mid", b"a text");
    assert!(refusal(&folder.join("deeper")).contains("holds no MIDI file"));
    assert!(refusal(&folder.join("empty.mid")).contains("it is empty"));
    assert!(refusal(&folder.join("text.mid")).contains("not a Standard MIDI File"));
    assert!(refusal(&folder.join("missing.mid")).contains("does not exist"));
}

#[test]
fn a_hundred_megabytes_of_noise_are_refused_and_are_not_read() {
    let folder = Folder::new("noise");
    // A sparse file has the length but takes no room on the disk.
    let noise = |name: &str, head: &[u8]| {
        folder.write(name, head);
        let file = std::fs::File::options().write(true).open(folder.join(name)).expect("a file");
        file.set_len(100 << 20).expect("a long file");
        folder.join(name)
    };
    assert!(refusal(&noise("noise.mid", b"\x8a\x11\xf0\x93")).contains("not a Standard MIDI File"));
    let head = b"MThd\0\0\0\x06\0\x01\0\x01\x01\xF4MTrk\0\0\0\x40";
    assert!(refusal(&noise("headed.mid", head)).contains("larger than 16 MiB"));
}

#[test]
fn a_million_notes_at_one_tick_are_refused() {
    let folder = Folder::new("crowd");
    let head = b"MThd\0\0\0\x06\0\x01\0\x01\x01\xF4MTrk";
    let notes: Vec<u8> = (0..1_000_000).flat_map(|n: u32| [0, (n % 128) as u8, 80]).collect();
    let track = [&[0, 0x90, 60, 80][..], &notes, &[0, 0xFF, 0x2F, 0]].concat();
    let length = u32::try_from(track.len()).expect("few bytes").to_be_bytes();
    folder.write("crowd.mid", &[&head[..], &length, &track].concat());
    assert!(refusal(&folder.join("crowd.mid")).contains("begin at one tick"));
}
