//! `cargo xtask demo`: a call and its answers, played through the bundled plugin in a host.

pub mod call;
mod files;
pub mod measure;
mod plot;
pub mod settings;
pub mod turns;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use test_host::{Blocks, Host, Mode, Pace, Part, Performance, Setup, Transport};

use self::{
    files::Click,
    measure::Measures,
    settings::{Controls, Settings, number},
    turns::Turns,
};
use crate::bundle;

/// Beats per bar of the demo's song.
const BEATS_PER_BAR: u32 = 4;
/// The reference, rendered offline in blocks of this many samples, is what every take is measured by.
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
    /// Bars of each call; as many are left for the answer, in mode endless twice as many [default: 2, with --midi 4]
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

/// One take of all turns, by a fresh instance of the plugin.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::scratch::Folder;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// What stands behind `cargo xtask demo`.
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
}
