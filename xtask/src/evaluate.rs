//! `evaluate`: what models are worth on performances that nobody has learnt from: in nats per note, beside plain
//! statistics, in how like real music they play on, in how what comes out of the plugin compares with a player, or in how
//! well they tell when a player has stopped.
//!
//! What to expect on MAESTRO's validation split: of antiphon 8.70 nats a note; of a classic, fewer than 3.77 nats a pitch,
//! which is what the key before alone tells.

mod baseline;
mod closed_loop;
mod continuations;
mod handover;
mod players;
mod row;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, path::PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use antiphon::{
    model::weights::{self, Weights},
    music::conditions::Conditions,
};

use crate::{
    corpus::{
        self, Cache, Convention, Corpus, GridNote, GridPiece, Notes, Split, annotated,
        collection::{self, Source},
    },
    models,
    score::Network,
};
use baseline::Baseline;
use row::Row;

/// With a memory, so many evenly spaced notes stand for all: each costs as many steps as the memory is long.
const PLACES: usize = 4000;
/// What a player may set it to, in notes.
const MEMORIES: [Memory; 5] = [None, Some(25), Some(50), Some(100), Some(150)];

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
    /// How many notes back a model hears: a number or `unbounded`; repeatable [default: unbounded, and for sustained
    /// notes 25, 50, 100 and 150]
    #[arg(long, value_parser = memory, conflicts_with = "continuations")]
    memory: Vec<Memory>,
    /// What the models are not told of the beat, the harmony and the style, where it is known; repeatable
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
    /// Take so many files, evenly spaced [default: all, of each kind 14 for `--loop`]
    #[arg(long, requires = "played", value_parser = clap::value_parser!(u32).range(1..))]
    files: Option<u32>,
    /// Draw wrong take-overs against waiting into this PNG
    #[arg(long, requires = "handover")]
    picture: Option<PathBuf>,
    /// Print what a machine may read: an array, or one object for a hand-over
    #[arg(long)]
    json: bool,
}

/// Notes on the grid, performance by performance.
type Pieces = Vec<Vec<GridNote>>;

/// What may be known around a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Condition {
    Beat,
    Harmony,
    Style,
}

/// Notes; `None` carries the state from the first note of a file.
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
        _ => nats(arguments),
    }
}

fn nats(arguments: &Arguments) -> Result<()> {
    let models = networks(&arguments.model)?;
    let conventions = match &arguments.convention[..] {
        [] => &[Convention::Sustained, Convention::KeyUp],
        chosen => chosen,
    };
    let mut rows = Vec::new();
    for &convention in conventions {
        let memories = match (&arguments.memory[..], convention) {
            ([], Convention::Sustained) => &MEMORIES[..],
            ([], Convention::KeyUp) => &[None],
            (chosen, _) => chosen,
        };
        for (corpus, pieces) in corpora(arguments, convention)? {
            let mut of_corpus = Vec::new();
            for (weights, network) in &models {
                for &memory in memories {
                    of_corpus.push(scored(weights, network, &pieces, convention, memory)?);
                }
            }
            of_corpus.extend(baselines(arguments, convention, &pieces)?);
            of_corpus.iter_mut().for_each(|row| row.corpus.clone_from(&corpus));
            rows.extend(of_corpus);
        }
    }
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&rows)?),
        false => print!("{}", row::table(&rows)),
    }
    Ok(())
}

/// The performances to score, corpus by corpus; a name where there are several.
fn corpora(arguments: &Arguments, convention: Convention) -> Result<Vec<(Option<String>, Pieces)>> {
    if !collection::is_known(&arguments.data) {
        let pieces = on_grid(music(arguments, |files| cached(files, convention))?.pieces);
        return Ok(vec![(None, pieces)]);
    }
    let sources = annotated::find(&arguments.data, arguments.split)?;
    let several = sources.iter().any(|source| source.corpus != sources[0].corpus);
    let read = |same: &[Source]| {
        let (pieces, left_out) = annotated::read(same, convention);
        left_out.warn(several.then(|| same[0].corpus.to_string()).as_deref());
        let mut pieces = on_grid(pieces);
        pieces.iter_mut().flatten().for_each(|note| forget(&mut note.conditions, &arguments.without));
        (several.then(|| same[0].corpus.to_string()), pieces)
    };
    Ok(sources.chunk_by(|a, b| a.corpus == b.corpus).map(read).collect())
}

fn forget(conditions: &mut Conditions, what: &[Condition]) {
    for condition in what {
        match condition {
            Condition::Beat => conditions.pulse = None,
            Condition::Harmony => conditions.harmony = None,
            Condition::Style => conditions.style = None,
        }
    }
}

fn networks(names: &[String]) -> Result<Vec<(Weights, Network)>> {
    let read = |(name, bytes): (String, Cow<[u8]>)| {
        let weights = weights::read(&bytes).context(name)?;
        let network = Network::of(&weights)?;
        Ok((weights, network))
    };
    models::files(names)?.into_iter().map(read).collect()
}

/// The performances that are evaluated on.
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

fn cached(files: &[PathBuf], convention: Convention) -> Result<Corpus<GridPiece>> {
    corpus::read_on_grid(files, convention, &Cache::of_user())
}

fn on_grid(pieces: Vec<GridPiece>) -> Vec<Vec<GridNote>> {
    pieces.into_iter().map(|piece| piece.notes).collect()
}

fn scored(
    weights: &Weights,
    network: &Network,
    pieces: &[Vec<GridNote>],
    convention: Convention,
    memory: Memory,
) -> Result<Row> {
    let notes = pieces.iter().map(Vec::len).sum::<usize>();
    let bar = progress(&format!("{} {convention}", weights.name), notes);
    let score = match memory {
        None => network.unbounded(pieces, |notes| bar.inc(u64::try_from(notes).unwrap_or(u64::MAX)))?,
        Some(memory) => network.remembered(pieces, memory, PLACES)?,
    };
    bar.finish_and_clear();
    Ok(Row::of_model(weights, convention, pieces.len(), memory, &score))
}

fn baselines(arguments: &Arguments, convention: Convention, pieces: &[Vec<GridNote>]) -> Result<Vec<Row>> {
    let mut rows = vec![Row::uniform(convention, pieces)];
    let Some(train) = training(arguments, |files| cached(files, convention))? else { return Ok(rows) };
    let baseline = Baseline::fitted(&on_grid(train.pieces));
    rows.push(Row::of_baseline(
        "histogram",
        convention,
        pieces,
        baseline.cells(),
        baseline.histogram(pieces),
    ));
    rows.push(Row::of_baseline("markov", convention, pieces, baseline.pairs(), baseline.markov(pieces)));
    Ok(rows)
}

fn progress(what: &str, notes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left");
    ProgressBar::new(u64::try_from(notes).unwrap_or(u64::MAX))
        .with_style(style.expect("the template is well formed"))
        .with_message(what.to_owned())
}
