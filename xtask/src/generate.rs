//! `generate`: music that goes on from a file or begins from nothing, as the plugin would play it.

mod audio;
mod ensemble;
mod extent;
mod files;
mod lengths;
mod original;
mod prompt;
mod report;
mod score;
mod take;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon::{model::Model, params::AntiphonParams, performer::Settings};
use anyhow::{Result, ensure};
use rayon::prelude::*;

use self::{audio::Audio, extent::Extent, files::Files, lengths::Lengths, prompt::Prompt, take::Take};
use crate::{
    file, models,
    picture::{
        Theme,
        overview::{Layer, Overview},
    },
    sheet::{self, Heading, Pulse},
    wishes::Wishes,
};

/// The roll shows so many times as much of what was heard as of what is new.
const SHOWN_BEFORE: f64 = 1.0;
/// And never less than this, in seconds.
const SHOWN_AT_LEAST: f64 = 8.0;

/// Go on from a MIDI file, or begin from nothing: a table of notes, a MIDI file, a picture.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The MIDI file to go on from [default: begin from nothing]
    file: Option<PathBuf>,
    /// Go on from this second of the file, and leave out what follows [default: its end]
    #[arg(long, value_name = "SECONDS", requires = "file", value_parser = prompt::moment)]
    after: Option<f64>,
    /// An embedded model or a model file
    #[arg(long, value_name = "NAME|FILE", default_value = "antiphon")]
    model: String,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    wishes: Wishes,
    /// Another seed, other notes; the same one, the same file
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=9999))]
    seed: u32,
    /// So many takes, each by a chance of its own
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Where the MIDI file goes; of several takes, each has its number in its name
    /// [default: target/generate/NAME.mid]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the notes and their distributions into this PNG or SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Write what is new as MusicXML on two staves
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// The tempo of the sheet, in quarter notes a minute [default: the beats of the file, if its notes lie on them; otherwise
    /// they are found]
    #[arg(long, value_name = "BPM", requires = "sheet", value_parser = crate::demo::settings::number::<20, 400>)]
    sheet_tempo: Option<f64>,
    /// Play the notes through a SoundFont into this WAV file
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// The SoundFont, an .sf2 file [default: the first one where the system keeps them]
    #[arg(long, value_name = "FILE", requires = "wav")]
    soundfont: Option<PathBuf>,
    /// Tell how long the pieces are and how they begin, beside those of MIDI files, a folder of them or a MAESTRO csv,
    /// instead of their notes
    #[arg(long, value_name = "CORPUS", requires = "whole_piece")]
    beside: Option<PathBuf>,
    /// The paper of the picture
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,
    /// Print one object that a machine may read
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let made = make(arguments)?;
    let lengths = arguments.beside.as_ref().map(|corpus| Lengths::of(&made, corpus)).transpose()?;
    report::print(arguments, &made, lengths.as_ref())
}

/// A take and where it went.
type Made = (Take, Files);

fn make(arguments: &Arguments) -> Result<Vec<Made>> {
    let prompt = Prompt::new(arguments.file.as_deref(), arguments.after)?;
    let model = model(arguments)?;
    let files = Files::new(arguments)?;
    let audio = arguments.wav.as_ref().map(|_| Audio::open(arguments.soundfont.as_deref())).transpose()?;
    let settings = Settings { seed: arguments.seed, ..AntiphonParams::default().snapshot() };
    let bar = report::progress(arguments.count);
    // Each take is a turn of its own, as with a player.
    let one = |turn: u32| {
        let (manner, files) = (arguments.wishes.manner(), files.of(turn));
        let take = Take::new(&model, manner, settings.seed(turn, 0), &prompt, &arguments.extent)?;
        write(arguments, &prompt, &take, &files, audio.as_ref())?;
        bar.inc(1);
        Ok((take, files))
    };
    let made = (0..arguments.count).into_par_iter().map(one).collect();
    bar.finish_and_clear();
    made
}

fn model(arguments: &Arguments) -> Result<Arc<dyn Model>> {
    let model = models::load(std::slice::from_ref(&arguments.model))?.remove(0);
    ensure!(
        model.knows_endings() || !arguments.extent.whole_piece,
        "{} does not know how pieces end: say --notes, or --model antiphon",
        model.name()
    );
    Ok(model)
}

/// Writes all that was asked for.
fn write(
    arguments: &Arguments,
    prompt: &Prompt,
    take: &Take,
    files: &Files,
    audio: Option<&Audio>,
) -> Result<()> {
    file::replace(&[(files.midi.clone(), score::bytes(prompt, take)?)])?;
    if let Some(path) = &files.plot {
        draw(path, arguments, prompt, take)?;
    }
    if let Some(path) = files.sheet.as_ref().filter(|_| !take.notes.is_empty()) {
        let title =
            prompt.name().map_or_else(|| "From nothing".to_owned(), |name| format!("After {}", short(&name)));
        let pulse = arguments.sheet_tempo.map_or_else(|| prompt.pulse(), Pulse::Steady);
        let heading = Heading { title: &title, signature: prompt.signature(), pulse };
        file::replace(&[(path.clone(), sheet::of(&take.notes, &heading)?)])?;
    }
    if let (Some(path), Some(audio)) = (&files.wav, audio) {
        file::replace_by(path, |file| audio.write(&ensemble::of(prompt, take), file))?;
    }
    Ok(())
}

/// As much of a name as a title has room for.
fn short(name: &str) -> String {
    const LETTERS: usize = 48;
    let short: String = name.chars().take(LETTERS).collect();
    if short.len() < name.len() { short + "…" } else { short }
}

fn draw(path: &Path, arguments: &Arguments, prompt: &Prompt, take: &Take) -> Result<()> {
    let end = take.end().max(prompt.from);
    let shown = ((end - prompt.from) * SHOWN_BEFORE).max(SHOWN_AT_LEAST);
    let (heard, new) = (prompt.melodic(), &take.notes[..]);
    let mut layers = vec![Layer { name: "continuation, ", notes: new }];
    if !heard.is_empty() {
        layers.insert(0, Layer { name: "prompt, ", notes: &heard });
    } else {
        layers[0].name = "";
    }
    let name = prompt.name().unwrap_or_else(|| "From nothing".to_owned());
    let overview = Overview {
        title: &name,
        subtitle: &format!("{}, seed {}", arguments.model, take.seed),
        layers,
        seconds: (prompt.from - shown).max(0.0)..end.max(1.0),
        boundary: Some(prompt.from),
    };
    overview.draw(path, arguments.theme)
}

#[cfg(test)]
mod tests;
