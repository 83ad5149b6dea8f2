//! `evaluate --loop`: the plugin's output when it plays with held-out performances, beside what the player
//! played there.
//!
//! A stretch of each performance is played into the plugin in the embedded host, offline. In turn the player
//! plays some bars, and leaves out as many; what was left out is the true continuation. Where beats are
//! known, the host's transport runs and its beats are the performance's own, with every change of tempo.
//! Where none are known, the transport stands still, except for *Trade*, which needs bars: there it runs at
//! 120 beats per minute.

mod excerpt;
mod figures;
mod passage;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use antiphon::{
    music::conditions::Swing,
    plugin::{Exported, InstrumentSlot, NoteEffect},
    thread_pool::parallel_map,
};
use test_host::{Clap, Transport};

use crate::{
    bundle,
    corpus::{
        LeftOut, Split,
        collection::{self, Corpus, Source},
    },
    demo::{
        call::PlayMode,
        files,
        settings::{Setting, number},
    },
    file,
    models::Choice,
    table,
};
use excerpt::{Excerpt, Retiming};
use figures::{Figures, Heard, MEASURES, Values, Window};
use passage::HeardNote;
use turns::{PLAIN_TEMPO, RATE, Song, Turns};

/// Default number of performances of each kind, evenly spread over the list.
const FILES: usize = 14;

/// What is played into the plugin, and how.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// A mode that is played; repeatable [default: answer]
    #[arg(long = "mode", value_enum, requires = "looped")]
    modes: Vec<PlayMode>,
    /// Bars of each performance
    #[arg(long, requires = "looped", default_value = "32", value_parser = clap::value_parser!(u32).range(2..=1024))]
    bars: u32,
    /// Bars of each call, and of the room for its answer
    #[arg(long, requires = "looped", default_value = "4", value_parser = clap::value_parser!(u32).range(1..=32))]
    call_bars: u32,
    /// Play the performances at this steady tempo, in beats per minute; only those with known beats
    #[arg(long, requires = "looped", value_parser = number::<20, 400>)]
    tempo: Option<f64>,
    /// Play the performances swung: where the second eighth of a beat falls, in percent of the beat
    #[arg(long, requires = "looped", value_name = "PERCENT", value_parser = number::<50, 75>)]
    swing: Option<f64>,
    /// Leave the host's transport where it stands: the plugin hears no beat but the player's
    #[arg(long, requires = "looped")]
    stopped: bool,
    /// Play only performances in this meter, such as 3/4 or 6/8
    #[arg(long, requires = "looped", value_name = "N/D", value_parser = meter)]
    meter: Option<(u8, u8)>,
    /// Raise the tempo with every bar by this many percent
    #[arg(long, requires = "looped", value_name = "PERCENT", allow_negative_numbers = true, value_parser = number::<-10, 10>)]
    ramp: Option<f64>,
    /// Play this CLAP bundle, instead of the plugin as it is built into this program
    #[arg(long, requires = "looped", value_name = "PATH")]
    bundle: Option<PathBuf>,
    /// Write what it sounds like into this folder, with the plugin's own sound: calls and answers, and what the player played
    #[arg(long, requires = "looped", value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Any parameter of the plugin by its name and text, such as "Temperature=0.9"; repeatable
    #[arg(long = "set", requires = "looped", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<Setting>,
}

/// Parameters that have an option of their own, or that must not be changed.
const OWN_OPTIONS: [(&str, &str); 4] = [
    ("Model", "say it with --model"),
    ("Mode", "say it with --mode"),
    ("Trade bars", "they are as many as --call-bars"),
    ("Thru", "it stays off, so that the answer alone comes out"),
];

fn setting(line: &str) -> Result<Setting, String> {
    Setting::except(line, &OWN_OPTIONS)
}

fn meter(text: &str) -> Result<(u8, u8), String> {
    let parts =
        text.split_once('/').and_then(|(beats, value)| Some((beats.parse().ok()?, value.parse().ok()?)));
    parts.ok_or_else(|| "give a meter such as 3/4".to_owned())
}

pub fn run(arguments: &super::Arguments) -> Result<()> {
    let options = &arguments.closed_loop;
    let names = match &arguments.model[..] {
        [] => &crate::models::embedded_names()[..1],
        chosen => chosen,
    };
    let models = names.iter().map(|name| Choice::new(name)).collect::<Result<Vec<_>>>()?;
    let modes = if options.modes.is_empty() { &[PlayMode::Answer][..] } else { &options.modes };
    let count = arguments.files.map_or(FILES, |count| count as usize);
    if let Some(folder) = &options.keep {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let mut rows = Vec::new();
    for (corpus, sources) in kinds(&arguments.data, arguments.split)? {
        let (excerpts, left_out) = excerpts(&sources, count, options)?;
        left_out.warn(Some(&corpus.to_string()));
        if excerpts.is_empty() {
            eprintln!(
                "{corpus} is left out: none of its performances is known to have {} bars{}",
                options.bars,
                if options.meter.is_some() { " of that meter" } else { "" }
            );
            continue;
        }
        for model in &models {
            for &mode in modes {
                rows.push(played(&excerpts, corpus, mode, model, options)?);
            }
        }
    }
    ensure!(
        !rows.is_empty(),
        "nothing is left to play: lower --bars, or leave --tempo, --swing, --ramp and --meter out"
    );
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&rows)?),
        false => print!("{}", table(&rows)),
    }
    Ok(())
}

