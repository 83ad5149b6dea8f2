use super::{source::Known, *};
use crate::{corpus::Convention, file::tests::Folder};

const PIJAMA: &str = "file,artist,title,album,recording,split,agreement,start_s,end_s
P/b.midi,P,B,X,studio,validation,0.9,0.3,1
P/a.midi,P,A,X,studio,train,0.8,0,60
";
const ASAP: &str = "midi,beats,split,maestro_file
asap-beats/Bach/one/a.mid,asap-beats/Bach/one/a_annotations.txt,validation,2006/a.midi
asap-extra/Bach/one/b.mid,asap-beats/Bach/one/b_annotations.txt,train,
asap-beats/Bach/two/c.mid,asap-beats/Bach/two/c_annotations.txt,train,2006/c.midi
";

/// Two quarter notes, at 0 and .5 s.
fn midi() -> Vec<u8> {
    let track = [0, 0x90, 60, 80, 0x83, 0x60, 0x90, 64, 80, 0x83, 0x60, 0x80, 64, 80, 0, 0xFF, 0x2F, 0];
    [b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk\0\0\0\x12".as_slice(), &track].concat()
}

fn place(folder: &Folder, files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        std::fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("a folder");
        folder.write(name, bytes);
    }
}

fn names(folder: &Path, split: Split) -> Vec<String> {
    find_all(folder, split)
        .map_or_else(|_| Vec::new(), |all| all.into_iter().map(|source| source.name).collect())
}

#[test]
fn a_folder_of_corpora_gives_each_with_its_style_in_one_split() {
    let folder = Folder::new("collection");
    let list = b"split,midi_filename\ntrain,x.mid\nvalidation,y.mid\ntest,z.mid\n";
    place(
        &folder,
        &[
            ("maestro-v3.0.0/list.csv", list),
            ("maestro-v3.0.0/x.mid", &midi()),
            ("maestro-v3.0.0/y.mid", &midi()),
            ("pijama/pijama.csv", PIJAMA.as_bytes()),
            ("pijama/P/b.midi", &midi()),
            ("other/readme.txt", b"nothing"),
        ],
    );
    let found = find_all(folder.path(), Split::Validation).expect("two corpora");
    let rows: Vec<_> = found.iter().map(|s| (s.name.as_str(), s.corpus.style())).collect();
    assert_eq!(rows, [("y.mid", Some(Style::Classical)), ("P/b.midi", Some(Style::JazzPiano))]);
    assert_eq!(found[1].agreement, Some(0.9));
    let onsets: Vec<f64> =
        found[1].performance(Convention::KeyUp).expect("notes").notes.iter().map(|note| note.onset).collect();
    assert_eq!(onsets, [0.5], "what sounds before the music begins is no music");
}

#[test]
fn songs_of_pop_come_with_beats_and_chords_and_stay_in_their_part() {
    let folder = Folder::new("collection-pop");
    for number in 1..=40 {
        place(&folder, &[(&format!("pop909/{number:03}.mid"), &midi())]);
    }
    place(
        &folder,
        &[
            ("pop909-beats/001.beats.txt", b"0 1 1\n0.5 0 0\n1 1 1\n"),
            ("pop909-beats/001.chords.txt", b"0 1 C:maj\n"),
        ],
    );
    let (train, held_out) =
        (names(&folder.join("pop909"), Split::Train), names(&folder.join("pop909"), Split::Validation));
    assert_eq!(train.len() + held_out.len(), 40);
    assert!(!held_out.is_empty() && held_out.iter().all(|song| !train.contains(song)), "{held_out:?}");
    let all = [Split::Train, Split::Validation]
        .map(|split| find_all(&folder.join("pop909"), split).expect("songs"));
    let song = |name: &str| all.iter().flatten().find(|source| source.name == name).expect("a song");
    let known = song("001.mid").annotations.read().expect("annotations");
    assert_eq!(known.beats.and_then(|beats| beats.at(0.25)).map(|place| place.in_bar), Some(0));
    assert_eq!(known.chords.and_then(|chords| chords.at(0.5)).map(|chord| chord.root), Some(0));
    assert_eq!(song("002.mid").annotations.read().expect("nothing"), Known::default());
}

#[test]
fn all_clips_of_a_song_are_in_one_part() {
    let folder = Folder::new("collection-emopia");
    for song in 0..20 {
        for clip in ["Q1_so_ng{}_0.mid", "Q1_so_ng{}_1.mid", "Q4_so_ng{}_7.mid"] {
            place(&folder, &[(&format!("emopia/{}", clip.replace("{}", &song.to_string())), &midi())]);
        }
    }
    let song = |name: &String| name[3..name.len() - 6].to_owned();
    let [train, held_out] =
        [Split::Train, Split::Validation].map(|split| names(&folder.join("emopia"), split));
    assert_eq!(train.len() + held_out.len(), 60);
    assert!(!held_out.is_empty());
    assert!(held_out.iter().all(|one| train.iter().all(|other| song(one) != song(other))));
}

