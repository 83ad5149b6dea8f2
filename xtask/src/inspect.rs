//! `inspect`: what a MIDI file says: who plays, in which time and key, how densely, and every note; and of a model file its
//! card.

mod facts;
mod model;
mod picture;
mod report;
mod sounding;
#[cfg(test)]
mod tests;

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use self::facts::Facts;
use crate::{
    corpus::{self, Convention, Document, Refusal},
    picture::Theme,
};

/// So many files are in memory at a time.
const AT_ONCE: usize = 64;

/// Tell what is in MIDI files: instruments, tempo, key, density, register, polyphony, pedal, and every note; or print the
/// cards of models
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
    if let Some(path) = arguments.files.iter().find(|path| model::is_one(path)) {
        ensure!(
            arguments.files.iter().all(|path| model::is_one(path)),
            "{} is a model and not all others are: give models alone, or MIDI files alone",
            path.display()
        );
        return cards(arguments);
    }
    let mut files = Vec::new();
    for source in &arguments.files {
        files.extend(corpus::find(source, None)?);
    }
    if let Some(plot) = &arguments.plot {
        crate::picture::Format::of(plot)?;
        ensure!(files.len() == 1, "--plot draws one file, and these are {}: give one", files.len());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let refused = match print(arguments, &files, &mut out) {
        Err(Fault::Told(error)) => return Err(error),
        // Whoever reads along, such as `head`, has seen enough.
        Err(Fault::Unwritten(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(Fault::Unwritten(error)) => return Err(error.into()),
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

/// Prints the cards of models.
fn cards(arguments: &Arguments) -> Result<()> {
    let told = arguments.files.iter().map(|path| model::told(path)).collect::<Result<Vec<_>>>()?;
    match arguments.json {
        true => println!(
            "{}",
            serde_json::to_string_pretty(&told.iter().map(model::Told::json).collect::<Vec<_>>())?
        ),
        false => print!("{}", told.iter().map(model::Told::text).collect::<Vec<_>>().join("\n")),
    }
    Ok(())
}

/// A file and why it was not read.
type Refused<'a> = (&'a Path, Refusal);

enum Fault {
    Told(anyhow::Error),
    Unwritten(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Told(error)
    }
}

/// Prints file by file, so that no more than some are in memory. Gives those that could not be read.
fn print<'a>(
    arguments: &Arguments,
    files: &'a [PathBuf],
    out: &mut impl Write,
) -> Result<Vec<Refused<'a>>, Fault> {
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
                    return Err(Fault::Told(anyhow::anyhow!("{}: {refusal}", path.display())));
                }
                Err(refusal) => refused.push((path.as_path(), refusal)),
            }
        }
    }
    out.write_all(report::tail(arguments))?;
    out.flush()?;
    Ok(refused)
}

/// All that is printed of one file.
fn told(arguments: &Arguments, mut document: Document) -> Result<Vec<u8>> {
    let (from, until) = (arguments.from.unwrap_or(0.0), arguments.until.unwrap_or(f64::INFINITY));
    document.piece.notes.retain(|note| (from..until).contains(&note.onset));
    if let Some(path) = &arguments.plot {
        picture::draw(path, &document, arguments.theme)?;
    }
    report::of(arguments, &document)
}

fn second(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..1e9).contains(seconds));
    seconds.ok_or_else(|| "give seconds from the beginning, such as 12.5".to_owned())
}
