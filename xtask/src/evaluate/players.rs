//! `evaluate --players`: what a model gains where it becomes a player's own.
//!
//! A player is a pianist of PiJAMA's validation split or a composer of MAESTRO's with six files or more, or the first ten
//! held-out songs of POP909. By name, every other file, from the first on, is learnt from, the rest is scored. What MAESTRO's validation
//! split costs more afterwards is the price; what 2,000 notes that the model plays copy of the player's files stands
//! beside what the player repeats.

mod copies;
mod row;
mod who;

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};
use serde_json::json;

use antiphon::{
    adaptation::{Limits, Material, VISITS},
    model::weights::Weights,
};

use self::{row::Row, who::Player};
use super::Arguments;
use crate::{
    adapt,
    corpus::{
        Convention, GridNote, Split, annotated,
        collection::{self, Source},
    },
    score::Network,
};

/// Of each player and of MAESTRO, unless told otherwise.
const SCORED: usize = 10_000;
/// MAESTRO's price is measured on so many beginnings of pieces.
const MAESTRO_PIECES: usize = 20;

/// How long to learn, and on what to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long to learn from a player at most
    #[arg(long, requires = "players", default_value = "60", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many notes to learn from at most, each as often as it is heard: the same work on a busy machine
    #[arg(long, requires = "players", value_parser = clap::value_parser!(u64).range(1..))]
    notes: Option<u64>,
    /// How many notes of each player and of MAESTRO to score on
    #[arg(long, requires = "players", default_value_t = SCORED)]
    scored: usize,
    /// Only the players whose name holds this; repeatable
    #[arg(long, requires = "players", value_name = "NAME")]
    only: Vec<String>,
    /// Leave out the notes that the model plays
    #[arg(long, requires = "players")]
    silent: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let options = &arguments.own;
    let names: &[String] =
        if arguments.model.is_empty() { &["antiphon".to_owned()] } else { &arguments.model };
    let [name] = names else { anyhow::bail!("--players takes one --model: give one") };
    let base = adapt::base(name)?;
    let mut players = who::all(&arguments.data)?;
    let wanted = |player: &Player| options.only.iter().any(|only| player.name.contains(only.as_str()));
    players.retain(|player| options.only.is_empty() || wanted(player));
    ensure!(
        !players.is_empty(),
        "no player has six files in {}: give a folder of corpora",
        arguments.data.display()
    );
    let before = Measured { network: Network::of(&base)?, price: price(&arguments.data, options.scored)? };
    let maestro = before.on_maestro()?;
    let (mut rows, mut unmeasured) = (Vec::new(), Vec::new());
    for player in players {
        match one(&base, &before, maestro, &player, options) {
            Ok(row) => {
                eprintln!("{}", row.line());
                rows.push(row);
            }
            // Whoever reads the table must see who is missing.
            Err(error) => unmeasured.push(format!("{} of {}: {error:#}", player.name, player.corpus)),
        }
    }
    match arguments.json {
        true => println!(
            "{}",
            serde_json::to_string_pretty(&json!({"players": rows, "not_measured": unmeasured}))?
        ),
        false => print!("{}", row::table(&rows, &unmeasured)),
    }
    Ok(())
}

/// A network and what others than the player's is scored on.
struct Measured {
    network: Network,
    price: Vec<Vec<GridNote>>,
}

impl Measured {
    /// `None` where there is no MAESTRO.
    fn on_maestro(&self) -> Result<Option<f64>> {
        if self.price.is_empty() { Ok(None) } else { total(&self.network, &self.price).map(Some) }
    }
}

/// Learns from one player, and measures what came of it.
fn one(
    base: &Weights,
    before: &Measured,
    maestro: Option<f64>,
    player: &Player,
    options: &Options,
) -> Result<Row> {
    let (learnt, scored) = (read(&player.learnt)?, sample(read(&player.scored)?, options.scored));
    let material = Material::divided(&learnt, 1)?;
    let limits = Limits {
        time: Duration::from_secs(options.seconds),
        notes: options.notes.map_or(VISITS * material.learnt_notes(), |notes| notes as usize),
    };
    let outcome = adapt::learnt(base, &material, limits, 1)?;
    let mut row = Row::new(&player.name, player.corpus, (&learnt, &scored), &outcome);
    let personal = outcome.personal(&player.name, base, String::new());
    let own = personal.map_or_else(|| Ok(base.clone()), |personal| personal.applied(base, 1.0))?;
    let network = Network::of(&own)?;
    row.before = total(&before.network, &scored)?;
    row.after = total(&network, &scored)?;
    let after = Measured { network, price: before.price.clone() };
    row.maestro = maestro.zip(after.on_maestro()?).map(|(before, after)| after - before);
    if !options.silent {
        row.copies = Some(copies::counted(&own.playable(), &learnt, &scored));
    }
    Ok(row)
}

/// All of these performances: of a player some of whose files are missing there is no figure.
fn read(sources: &[Source]) -> Result<Vec<Vec<GridNote>>> {
    let (pieces, _) = annotated::read(sources, Convention::Sustained);
    ensure!(
        pieces.len() == sources.len(),
        "not measured, since {} of {} files cannot be read",
        sources.len() - pieces.len(),
        sources.len()
    );
    Ok(pieces.into_iter().map(|piece| piece.notes).filter(|notes| !notes.is_empty()).collect())
}

fn total(network: &Network, pieces: &[Vec<GridNote>]) -> Result<f64> {
    let score = network.unbounded(pieces, |_| ())?;
    Ok(score.total().expect("our own network has a likelihood"))
}

/// Beginnings of MAESTRO's validation pieces; none where it is not there.
fn price(data: &Path, notes: usize) -> Result<Vec<Vec<GridNote>>> {
    let all = collection::find_all(data, Split::Validation)?;
    let all: Vec<_> = all.into_iter().filter(|source| source.corpus == collection::Corpus::Maestro).collect();
    let apart = all.len().div_ceil(MAESTRO_PIECES).max(1);
    let some: Vec<_> = all.into_iter().step_by(apart).collect();
    Ok(sample(read(&some)?, notes))
}

/// The beginnings of all pieces, together about so many notes.
fn sample(mut pieces: Vec<Vec<GridNote>>, notes: usize) -> Vec<Vec<GridNote>> {
    let each = notes.div_ceil(pieces.len().max(1));
    pieces.iter_mut().for_each(|piece| piece.truncate(each));
    pieces
}
