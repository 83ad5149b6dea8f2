//! `inspect`: prints what is in a MIDI file: instruments, metre, key, density and every note; and the card of a model
//! file.

mod facts;
mod model;
mod report;
#[cfg(test)]
mod tests;

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use crate::{
    corpus::{self, Convention, Document, Note, Refusal},
    picture::{
        Format, Theme,
        overview::{Layer, Overview},
    },
};

/// Largest number of files in memory at a time.
const AT_ONCE: usize = 64;

/// Tell what is in MIDI files: instruments, tempo, key, density, register, polyphony, pedal, and every note;
/// or print the cards of models
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// MIDI files, folders of them, or model files (.safetensors, .antiphon)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How a note that the pedal holds ends
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
    /// Only the notes that begin from this second on
    #[arg(long, value_name = "SECONDS", value_parser = second)]
    from: Option<f64>,
    /// Only the notes that begin before this second
    #[arg(long, value_name = "SECONDS", value_parser = second)]
    until: Option<f64>,
    /// Leave out the table of notes
    #[arg(long)]
    summary: bool,
    /// Print the notes of all files as one table for other programs, with commas
    #[arg(long, conflicts_with_all = ["json", "summary"])]
    csv: bool,
    /// Print an array with an object for each file
    #[arg(long)]
    json: bool,
    /// Draw the notes of the file and their distributions into this PNG or SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// The paper of the picture
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    if let Some(path) = arguments.files.iter().find(|path| model::is_model(path)) {
        ensure!(
            arguments.files.iter().all(|path| model::is_model(path)),
            "{} is a model and not all others are: give models alone, or MIDI files alone",
            path.display()
        );
        return model::print(&arguments.files, arguments.json);
    }
    let mut files = Vec::new();
    for source in &arguments.files {
        files.extend(corpus::find(source, None)?);
    }
    if let Some(plot) = &arguments.plot {
        Format::of(plot)?;
        ensure!(files.len() == 1, "--plot draws one file, and these are {}: give one", files.len());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let refused = match print(arguments, &files, &mut out) {
        Err(Stop::Error(error)) => return Err(error),
        // A program that reads the output, such as `head`, has seen enough.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(Stop::Output(error)) => return Err(error.into()),
        Ok(refused) => refused,
    };
    for (path, refusal) in &refused {
        eprintln!("skipped {}: {refusal}", path.display());
    }
    match refused.len() {
        0 => Ok(()),
        all if all == files.len() => bail!("none of the {all} files can be read"),
        some => {
            eprintln!("skipped {some} of {} files", files.len());
            Ok(())
        }
    }
}

/// A file and why it was not read.
type Refused<'a> = (&'a Path, Refusal);

/// Why printing ends early.
enum Stop {
    /// An error that is reported to the user.
    Error(anyhow::Error),
    /// The output cannot be written, for example because its reader is gone.
    Output(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Error(error)
    }
}

/// Prints file by file, so that only some are in memory. Gives those that could not be read.
fn print<'a>(
    arguments: &Arguments,
    files: &'a [PathBuf],
    out: &mut impl Write,
) -> Result<Vec<Refused<'a>>, Stop> {
    let (mut refused, mut is_first) = (Vec::new(), true);
    out.write_all(report::head(arguments))?;
    for files in files.chunks(AT_ONCE) {
        let read = |path: &PathBuf| match corpus::document(path, arguments.convention) {
            Ok(document) => told(arguments, document).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        };
        let read = files.par_iter().map(read).collect::<Result<Vec<_>>>()?;
        for (path, text) in files.iter().zip(read) {
            match text {
                Ok(text) => {
                    out.write_all(if is_first { b"" } else { report::between(arguments) })?;
                    out.write_all(&text)?;
                    is_first = false;
                }
                Err(refusal) if arguments.files.len() == 1 && files.len() == 1 => {
                    return Err(Stop::Error(anyhow::anyhow!("{}: {refusal}", path.display())));
                }
                Err(refusal) => refused.push((path.as_path(), refusal)),
            }
        }
    }
    out.write_all(report::tail(arguments))?;
    out.flush()?;
    Ok(refused)
}

/// Everything that is printed of one file.
fn told(arguments: &Arguments, mut document: Document) -> Result<Vec<u8>> {
    let (from, until) = (arguments.from.unwrap_or(0.0), arguments.until.unwrap_or(f64::INFINITY));
    document.piece.notes.retain(|note| (from..until).contains(&note.onset));
    if let Some(path) = &arguments.plot {
        draw(path, &document, arguments.theme)?;
    }
    report::of(arguments, &document)
}

/// Draws an overview of a file, without the drums.
///
/// # Errors
/// When there is no note to show or the picture cannot be written.
fn draw(path: &Path, document: &Document, theme: Theme) -> Result<()> {
    let piece = &document.piece;
    let notes: Vec<Note> = piece.melodic().copied().collect();
    ensure!(!notes.is_empty(), "{} has no note to draw", piece.path.display());
    let end = notes.iter().map(|note| note.end).fold(0.0, f64::max);
    let name = piece.path.file_stem().unwrap_or_default().to_string_lossy();
    let overview = Overview {
        title: &name,
        subtitle: &players(document),
        layers: vec![Layer { name: "", notes: &notes }],
        seconds: notes[0].onset.floor()..end.max(notes[0].onset.floor() + 1.0),
        boundary: None,
    };
    overview.draw(path, theme)
}

fn players(document: &Document) -> String {
    let mut names: Vec<&str> = document.piece.instruments.iter().map(|player| player.name()).collect();
    names.dedup();
    names.join(", ")
}

fn second(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..1e9).contains(seconds));
    seconds.ok_or_else(|| "give seconds from the beginning, such as 12.5".to_owned())
}
