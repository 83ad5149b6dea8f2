//! What can be said about a training on the command line.

use std::path::PathBuf;

use super::{device::Processor, output::Precision, progress::Length};
use crate::corpus::Convention;

/// Train a model on MIDI files and write its weights with a card.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// antiphon, classic-25 or classic-150
    #[arg(long)]
    pub preset: String,
    /// MIDI file, folder of them, or MAESTRO csv or folder (only its train split is used); repeatable
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// What to score on [default: MAESTRO's validation split, or a tenth of the files and at least 100
    /// notes]
    #[arg(long)]
    pub validation: Vec<PathBuf>,
    /// Where to write the weights; card, curves and checkpoint go beside them
    #[arg(long)]
    pub output: PathBuf,
    /// How long to train
    #[arg(long, default_value = "30", value_parser = above_0)]
    pub minutes: f64,
    /// How many batches to learn from, however long it takes
    #[arg(long, conflicts_with = "minutes", value_parser = count)]
    pub steps: Option<usize>,
    /// Go on from the checkpoint beside the output, with the same arguments; `--minutes`, `--steps` and `--rate` may
    /// change
    #[arg(long)]
    pub resume: bool,
    /// The same one learns the same; another one begins with other weights and learns in another order
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
    /// `--steps`, or else `--minutes`.
    pub fn length(&self) -> Length {
        self.steps.map_or(Length::Minutes(self.minutes), Length::Steps)
    }

    /// How the matrices are written.
    pub fn precision(&self) -> Precision {
        if self.half { Precision::Half } else { Precision::Single }
    }
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
}
