//! `generate`: music that continues a file or begins from nothing, as the plugin would play it.

mod audio;
mod lengths;
mod prompt;
mod score;
mod take;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon::{model::Model, params::AntiphonParams, performer::Settings};
use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde_json::json;

use self::{
    audio::Audio,
    lengths::Lengths,
    prompt::Prompt,
    take::{Extent, Take},
};
use crate::{
    bundle,
    continuation::GenerationOptions,
    file, models,
    picture::{
        self, Theme,
        overview::{Layer, Overview},
    },
    sheet::{self, Heading, Pulse},
    table::{self, Record},
};

/// How much of the prompt the roll shows, as a multiple of the length of the new music.
const SHOWN_BEFORE: f64 = 1.0;
/// The least of the prompt that the roll shows, in seconds.
const SHOWN_AT_LEAST: f64 = 8.0;
/// The title if there is no file.
const FROM_NOTHING: &str = "From nothing";

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
    generation_options: GenerationOptions,
    /// Another seed, other notes; the same one, the same file
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=9999))]
    seed: u32,
    /// Number of takes, each with random choices of its own
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
    /// The tempo of the sheet, in quarter notes a minute [default: the beats of the file, if its notes lie on
    /// them; otherwise they are found]
    #[arg(long, value_name = "BPM", requires = "sheet", value_parser = crate::demo::settings::number::<20, 400>)]
    sheet_tempo: Option<f64>,
    /// Play the notes through a SoundFont into this WAV file
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// The SoundFont, an .sf2 file [default: the first one where the system keeps them]
    #[arg(long, value_name = "FILE", requires = "wav")]
    soundfont: Option<PathBuf>,
    /// Tell how long the pieces are and how they begin, beside those of MIDI files, a folder of them or a
    /// MAESTRO csv, instead of their notes
    #[arg(long, value_name = "CORPUS", requires = "whole_piece")]
    beside: Option<PathBuf>,
    /// The paper of the picture
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,
    /// Print one object that a machine may read
    #[arg(long)]
    json: bool,
}

/// A take and where it went.
type Made = (Take, Files);

/// The files of one take, or the names that those of several are made from.
#[derive(Debug, Clone)]
struct Files {
    midi: PathBuf,
    plot: Option<PathBuf>,
    sheet: Option<PathBuf>,
    wav: Option<PathBuf>,
    takes: u32,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let made = make(arguments)?;
    let lengths = arguments.beside.as_ref().map(|corpus| Lengths::of(&made, corpus)).transpose()?;
    print(arguments, &made, lengths.as_ref())
}

fn make(arguments: &Arguments) -> Result<Vec<Made>> {
    let prompt = Prompt::new(arguments.file.as_deref(), arguments.after)?;
    let model = model(arguments)?;
    let files = Files::new(arguments)?;
    let audio = arguments.wav.as_ref().map(|_| Audio::open(arguments.soundfont.as_deref())).transpose()?;
    let settings = Settings { seed: arguments.seed, ..AntiphonParams::default().snapshot() };
    let bar = progress(arguments.count);
    // Each take is a turn of its own, as it is with a player.
    let one = |turn: u32| {
        let (generation, files) = (arguments.generation_options.generation(), files.of(turn));
        let take = Take::new(&model, generation, settings.seed(turn, 0), &prompt, &arguments.extent)?;
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

/// Writes all files that were asked for.
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
        let title = prompt
            .name
            .as_ref()
            .map_or_else(|| FROM_NOTHING.to_owned(), |name| format!("After {}", short(name)));
        let pulse = arguments.sheet_tempo.map_or_else(|| prompt.pulse(), Pulse::Steady);
        let heading = Heading { title: &title, signature: prompt.signature(), pulse };
        file::replace(&[(path.clone(), sheet::of(&take.notes, &heading)?)])?;
    }
    if let (Some(path), Some(audio)) = (&files.wav, audio) {
        file::replace_by(path, |file| audio.write(&score::players(prompt, take), file))?;
    }
    Ok(())
}

/// A name, shortened to fit into a title.
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
    let overview = Overview {
        title: prompt.name.as_deref().unwrap_or(FROM_NOTHING),
        subtitle: &format!("{}, seed {}", arguments.model, take.seed),
        layers,
        seconds: (prompt.from - shown).max(0.0)..end.max(1.0),
        boundary: Some(prompt.from),
    };
    overview.draw(path, arguments.theme)
}

fn progress(takes: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} takes, {eta} left");
    ProgressBar::new(takes.into()).with_style(style.expect("the template is well formed"))
}

impl Files {
    /// # Errors
    /// When something cannot be written there: that is better known before than after.
    fn new(arguments: &Arguments) -> Result<Self> {
        let midi = match &arguments.output {
            Some(path) => path.clone(),
            None => bundle::target_folder()?.join("generate").join(default_name(arguments)),
        };
        let Arguments { plot, sheet, wav, count, .. } = arguments.clone();
        let files = Self { midi, plot, sheet, wav, takes: count };
        if let Some(plot) = &files.plot {
            picture::Format::of(plot)?;
        }
        for path in files.of(0).all() {
            let unwritable = || format!("{} cannot be written", path.display());
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder).with_context(unwritable)?;
            }
            ensure!(!path.is_dir(), "{} is a folder: give a file's name", path.display());
            file::try_path(path).with_context(unwritable)?;
        }
        Ok(files)
    }

    /// The files of one take.
    fn of(&self, turn: u32) -> Self {
        let path = |path: &PathBuf| numbered(path, turn, self.takes);
        let [plot, sheet, wav] = [&self.plot, &self.sheet, &self.wav].map(|file| file.as_ref().map(path));
        Self { midi: path(&self.midi), plot, sheet, wav, takes: 1 }
    }

    /// All files that are written.
    fn all(&self) -> impl Iterator<Item = &Path> {
        let others = [&self.plot, &self.sheet, &self.wav].into_iter().flatten();
        std::iter::once(&self.midi).chain(others).map(PathBuf::as_path)
    }
}

fn default_name(arguments: &Arguments) -> PathBuf {
    let stem = arguments.file.as_deref().and_then(Path::file_stem);
    Path::new(stem.unwrap_or("nothing".as_ref())).with_extension("mid")
}

/// The name of one of several takes: `a.mid` becomes `a-01.mid`.
fn numbered(path: &Path, turn: u32, takes: u32) -> PathBuf {
    if takes == 1 {
        return path.to_owned();
    }
    let digits = takes.to_string().len().max(2);
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{:0digits$}", turn + 1));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Prints a table for each take, a table of their lengths, or one JSON object for all.
fn print(arguments: &Arguments, made: &[Made], lengths: Option<&Lengths>) -> Result<()> {
    let mut out = io::stdout().lock();
    let printed = match (arguments.json, lengths) {
        (true, _) => writeln!(out, "{}", object(arguments, made, lengths)),
        (false, Some(lengths)) => write!(out, "{}", lengths.table()),
        (false, None) => made.iter().try_for_each(|(take, files)| take_table(take, files, &mut out)),
    };
    match printed {
        // A program that reads the output, such as `head`, has seen enough.
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
    let length = take.end() - take.notes.first().map_or(0.0, |note| note.onset);
    let over = if take.is_over { ", and the piece is over" } else { "" };
    format!("{} notes in {length:.1} s{over}", take.notes.len())
}

/// The JSON object that programs read; see docs/json.md.
fn object(arguments: &Arguments, made: &[Made], lengths: Option<&Lengths>) -> serde_json::Value {
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

#[cfg(test)]
mod tests;