/// The performances, grouped by their corpus.
fn kinds(data: &Path, split: Option<Split>) -> Result<Vec<(Corpus, Vec<Source>)>> {
    let all = match split {
        _ if data.is_file() => vec![Source::of_file(data.to_owned())],
        Some(split) => collection::find_all(data, split)?,
        None => collection::unlearnt(data)?,
    };
    let kinds = all.chunk_by(|one, other| one.corpus == other.corpus);
    Ok(kinds.map(|sources| (sources[0].corpus, sources.to_vec())).collect())
}

/// Excerpts of the performances that are long enough, evenly spread, and what was left out of all that were
/// read.
fn excerpts(sources: &[Source], count: usize, options: &Options) -> Result<(Vec<Excerpt>, LeftOut)> {
    let chosen: Vec<&Source> = match options.meter {
        // Only their beats tell which of them are in this meter, so all are read.
        Some(_) => sources.iter().collect(),
        None => spread(sources, count).collect(),
    };
    let retiming = Retiming {
        tempo: options.tempo,
        swing: options.swing.map_or(Swing::STRAIGHT, |percent| Swing::at(percent / 100.0)),
        growth: options.ramp.map_or(1.0, |percent| 1.0 + percent / 100.0),
    };
    let read = parallel_map(&chosen, |source| Excerpt::read(source, options.bars, &retiming))?;
    let left_out = read.iter().map(|(_, left_out)| *left_out).sum();
    let excerpts: Vec<Excerpt> = read.into_iter().filter_map(|(excerpt, _)| excerpt).collect();
    let Some(meter) = options.meter else { return Ok((excerpts, left_out)) };
    let is_in_it = |excerpt: &Excerpt| excerpt.has_beats && excerpt.meter() == meter;
    let excerpts: Vec<Excerpt> = excerpts.into_iter().filter(is_in_it).collect();
    Ok((spread(&excerpts, count).cloned().collect(), left_out))
}

/// At most `count` of all, evenly spread.
fn spread<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    let count = count.min(all.len());
    (0..count).map(move |n| &all[n * all.len() / count])
}

fn played(
    excerpts: &[Excerpt],
    corpus: Corpus,
    mode: PlayMode,
    model: &Choice,
    options: &Options,
) -> Result<Row> {
    let bar = super::progress(&format!("{corpus} {mode} {}", model.name()), excerpts.len());
    let numbered: Vec<(usize, &Excerpt)> = excerpts.iter().enumerate().collect();
    let heard = parallel_map(&numbered, |&(number, excerpt)| -> Result<_> {
        let turns = Turns::new(mode, excerpt, options.call_bars);
        let clap = fresh::<NoteEffect>(options.bundle.as_deref())?;
        let answers = turns::play(clap, excerpt, &turns, mode, model, &settings(options), options.song())?;
        if let Some(folder) = &options.keep {
            let name =
                format!("{corpus}-{}-{}-{}", mode.to_string().to_lowercase(), model.name(), number + 1);
            let instrument = || fresh::<InstrumentSlot>(options.bundle.as_deref());
            keep(&folder.join(name), instrument, excerpt, &turns, &answers)?;
        }
        bar.inc(1);
        Ok(Heard::new(excerpt, &turns, &answers))
    })?;
    bar.finish_and_clear();
    if heard.iter().all(|heard| heard.answers.is_empty()) {
        bail!("the plugin has not played a note in mode {mode} on {corpus}: look at what --set has changed");
    }
    let figures: Vec<Figures> = heard.iter().map(Figures::of).collect();
    Ok(Row::new(corpus, mode, &model.name(), &figures, &heard))
}

impl Options {
    fn song(&self) -> Song {
        if self.stopped { Song::Stands } else { Song::Runs }
    }
}

/// A fresh instance of a plugin: from a bundle, or the one linked into this program.
fn fresh<P: Exported>(bundle: Option<&Path>) -> Result<Clap> {
    match bundle {
        Some(path) => Clap::open(&bundle::given(path)?, P::CLAP_ID),
        None => bundle::linked::<P>(),
    }
}

