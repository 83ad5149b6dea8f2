//! `evaluate --players`: what a model gains when it is fine-tuned to one player.
//!
//! A player is a pianist of PiJAMA's validation split or a composer of MAESTRO's with six files or more, or
//! the first ten held-out songs of POP909. Of the files sorted by name, the first and every other one after
//! it is learnt from; the rest is scored. The price is the rise in nats per note on MAESTRO's validation
//! split. The longest run that 2,000 notes played by the model copy from the player's files stands beside the
//! longest that the player repeats.

mod row;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::json;

use antiphon::{
    adaptation::{Budget, DataSet, VISITS},
    model::weights::Weights,
};

use self::row::Row;
use super::Arguments;
use crate::{
    adapt,
    corpus::{
        self, Convention, GridNote, Split,
        collection::{self, Corpus, Music, Source},
    },
    score::Network,
};

/// Least number of files that make a player.
const FEWEST_FILES: usize = 6;
/// Number of songs that stand for pop.
const SONGS: usize = 10;
/// Number of notes to score on, of each player and of MAESTRO, unless told otherwise.
const SCORED: usize = 10_000;
/// Greatest number of pieces on whose beginnings the price on MAESTRO is measured.
const MAESTRO_PIECES: usize = 20;

/// How long to learn, and on what to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long to learn from a player at most
    #[arg(long, requires = "players", default_value_t = adapt::SECONDS, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many notes to learn from at most, each counted as often as it is heard: the same work on a busy
    /// machine
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
    let mut players = players_of(&arguments.data)?;
    let wanted = |player: &Player| options.only.iter().any(|only| player.name.contains(only.as_str()));
    players.retain(|player| options.only.is_empty() || wanted(player));
    ensure!(
        !players.is_empty(),
        "no player has six files in {}: give a folder of corpora",
        arguments.data.display()
    );
    let before = Network::of(&base)?;
    let price = price(&arguments.data, options.scored)?;
    let maestro = on_maestro(&before, &price)?;
    let (mut rows, mut unmeasured) = (Vec::new(), Vec::new());
    for player in players {
        match one(&base, (&before, &price, maestro), &player, options) {
            Ok(row) => {
                eprintln!("{}", row.line());
                rows.push(row);
            }
            // A reader of the table must see which players are missing.
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

/// Learns from one player. Compares the result with the network before, and measures its price on MAESTRO.
fn one(
    base: &Weights,
    (before, price, maestro): (&Network, &[Vec<GridNote>], Option<f64>),
    player: &Player,
    options: &Options,
) -> Result<Row> {
    let (learnt, scored) = (read(&player.learnt)?, sample(read(&player.scored)?, options.scored));
    let data_set = DataSet::divided(&learnt, 1)?;
    let budget = Budget {
        time: Duration::from_secs(options.seconds),
        notes: options.notes.map_or(VISITS * data_set.learnt_notes(), |notes| notes as usize),
    };
    let outcome = adapt::learnt(base, &data_set, budget, 1)?;
    let mut row = Row::new(&player.name, player.corpus, (&learnt, &scored), &outcome);
    let personal = outcome.personal(&player.name, base, String::new());
    let own = personal.map_or_else(|| Ok(base.clone()), |personal| personal.applied(base, 1.0))?;
    let network = Network::of(&own)?;
    row.before = total(before, &scored)?;
    row.after = total(&network, &scored)?;
    row.maestro = maestro.zip(on_maestro(&network, price)?).map(|(before, after)| after - before);
    if !options.silent {
        row.copies = Some(row::copies(&own.playable(), &learnt, &scored));
    }
    Ok(row)
}

/// Reads all of these performances. Fails where any cannot be read: a player with missing files gets no
/// figure.
fn read(sources: &[Source]) -> Result<Vec<Vec<GridNote>>> {
    let (pieces, _) = collection::read(sources, Convention::Sustained);
    ensure!(
        pieces.len() == sources.len(),
        "not measured, since {} of {} files cannot be read",
        sources.len() - pieces.len(),
        sources.len()
    );
    Ok(pieces.into_iter().map(|piece| piece.notes).filter(|notes| !notes.is_empty()).collect())
}

/// Nats per note on MAESTRO; `None` where there is no MAESTRO.
fn on_maestro(network: &Network, price: &[Vec<GridNote>]) -> Result<Option<f64>> {
    if price.is_empty() { Ok(None) } else { total(network, price).map(Some) }
}

fn total(network: &Network, pieces: &[Vec<GridNote>]) -> Result<f64> {
    let score = network.unbounded(pieces, |_| ())?;
    Ok(score.total().expect("our own network has a likelihood"))
}

/// Beginnings of MAESTRO's validation pieces; none where it is not there.
fn price(data: &Path, notes: usize) -> Result<Vec<Vec<GridNote>>> {
    let all = collection::find_all(data, Split::Validation)?;
    let all: Vec<_> = all.into_iter().filter(|source| source.corpus == Corpus::Maestro).collect();
    let apart = all.len().div_ceil(MAESTRO_PIECES).max(1);
    let some: Vec<_> = all.into_iter().step_by(apart).collect();
    Ok(sample(read(&some)?, notes))
}

/// The beginnings of all pieces, together about `notes` notes.
fn sample(mut pieces: Vec<Vec<GridNote>>, notes: usize) -> Vec<Vec<GridNote>> {
    let each = notes.div_ceil(pieces.len().max(1));
    pieces.iter_mut().for_each(|piece| piece.truncate(each));
    pieces
}

/// One player's files.
struct Player {
    name: String,
    corpus: Corpus,
    learnt: Vec<Source>,
    scored: Vec<Source>,
}

/// All players of a folder of corpora whose files no model has learnt from.
fn players_of(data: &Path) -> Result<Vec<Player>> {
    let mut of_players: BTreeMap<(Corpus, String), Vec<Source>> = BTreeMap::new();
    let mut composers = None;
    for source in collection::find_all(data, Split::Validation)? {
        let Some(name) = player(&source, &mut composers) else { continue };
        of_players.entry((source.corpus, name)).or_default().push(source);
    }
    let divided = |((corpus, name), mut files): ((Corpus, String), Vec<Source>)| {
        files.sort_by(|one, other| one.name.cmp(&other.name));
        if corpus == Corpus::Pop909 {
            files.truncate(SONGS);
        }
        let (mut learnt, mut scored) = (Vec::new(), Vec::new());
        for (n, file) in files.into_iter().enumerate() {
            if n.is_multiple_of(2) { &mut learnt } else { &mut scored }.push(file);
        }
        Player { name, corpus, learnt, scored }
    };
    let enough = of_players.into_iter().filter(|(_, files)| files.len() >= FEWEST_FILES);
    Ok(enough.map(divided).collect())
}

/// The player of a file, if it has one. `composers` caches MAESTRO's list.
fn player(source: &Source, composers: &mut Option<HashMap<String, String>>) -> Option<String> {
    match source.corpus {
        Corpus::Pijama => source.name.split_once('/').map(|(artist, _)| artist.to_owned()),
        Corpus::Pop909 => Some("ten songs".to_owned()),
        Corpus::Maestro => {
            let Music::File(path) = &source.music else { return None };
            let folder = path.ancestors().nth(source.name.split('/').count())?;
            composers.get_or_insert_with(|| corpus::composers(folder)).get(&source.name).cloned()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::file::tests::Folder;

    fn folder(files: usize) -> Folder {
        let folder = Folder::new(&format!("players-{files}"));
        let rows: String = (0..files).map(|n| format!("A B/{n}.midi,validation,0.9,0,100\n")).collect();
        fs::create_dir_all(folder.join("pijama")).expect("a folder");
        folder.write("pijama/pijama.csv", format!("file,split,agreement,start_s,end_s\n{rows}").as_bytes());
        folder
    }

    #[test]
    fn of_a_players_files_every_other_one_is_learnt_from() {
        let players = players_of(folder(7).path()).expect("a list");
        let [player] = &players[..] else { panic!("{} players", players.len()) };
        let names = |files: &[Source]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        assert_eq!(player.name, "A B");
        assert_eq!(names(&player.learnt), ["A B/0.midi", "A B/2.midi", "A B/4.midi", "A B/6.midi"]);
        assert_eq!(names(&player.scored), ["A B/1.midi", "A B/3.midi", "A B/5.midi"]);
        assert!(players_of(folder(5).path()).expect("a list").is_empty());
    }

    #[test]
    fn a_player_whose_files_are_missing_is_told_of_and_not_measured() {
        let folder = folder(6);
        let players = players_of(folder.path()).expect("a list");
        let refused = read(&players[0].learnt).expect_err("no file is there").to_string();
        assert_eq!(refused, "not measured, since 3 of 3 files cannot be read");
        let told = row::table(&[], &[format!("A B of pijama: {refused}")]);
        assert_eq!(told, "A B of pijama: not measured, since 3 of 3 files cannot be read\n");
    }
}
