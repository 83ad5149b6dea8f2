//! How much is to be played.

use antiphon::{lane::Ending, music::time::Seconds};

use super::prompt::{self, Prompt};

/// Unless something else is said.
const NOTES: usize = 200;
/// A piece that does not come to an end by itself is cut after so many notes; the longest performances of MAESTRO have
/// as many.
pub const MOST_NOTES: usize = 30_000;

/// Notes, seconds, bars, or as far as the model wishes.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub struct Extent {
    /// So many notes [default: 200]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=MOST_NOTES as i64))]
    notes: Option<u32>,
    /// So many seconds
    #[arg(long, value_parser = prompt::length)]
    seconds: Option<f64>,
    /// So many bars, in the file's signature and tempo where it goes on; without a file, of 4/4 at 120 beats a minute
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bars: Option<u32>,
    /// As far as the model says that the piece is over
    #[arg(long)]
    pub whole_piece: bool,
}

/// The same, as the improviser is asked for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    pub notes: usize,
    pub length: Seconds,
    pub ending: Ending,
}

impl Extent {
    pub fn asked(&self, prompt: &Prompt) -> Asked {
        let most =
            |length: f64| Asked { notes: MOST_NOTES, length: Seconds(length as f32), ending: Ending::Full };
        match *self {
            Self { whole_piece: true, .. } => {
                Asked { notes: MOST_NOTES, length: Seconds::FOREVER, ending: Ending::Piece }
            }
            Self { seconds: Some(seconds), .. } => most(seconds),
            Self { bars: Some(bars), .. } => most(prompt.bars(bars)),
            Self { notes, .. } => {
                let notes = notes.map_or(NOTES, |notes| notes as usize);
                Asked { notes, length: Seconds::FOREVER, ending: Ending::Full }
            }
        }
    }
}
