//! `pack`: the notes of corpora in one compressed file, to train from where the corpora are not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    corpus::{Cache, Convention, Split},
    file,
    train::{
        data_set::{has_split, sounding},
        packed::{self, ENDING, Part},
    },
};

/// Write the notes of corpora to one compressed file, which `train --data` reads in their place
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// MIDI file, corpus or folder of them; repeatable
    #[arg(long, required = true)]
    data: Vec<PathBuf>,
    /// Where to write the notes; it ends in .notes
    #[arg(long)]
    output: PathBuf,
    /// How a note that the pedal holds ends
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let output = &arguments.output;
    let parts = pack(&arguments.data, output, arguments.convention, &Cache::of_user())?;
    let pieces = || parts.iter().flat_map(|part| &part.pieces);
    println!(
        "{} files and {} notes are in {}, {:.1} MB",
        pieces().count(),
        pieces().map(|piece| piece.notes.len()).sum::<usize>(),
        output.display(),
        fs::metadata(output)?.len() as f64 / 1e6
    );
    Ok(())
}

/// Packs what a training would read from the same data: what it learns from, and what it is scored on where
/// the data have a split.
pub fn pack(data: &[PathBuf], output: &Path, convention: Convention, cache: &Cache) -> Result<Vec<Part>> {
    ensure!(packed::is_packed(output), "{} does not end in .{ENDING}: give it that ending", output.display());
    file::try_path(output).with_context(|| format!("{} cannot be written", output.display()))?;
    let read = |sources: &[PathBuf], split| -> Result<Vec<Part>> {
        let corpora = sounding(sources, split, convention, cache)?;
        Ok(corpora.into_iter().map(|(corpus, pieces)| Part { corpus, split, pieces }).collect())
    };
    let mut parts = read(data, Split::Train)?;
    let listed: Vec<_> = data.iter().filter(|source| has_split(source)).cloned().collect();
    if !listed.is_empty() {
        parts.extend(read(&listed, Split::Validation)?);
    }
    file::replace_by(output, |file| packed::write(file, convention, &parts))?;
    Ok(parts)
}
