//! Who counts as a player, and which files are learnt from.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use anyhow::Result;

use crate::corpus::{
    Split,
    collection::{self, Corpus, Music, Source},
    maestro,
};

/// With fewer files, nobody is a player.
const FEWEST_FILES: usize = 6;
/// So many songs stand for pop.
const SONGS: usize = 10;

/// One player's files.
pub struct Player {
    pub name: String,
    pub corpus: Corpus,
    pub learnt: Vec<Source>,
    pub scored: Vec<Source>,
}

/// All players of a folder of corpora, that no model has learnt from.
pub fn all(data: &Path) -> Result<Vec<Player>> {
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

/// `composers` remembers MAESTRO's list.
fn player(source: &Source, composers: &mut Option<HashMap<String, String>>) -> Option<String> {
    match source.corpus {
        Corpus::Pijama => source.name.split_once('/').map(|(artist, _)| artist.to_owned()),
        Corpus::Pop909 => Some("ten songs".to_owned()),
        Corpus::Maestro => {
            let Music::File(path) = &source.music else { return None };
            let folder = path.ancestors().nth(source.name.split('/').count())?;
            composers.get_or_insert_with(|| maestro::composers(folder)).get(&source.name).cloned()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{evaluate::players, scratch::Folder};

    fn folder(files: usize) -> Folder {
        let folder = Folder::new(&format!("players-{files}"));
        let rows: String = (0..files).map(|n| format!("A B/{n}.midi,validation,0.9,0,100\n")).collect();
        fs::create_dir_all(folder.join("pijama")).expect("a folder");
        folder.write("pijama/pijama.csv", format!("file,split,agreement,start_s,end_s\n{rows}").as_bytes());
        folder
    }

    #[test]
    fn of_a_players_files_every_other_one_is_learnt_from() {
        let players = all(folder(7).path()).expect("a list");
        let [player] = &players[..] else { panic!("{} players", players.len()) };
        let names = |files: &[Source]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        assert_eq!(player.name, "A B");
        assert_eq!(names(&player.learnt), ["A B/0.midi", "A B/2.midi", "A B/4.midi", "A B/6.midi"]);
        assert_eq!(names(&player.scored), ["A B/1.midi", "A B/3.midi", "A B/5.midi"]);
        assert!(all(folder(5).path()).expect("a list").is_empty());
    }

    #[test]
    fn a_player_whose_files_are_missing_is_told_of_and_not_measured() {
        let folder = folder(6);
        let players = all(folder.path()).expect("a list");
        let refused = players::read(&players[0].learnt).expect_err("no file is there").to_string();
        assert_eq!(refused, "not measured, since 3 of 3 files cannot be read");
        let told = players::row::table(&[], &[format!("A B of pijama: {refused}")]);
        assert_eq!(told, "A B of pijama: not measured, since 3 of 3 files cannot be read\n");
    }
}
