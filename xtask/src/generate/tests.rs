use clap::Parser;

mod written;

use super::*;
use crate::{
    commands::tests::assert_documented,
    corpus::{self, Convention, Document},
    file::tests::Folder,
};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(words: &[&str]) -> Arguments {
    Line::parse_from([&["generate"], words].concat()).arguments
}

/// Runs a command line whose MIDI file is `a.mid`.
fn generate(folder: &Folder, words: &[&str]) -> Result<Vec<Made>> {
    let output = folder.join("a.mid");
    make(&arguments(&[words, &["--output", output.to_str().expect("a name in letters")]].concat()))
}

fn read(path: &Path) -> Document {
    corpus::document(path, Convention::KeyUp).expect("a file that was just written")
}

/// Where the last note ends, in seconds.
fn end(notes: &[corpus::Note]) -> f64 {
    notes.iter().map(|note| note.end).fold(0.0, f64::max)
}

/// A little piece in 3/4 with drums, at two tempos.
fn prompt_file(folder: &Folder) -> PathBuf {
    use crate::midi_file::{Mark, MidiFile, Part, Placed};
    let note = |channel, key, on| Placed { channel, key, velocity: 70, on, off: on + 90 };
    let melody = (0..40).map(|n| note(2, 60 + (n % 7) as u8, n * 100)).collect();
    let drums = (0..40).map(|n| note(9, 36, n * 100)).collect();
    let score = MidiFile {
        ticks_per_quarter: 200,
        marks: vec![
            (0, Mark::Tempo { microseconds_per_quarter: 500_000 }),
            (0, Mark::Signature { numerator: 3, denominator: 4 }),
            (2000, Mark::Tempo { microseconds_per_quarter: 1_000_000 }),
        ],
        parts: vec![
            Part { name: "Flute".to_owned(), program: Some(73), notes: melody },
            Part { name: "Drums".to_owned(), program: None, notes: drums },
        ],
    };
    let path = folder.join("prompt.mid");
    std::fs::write(&path, score.bytes().expect("a score")).expect("a file");
    path
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_one_others() -> Result<()> {
    let folder = Folder::new("seeds");
    let bytes = |seed: &str, takes: &str| -> Result<Vec<Vec<u8>>> {
        generate(&folder, &["--notes", "20", "--seed", seed, "--count", takes])?;
        let names: &[&str] = if takes == "1" { &["a.mid"] } else { &["a-01.mid", "a-02.mid"] };
        Ok(names.iter().map(|name| std::fs::read(folder.join(name)).expect("a file")).collect())
    };
    let (one, two) = (bytes("5", "1")?, bytes("5", "2")?);
    assert_eq!(one[0], two[0]);
    assert_ne!(two[0], two[1]);
    assert_eq!(two, bytes("5", "2")?);
    assert_ne!(one, bytes("6", "1")?);
    Ok(())
}

#[test]
fn a_continuation_follows_its_prompt_to_the_tick_on_the_prompts_instrument() -> Result<()> {
    let folder = Folder::new("continue");
    let prompt = prompt_file(&folder);
    generate(&folder, &[prompt.to_str().expect("letters"), "--notes", "30"])?;
    let (before, after) = (read(&prompt), read(&folder.join("a.mid")));
    let old = before.piece.notes.len();
    assert_eq!(after.piece.notes.len(), old + 30);
    let table = |document: &Document, count| -> Vec<_> {
        let microseconds = |seconds: f64| (seconds * 1e6).round();
        let notes = document.piece.notes[..count].iter();
        notes.map(|note| (note.key, microseconds(note.onset), microseconds(note.end))).collect()
    };
    assert_eq!(table(&before, old), table(&after, old));
    assert_eq!(before.signatures.len(), after.signatures.len());
    let new = after.piece.notes.last().expect("notes");
    let instrument = after.piece.instruments[new.instrument];
    assert_eq!((instrument.channel, instrument.name()), (2, "Flute"));
    assert_eq!(after.tracks.last(), Some(&Some("Continuation".to_owned())));
    Ok(())
}

#[test]
fn what_follows_the_cut_is_left_out() -> Result<()> {
    let folder = Folder::new("cut");
    let prompt = prompt_file(&folder);
    generate(&folder, &[prompt.to_str().expect("letters"), "--after", "3", "--notes", "5"])?;
    let document = read(&folder.join("a.mid"));
    // Twelve onsets of flute and drums, every quarter of a second, and five new notes.
    assert_eq!(document.piece.notes.len(), 2 * 12 + 5);
    Ok(())
}

#[test]
fn seconds_and_bars_end_where_they_end() -> Result<()> {
    let folder = Folder::new("extent");
    let prompt = prompt_file(&folder);
    // Three quarter notes of a second each from the end of the prompt on.
    for extent in [["--bars", "1"], ["--seconds", "3"]] {
        generate(&folder, &[&[prompt.to_str().expect("letters")], &extent[..]].concat())?;
        let document = read(&folder.join("a.mid"));
        let last = document.piece.notes.last().expect("notes").onset;
        let from = end(&read(&prompt).piece.notes);
        assert!((from..from + 3.001).contains(&last), "{extent:?}: {last}");
    }
    Ok(())
}

#[test]
fn only_keys_of_the_scale_and_the_register_are_played() -> Result<()> {
    let folder = Folder::new("scale");
    let generation_options =
        ["--scale", "Major", "--key", "D", "--low", "C3", "--high", "C6", "--notes", "60"];
    generate(&folder, &generation_options)?;
    let document = read(&folder.join("a.mid"));
    let in_scale = |key: u8| [2, 4, 6, 7, 9, 11, 1].contains(&(key % 12)) && (48..=84).contains(&key);
    assert!(document.piece.notes.iter().all(|note| in_scale(note.key.number())));
    assert_eq!(document.piece.notes.len(), 60);
    Ok(())
}

#[test]
fn programs_are_told_what_they_read() -> Result<()> {
    let folder = Folder::new("generate-json");
    let made = generate(&folder, &["--model", "classic-25", "--notes", "3"])?;
    assert_documented("generate", &object(&arguments(&["--notes", "3"]), &made, None));
    Ok(())
}

#[test]
fn bad_input_is_told_in_one_sentence_and_writes_nothing() {
    let folder = Folder::new("bad");
    folder.write("empty.mid", b"");
    folder.write("noise.mid", b"no music at all");
    let tracks = [
        ("silent.mid", [0, 0xB0, 7, 90, 0, 0xC0, 9, 0, 0xFF, 0x2F, 0]),
        ("drums.mid", [0, 0x99, 36, 90, 60, 36, 0, 0, 0xFF, 0x2F, 0]),
    ];
    for (name, track) in tracks {
        folder.write(name, &[b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk\0\0\0\x0B".as_slice(), &track].concat());
    }
    let path = |name: &str| folder.join(name).to_str().expect("letters").to_owned();
    let cases = [
        (vec![path("deeper")], "folder"),
        (vec![path("empty.mid")], "empty"),
        (vec![path("noise.mid")], "not a Standard MIDI File"),
        (vec![path("missing.mid")], "cannot be opened"),
        (vec![path("silent.mid")], "has no notes: give a file with a melody"),
        (vec![path("drums.mid")], "has no notes but drums: give a file with a melody"),
        (vec!["--model".to_owned(), "classic-99".to_owned()], "classic-25"),
        (vec!["--model".to_owned(), "classic-25".to_owned(), "--whole-piece".to_owned()], "antiphon"),
        (vec!["--plot".to_owned(), path("a.jpg")], ".png or .svg"),
        (vec!["--wav".to_owned(), path("a.wav"), "--soundfont".to_owned(), path("noise.mid")], "SoundFont 2"),
    ];
    for (words, hint) in cases {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let sentence = format!("{:#}", generate(&folder, &words).err().expect("bad input"));
        assert!(sentence.contains(hint) && !sentence.contains('\n'), "{sentence}");
        assert!(!folder.join("a.mid").exists(), "{sentence}");
    }
}

#[test]
fn a_scale_without_a_key_in_the_register_is_refused() {
    let folder = Folder::new("no-key");
    let generation_options = ["--scale", "Major", "--low", "C#4", "--high", "C#4"];
    let sentence = generate(&folder, &generation_options).err().expect("no key").to_string();
    assert!(sentence.contains("--low"), "{sentence}");
}

#[test]
fn prompt_and_continuation_are_both_seen() -> Result<()> {
    let folder = Folder::new("generate-plot");
    let (prompt, plot) = (prompt_file(&folder), folder.join("a.png"));
    let words =
        [prompt.to_str().expect("letters"), "--notes", "20", "--plot", plot.to_str().expect("letters")];
    generate(&folder, &words)?;
    let image = image::open(&plot)?.to_rgb8();
    let inks = Theme::Light.inks();
    for color in [inks.first, inks.second] {
        assert!(image.pixels().any(|pixel| pixel.0 == [color.0, color.1, color.2]));
    }
    Ok(())
}
