//! The Weimar Jazz Database: solos of one line each, with beats, chords and the ends of phrases set by hand.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, de::DeserializeOwned};

use antiphon::music::note::{Key, Velocity};

use super::{
    Note,
    beats::{BeatKind, BeatMark, Beats},
    chords::{self, Chords},
};

/// Velocity of the softest note of a solo; the next is that of the loudest. The others lie between them by
/// rank of loudness, since recordings are not equally loud.
const SOFTEST: f64 = 40.0;
const LOUDEST: f64 = 104.0;

/// One solo of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Solo {
    pub name: String,
    /// Notes in the order of their onsets.
    pub notes: Vec<Note>,
    /// Indices of the notes that begin a phrase.
    pub phrases: Vec<usize>,
    pub beats: Beats,
    pub chords: Chords,
}

/// All solos of the folder with `notes.csv` and `beats.csv`, in the order of the list.
pub fn read(folder: &Path) -> Result<Vec<Solo>> {
    let notes: Vec<NoteRow> = rows(&folder.join("notes.csv"))?;
    let beats: Vec<BeatRow> = rows(&folder.join("beats.csv"))?;
    let mut beats_of: HashMap<&str, Vec<&BeatRow>> = HashMap::new();
    for row in &beats {
        beats_of.entry(&row.solo).or_default().push(row);
    }
    let solos = notes.chunk_by(|one, other| one.solo == other.solo);
    Ok(solos
        .map(|rows| solo(rows, beats_of.get(rows[0].solo.as_str()).map_or(&[], |beats| &beats[..])))
        .collect())
}

#[derive(Debug, Deserialize)]
struct NoteRow {
    solo: String,
    onset: f64,
    duration: f64,
    pitch: f64,
    /// Loudness in decibels.
    loud_median: Option<f64>,
    phrase_begin: u8,
}

#[derive(Debug, Deserialize)]
struct BeatRow {
    solo: String,
    onset: f64,
    /// Number of the beat in the bar, from 1.
    beat: u32,
    chord: String,
}

fn rows<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>> {
    let name = path.display();
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("{name} cannot be read"))?;
    let rows: Vec<R> = reader
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{name} is not a table of the Weimar Jazz Database"))?;
    if rows.is_empty() {
        bail!("{name} has no rows");
    }
    Ok(rows)
}

fn solo(rows: &[NoteRow], beats: &[&BeatRow]) -> Solo {
    let mut rows: Vec<&NoteRow> = rows.iter().collect();
    rows.sort_by(|one, other| one.onset.total_cmp(&other.onset));
    let mut before = 0.0;
    let velocities = velocities(&rows);
    let note = |(row, velocity): (&&NoteRow, Velocity)| Note {
        key: Key::saturating(row.pitch.round() as u8),
        onset: row.onset,
        end: row.onset + row.duration.max(0.0),
        step: row.onset - std::mem::replace(&mut before, row.onset),
        velocity,
        instrument: 0,
    };
    let notes = rows.iter().zip(velocities).map(note).collect();
    let kind = |beat: u32| if beat == 1 { BeatKind::Downbeat } else { BeatKind::Beat };
    let mark = |row: &&BeatRow| BeatMark { at: row.onset, what: kind(row.beat) };
    // An empty cell continues the previous chord.
    let mut chord = None;
    let change = |row: &&BeatRow| {
        if !row.chord.is_empty() {
            chord = chords::jazz(&row.chord);
        }
        (row.onset, chord)
    };
    Solo {
        name: rows[0].solo.clone(),
        notes,
        phrases: rows.iter().enumerate().filter(|(_, row)| row.phrase_begin == 1).map(|(at, _)| at).collect(),
        beats: Beats::new(&beats.iter().map(mark).collect::<Vec<_>>()),
        chords: Chords::new(beats.iter().map(change)),
    }
}

/// Velocities by rank of loudness within the solo; a note that was not measured is in the middle.
fn velocities(rows: &[&NoteRow]) -> Vec<Velocity> {
    let mut levels: Vec<f64> = rows.iter().filter_map(|row| row.loud_median).collect();
    levels.sort_by(f64::total_cmp);
    let most = levels.len().saturating_sub(1).max(1) as f64;
    let rank = |level: f64| levels.partition_point(|&other| other < level) as f64 / most;
    let velocity = |row: &&NoteRow| {
        let rank = row.loud_median.map_or(0.5, rank);
        Velocity::saturating((SOFTEST + (LOUDEST - SOFTEST) * rank).round() as u8)
    };
    rows.iter().map(velocity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    const NOTES: &str =
        "solo,onset,duration,bar,beat,tatum,division,signature,pitch,loud_median,phrase_begin,chord
A,1.0,0.4,1,1,1,1,4/4,60,61.5,1,C7
A,1.5,0.25,1,2,1,1,4/4,64,70.0,0,C7
A,2.0,0.5,1,3,1,1,4/4,67,,1,F
B,0.5,0.5,1,1,1,1,4/4,50,60.0,1,NC
";
    const BEATS: &str = "solo,onset,bar,beat,signature,chord,form,bass
A,1.0,1,1,2/4,C7,A1,36
A,1.5,1,2,2/4,,A1,36
A,2.0,2,1,2/4,F,A1,41
A,2.5,2,2,2/4,NC,A1,41
";

    #[test]
    fn a_solo_has_its_notes_phrases_beats_and_chords() {
        let folder = Folder::new("wjazzd");
        folder.write("notes.csv", NOTES.as_bytes());
        folder.write("beats.csv", BEATS.as_bytes());
        let solos = read(folder.path()).expect("solos");
        let [a, b] = &solos[..] else { panic!("two solos, not {}", solos.len()) };
        assert_eq!((a.name.as_str(), b.name.as_str()), ("A", "B"));
        let notes: Vec<_> =
            a.notes.iter().map(|n| (n.key.number(), n.onset, n.end, n.velocity.value())).collect();
        assert_eq!(notes, [(60, 1.0, 1.4, 40), (64, 1.5, 1.75, 104), (67, 2.0, 2.5, 72)]);
        assert_eq!(a.phrases, [0, 2]);
        assert_eq!(a.beats.at(2.25).map(|place| (place.in_bar, place.beats_per_bar)), Some((0, 2)));
        let root = |seconds| a.chords.at(seconds).map(|chord| chord.root);
        assert_eq!((root(1.7), root(2.2), root(2.6)), (Some(0), Some(5), None));
        assert_eq!(b.beats.at(0.5), None);
    }

    #[test]
    fn another_table_is_refused_in_a_sentence() {
        let folder = Folder::new("wjazzd-other");
        folder.write("notes.csv", b"a,b\n1,2\n");
        let error = read(folder.path()).expect_err("another table").to_string();
        assert!(error.ends_with("notes.csv is not a table of the Weimar Jazz Database"), "{error}");
    }
}
