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
    pub fn read(arguments: &Arguments, chance: &mut Chance) -> Result<Self> {
        let read = |sources: &[PathBuf], split| -> Result<Vec<Vec<GridNote>>> {
            let mut files = Vec::new();
            for source in sources {
                files.extend(corpus::find(source, split)?);
            }
            let corpus = corpus::read(&files, arguments.convention)?;
            corpus.warn();
            if corpus.notes() == 0 {
                bail!("there are no notes in {}: give MIDI files with notes", sources[0].display());
            }
            Ok(corpus.pieces.iter().map(corpus::Piece::on_grid).collect())
        };
        let listed = arguments.data.iter().all(|source| corpus::has_list(source));
        if !arguments.validation.is_empty() {
            let training = read(&arguments.data, listed.then_some(Split::Train))?;
            return Ok(Self {
                training,
                validation: read(&arguments.validation, None)?,
                split: "scored on other files",
            });
        }
        if listed {
            let training = read(&arguments.data, Some(Split::Train))?;
            let validation = read(&arguments.data, Some(Split::Validation))?;
            return Ok(Self {
                training,
                validation,
                split: "trained on MAESTRO's train, scored on its validation",
            });
        }
        let mut training = read(&arguments.data, None)?;
        training.shuffle(chance);
        let held_out = (training.len() / 10).max(1);
        // A single file must serve for both.
        let validation =
            if training.len() > 1 { training.split_off(training.len() - held_out) } else { training.clone() };
        Ok(Self { training, validation, split: "scored on a tenth of the files, held out" })
    }
}
