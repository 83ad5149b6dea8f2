//! What was played before.

use std::path::Path;

use antiphon::music::{
    note::Note as Heard,
    time::{Moment, Seconds},
};
use anyhow::{Result, anyhow, ensure};

use crate::{
    corpus::{self, Convention, Document, Instrument, Note, Piece, Signature, TempoMap},
    playing,
};

/// Ticks of a file that begins from nothing.
const TICKS_PER_QUARTER: u16 = 960;
const MICROSECONDS_PER_QUARTER: u32 = 500_000;

/// A file up to some moment, or nothing.
pub struct Prompt {
    /// All notes that begin before the cut, drums too.
    pub notes: Vec<Note>,
    pub instruments: Vec<Instrument>,
    pub tempo_map: TempoMap,
    pub signatures: Vec<Signature>,
    /// From where on it is played, in seconds: the last onset that was heard.
    pub from: f64,
    name: Option<String>,
}

impl Prompt {
    /// # Errors
    /// When the file cannot be read or has no notes to go on from.
    pub fn new(file: Option<&Path>, after: Option<f64>) -> Result<Self> {
        let Some(path) = file else { return Ok(Self::nothing()) };
        let named = |refusal| anyhow!("{}: {refusal}", path.display());
        let document = corpus::document(path, Convention::Sustained).map_err(named)?;
        let prompt = Self::of(document, after);
        let place = if after.is_some() { " before that second" } else { "" };
        ensure!(
            !prompt.heard().is_empty(),
            "{} has no notes{place} but drums: give a file with a melody, or none to begin from nothing",
            path.display()
        );
        Ok(prompt)
    }

    fn nothing() -> Self {
        Self {
            notes: Vec::new(),
            instruments: Vec::new(),
            tempo_map: TempoMap::steady(MICROSECONDS_PER_QUARTER, TICKS_PER_QUARTER),
            signatures: Vec::new(),
            from: 0.0,
            name: None,
        }
    }

    fn of(document: Document, after: Option<f64>) -> Self {
        let Document { piece, tempo_map, signatures, .. } = document;
        let Piece { path, mut notes, instruments } = piece;
        // What has begun rings out: were it cut, it would be heard as if the player had let go of everything at once.
        notes.retain(|note| after.is_none_or(|after| note.onset < after));
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let mut prompt = Self { notes, instruments, tempo_map, signatures, from: 0.0, name };
        prompt.from = playing::from(&prompt.heard()).0;
        prompt
    }

    pub fn name(&self) -> Option<String> {
        self.name.clone()
    }

    /// All but the drums: their keys are no pitches.
    pub fn melodic(&self) -> Vec<Note> {
        self.notes.iter().filter(|note| !self.instruments[note.instrument].is_drums).copied().collect()
    }

    /// The same, as an instance hears it.
    pub fn heard(&self) -> Vec<Heard> {
        let heard = |note: &Note| Heard {
            onset: Moment(note.onset),
            duration: Seconds(note.duration() as f32),
            key: note.key,
            velocity: note.velocity,
        };
        self.melodic().iter().map(heard).collect()
    }

    /// The time signature where it is cut.
    pub fn signature(&self) -> Signature {
        let tick = self.tempo_map.tick_at(self.from);
        let newest = self.signatures.iter().rev().find(|signature| signature.tick as f64 <= tick);
        *newest.unwrap_or(&Signature::COMMON)
    }

    /// How long so many bars are from the cut on, in seconds. In film frames there are no bars; they are taken as 4/4 at
    /// 120 then.
    pub fn bars(&self, count: u32) -> f64 {
        let tick = self.tempo_map.tick_at(self.from);
        let quarters = f64::from(count) * self.signature().bar();
        match self.tempo_map.ticks_per_quarter() {
            Some(ticks) => {
                self.tempo_map.seconds_at(tick + quarters * f64::from(ticks))
                    - self.tempo_map.seconds_at(tick)
            }
            None => quarters * 0.5,
        }
    }
}

/// A point of time, for the command line.
pub fn moment(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..1e6).contains(seconds));
    seconds.ok_or_else(|| "give seconds from the beginning, such as 12.5".to_owned())
}

/// A length of time, for the command line.
pub fn length(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=36_000.0).contains(seconds));
    seconds.ok_or_else(|| "give seconds from 0.01 to 36000".to_owned())
}
