//! What is said of the takes.

use std::io::{self, Write};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Arguments, Files, Made, lengths::Lengths, take::Take};
use crate::{
    corpus::Note,
    table::{self, Record},
};

pub fn progress(takes: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} takes, {eta} left");
    ProgressBar::new(takes.into()).with_style(style.expect("the template is well formed"))
}

/// A table for each take or of their lengths, or one object for all.
pub fn print(arguments: &Arguments, made: &[Made], lengths: Option<&Lengths>) -> Result<()> {
    let mut out = io::stdout().lock();
    let printed = match (arguments.json, lengths) {
        (true, _) => writeln!(out, "{}", object(arguments, made, lengths)),
        (false, Some(lengths)) => write!(out, "{}", lengths.table()),
        (false, None) => made.iter().try_for_each(|(take, files)| take_table(take, files, &mut out)),
    };
    match printed {
        // Whoever reads along, such as `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

fn take_table(take: &Take, files: &Files, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", table::HEAD)?;
    for note in &take.notes {
        writeln!(out, "{}", table::row(note))?;
    }
    let names: Vec<String> = files.all().map(|path| path.display().to_string()).collect();
    writeln!(out, "{}; written {}", summary(take), names.join(", "))
}

fn summary(take: &Take) -> String {
    let length = take.end() - take.notes.first().map_or(0.0, |note: &Note| note.onset);
    let over = if take.is_over { ", and the piece is over" } else { "" };
    format!("{} notes in {length:.1} s{over}", take.notes.len())
}

/// What programs read: docs/json.md.
pub fn object(arguments: &Arguments, made: &[Made], lengths: Option<&Lengths>) -> serde_json::Value {
    let take = |(take, files): &Made| {
        json!({
            "files": files.all().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "seed": take.seed,
            "over": take.is_over,
            "notes": take.notes.iter().map(Record::of).collect::<Vec<_>>(),
        })
    };
    json!({
        "model": arguments.model,
        "seed": arguments.seed,
        "takes": made.iter().map(take).collect::<Vec<_>>(),
        "lengths": lengths,
    })
}
