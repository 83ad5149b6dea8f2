//! The configuration of a training: its command line, the defaults of each preset, and what must stay the
//! same for it to go on.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use candle_core::{Device, utils};
use serde::{Deserialize, Serialize};

use antiphon::model::weights::Architecture;

use super::{optimiser::Method, output::Precision, progress::Length};
use crate::corpus::Convention;

const RESUME: &str = "--resume";
const THREADS: &str = "threads";
const CORPUS: &str = "corpus";

/// Train a model on MIDI files and write its weights with a card.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// antiphon, classic-25 or classic-150
    #[arg(long)]
    pub preset: String,
    /// MIDI file, folder of them, corpus with a split (only its train split is used), or file made by `cargo xtask
    /// pack`; repeatable
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// What to score on [default: MAESTRO's validation split, or a tenth of the files and at least 100
    /// notes]
    #[arg(long)]
    pub validation: Vec<PathBuf>,
    /// Where to write the weights; card, curves and checkpoint go beside them
    #[arg(long)]
    pub output: PathBuf,
    /// How many minutes to train
    #[arg(long, default_value = "30", value_parser = above_0)]
    pub minutes: f64,
    /// How many minibatches to learn from, however long it takes
    #[arg(long, conflicts_with = "minutes", value_parser = count)]
    pub steps: Option<usize>,
    /// Go on from the checkpoint beside the output, with the same arguments; `--minutes`, `--steps` and `--rate` may
    /// change
    #[arg(long)]
    pub resume: bool,
    /// Seed of all random choices: the same one learns the same; another one begins with other weights and in
    /// another order
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A model file to begin with
    #[arg(long)]
    pub init: Option<PathBuf>,
    /// Windows side by side [default: 64, or 32 for antiphon]
    #[arg(long)]
    pub batch: Option<usize>,
    /// Notes in a window [default: the preset's]
    #[arg(long)]
    pub window: Option<usize>,
    /// The highest learning rate; it falls to nothing at the end [default: 0.003, or 0.002 for antiphon]
    #[arg(long, value_parser = above_0)]
    pub rate: Option<f64>,
    /// The part of the passages that antiphon hears in another key, tempo and loudness, 0 to 1; the others as written
    #[arg(long, default_value = "0.5", value_parser = share)]
    pub varied: f64,
    /// The part of the passages in which antiphon hears some notes as its own, with slips that it is to survive, 0 to 1
    #[arg(long, default_value = "0.5", value_parser = share)]
    pub slipped: f64,
    /// What computes
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    pub device: Processor,
    /// How a note that the pedal holds ends
    #[arg(long, value_enum, default_value_t = Convention::Sustained)]
    pub convention: Convention,
    /// Write matrices in half precision, for a file half as large
    #[arg(long)]
    pub half: bool,
    /// The corpus as the card names it
    #[arg(long, default_value = "private MIDI files")]
    pub corpus: String,
    /// The license of the weights: the strictest of the corpus
    #[arg(long, default_value = "not stated")]
    pub license: String,
}

impl Arguments {
    /// The length of the training: `--steps`, or else `--minutes`.
    pub fn length(&self) -> Length {
        self.steps.map_or(Length::Minutes(self.minutes), Length::Steps)
    }

    /// The precision in which the matrices are written.
    pub fn precision(&self) -> Precision {
        if self.half { Precision::Half } else { Precision::Single }
    }
}

/// Where a network learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Processor {
    /// All cores, by operations made for it
    Cpu,
    /// The first NVIDIA GPU, by candle's own operations; antiphon only
    Cuda,
}

impl Processor {
    /// The device to compute on. Fails where there is none, or where this program or the architecture cannot
    /// use it.
    pub fn device(self, architecture: Architecture) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if architecture != Architecture::Antiphon => {
                bail!("`--device cuda` trains antiphon only: leave it out for {}", architecture.name())
            }
            Self::Cuda if !utils::cuda_is_available() => bail!(
                "this program was built without CUDA: build one with xtask/cuda.sh, which fetches NVIDIA's toolkit"
            ),
            // What CUDA itself says of that fills a page.
            Self::Cuda => Device::new_cuda(0)
                .map_err(|_| anyhow!("there is no GPU that CUDA can use: leave out `--device cuda`")),
        }
    }
}

/// The hyperparameters of an architecture.
#[derive(Debug, Clone, Copy)]
pub struct Hyperparameters {
    pub batch: usize,
    /// Number of notes of a window.
    pub window: usize,
    /// Least number of notes of a file; shorter ones are not learnt from.
    pub shortest: usize,
    /// The highest learning rate.
    pub rate: f64,
    pub method: Method,
    /// Weight decay of a step at rate 1. Without it weights would grow for ever, since Muon's steps are never
    /// short.
    pub decay: f64,
    /// Dropout: the part of the activations that is set to 0 in training.
    pub dropout: f32,
}

impl Hyperparameters {
    pub fn new(architecture: Architecture, arguments: &Arguments) -> Self {
        let usual = match architecture {
            Architecture::Antiphon => Self {
                batch: 32,
                window: 128,
                shortest: 1,
                rate: 2e-3,
                method: Method::Muon,
                decay: 0.1,
                dropout: 0.1,
            },
            Architecture::Classic(config) => Self {
                batch: 64,
                window: config.window,
                shortest: arguments.window.unwrap_or(config.window),
                rate: 3e-3,
                method: Method::Adam,
                decay: 0.0,
                dropout: 0.0,
            },
        };
        Self {
            batch: arguments.batch.unwrap_or(usual.batch),
            window: arguments.window.unwrap_or(usual.window),
            rate: arguments.rate.unwrap_or(usual.rate),
            ..usual
        }
    }
}

