//! `adapt`: makes a personal model, which is a small difference to a base model, from a player's MIDI files.
//!
//! docs/yours.md tells what to expect of half an hour of a jazz pianist whom the model has never heard.

use std::{
    collections::HashSet,
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use antiphon::{
    adaptation::{Adaptation, Budget, Card, DataSet, Outcome, Player, Progress, VISITS},
    model::{
        personal::{ENDING, Personal},
        registry,
        weights::Weights,
    },
    music::conditions::Style,
};

use crate::{
    corpus::{self, Cache, Convention, GridPiece},
    file, models,
};

/// Default limit of the training time, in seconds. With the evaluations before and after it a run stays
/// within a minute.
pub const SECONDS: u64 = 50;
/// Largest number of files: more are a corpus, and no longer one player.
const MOST_FILES: usize = 1_000;
/// Largest number of held-out files that are listed by name.
const NAMED: usize = 4;

/// Make a model your own: learn from your MIDI files, as a small difference that the plugin's *You* turns up
/// and down
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// MIDI files of one player, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write the personal model; it ends in .antiphon
    #[arg(long)]
    output: PathBuf,
    /// The model that it is a difference to: an embedded one or a model file
    #[arg(long, default_value = "antiphon")]
    base: String,
    /// How long to learn at most
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many notes to learn from at most, each as often as it is heard [default: each 12 times]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    notes: Option<u64>,
    /// What kind of music it is, as the plugin's *Style* tells it [default: nothing is told]
    #[arg(long, value_enum)]
    style: Option<Kind>,
    /// How a note that the pedal holds ends
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
    /// Another one holds out other files and learns in another order
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Classical,
    JazzPiano,
    JazzLine,
    Pop,
}

impl From<Kind> for Style {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Classical => Self::Classical,
            Kind::JazzPiano => Self::JazzPiano,
            Kind::JazzLine => Self::JazzLine,
            Kind::Pop => Self::Pop,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let output = &arguments.output;
    if output.extension().is_none_or(|ending| ending != ENDING) || output.is_dir() {
        bail!(
            "{} is no name for a personal model: give an `--output` that ends in .{ENDING}",
            output.display()
        );
    }
    file::try_path(output)
        .with_context(|| format!("{} cannot be written: choose another `--output`", output.display()))?;
    let base = base(&arguments.base)?;
    let pieces = pieces(arguments, &Cache::of_user())?;
    let notes: Vec<_> = pieces.iter().map(|piece| piece.notes.clone()).collect();
    let data_set = DataSet::divided(&notes, arguments.seed)?;
    println!("{}", divided(&pieces, &data_set));
    let budget = Budget {
        time: Duration::from_secs(arguments.seconds),
        notes: arguments.notes.map_or(VISITS * data_set.learnt_notes(), |notes| notes as usize),
    };
    let outcome = learnt(&base, &data_set, budget, arguments.seed)?;
    let name = output.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let card = Card::of(&name, &base, &data_set, &outcome, arguments.seed);
    let Some(personal) = outcome.personal(&name, &base, card.to_toml()) else {
        bail!(
            "nothing was gained: {} foretells what was held out no better after it has learnt from the rest, so no file \
             was written. Give more music, or music that is more alike",
            base.name
        );
    };
    write(output, &personal)?;
    println!("{}", gained(&outcome));
    println!("wrote {}: choose it in the plugin's model menu, and set *You*", output.display());
    Ok(())
}

/// Trains the difference, and shows its progress.
pub fn learnt(base: &Weights, data_set: &DataSet, budget: Budget, seed: u64) -> Result<Outcome> {
    let style =
        ProgressStyle::with_template("{bar:20} {percent} % {msg}").expect("the template is well formed");
    let bar = ProgressBar::new(100).with_style(style);
    let told = |progress: &Progress| {
        bar.set_position((progress.passed * 100.0) as u64);
        bar.set_message(format!("{} notes, {:.2} nats gained so far", progress.notes, progress.gain));
        true
    };
    let outcome = Adaptation::new(base, data_set, seed)?.learn(budget, told)?;
    bar.finish_and_clear();
    Ok(outcome)
}

