//! `cargo xtask demo`: plays a call and its answers through the bundled plugin in a host, and measures the take from
//! outside the plugin.

pub mod call;
pub mod files;
mod plot;
pub mod settings;
pub mod turns;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use test_host::{Blocks, Host, Mode, Pace, Part, Performance, Setup, Sounded, Transport};

use self::{
    files::Click,
    settings::{Controls, Settings, number},
    turns::{Turn, Turns},
};
use crate::bundle;

/// Beats per bar of the demo's song.
const BEATS_PER_BAR: u32 = 4;
/// Blocks of the reference, which is rendered offline; every take is compared with it.
const REFERENCE_BLOCKS: Blocks = Blocks::Fixed(64);

/// Play a call into the bundled plugin and write down its answers, in target/demo
#[derive(clap::Args)]
pub struct Arguments {
    /// The model: antiphon, classic-25, classic-150, or a .safetensors file
    #[arg(long, value_name = "NAME|FILE", default_value = "antiphon")]
    model: String,
    #[command(flatten)]
    controls: Controls,
    /// Samples per process call
    #[arg(long, value_name = "SAMPLES", default_value = "512",
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    block: u32,
    /// Samples per second
    #[arg(long, value_name = "HZ", default_value = "48000",
          value_parser = clap::value_parser!(u32).range(8_000..=384_000))]
    sample_rate: u32,
    /// The host's tempo, in beats per minute
    #[arg(long, value_name = "BPM", default_value = "120", value_parser = number::<20, 400>)]
    tempo: f64,
    /// Bars in all
    #[arg(long, default_value = "15", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bars: u32,
    /// Bars of each call; as many are left for the answer, in mode endless twice as many [default: 2, with
    /// --midi 4]
    #[arg(long, value_name = "BARS", value_parser = clap::value_parser!(u32).range(1..=64))]
    call_bars: Option<u32>,
    /// Take the calls from this MIDI file, in seconds as it has them
    #[arg(long, value_name = "FILE")]
    midi: Option<PathBuf>,
    /// Play this CLAP bundle as it is, instead of building one
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// As fast as it goes, offline, instead of in real time
    #[arg(long)]
    fast: bool,
    /// A soft click on the beats of take.wav
    #[arg(long)]
    click: bool,
    /// Where take.mid, take.png and take.wav go [default: target/demo, with --bundle the folder demo here]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Where the picture goes instead
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Where the sound goes instead
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// Print one JSON object only
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let song = match &arguments.midi {
        Some(path) => call::from_file(path)?,
        None => call::phrase(arguments.tempo, arguments.controls.mode),
    };
    let turns = Turns::new(arguments, &song)?;
    let settings = Settings::new(arguments, &turns)?;
    let bundle = played(arguments)?;
    let caption = settings.caption(&mut settings.load(&bundle)?)?;
    let reference = perform(arguments, (&bundle, &settings), &turns, REFERENCE_BLOCKS, Mode::Offline)?;
    let (mode, kind) =
        if arguments.fast { (Mode::Offline, "offline") } else { (Mode::Realtime, "in real time") };
    if !arguments.json {
        eprintln!("Playing {:.0} s {kind} ...", turns.seconds());
    }
    let take = perform(arguments, (&bundle, &settings), &turns, Blocks::Fixed(arguments.block), mode)?;
    let measures = Measures::new(&turns, &take, &reference);
    let folder = match (&arguments.output, &arguments.bundle) {
        (Some(folder), _) => folder.clone(),
        (None, Some(_)) => PathBuf::from("demo"),
        (None, None) => bundle::target_folder()?.join("demo"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let answers = take.notes();
    files::write_midi(&folder.join("take.mid"), &turns, &answers)?;
    let picture = arguments.picture.clone().unwrap_or_else(|| folder.join("take.png"));
    plot::draw(&picture, &turns, &answers, &caption)?;
    let wav = arguments.wav.clone().unwrap_or_else(|| folder.join("take.wav"));
    let click = if arguments.click { Click::On } else { Click::Off };
    files::write_wav(&wav, &bundle, &turns, &take.events, click)?;
    if arguments.json {
        println!("{}", measures.json());
    } else {
        println!("{measures}");
        let midi = folder.join("take.mid");
        println!("written         {}, {}, {}", midi.display(), picture.display(), wav.display());
    }
    measures.verdict(mode)
}

/// The bundle that was given, or else one that is built now.
fn played(arguments: &Arguments) -> Result<PathBuf> {
    if let Some(given) = &arguments.bundle {
        return bundle::given(given);
    }
    bundle::run(&bundle::Arguments {})?;
    bundle::clap_bundle()
}

/// Plays one take of all turns with a fresh instance of the plugin.
fn perform(
    arguments: &Arguments,
    (bundle, settings): (&Path, &Settings),
    turns: &Turns,
    blocks: Blocks,
    mode: Mode,
) -> Result<Performance> {
    let mut host = settings.load(bundle)?;
    let transport = Transport::playing(arguments.tempo).then(turns.stop, |section| section.playing = false);
    let pace = if mode == Mode::Realtime { Pace::RealTime } else { Pace::Free };
    let part = Part { score: &turns.score, transport: &transport, until: turns.end, blocks, pace };
    let sample_rate = f64::from(arguments.sample_rate);
    let take =
        test_host::play(&mut host, Setup { sample_rate, largest_block: blocks.largest(), mode }, &part)?;
    host.deactivate();
    Ok(take)
}

/// The figures that the demo prints.
#[derive(Debug)]
pub struct Measures {
    heard: usize,
    answered: usize,
    /// Number of answer notes in each turn.
    per_turn: Vec<usize>,
    /// Number of notes that differ from the reference: at another sample, different, missing or extra.
    late: usize,
    hanging: usize,
    /// Times from each call's last release to the first onset of its answer, in milliseconds, sorted; empty
    /// where the plugin does not choose the moment.
    handover_ms: Vec<f64>,
    /// Duration of each process call in microseconds, sorted.
    process_us: Vec<f64>,
}

impl Measures {
    pub fn new(turns: &Turns, take: &Performance, reference: &Performance) -> Self {
        let answers = take.notes();
        let in_turn = |turn: &Turn| {
            let turn = *turn;
            answers.iter().filter(move |note| (turn.start..turn.end).contains(&note.on))
        };
        let delay = |turn| {
            let first = in_turn(turn).find(|note| note.on >= turn.last_release)?;
            Some((first.on - turn.last_release) as f64 / turns.sample_rate * 1e3)
        };
        let micros = |cost: &Duration| cost.as_secs_f64() * 1e6;
        Self {
            heard: turns.heard().len(),
            answered: answers.len(),
            per_turn: turns.all.iter().map(|turn| in_turn(turn).count()).collect(),
            late: late(&answers, &reference.notes()),
            hanging: take.hanging().len(),
            handover_ms: sorted(
                turns.all.iter().filter(|_| turns.mode.has_hand_over()).filter_map(delay).collect(),
            ),
            process_us: sorted(take.process.iter().map(micros).collect()),
        }
    }

    /// Fails with one sentence if a musician would not accept the take.
    ///
    /// # Errors
    /// When a turn went unanswered, a note hangs, or the notes of a take that could wait were late.
    pub fn verdict(&self, mode: Mode) -> Result<()> {
        let silent = self.per_turn.iter().filter(|count| **count == 0).count();
        ensure!(silent == 0, "{silent} of {} turns went unanswered", self.per_turn.len());
        ensure!(self.hanging == 0, "{} notes were never released", self.hanging);
        ensure!(mode == Mode::Realtime || self.late == 0, "{} notes were late, offline", self.late);
        Ok(())
    }

    /// The figures as one JSON object in one line.
    pub fn json(&self) -> String {
        json!({
            "heard": self.heard,
            "answered": self.answered,
            "late": self.late,
            "hanging": self.hanging,
            "handover_ms": {"median": figure(&self.handover_ms, 0.5), "p99": figure(&self.handover_ms, 0.99)},
            "process_us": {"median": figure(&self.process_us, 0.5), "worst": figure(&self.process_us, 1.0)},
        })
        .to_string()
    }
}

impl fmt::Display for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: Option<f64>, unit| {
            value.map_or_else(|| "none".to_owned(), |value| format!("{value:.1} {unit}"))
        };
        let per_turn: Vec<String> = self.per_turn.iter().map(usize::to_string).collect();
        let handover = |share| text(quantile(&self.handover_ms, share), "ms");
        writeln!(f, "notes heard     {}", self.heard)?;
        writeln!(f, "notes answered  {} ({} per turn)", self.answered, per_turn.join(", "))?;
        writeln!(f, "hand-over       median {}, p99 {}", handover(0.5), handover(0.99))?;
        writeln!(f, "late notes      {}", self.late)?;
        writeln!(f, "hanging notes   {}", self.hanging)?;
        let median = text(quantile(&self.process_us, 0.5), "µs");
        write!(f, "process call    median {median}, worst {}", text(self.process_us.last().copied(), "µs"))
    }
}

