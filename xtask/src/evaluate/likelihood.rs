//! `evaluate` without further options: nats per note and errors in seconds, beside plain statistics.

mod baseline;

use std::{borrow::Cow, path::PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use antiphon::{
    model::{registry, weights::Weights},
    music::{conditions::Conditions, note::Key},
};

use super::{Arguments, Condition, Memory, music, progress, training};
use crate::{
    corpus::{
        self, Cache, Convention, Corpus, GridNote, GridPiece,
        collection::{self, Source},
    },
    models,
    score::{Network, Score},
    table::{columns, number},
};
use baseline::Baseline;

/// Number of evenly spaced notes that stand for all where a memory is set: each costs as many steps as the
/// memory is long.
const PLACES: usize = 4000;
/// Sizes of the memory to score with, within what a player may set, in notes.
const MEMORIES: [Memory; 5] = [None, Some(25), Some(50), Some(100), Some(150)];

/// Notes on the grid, performance by performance.
type Pieces = Vec<Vec<GridNote>>;

pub fn run(arguments: &Arguments) -> Result<()> {
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
        false => print!("{}", table(&rows)),
    }
    Ok(())
}

/// The performances to score, corpus by corpus; the name of each where there are several.
fn corpora(arguments: &Arguments, convention: Convention) -> Result<Vec<(Option<String>, Pieces)>> {
    if !collection::is_known(&arguments.data) {
        let pieces = on_grid(music(arguments, |files| cached(files, convention))?.pieces);
        return Ok(vec![(None, pieces)]);
    }
    let sources = collection::find(&arguments.data, arguments.split)?;
    let several = sources.iter().any(|source| source.corpus != sources[0].corpus);
    let read = |same: &[Source]| {
        let (pieces, left_out) = collection::read(same, convention);
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
        let weights = registry::read(&bytes).context(name)?;
        let network = Network::of(&weights)?;
        Ok((weights, network))
    };
    models::files(names)?.into_iter().map(read).collect()
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

/// The scores of one model in one convention with one memory.
#[derive(Debug, Clone, Serialize)]
struct Row {
    model: String,
    /// The corpus, where a folder holds several.
    #[serde(skip_serializing_if = "Option::is_none")]
    corpus: Option<String>,
    parameters: usize,
    convention: String,
    files: usize,
    notes: usize,
    /// Number of past notes that the model hears; `None` carries its state through a file.
    memory: Option<usize>,
    nats_per_note: Nats,
    mae_s: Errors,
}

/// Nats per note; `None` where a model has no likelihood.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Nats {
    pub step: Option<f64>,
    pub pitch: Option<f64>,
    pub velocity: Option<f64>,
    pub duration: Option<f64>,
    pub total: Option<f64>,
}

/// Mean absolute errors in seconds; `None` where a model names no time.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Errors {
    step: Option<f64>,
    duration: Option<f64>,
}

impl Row {
    fn of_model(
        weights: &Weights,
        convention: Convention,
        files: usize,
        memory: Option<usize>,
        score: &Score,
    ) -> Self {
        let ([step, pitch, velocity, duration], error) = (score.nats_per_note(), score.mae_s());
        Self {
            model: weights.name.clone(),
            corpus: None,
            parameters: weights.architecture.parameters(),
            convention: convention.to_string(),
            files,
            notes: score.notes,
            memory,
            nats_per_note: Nats { step, pitch, velocity, duration, total: score.total() },
            mae_s: Errors { step: error[0], duration: error[1] },
        }
    }

    fn of_baseline(
        model: &str,
        convention: Convention,
        pieces: &[Vec<GridNote>],
        parameters: usize,
        nats_per_note: Nats,
    ) -> Self {
        Self {
            model: model.to_owned(),
            corpus: None,
            parameters,
            convention: convention.to_string(),
            files: pieces.len(),
            notes: pieces.iter().map(Vec::len).sum(),
            memory: None,
            nats_per_note,
            mae_s: Errors::default(),
        }
    }

    /// The baseline that gives every key the same probability.
    fn uniform(convention: Convention, pieces: &[Vec<GridNote>]) -> Self {
        let nats = Nats { pitch: Some((Key::COUNT as f64).ln()), ..Nats::default() };
        Self::of_baseline("uniform", convention, pieces, 0, nats)
    }
}

/// The rows in columns.
fn table(rows: &[Row]) -> String {
    let head = [
        "corpus",
        "model",
        "convention",
        "memory",
        "files",
        "notes",
        "step",
        "pitch",
        "velocity",
        "duration",
        "total",
    ];
    let head = head.into_iter().chain(["step ±s", "duration ±s"]).map(str::to_owned).collect::<Vec<_>>();
    let mut lines = vec![head];
    for row in rows {
        let nats = row.nats_per_note;
        let corpus = row.corpus.clone().unwrap_or_else(|| "-".to_owned());
        let mut line = vec![corpus, row.model.clone(), row.convention.clone()];
        line.push(row.memory.map_or("-".to_owned(), |memory| memory.to_string()));
        line.extend([row.files.to_string(), row.notes.to_string()]);
        line.extend([nats.step, nats.pitch, nats.velocity, nats.duration, nats.total].map(number));
        line.extend([row.mae_s.step, row.mae_s.duration].map(number));
        lines.push(line);
    }
    columns(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::assert_documented;

    #[test]
    fn programs_are_told_what_they_read() {
        let row = Row { corpus: Some("pop909".to_owned()), ..Row::uniform(Convention::KeyUp, &[]) };
        assert_documented("evaluate", &serde_json::to_value(row).expect("a row is plain numbers"));
    }
}
