use clap::Parser;

use super::*;
use crate::scratch::Folder;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// Two strikes of a channel.
fn midi(channel: u8) -> Vec<u8> {
    let (on, off) = (0x90 | channel, 0x80 | channel);
    let track = [0, on, 60, 80, 60, off, 60, 0, 0, on, 64, 80, 60, off, 64, 0, 0, 0xFF, 0x2F, 0];
    [b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk\0\0\0\x14".as_slice(), &track].concat()
}

/// How many notes `evaluate --data FOLDER` scores.
fn scored(folder: &Folder, more: &[&str]) -> Result<usize> {
    let data = folder.path().display().to_string();
    let words = ["evaluate", "--data", &data].into_iter().chain(more.iter().copied());
    let arguments = Line::try_parse_from(words).expect("a command").arguments;
    Ok(music(&arguments, |files| corpus::read(files, Convention::KeyUp))?.notes())
}

#[test]
fn a_csv_that_is_no_list_lies_beside_the_files_that_are_scored() {
    let folder = Folder::new("evaluate-csv");
    folder.write("a.mid", &midi(0));
    folder.write("deeper/b.mid", &midi(1));
    for csv in ["name,bpm\na.mid,120\n", "split\ntrain\n", "", "a.mid"] {
        folder.write("tempi.csv", csv.as_bytes());
        assert_eq!(scored(&folder, &[]).expect("two files"), 4, "{csv:?}");
    }
}

#[test]
fn a_folder_that_lacks_the_split_of_choice_tells_those_that_it_has() {
    let folder = Folder::new("evaluate-split");
    folder.write("a.mid", &midi(0));
    folder.write("list.csv", b"split,midi_filename\ntrain,a.mid\n");
    let told = scored(&folder, &[]).expect_err("no validation split").to_string();
    assert!(
        told.ends_with("lists no file of the validation split: ask for `--split train`, which it has"),
        "{told}"
    );
    assert_eq!(scored(&folder, &["--split", "train"]).expect("one file"), 2);
}

#[test]
fn files_of_drums_alone_are_not_scored_and_that_is_said() {
    let folder = Folder::new("evaluate-drums");
    folder.write("a.mid", &midi(9));
    let told = scored(&folder, &[]).expect_err("no pitch").to_string();
    assert!(told.starts_with("there are no notes but drums in "), "{told}");
    folder.write("b.mid", &midi(0));
    assert_eq!(scored(&folder, &[]).expect("one file with pitches"), 2);
}