/// How many notes have no equal in the other performance: the larger number of the take and the reference.
pub fn late(take: &[Sounded], reference: &[Sounded]) -> usize {
    let mut counts: HashMap<Sounded, i64> = HashMap::new();
    for note in take {
        *counts.entry(*note).or_default() += 1;
    }
    for note in reference {
        *counts.entry(*note).or_default() -= 1;
    }
    let sum = |sign: i64| counts.values().map(|count| count * sign).filter(|&count| count > 0).sum::<i64>();
    usize::try_from(sum(1).max(sum(-1))).unwrap_or(usize::MAX)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// A quantile: the smallest of the sorted `values` that at least this share of them does not exceed.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

/// A quantile, rounded to three decimals.
fn figure(values: &[f64], share: f64) -> Option<f64> {
    quantile(values, share).map(|value| (value * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{commands::tests::assert_documented, file::tests::Folder};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// The arguments of a command line, whose words follow `cargo xtask demo`.
    pub fn arguments(words: &[&str]) -> Arguments {
        Line::parse_from([&["demo"], words].concat()).arguments
    }

    fn played_by(bundle: &Path, folder: &Folder) -> Arguments {
        let [bundle, output] = [bundle.to_owned(), folder.join("out")].map(|path| path.display().to_string());
        arguments(&[
            "--fast",
            "--model",
            "classic-25",
            "--bars",
            "8",
            "--bundle",
            &bundle,
            "--output",
            &output,
        ])
    }

    #[test]
    fn a_given_bundle_is_played_wherever_it_lies() {
        let folder = Folder::new("demo-bundle");
        let bundle = folder.join("Elsewhere.clap");
        fs::copy(antiphon_library::built().expect("a folder"), &bundle).expect("the library");
        run(&played_by(&bundle, &folder)).expect("it plays");
        assert!(folder.join("out/take.mid").exists() && folder.join("out/take.png").exists());
    }

    #[test]
    fn a_bundle_that_is_none_is_told_in_a_sentence() {
        let folder = Folder::new("demo-no-bundle");
        let told = |bundle: &Path| format!("{:#}", run(&played_by(bundle, &folder)).expect_err("no bundle"));
        let missing = told(&folder.join("missing.clap"));
        assert!(missing.contains("missing.clap cannot be opened: give an Antiphon.clap"), "{missing}");
        folder.write("text.clap", b"no library");
        let text = told(&folder.join("text.clap"));
        assert!(text.contains("text.clap cannot be loaded as a CLAP plugin"), "{text}");
    }

    fn note(on: u64) -> Sounded {
        Sounded { channel: 0, key: 60, velocity: 90, on, off: Some(on + 10) }
    }

    #[test]
    fn a_note_is_late_when_the_reference_has_it_elsewhere_or_only_one_has_it() {
        assert_eq!(late(&[note(1), note(2)], &[note(1), note(2)]), 0);
        assert_eq!(late(&[note(1), note(3)], &[note(1), note(2)]), 1);
        assert_eq!(late(&[note(1)], &[note(1), note(2)]), 1);
        assert_eq!(late(&[note(1), note(1)], &[note(1)]), 1);
    }

    #[test]
    fn programs_are_told_what_they_read() {
        let measures = Measures {
            heard: 1,
            answered: 1,
            per_turn: vec![1],
            late: 0,
            hanging: 0,
            handover_ms: vec![1.0],
            process_us: Vec::new(),
        };
        assert_documented("demo", &serde_json::from_str(&measures.json()).expect("an object"));
    }

    #[test]
    fn the_median_of_an_odd_count_is_the_middle() {
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