#[test]
fn a_piece_that_is_held_out_in_one_corpus_is_held_out_in_the_other() {
    let folder = Folder::new("collection-asap");
    place(
        &folder,
        &[
            ("asap-beats/asap-beats.csv", ASAP.as_bytes()),
            ("asap-beats/Bach/one/b_annotations.txt", b"0\t0\tdb\n1\t1\tdb\n"),
            ("asap-extra/Bach/one/b.mid", &midi()),
            ("asap-extra/Bach/one_no_repeat/d.mid", &midi()),
        ],
    );
    let held_out = find_all(folder.path(), Split::Validation).expect("one piece");
    let rows: Vec<_> = held_out.iter().map(|source| (source.corpus, source.name.as_str())).collect();
    assert_eq!(
        rows,
        [
            (Corpus::AsapBeats, "Bach/one/a.mid"),
            (Corpus::AsapExtra, "Bach/one/b.mid"),
            (Corpus::AsapExtra, "Bach/one_no_repeat/d.mid"),
        ]
    );
    assert!(held_out[1].annotations.read().expect("beats").beats.is_some());
    assert_eq!(names(folder.path(), Split::Train), ["Bach/two/c.mid"]);
}

#[test]
fn solos_are_held_out_by_name() {
    let folder = Folder::new("collection-solos");
    let solos = (0..30).map(|n| format!("S{n},1.0,0.4,1,1,1,1,4/4,60,61.5,1,C7\n")).collect::<String>();
    let notes =
        "solo,onset,duration,bar,beat,tatum,division,signature,pitch,loud_median,phrase_begin,chord\n";
    let beats = "solo,onset,bar,beat,signature,chord,form,bass\nS0,1.0,1,1,4/4,C7,A1,36\n";
    place(
        &folder,
        &[
            ("wjazzd/notes.csv", (notes.to_owned() + &solos).as_bytes()),
            ("wjazzd/beats.csv", beats.as_bytes()),
        ],
    );
    let [train, held_out] = [Split::Train, Split::Validation].map(|split| names(folder.path(), split));
    assert_eq!(train.len() + held_out.len(), 30);
    assert!(!held_out.is_empty() && held_out.iter().all(|solo| !train.contains(solo)));
}

#[test]
fn where_a_corpus_lacks_a_split_those_that_it_has_are_named() {
    let folder = Folder::new("collection-no-split");
    let maestro = folder.join("maestro-v3.0.0");
    place(&folder, &[("maestro-v3.0.0/list.csv", b"split,midi_filename\ntest,x.mid\ntrain,y.mid\n")]);
    let sentence = |split| find_all(&maestro, split).expect_err("no such performance").to_string();
    let train = sentence(Split::Train);
    assert!(
        train.contains("of the 1 files of the train split") && train.contains("none is there"),
        "{train}"
    );
    place(&folder, &[("maestro-v3.0.0/x.mid", &midi())]);
    let validation = sentence(Split::Validation);
    let end =
        "maestro-v3.0.0 holds no performance of the validation split: ask for `--split test`, which it has";
    assert!(validation.ends_with(end), "{validation}");
    // Another corpus beside it may have that split.
    place(&folder, &[("pijama/pijama.csv", PIJAMA.as_bytes()), ("pijama/P/b.midi", &midi())]);
    assert_eq!(names(folder.path(), Split::Validation), ["P/b.midi"]);
}

#[test]
fn drums_of_a_known_corpus_are_left_out_and_counted() {
    let folder = Folder::new("collection-drums");
    let drummed = midi().iter().map(|&byte| if byte == 0x90 { 0x99 } else { byte }).collect::<Vec<u8>>();
    place(&folder, &[("pop909/012.mid", &drummed), ("pop909/012b.mid", &midi())]);
    let all = [Split::Train, Split::Validation].map(|split| find_all(&folder.join("pop909"), split));
    let sources: Vec<Source> = all.into_iter().flatten().flatten().collect();
    let (pieces, left_out) = read(&sources, Convention::KeyUp);
    let mut notes: Vec<usize> = pieces.iter().map(|piece| piece.notes.len()).collect();
    notes.sort_unstable();
    assert_eq!((notes, left_out.drums), (vec![0, 2], 2));
    assert_eq!(left_out.to_string(), "2 drum strokes, whose key is no pitch");
}

#[test]
fn a_folder_of_unknown_files_is_a_corpus_of_its_own() {
    let folder = Folder::new("collection-other");
    place(&folder, &[("deeper/a.mid", &midi()), ("b.mid", &midi())]);
    let [train, held_out] = [Split::Train, Split::Validation].map(|split| names(folder.path(), split));
    assert_eq!(train.len() + held_out.len(), 2);
    let missing = find_all(&folder.join("missing"), Split::Train).expect_err("no folder").to_string();
    assert!(missing.ends_with("missing is not a folder: give a corpus or a folder of them"), "{missing}");
}