/// Writes two sound files whose names begin alike: the calls with their answers, and the whole stretch as the
/// player played it.
fn keep(
    beginning: &Path,
    instrument: impl Fn() -> Result<Clap>,
    excerpt: &Excerpt,
    turns: &Turns,
    answers: &[HeardNote],
) -> Result<()> {
    let mut answered = turns.score(excerpt, RATE);
    answered.extend(answers.iter().flat_map(|note| note.events(RATE)));
    test_host::score::sort(&mut answered);
    let played = Turns::new(PlayMode::Together, excerpt, 1);
    let until = (turns.end() * RATE) as u64;
    for (what, score) in [("answers", answered), ("player", played.score(excerpt, RATE))] {
        let audio = files::sound(instrument()?, &score, &Transport::stopped(PLAIN_TEMPO), RATE, until)?;
        let path = PathBuf::from(format!("{}-{what}.wav", beginning.display()));
        file::replace(&[(path, files::wav(&audio, RATE)?)])?;
    }
    Ok(())
}

fn settings(options: &Options) -> Vec<Setting> {
    let own = [Setting::new("Thru", "off"), Setting::new("Trade bars", options.call_bars)];
    own.into_iter().chain(options.settings.iter().cloned()).collect()
}

/// Means over performances.
#[derive(Debug, Serialize)]
struct Row {
    kind: String,
    mode: String,
    model: String,
    files: usize,
    turns: usize,
    /// Number of turns in which the plugin has played.
    answered: usize,
    #[serde(flatten)]
    measures: BTreeMap<&'static str, Compared>,
    /// Fréchet distance of the answers from the true continuations.
    distance: Option<f64>,
    /// Fréchet distance of the player's own calls from them: the difference of two passages of the same
    /// player.
    distance_of_calls: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Compared {
    player: Option<f64>,
    continuation: Option<f64>,
    answer: Option<f64>,
    /// How far the answers to one performance lie from its continuations: the mean of the absolute
    /// differences.
    answer_apart: Option<f64>,
    /// The same of the player's own calls.
    call_apart: Option<f64>,
}

impl Row {
    fn new(corpus: Corpus, mode: PlayMode, model: &str, figures: &[Figures], heard: &[Heard]) -> Self {
        let mean = |of: fn(&Figures) -> &Values, measure: usize| {
            let mean = passage::mean(figures.iter().filter_map(|figures| of(figures)[measure]));
            mean.map(thousandths)
        };
        let apart = |of: fn(&Figures) -> &Values, measure: usize| {
            let difference =
                |figures: &Figures| Some((of(figures)[measure]? - figures.continuation[measure]?).abs());
            passage::mean(figures.iter().filter_map(difference)).map(thousandths)
        };
        let compared = |measure| Compared {
            player: mean(|figures| &figures.player, measure),
            continuation: mean(|figures| &figures.continuation, measure),
            answer: mean(|figures| &figures.answer, measure),
            answer_apart: apart(|figures| &figures.answer, measure),
            call_apart: apart(|figures| &figures.call, measure),
        };
        let windows = |of: fn(&Figures) -> &Vec<Window>| -> Vec<Window> {
            figures.iter().flat_map(of).copied().collect()
        };
        let real = windows(|figures| &figures.continuation_windows);
        let distance = |other: &[Window]| figures::frechet(&real, other).map(thousandths);
        Self {
            kind: corpus.to_string(),
            mode: mode.to_string(),
            model: model.to_owned(),
            files: figures.len(),
            turns: heard.iter().map(|heard| heard.turns).sum(),
            answered: heard.iter().map(|heard| heard.answers.len()).sum(),
            measures: MEASURES
                .iter()
                .enumerate()
                .map(|(index, (name, _))| (*name, compared(index)))
                .collect(),
            distance: distance(&windows(|figures| &figures.answer_windows)),
            distance_of_calls: distance(&windows(|figures| &figures.call_windows)),
        }
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// One table for each kind of file: a line for each measure, a column for each mode and model.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for rows in rows.chunk_by(|one, other| one.kind == other.kind) {
        let head = ["player".to_owned(), "continuation".to_owned()].into_iter();
        let head = head.chain(rows.iter().map(|row| format!("{} {}", row.mode, row.model)));
        let mut lines = vec![[rows[0].kind.clone()].into_iter().chain(head).collect::<Vec<_>>()];
        for (name, meaning) in MEASURES {
            let real = rows[0].measures[name];
            let answers = rows.iter().map(|row| table::number(row.measures[name].answer));
            let line = [meaning.to_owned(), table::number(real.player), table::number(real.continuation)];
            lines.push(line.into_iter().chain(answers).collect());
        }
        let distances = rows.iter().map(|row| table::number(row.distance));
        let line = [
            "distance from the continuations".to_owned(),
            table::number(rows[0].distance_of_calls),
            "0".to_owned(),
        ];
        lines.push(line.into_iter().chain(distances).collect());
        let answered = rows.iter().map(|row| format!("{}/{}", row.answered, row.turns));
        let line = [format!("turns answered, {} files", rows[0].files), "-".to_owned(), "-".to_owned()];
        lines.push(line.into_iter().chain(answered).collect());
        text += &table::columns(&lines);
        text.push('\n');
    }
    text
}
