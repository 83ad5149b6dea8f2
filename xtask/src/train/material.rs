//! What is learnt from, and what is scored on.

use std::path::PathBuf;

use anyhow::{Result, bail};
use rand::seq::SliceRandom;

use antiphon::model::Chance;

use super::Arguments;
use crate::corpus::{self, GridNote, Split};

/// Notes on the grid, file by file.
pub struct Material {
    pub training: Vec<Vec<GridNote>>,
    pub validation: Vec<Vec<GridNote>>,
    /// How the files were divided.
    pub split: &'static str,
}

impl Material {
    /// A source that has a MAESTRO list gives its *train* split to learn from, and its *validation* split to score on
    /// unless other files are given for that.
    pub fn read(arguments: &Arguments, chance: &mut Chance) -> Result<Self> {
        let read = |sources: &[PathBuf], split| -> Result<Vec<Vec<GridNote>>> {
            let mut files = Vec::new();
            for source in sources {
                files.extend(corpus::find(source, corpus::has_list(source).then_some(split))?);
            }
            let corpus = corpus::read(&files, arguments.convention)?;
            corpus.warn();
            if corpus.notes() == 0 {
                bail!("there are no notes in {}: give MIDI files with notes", sources[0].display());
            }
            let sounding = corpus.pieces.iter().filter(|piece| !piece.notes.is_empty());
            Ok(sounding.map(corpus::Piece::on_grid).collect())
        };
        let mut training = read(&arguments.data, Split::Train)?;
        if !arguments.validation.is_empty() {
            let validation = read(&arguments.validation, Split::Validation)?;
            return Ok(Self { training, validation, split: "scored on other files" });
        }
        let listed: Vec<_> =
            arguments.data.iter().filter(|source| corpus::has_list(source)).cloned().collect();
        if !listed.is_empty() {
            let validation = read(&listed, Split::Validation)?;
            return Ok(Self {
                training,
                validation,
                split: "trained on MAESTRO's train, scored on its validation",
            });
        }
        training.shuffle(chance);
        if training.len() == 1 {
            eprintln!(
                "there is one file only: what is learnt from it is scored on it, and the score flatters"
            );
            let validation = training.clone();
            return Ok(Self { training, validation, split: "scored on the file that was learnt from" });
        }
        let validation = training.split_off(training.len() - (training.len() / 10).max(1));
        Ok(Self { training, validation, split: "scored on a tenth of the files, held out" })
    }
}