/// The weights of a base model, by its name.
pub fn base(name: &str) -> Result<Weights> {
    let files = models::files(&[name.to_owned()])?;
    let (name, bytes) = files.first().expect("one name, one file");
    ensure!(
        !Personal::is_one(bytes),
        "{name} is a personal model, which is no base: give the model that it names"
    );
    registry::read(bytes).with_context(|| name.clone())
}

/// All pieces that can be read and have notes.
fn pieces(arguments: &Arguments, cache: &Cache) -> Result<Vec<GridPiece>> {
    let mut files = Vec::new();
    for source in &arguments.files {
        files.extend(corpus::find(source, None)?);
    }
    let mut seen = HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    ensure!(
        files.len() <= MOST_FILES,
        "{} files are a corpus and no player: give up to {MOST_FILES} of one player, or train a model with `cargo xtask train`",
        files.len()
    );
    let corpus = corpus::read_on_grid(&files, arguments.convention, cache)?;
    corpus.warn();
    if corpus.notes() == 0 {
        bail!("there are {} to learn from: give MIDI files with the notes of one player", corpus.no_notes());
    }
    let mut pieces = corpus.pieces;
    let style = arguments.style.map(Style::from);
    pieces.iter_mut().flat_map(|piece| &mut piece.notes).for_each(|note| note.conditions.style = style);
    Ok(pieces)
}

fn write(path: &Path, personal: &Personal) -> Result<()> {
    file::replace(&[(path.to_owned(), personal.to_bytes())])
}

/// One sentence on which files are learnt from and which are held out.
fn divided(pieces: &[GridPiece], data_set: &DataSet) -> String {
    let minutes = Player::of(&data_set.learnt).minutes;
    let mut told = format!(
        "learning from {} notes ({minutes} minutes) of {} files; held out to try it on: {} notes",
        data_set.learnt_notes(),
        pieces.iter().filter(|piece| !piece.notes.is_empty()).count() - data_set.held_out_pieces.len(),
        data_set.held_out_notes(),
    );
    let names = data_set.held_out_pieces.iter().map(|&n| pieces[n].path.display().to_string());
    let names: Vec<_> = names.collect();
    match &names[..] {
        [] => told.push_str(", the end of each file, since there are fewer than three"),
        few if few.len() <= NAMED => write!(told, " of {}", few.join(", ")).expect("a string grows"),
        many => write!(told, " of {} files", many.len()).expect("a string grows"),
    }
    told
}

