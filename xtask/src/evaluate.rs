//! `evaluate`: scores models on held-out performances: in nats per note beside plain statistics, by how like
//! real music their continuations are, by how the plugin's output compares with a player, by how well the
//! plugin tells when a player has stopped, or by what a model gains that learns from a player.
//!
//! What to expect on MAESTRO's validation split: for antiphon 8.70 nats a note; for a classic, fewer than
//! 3.77 nats a pitch, which is the figure when each key is predicted from the key before alone.

mod closed_loop;
mod continuations;
mod handover;
mod likelihood;
mod players;
mod suffix_array;

use std::path::PathBuf;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::corpus::{self, Convention, Corpus, Notes, Split};

/// Score models on performances: nats per note and errors in seconds, or how like music they play
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An embedded model or a model file; repeatable [default: all embedded models]
    #[arg(long)]
    model: Vec<String>,
    /// MIDI file, folder of them, MAESTRO csv or folder, another known corpus, or a folder of corpora
    #[arg(long)]
    data: PathBuf,
    /// Which part of it [default: validation where a list names it, otherwise all]
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// What the baselines are fitted on, and continuations are looked for in [default: MAESTRO's train split]
    #[arg(long)]
    train: Option<PathBuf>,
    /// How a note that the pedal holds ends; repeatable [default: both, or sustained for continuations]
    #[arg(long, value_enum)]
    convention: Vec<Convention>,
    /// How many past notes a model hears: a number or `unbounded`; repeatable [default: unbounded, and for
    /// sustained notes 25, 50, 100 and 150]
    #[arg(long, value_parser = memory, conflicts_with = "continuations")]
    memory: Vec<Memory>,
    /// Input features (beat, harmony, style) to withhold from the models where they are known; repeatable
    #[arg(long, value_enum, conflicts_with = "continuations")]
    without: Vec<Condition>,
    /// Let the models play on from real music, at the plugin's default settings or others, and compare
    #[arg(long)]
    continuations: bool,
    /// From how many places [default: 200]
    #[arg(long, requires = "continuations", value_parser = clap::value_parser!(u32).range(1..))]
    prompts: Option<u32>,
    /// Another seed, other places [default: 0]
    #[arg(long, requires = "continuations")]
    seed: Option<u64>,
    #[command(flatten)]
    tries: continuations::Tries,
    /// Replay performances as a player who never stops, and as one who stops at the ends of phrases: when does the
    /// plugin take the floor?
    #[arg(long, group = "played", conflicts_with_all = ["continuations", "convention", "memory", "train"])]
    handover: bool,
    /// Play performances into the plugin, and compare what comes out with what the player played there
    #[arg(long = "loop", id = "looped", group = "played", conflicts_with_all = ["continuations", "convention", "memory", "train"])]
    looped: bool,
    #[command(flatten)]
    closed_loop: closed_loop::Options,
    /// Let the model become each player's own on some of the player's files, and score it on the others
    #[arg(long, conflicts_with_all = ["continuations", "convention", "memory", "train", "without", "split", "played"])]
    players: bool,
    #[command(flatten)]
    own: players::Options,
    /// The number of files to take, evenly spaced [default: all, of each kind 14 for `--loop`]
    #[arg(long, requires = "played", value_parser = clap::value_parser!(u32).range(1..))]
    files: Option<u32>,
    /// Draw wrong take-overs against waiting into this PNG
    #[arg(long, requires = "handover")]
    picture: Option<PathBuf>,
    /// Print JSON: an array, or one object for a hand-over
    #[arg(long)]
    json: bool,
}

/// An input feature that may be known at a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Condition {
    Beat,
    Harmony,
    Style,
}

/// Number of past notes that a model hears. `None` carries its state from the first note of a file.
type Memory = Option<usize>;

fn memory(text: &str) -> Result<Memory, String> {
    match text.parse() {
        Ok(notes) if notes > 0 => Ok(Some(notes)),
        _ if text == "unbounded" => Ok(None),
        _ => Err("give a number of notes, such as 150, or `unbounded`".into()),
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match arguments {
        Arguments { handover: true, .. } => handover::run(arguments),
        Arguments { players: true, .. } => players::run(arguments),
        Arguments { looped: true, .. } => closed_loop::run(arguments),
        Arguments { continuations: true, .. } => continuations::run(arguments),
        _ => likelihood::run(arguments),
    }
}

/// The performances to evaluate on.
fn music<P: Notes>(
    arguments: &Arguments,
    read: impl Fn(&[PathBuf]) -> Result<Corpus<P>>,
) -> Result<Corpus<P>> {
    let listed = corpus::has_list(&arguments.data);
    let split = arguments.split.or(listed.then_some(Split::Validation));
    let corpus = read(&corpus::find(&arguments.data, split)?)?;
    corpus.warn();
    if corpus.notes() == 0 {
        bail!("there are {} in {}: give MIDI files with notes", corpus.no_notes(), arguments.data.display());
    }
    Ok(corpus)
}

/// The performances to learn from, if there are any.
fn training<P: Notes>(
    arguments: &Arguments,
    read: impl Fn(&[PathBuf]) -> Result<Corpus<P>>,
) -> Result<Option<Corpus<P>>> {
    let files = match &arguments.train {
        Some(source) => corpus::find(source, corpus::has_list(source).then_some(Split::Train))?,
        None if corpus::has_list(&arguments.data) => corpus::find(&arguments.data, Some(Split::Train))?,
        None => return Ok(None),
    };
    let corpus = read(&files)?;
    corpus.warn();
    if corpus.notes() == 0 {
        bail!("what to learn from has {}: give MIDI files with notes to `--train`", corpus.no_notes());
    }
    Ok(Some(corpus))
}

fn progress(what: &str, notes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left");
    ProgressBar::new(u64::try_from(notes).unwrap_or(u64::MAX))
        .with_style(style.expect("the template is well formed"))
        .with_message(what.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::file::tests::Folder;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// A MIDI file with two note-ons on a channel.
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
}