/// What must stay the same for a training to go on: names and values, in the order in which they are
/// reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingConfig(Vec<(String, String)>);

impl TrainingConfig {
    pub fn new(
        architecture: Architecture,
        hyperparameters: &Hyperparameters,
        arguments: &Arguments,
        digest: String,
    ) -> Self {
        let init = arguments.init.as_ref().map_or("nothing".into(), |path| path.display().to_string());
        let config = [
            ("--preset", architecture.name().into()),
            ("--init", init),
            ("--device", format!("{:?}", arguments.device).to_lowercase()),
            ("--convention", arguments.convention.to_string()),
            ("--batch", hyperparameters.batch.to_string()),
            ("--window", hyperparameters.window.to_string()),
            ("--seed", arguments.seed.to_string()),
            ("--varied", arguments.varied.to_string()),
            ("--slipped", arguments.slipped.to_string()),
            // Each thread learns from its own rows.
            (THREADS, rayon::current_num_threads().to_string()),
            (CORPUS, digest),
        ];
        Self(config.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Fails when the checkpoint is from a training with another configuration. A name that did not exist
    /// then is not compared.
    pub fn check(&self, kept: &Self, checkpoint: &Path) -> Result<()> {
        let then = |name: &str| kept.0.iter().find(|(kept, _)| kept == name).map(|(_, then)| then);
        let mut config = self.0.iter().filter_map(|(name, now)| Some((name, now, then(name)?)));
        let Some((name, now, then)) = config.find(|(_, now, then)| now != then) else { return Ok(()) };
        let path = checkpoint.display();
        match name.as_str() {
            THREADS => bail!("{path} was made with {then} threads, not {now}: set RAYON_NUM_THREADS={then}"),
            CORPUS => bail!(
                "{path} was made from other files, or some have changed: give the same `--data` and `--validation`, or \
                 begin anew with the model beside it as `--init`, and another `--output`"
            ),
            _ => bail!("{path} was made with `{name} {then}`, not `{name} {now}`: give the same arguments"),
        }
    }
}

/// The command line of this program, ready to be run again.
pub fn to_begin() -> String {
    line(words())
}

/// [`to_begin`] with the option to go on from the checkpoint.
pub fn to_go_on() -> String {
    line(words().chain([RESUME.to_owned()]))
}

fn words() -> impl Iterator<Item = String> {
    env::args().skip(1).filter(|word| word != RESUME)
}

fn line(words: impl Iterator<Item = String>) -> String {
    words.fold("cargo xtask".into(), |line, word| format!("{line} {}", quoted(&word)))
}

/// A word, quoted for shells where necessary.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./\\:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn above_0(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("give a number above 0".into()),
    }
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("give a whole number above 0".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_leads_nowhere_is_refused() {
        for text in ["0", "-1", "nan", "inf", "soon", ""] {
            assert!(above_0(text).is_err() && count(text).is_err(), "{text}");
        }
        assert!(share("-0.1").is_err() && share("1.1").is_err() && share("nan").is_err());
        assert_eq!((above_0("0.5"), count("7"), share("1")), (Ok(0.5), Ok(7), Ok(1.0)));
    }

    fn refused(architecture: Architecture) -> String {
        Processor::Cuda.device(architecture).expect_err("it cannot be used").to_string()
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_program_without_cuda_says_how_to_build_one_with_it() {
        assert!(refused(Architecture::Antiphon).contains("xtask/cuda.sh"));
    }

    #[test]
    fn a_classic_is_trained_on_the_cpu_alone() {
        let classic = Architecture::named("classic-25").expect("a preset");
        assert!(refused(classic).contains("leave it out for classic-25"));
    }

    fn config(batch: &str, threads: &str, corpus: &str) -> TrainingConfig {
        TrainingConfig(
            [("--batch", batch), (THREADS, threads), (CORPUS, corpus)]
                .map(|(a, b)| (a.into(), b.into()))
                .into(),
        )
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let kept = config("16", "2", "a");
        let told =
            |now: TrainingConfig| now.check(&kept, Path::new("x")).err().map(|error| error.to_string());
        assert_eq!(told(kept.clone()), None);
        let batch = told(config("8", "4", "b")).expect("all differ");
        assert_eq!(batch, "x was made with `--batch 16`, not `--batch 8`: give the same arguments");
        assert!(told(config("16", "4", "a")).expect("they differ").ends_with("set RAYON_NUM_THREADS=2"));
        assert_eq!(told(TrainingConfig(vec![("--new".into(), "1".into())])), None);
        assert!(told(config("16", "2", "b")).expect("they differ").contains("other files"));
    }

    #[test]
    fn words_that_a_shell_would_take_apart_stand_in_quotes() {
        let words = ["train", "--corpus", "Bach's own", "--data", "a/b-1.mid"].map(String::from);
        assert_eq!(line(words.into_iter()), r"cargo xtask train --corpus 'Bach'\''s own' --data a/b-1.mid");
    }
}