/// The result in words.
fn gained(outcome: &Outcome) -> String {
    let likelier = 100.0 * (outcome.gain().exp() - 1.0);
    let parts = ["step", "pitch", "velocity", "duration"].iter().zip(outcome.before.0).zip(outcome.after.0);
    let parts: Vec<_> =
        parts.map(|((name, before), after)| format!("{name} {:.2}", before - after)).collect();
    format!(
        "of what was held out, each note is now {likelier:.0} % likelier on average: {:.2} nats a note instead of {:.2} \
         ({}), after {} notes in {:.0} s",
        outcome.after.total(),
        outcome.before.total(),
        parts.join(", "),
        outcome.notes,
        outcome.time.as_secs_f64(),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;
    use midly::{
        Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind,
        num::{u4, u7, u15, u28},
    };

    use super::*;
    use crate::file::tests::Folder;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// A MIDI file of equally long notes on some keys, on one channel.
    fn midi(keys: &[u8], notes: usize, channel: u8) -> Vec<u8> {
        let event = |delta, kind| TrackEvent { delta: u28::from(delta), kind };
        let midi = |message| TrackEventKind::Midi { channel: u4::from(channel), message };
        let mut track = Vec::new();
        for n in 0..notes {
            let (key, vel) = (u7::from(keys[n % keys.len()]), u7::from(90));
            track.push(event(40, midi(MidiMessage::NoteOn { key, vel })));
            track.push(event(160, midi(MidiMessage::NoteOff { key, vel })));
        }
        track.push(event(0, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
        let header = Header { format: Format::SingleTrack, timing: Timing::Metrical(u15::from(500)) };
        let mut bytes = Vec::new();
        Smf { header, tracks: vec![track] }.write_std(&mut bytes).expect("memory takes all");
        bytes
    }

    fn adapted(folder: &Folder, more: &[&str]) -> Result<()> {
        let output = folder.join("me.antiphon");
        let (data, output) = (folder.join("deeper"), output.to_str().expect("plain letters"));
        let words = ["adapt", data.to_str().expect("plain letters"), "--output", output];
        run(&Line::try_parse_from(words.into_iter().chain(more.iter().copied()))
            .expect("a command")
            .arguments)
    }

    fn refused(folder: &Folder, more: &[&str]) -> String {
        format!("{:#}", adapted(folder, more).expect_err("it is refused"))
    }

    #[test]
    fn three_files_give_a_personal_model_that_plays() {
        let folder = Folder::new("adapt");
        for (n, keys) in
            [[60, 62, 64, 66, 68, 70], [72, 70, 68, 66, 64, 62], [60, 64, 68, 72, 68, 64]].iter().enumerate()
        {
            folder.write(&format!("deeper/{n}.mid"), &midi(keys, 300, 0));
        }
        adapted(&folder, &["--notes", "6000", "--seconds", "500"]).expect("a gain");
        let bytes = fs::read(folder.join("me.antiphon")).expect("it was written");
        let personal = Personal::read(&bytes).expect("a personal model");
        assert_eq!((personal.name.as_str(), personal.base.name.as_str()), ("me", "antiphon"));
        let card: toml::Table = personal.card.parse().expect("TOML");
        assert_eq!(card["player"]["notes"].as_integer(), Some(900));
        assert!(card["held_out"]["gain"].as_float().is_some_and(|gain| gain > 0.05));
        assert_eq!(
            models::load(&[folder.join("me.antiphon").display().to_string()]).expect("its base is inside")[0]
                .name(),
            "me"
        );
        let refused =
            base(&folder.join("me.antiphon").display().to_string()).expect_err("no base").to_string();
        assert!(refused.ends_with("is a personal model, which is no base: give the model that it names"));
    }

    #[test]
    fn wrong_sets_are_refused_with_a_sentence_and_nothing_is_written() {
        let folder = Folder::new("adapt-wrong");
        folder.write("deeper/a.mid", &midi(&[60, 64, 67], 20, 0));
        assert!(refused(&folder, &[]).starts_with("20 notes are too few"));
        folder.write("deeper/a.mid", &midi(&[36, 38, 42], 900, 9));
        assert!(refused(&folder, &[]).starts_with("there are no notes but drums to learn from"));
        folder.write("deeper/a.mid", &midi(&[60], 900, 0));
        assert!(refused(&folder, &[]).starts_with("1 different keys are no music"));
        assert!(!folder.join("me.antiphon").exists());
    }

    #[test]
    fn a_corpus_is_no_player() {
        let folder = Folder::new("adapt-many");
        (0..=MOST_FILES).for_each(|n| folder.write(&format!("deeper/{n}.mid"), b""));
        assert!(refused(&folder, &[]).starts_with("1001 files are a corpus and no player"));
    }

    #[test]
    fn a_name_that_does_not_end_as_it_should_is_refused_before_anything_is_read() {
        let folder = Folder::new("adapt-name");
        let output = folder.join("me.safetensors").display().to_string();
        let line = Line::try_parse_from(["adapt", "nothing.mid", "--output", &output]).expect("a command");
        assert!(run(&line.arguments).expect_err("a wrong name").to_string().ends_with("ends in .antiphon"));
    }
}
