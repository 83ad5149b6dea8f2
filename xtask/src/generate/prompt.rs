//! What was played before.

use std::path::Path;

use antiphon::music::{
    note::Note as Heard,
    time::{Moment, Seconds},
};
use anyhow::{Context, Result, ensure};

use super::original::Original;
use crate::{
    corpus::{Convention, Document, Instrument, Note, Piece, Signature, TempoMap, midi},
    score_file::{Mark, ScoreFile},
    sheet::{Pulse, beats},
};

/// Ticks of a file that begins from nothing.
const TICKS_PER_QUARTER: u16 = 960;
const MICROSECONDS_PER_QUARTER: u32 = 500_000;
/// Less than this part of a tick is rounding.
const SAME_TICK: f64 = 1e-3;

/// A file up to some moment, or nothing.
pub struct Prompt {
    /// The same as a file of its own, with ticks that are fine enough for what goes on.
    pub file: Vec<u8>,
    /// All notes that begin before the cut, drums too.
    pub notes: Vec<Note>,
    pub instruments: Vec<Instrument>,
    pub tempo_map: TempoMap,
    pub signatures: Vec<Signature>,
    /// From where on it is played, in seconds: the second that was asked for, or the end of what sounds.
    pub from: f64,
    name: Option<String>,
}

impl Prompt {
    /// # Errors
    /// When the file cannot be read or has no notes to go on from.
    pub fn new(file: Option<&Path>, after: Option<f64>) -> Result<Self> {
        let Some(path) = file else { return Self::nothing() };
        let prompt = Self::of(path, after).with_context(|| path.display().to_string())?;
        let place = if after.is_some() { " before that second" } else { "" };
        let drums = if prompt.notes.is_empty() { "" } else { " but drums" };
        ensure!(
            !prompt.heard().is_empty(),
            "{} has no notes{place}{drums}: give a file with a melody, or none to begin from nothing",
            path.display()
        );
        Ok(prompt)
    }

    fn nothing() -> Result<Self> {
        let tempo = Mark::Tempo { microseconds_per_quarter: MICROSECONDS_PER_QUARTER };
        let empty =
            ScoreFile { ticks_per_quarter: TICKS_PER_QUARTER, marks: vec![(0, tempo)], parts: Vec::new() };
        Ok(Self {
            file: empty.bytes()?,
            notes: Vec::new(),
            instruments: Vec::new(),
            tempo_map: TempoMap::steady(MICROSECONDS_PER_QUARTER, TICKS_PER_QUARTER),
            signatures: Vec::new(),
            from: 0.0,
            name: None,
        })
    }

    /// What has begun rings out: were it cut, it would be heard as if the player had let go of everything at once.
    fn of(path: &Path, after: Option<f64>) -> Result<Self> {
        let bytes = midi::bytes(path)?;
        let whole = midi::read(path, &bytes, Convention::Sustained)?;
        whole.left_out.warn(None);
        let mut original = Original::of(&bytes)?;
        if let Some(after) = after {
            original.cut(&whole.tempo_map, after);
        }
        let file = original.bytes()?;
        // It has become longer where its ticks are finer, but not by itself too large to be read.
        let Document { piece, tempo_map, signatures, .. } = midi::read(path, &file, Convention::Sustained)?;
        let Piece { notes, instruments, .. } = piece;
        let end = notes.iter().map(|note| note.end).fold(0.0, f64::max);
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { file, notes, instruments, tempo_map, signatures, from: after.unwrap_or(end), name })
    }

    /// What is new, as a track is called.
    pub fn new_name(&self) -> &'static str {
        if self.notes.is_empty() { "Piece" } else { "Continuation" }
    }

    /// The nearest tick of its file.
    pub fn tick(&self, seconds: f64) -> u64 {
        self.tempo_map.tick_at(seconds).round() as u64
    }

    /// The first tick that is not before the moment from which on it is played.
    pub fn first_tick(&self) -> u64 {
        (self.tempo_map.tick_at(self.from) - SAME_TICK).ceil() as u64
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

    /// Its own beats, if its notes lie on them: a performance that was recorded without a click says nothing of beats.
    pub fn pulse(&self) -> Pulse<'_> {
        if beats::lie_on(&self.notes, &self.tempo_map) {
            Pulse::Written(&self.tempo_map)
        } else {
            Pulse::Found
        }
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
