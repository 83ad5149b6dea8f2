use std::{fs, path::PathBuf};

use clap::Parser;
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u28},
};
use toml::Table;

use ::antiphon::{
    model::registry,
    music::note::{Key, Velocity},
};

use super::*;
use crate::{corpus::Convention, file::tests::Folder};

/// Arguments for a training that is small enough for a test, for both kinds of preset.
const SMALL: [&[&str]; 2] = [
    &["--preset", "antiphon", "--batch", "4", "--window", "12"],
    &["--preset", "classic-25", "--batch", "4", "--window", "12"],
];

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// A folder with files to learn from, and with the output.
struct Place(Folder);

impl Place {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        for (n, length) in [(1, 110), (2, 140), (3, 125), (4, 8)] {
            folder.write(&format!("deeper/{n}.mid"), &midi(n, length));
        }
        Self(folder)
    }

    fn arguments(&self, model: &str, more: &[&[&str]]) -> Arguments {
        let (data, output) = (self.0.join("deeper"), self.file(model, "safetensors"));
        let paths = [data, output].map(|path| path.to_str().expect("plain letters").to_owned());
        let words = ["train", "--data", &paths[0], "--output", &paths[1]];
        Line::try_parse_from(words.into_iter().chain(more.concat())).expect("a command").arguments
    }

    fn begin<'a>(&self, arguments: &'a Arguments) -> Result<TrainingRun<'a>> {
        begin(arguments, &Cache::within(self.0.join("cache")))
    }

    /// Learns up to a step, and saves.
    fn learn(&self, arguments: &Arguments, steps: usize) -> Result<()> {
        self.begin(arguments)?.run(|progress| progress.steps >= steps)
    }

    fn file(&self, model: &str, extension: &str) -> PathBuf {
        self.0.join(model).with_extension(extension)
    }

    fn bytes(&self, model: &str, extension: &str) -> Vec<u8> {
        fs::read(self.file(model, extension)).expect("a file")
    }

    fn card(&self, model: &str) -> Table {
        String::from_utf8(self.bytes(model, "toml")).expect("text").parse().expect("a card")
    }
}

/// The bytes of a MIDI file with random notes.
fn midi(seed: u64, notes: usize) -> Vec<u8> {
    midi_on(0, seed, notes)
}

