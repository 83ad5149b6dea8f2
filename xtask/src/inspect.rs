//! `inspect`: the notes of a MIDI file, as everything else here understands them.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Result, bail};

use crate::corpus::{self, Convention, Piece};

/// Print the notes of MIDI files as a table: seconds, keys, velocities, instruments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// MIDI file, or a folder of them
    file: PathBuf,
    /// How a note that the pedal holds ends
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    convention: Convention,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let corpus = corpus::read(&corpus::find(&arguments.file, None)?, arguments.convention)?;
    corpus.warn();
    if corpus.pieces.is_empty() {
        bail!("there is no MIDI file to show in {}", arguments.file.display());
    }
    match print(&corpus.pieces, &mut io::stdout().lock()) {
        // Whoever reads along, such as `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

fn print(pieces: &[Piece], out: &mut impl Write) -> io::Result<()> {
    for piece in pieces {
        writeln!(out, "{}: {} notes", piece.path.display(), piece.notes.len())?;
        writeln!(out, "key\tname\tonset_s\tend_s\tduration_s\tstep_s\tvelocity\ttrack\tchannel\tinstrument")?;
        for row in rows(piece) {
            writeln!(out, "{row}")?;
        }
    }
    Ok(())
}

fn rows(piece: &Piece) -> impl Iterator<Item = String> {
    piece.notes.iter().map(|note| {
        let instrument = piece.instruments[note.instrument];
        format!(
            "{}\t{}\t{:.4}\t{:.4}\t{:.4}\t{:.4}\t{}\t{}\t{}\t{}",
            note.key.number(),
            corpus::key_name(note.key),
            note.onset,
            note.end,
            note.duration(),
            note.step,
            note.velocity.value(),
            instrument.track,
            instrument.channel + 1,
            instrument.name()
        )
    })
}