fn midi_on(channel: u8, seed: u64, notes: usize) -> Vec<u8> {
    let mut rng = Rng::seed_from_u64(seed);
    let event = |delta, kind| TrackEvent { delta: u28::from(delta), kind };
    let midi = |message| TrackEventKind::Midi { channel: u4::from(channel), message };
    let mut track = Vec::new();
    for _ in 0..notes {
        let (key, vel) = (u7::from(rng.random_range(40..90)), u7::from(rng.random_range(1..=127)));
        track.push(event(rng.random_range(0..200), midi(MidiMessage::NoteOn { key, vel })));
        track.push(event(rng.random_range(10..300), midi(MidiMessage::NoteOff { key, vel })));
    }
    track.push(event(0, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let header = Header { format: Format::SingleTrack, timing: Timing::Metrical(u15::from(500)) };
    let mut bytes = Vec::new();
    Smf { header, tracks: vec![track] }.write_std(&mut bytes).expect("memory takes all");
    bytes
}

fn error(result: Result<()>) -> String {
    format!("{:#}", result.expect_err("it fails"))
}

/// Three keys in turn, 99 notes, which any model must be able to learn.
pub(super) fn melody() -> Vec<GridNote> {
    let note = |n: u8| GridNote {
        step: 20,
        key: Key::saturating(60 + n % 3 * 4),
        velocity: Velocity::saturating(64),
        duration: 30,
        conditions: Default::default(),
    };
    (0..99).map(note).collect()
}

#[test]
fn an_interrupted_training_comes_to_the_same_weights() {
    for small in SMALL {
        let place = Place::new(&format!("resume-{}", small[1]));
        let straight = place.arguments("straight", &[small, &["--steps", "7"]]);
        place.learn(&straight, 7).expect("it learns");
        let begun = place.arguments("interrupted", &[small, &["--steps", "7"]]);
        place.learn(&begun, 3).expect("it learns");
        let resumed = place.arguments("interrupted", &[small, &["--steps", "7", "--resume"]]);
        place.learn(&resumed, 5).expect("it goes on");
        place.learn(&resumed, 7).expect("it goes on");
        let numbers = |model| {
            let bytes = place.bytes(model, "safetensors");
            let weights = registry::read(&bytes).expect("complete");
            weights
                .architecture
                .tensors()
                .iter()
                .map(|(name, _)| weights.numbers(name).to_vec())
                .collect::<Vec<_>>()
        };
        assert!(numbers("straight") == numbers("interrupted"));
        let told = |model| {
            let card = place.card(model);
            (card["status"].clone(), card["notes_seen"].clone(), card["scores"].clone())
        };
        assert_eq!(told("straight"), told("interrupted"));
    }
}

#[test]
fn weights_have_a_card_and_curves_while_they_learn() {
    let place = Place::new("in-training");
    let arguments = place.arguments("mine", &[SMALL[1], &["--steps", "40"]]);
    place.learn(&arguments, 3).expect("it learns");
    let card = place.card("mine");
    let status = card["status"].as_str().expect("text");
    assert!(status.starts_with("in training: ") && status.ends_with(" minutes of 40 steps"), "{status}");
    assert_eq!(card["training"][0]["steps"].as_integer(), Some(3));
    assert!(registry::read(&place.bytes("mine", "safetensors")).is_ok());
    let table = String::from_utf8(place.bytes("mine", "csv")).expect("text");
    assert!(table.starts_with("step,notes,seconds,rate,train_pitch_nats,") && table.contains("\n3,144,"));
    assert!(place.bytes("mine", "png").starts_with(b"\x89PNG"));
}

#[test]
fn a_checkpoint_goes_on_with_its_own_arguments_alone() {
    let place = Place::new("fits");
    place.learn(&place.arguments("mine", &[SMALL[1], &["--steps", "40"]]), 1).expect("it learns");
    let told = |more: &[&[&str]]| {
        error(place.learn(&place.arguments("mine", &[&[SMALL[1], &["--resume"]], more].concat()), 9))
    };
    assert!(told(&[&["--seed", "2"]]).contains("`--seed 1`, not `--seed 2`"));
    let small = ["--preset", "classic-25", "--batch", "4", "--window", "10", "--resume"];
    let other = error(place.learn(&place.arguments("mine", &[&small]), 9));
    assert!(other.contains("`--window 12`, not `--window 10`"), "{other}");
    fs::write(place.0.join("deeper/1.mid"), midi(9, 40)).expect("a file");
    assert!(told(&[]).contains("other files"));
    let missing = place.arguments("other", &[SMALL[1], &["--resume"]]);
    assert!(error(place.learn(&missing, 9)).contains("does not exist"));
    fs::write(place.file("other", "checkpoint"), b"no tensors").expect("a file");
    assert!(error(place.learn(&missing, 9)).contains("other.checkpoint is no checkpoint"));
}

#[test]
fn an_unfinished_training_is_not_replaced() {
    let place = Place::new("unfinished");
    let arguments = place.arguments("mine", &[SMALL[1], &["--steps", "4"]]);
    place.learn(&arguments, 1).expect("it learns");
    assert!(error(place.learn(&arguments, 4)).contains("25 % are done: add `--resume`"));
    let resumed = place.arguments("mine", &[SMALL[1], &["--steps", "2", "--resume"]]);
    place.learn(&resumed, 4).expect("it goes on");
    assert_eq!(place.card("mine")["status"].as_str(), Some("finished"));
    place.learn(&arguments, 4).expect("a finished one may be replaced");
}

/// A model that learns a few steps, after which its loss is NaN.
struct Poisoned {
    model: Box<dyn TrainableModel>,
    steps: usize,
}

impl TrainableModel for Poisoned {
    fn learn(&mut self, rate: f64) -> Result<StepResult> {
        let good = self.steps.checked_sub(1);
        optimiser::check(if good.is_some() { 1.0 } else { f32::NAN })?;
        self.steps = good.unwrap_or(0);
        self.model.learn(rate)
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        self.model.score(pieces)
    }

    fn keep(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.model.keep(checkpoint)
    }

    fn recall(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.model.recall(checkpoint)
    }
}

#[test]
fn a_loss_that_is_no_number_leaves_the_last_checkpoint() {
    let place = Place::new("poisoned");
    let arguments = place.arguments("mine", &[SMALL[1], &["--steps", "40"]]);
    let mut training = place.begin(&arguments).expect("it begins");
    training.run(|progress| progress.steps >= 2).expect("it learns");
    training.model = Box::new(Poisoned { model: training.model, steps: 1 });
    let told = error(training.run(|_| false));
    assert!(told.starts_with("the loss is no longer a number: give a lower `--rate`; "), "{told}");
    assert!(told.contains("mine.checkpoint still holds step 2: go on with `cargo xtask "), "{told}");
    let resumed = place.arguments("mine", &[SMALL[1], &["--steps", "4", "--rate", "1e-4", "--resume"]]);
    place.learn(&resumed, 4).expect("it goes on");
}

#[test]
fn weights_that_are_no_good_are_not_saved() {
    let place = Place::new("too-fast");
    place.learn(&place.arguments("mine", &[SMALL[0], &["--steps", "4"]]), 2).expect("it learns");
    let saved = || ["checkpoint", "safetensors", "toml"].map(|kind| place.bytes("mine", kind));
    let before = saved();
    let arguments = place.arguments("mine", &[SMALL[0], &["--steps", "400", "--rate", "1e38", "--resume"]]);
    assert!(error(place.learn(&arguments, 5)).contains("no longer a number"));
    assert!(before == saved());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_last_checkpoint() {
    let place = Place::new("full-disk");
    let arguments = place.arguments("mine", &[SMALL[1], &["--steps", "40"]]);
    let mut training = place.begin(&arguments).expect("it begins");
    training.run(|progress| progress.steps >= 2).expect("it learns");
    let before = place.bytes("mine", "checkpoint");
    std::os::unix::fs::symlink("/dev/full", place.file("mine", "csv.part")).expect("a link");
    let told = error(training.run(|progress| progress.steps >= 3));
    assert!(told.contains("mine.csv cannot be written: No space left"), "{told}");
    assert!(told.contains("still holds step 2"), "{told}");
    assert!(before == place.bytes("mine", "checkpoint"));
}

#[test]
fn a_model_tells_all_its_runs() {
    let place = Place::new("runs");
    place.learn(&place.arguments("first", &[SMALL[1], &["--steps", "2"]]), 9).expect("it learns");
    let first = place.file("first", "safetensors");
    let init = ["--steps", "3", "--init", first.to_str().expect("plain letters")];
    place.learn(&place.arguments("second", &[SMALL[1], &init]), 9).expect("it learns");
    let card = place.card("second");
    assert_eq!(card["notes_seen"].as_integer(), Some(5 * 4 * 12));
    let begins = card["training"][1]["begins_with"].as_str().expect("a name");
    assert!(begins.starts_with("first, ") && begins.ends_with(" and 96 notes old"), "{begins}");
}

#[test]
fn what_is_too_short_or_held_out_is_not_learnt_from() {
    let place = Place::new("material");
    let arguments = place.arguments("mine", &[&["--preset", "classic-25"]]);
    let cache = Cache::within(place.0.join("cache"));
    let data_set = |shortest| {
        DataSet::read(&arguments, shortest, &cache, &mut Rng::seed_from_u64(1)).expect("there are notes")
    };
    let (all, long) = (data_set(1), data_set(30));
    assert!(all.validation.iter().map(Vec::len).sum::<usize>() >= 100);
    assert_eq!(all.training.pieces.len() + all.validation.len(), 4);
    assert!(all.training.pieces.iter().all(|piece| !all.validation.contains(piece)));
    assert_eq!(long.validation, all.validation);
    assert!(long.training.pieces.iter().all(|piece| piece.len() >= 30) && long.notes() < all.notes());
    assert_ne!(long.digest(), all.digest());
}

#[test]
fn a_score_on_fewer_than_a_hundred_notes_is_refused_with_what_to_do() {
    let place = Place::new("few");
    for n in 1..=4 {
        fs::write(place.0.join(&format!("deeper/{n}.mid")), midi(n, 2)).expect("a file");
    }
    fs::write(place.0.join("deeper/5.mid"), midi(5, 40)).expect("a file");
    let told = |more: &[&str]| error(place.learn(&place.arguments("mine", &[SMALL[1], more]), 1));
    let held_out = told(&[]);
    assert!(
        held_out
            .contains("and a score on fewer than 100 means nothing: give more or longer files to `--data`")
    );
    place.0.write("two.mid", &midi(1, 2));
    let two = place.0.join("two.mid");
    let given = told(&["--validation", two.to_str().expect("plain letters")]);
    assert!(given.starts_with("the files of `--validation` hold 2 notes, "), "{given}");
}

#[test]
fn the_files_that_are_held_out_are_more_than_a_tenth_where_these_have_too_few_notes() {
    let place = Place::new("enough");
    for n in 1..=9 {
        fs::write(place.0.join(&format!("deeper/{n}.mid")), midi(n, 40)).expect("a file");
    }
    for seed in 1..=5 {
        let seed = seed.to_string();
        let arguments = place.arguments("mine", &[SMALL[1], &["--seed", &seed]]);
        let cache = Cache::within(place.0.join("cache"));
        let data_set = DataSet::read(&arguments, 1, &cache, &mut Rng::seed_from_u64(arguments.seed));
        let data_set = data_set.expect("there are notes");
        assert_eq!((data_set.training.pieces.len(), data_set.validation.len()), (6, 3), "{seed}");
    }
}

#[test]
fn what_cannot_be_begun_is_told() {
    let place = Place::new("cannot");
    let nowhere = place.arguments("missing/mine", &[SMALL[1]]);
    assert!(error(place.learn(&nowhere, 1)).contains("choose another `--output`"));
    let long = place.arguments("mine", &[&["--preset", "classic-150"]]);
    assert!(
        error(place.learn(&long, 1)).contains("holds 150 notes: give longer files or a smaller `--window`")
    );
    for n in 1..=4 {
        fs::write(place.0.join(&format!("deeper/{n}.mid")), midi(1, 0)).expect("a file");
    }
    let silent = place.arguments("mine", &[SMALL[1]]);
    assert!(error(place.learn(&silent, 1)).contains("has no notes: give MIDI files"));
    for n in 1..=4 {
        fs::write(place.0.join(&format!("deeper/{n}.mid")), midi_on(9, n, 20)).expect("a file");
    }
    assert!(error(place.learn(&silent, 1)).contains("has no notes but drums: give MIDI files"));
}

#[test]
fn packed_corpora_have_the_notes_of_their_files_in_both_splits() {
    let place = Place::new("packed");
    let corpus = place.0.join("pop909");
    fs::rename(place.0.join("deeper"), &corpus).expect("a corpus, by its name");
    for n in 0..40 {
        fs::write(corpus.join(format!("song {n}.mid")), midi(n, 60)).expect("a file");
    }
    let (packed, cache) = (place.0.join("corpora.notes"), Cache::within(place.0.join("cache")));
    crate::pack::pack(std::slice::from_ref(&corpus), &packed, Convention::Sustained, &cache).expect("packed");
    let read = |data: PathBuf| {
        let arguments = Arguments { data: vec![data], ..place.arguments("mine", &[SMALL[0]]) };
        DataSet::read(&arguments, 1, &cache, &mut Rng::seed_from_u64(1)).expect("there are notes")
    };
    let from_files = read(corpus.clone());
    fs::remove_dir_all(&corpus).expect("a folder");
    let from_packed = read(packed);
    assert_eq!(from_packed.training.pieces, from_files.training.pieces);
    assert_eq!(from_packed.validation, from_files.validation);
    assert!(!from_packed.validation.is_empty() && from_packed.digest() == from_files.digest());
    assert_eq!(from_packed.training.corpora[0].name, "pop909");
}
