//! The prompt: a MIDI file up to some moment, or nothing.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
};

use antiphon::music::{
    note::Note as Heard,
    time::{Moment, Seconds},
};
use anyhow::{Context, Result, ensure};
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEventKind,
    num::{u7, u15},
};

use crate::{
    corpus::{
        Convention, Document, Instrument, Note, Piece, Refusal, Signature, TempoMap, WrittenKey,
        messages::{ends_notes, is_sustain},
        midi,
    },
    midi_file::{self, Mark, MidiFile, Timed},
    sheet::{Pulse, beats},
};

/// Ticks per quarter note of a file that begins from nothing.
const TICKS_PER_QUARTER: u16 = 960;
const MICROSECONDS_PER_QUARTER: u32 = 500_000;
/// A difference of less than this part of a tick is rounding.
const SAME_TICK: f64 = 1e-3;
/// Least number of ticks per quarter note: coarser ticks are divided, so that new notes keep their time to the
/// millisecond.
const FINEST_NEEDED: u16 = 480;
/// The same for film frames, in ticks per second.
const FINEST_NEEDED_PER_SECOND: u16 = 960;

/// A file up to some moment, or nothing.
pub struct Prompt {
    /// The prompt as a file of its own, with ticks that are fine enough for the continuation.
    pub file: Vec<u8>,
    /// All notes that begin before the cut, including drums.
    pub notes: Vec<Note>,
    pub instruments: Vec<Instrument>,
    tempo_map: TempoMap,
    signatures: Vec<Signature>,
    /// Where the continuation begins, in seconds: the second that was asked for, or the end of the last note.
    pub from: f64,
    pub name: Option<String>,
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
            MidiFile { ticks_per_quarter: TICKS_PER_QUARTER, marks: vec![(0, tempo)], parts: Vec::new() };
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

    /// The prompt of a file. Notes that have begun ring out: if they were cut, the model would hear a player
    /// who releases everything at once.
    fn of(path: &Path, after: Option<f64>) -> Result<Self> {
        let bytes = midi::bytes(path)?;
        let whole = midi::read(path, &bytes, Convention::Sustained)?;
        whole.left_out.warn(None);
        let mut original = Original::of(&bytes)?;
        if let Some(after) = after {
            original.cut(&whole.tempo_map, after);
        }
        let file = original.bytes()?;
        // With finer ticks the file is longer, but not so much that it is too large to be read.
        let Document { piece, tempo_map, signatures, .. } = midi::read(path, &file, Convention::Sustained)?;
        let Piece { notes, instruments, .. } = piece;
        let end = notes.iter().map(|note| note.end).fold(0.0, f64::max);
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { file, notes, instruments, tempo_map, signatures, from: after.unwrap_or(end), name })
    }

    /// The name of the track with the new notes.
    pub fn new_name(&self) -> &'static str {
        if self.notes.is_empty() { "Piece" } else { "Continuation" }
    }

    /// The tick of its file that is nearest to a second.
    pub fn tick(&self, seconds: f64) -> u64 {
        self.tempo_map.tick_at(seconds).round() as u64
    }

    /// The first tick that is not before the beginning of the continuation.
    pub fn first_tick(&self) -> u64 {
        (self.tempo_map.tick_at(self.from) - SAME_TICK).ceil() as u64
    }

    /// All notes without the drums, whose keys are no pitches.
    pub fn melodic(&self) -> Vec<Note> {
        self.notes.iter().filter(|note| !self.instruments[note.instrument].is_drums).copied().collect()
    }

    /// The same notes, as an instance of the plugin hears them.
    pub fn heard(&self) -> Vec<Heard> {
        let heard = |note: &Note| Heard {
            onset: Moment(note.onset),
            duration: Seconds(note.duration() as f32),
            key: note.key,
            velocity: note.velocity,
        };
        self.melodic().iter().map(heard).collect()
    }

    /// The time signature at the cut.
    pub fn signature(&self) -> Signature {
        let tick = self.tempo_map.tick_at(self.from);
        let newest = self.signatures.iter().rev().find(|signature| signature.tick as f64 <= tick);
        *newest.unwrap_or(&Signature::COMMON)
    }

    /// The file's own beats, if its notes lie on them. In a performance that was recorded without a click,
    /// they do not.
    pub fn pulse(&self) -> Pulse<'_> {
        if beats::lie_on(&self.notes, &self.tempo_map) {
            Pulse::Written(&self.tempo_map)
        } else {
            Pulse::Found
        }
    }

    /// The length of `count` bars from the cut on, in seconds. A file in film frames has no bars; it counts
    /// as 4/4 at tempo 120.
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

/// Parses a point in time, for the command line.
pub fn moment(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..1e6).contains(seconds));
    seconds.ok_or_else(|| "give seconds from the beginning, such as 12.5".to_owned())
}

/// Parses a length of time, for the command line.
pub fn length(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=36_000.0).contains(seconds));
    seconds.ok_or_else(|| "give seconds from 0.01 to 36000".to_owned())
}

/// The prompt as a file of its own: everything in the original file, up to the cut.
struct Original<'a> {
    timing: Timing,
    tracks: Vec<Track<'a>>,
}

struct Track<'a> {
    events: Vec<Timed<'a>>,
    end: u64,
}

impl<'a> Original<'a> {
    /// Everything in a file's bytes except what is no music: see [`crate::corpus::LeftOut`].
    fn of(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let opened = midi::open(bytes)?;
        let mut tracks = Vec::new();
        for mut stream in opened.tracks {
            let events =
                stream.by_ref().filter(|event| event.as_ref().map_or(true, |(_, kind)| is_kept(kind)));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            tracks.push(Track { events, end: stream.end() });
        }
        Ok(Self { timing: opened.timing, tracks })
    }

    /// Removes everything that begins from a second on. Notes that have begun ring out: their releases stay,
    /// and so does the pedal until it is released. Tempos and signatures stay too.
    fn cut(&mut self, map: &TempoMap, after: f64) {
        let mut cut = Cut { map, after, strikes: HashMap::new(), channels: HashMap::new() };
        let mut ports = vec![0; self.tracks.len()];
        let tracks = self.tracks.iter_mut().enumerate();
        let mut events: Vec<(u64, usize, TrackEventKind)> = tracks
            .flat_map(|(number, track)| track.events.drain(..).map(move |(tick, kind)| (tick, number, kind)))
            .collect();
        events.sort_by_key(|(tick, ..)| *tick);
        for (tick, track, kind) in events {
            if let TrackEventKind::Meta(MetaMessage::MidiPort(port)) = kind {
                ports[track] = port.as_int();
            }
            if cut.keeps(track, ports[track], tick, &kind) {
                self.tracks[track].events.push((tick, kind));
            }
        }
        for (number, track) in self.tracks.iter_mut().enumerate() {
            // A note that is never released ends with its track.
            if !cut.is_open(number) {
                track.end = track.events.last().map_or(0, |(tick, _)| *tick);
            }
        }
    }

    /// The bytes of a file of format 1 whose ticks are fine enough for the continuation.
    fn bytes(self) -> Result<Vec<u8>> {
        let (timing, factor) = finer(self.timing);
        let mut smf = Smf::new(Header::new(Format::Parallel, timing));
        for Track { events, end } in self.tracks {
            let scaled = |(tick, kind)| (tick * u64::from(factor), kind);
            let events = events.into_iter().map(scaled).collect();
            smf.tracks.push(midi_file::track(events, end * u64::from(factor)));
        }
        let mut bytes = Vec::new();
        smf.write_std(&mut bytes)?;
        Ok(bytes)
    }
}

/// Whether an event is kept: end-of-track events are not, since they are written anew.
fn is_kept(kind: &TrackEventKind) -> bool {
    match *kind {
        TrackEventKind::Meta(MetaMessage::EndOfTrack) => false,
        TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => tempo > 0,
        TrackEventKind::Meta(MetaMessage::KeySignature(sharps, is_minor)) => {
            WrittenKey::new(sharps, is_minor).is_some()
        }
        _ => true,
    }
}

/// A division with finer ticks, and the factor by which they are finer.
fn finer(timing: Timing) -> (Timing, u16) {
    match timing {
        Timing::Metrical(ticks) => {
            let factor = FINEST_NEEDED.div_ceil(ticks.as_int().max(1));
            (Timing::Metrical(u15::new(ticks.as_int() * factor)), factor)
        }
        Timing::Timecode(frames, parts) => {
            let a_second = u16::from(frames.as_int()) * u16::from(parts);
            let most = u16::from(u8::MAX / parts.max(1));
            let factor = FINEST_NEEDED_PER_SECOND.div_ceil(a_second.max(1)).min(most).max(1);
            let parts = u8::try_from(u16::from(parts) * factor).unwrap_or(parts);
            (Timing::Timecode(frames, parts), factor)
        }
    }
}

/// Decides which events stay; it must be asked in the order of time.
struct Cut<'a> {
    map: &'a TempoMap,
    after: f64,
    /// By track, port, channel and key: whether each open strike has stayed, the oldest first.
    strikes: HashMap<(usize, u8, u8, u7), VecDeque<bool>>,
    /// What still sounds, by port and channel.
    channels: HashMap<(u8, u8), Ringing>,
}

/// What may still sound of the notes that have stayed.
#[derive(Default)]
struct Ringing {
    open: usize,
    pedal: bool,
}

impl Cut<'_> {
    fn keeps(&mut self, track: usize, port: u8, tick: u64, kind: &TrackEventKind) -> bool {
        let is_before = self.map.seconds_at(tick as f64) < self.after;
        match *kind {
            TrackEventKind::Midi { channel, message } => {
                let channel = channel.as_int();
                let ringing = self.channels.entry((port, channel)).or_default();
                match message {
                    MidiMessage::NoteOn { key, vel } if vel > 0 => {
                        ringing.open += usize::from(is_before);
                        self.strikes.entry((track, port, channel, key)).or_default().push_back(is_before);
                        is_before
                    }
                    MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                        let strikes = self.strikes.entry((track, port, channel, key)).or_default();
                        let has_stayed = strikes.pop_front().unwrap_or(is_before);
                        ringing.open = ringing.open.saturating_sub(usize::from(has_stayed));
                        has_stayed
                    }
                    _ => ringing.hear(message, is_before),
                }
            }
            TrackEventKind::Meta(
                MetaMessage::Tempo(_)
                | MetaMessage::TimeSignature(..)
                | MetaMessage::KeySignature(..)
                | MetaMessage::MidiPort(_),
            ) => true,
            _ => is_before,
        }
    }

    /// Whether a track has a strike that has stayed and is never released.
    fn is_open(&self, track: usize) -> bool {
        self.strikes.iter().any(|(source, strikes)| source.0 == track && strikes.contains(&true))
    }
}

impl Ringing {
    /// Whether a message stays. A message after the cut stays only if it ends something that still sounds.
    fn hear(&mut self, message: MidiMessage, is_before: bool) -> bool {
        let sustain = is_sustain(message);
        let is_about_sound = sustain.is_some() || ends_notes(message);
        let stays = is_before || is_about_sound && (self.open > 0 || self.pedal);
        if stays {
            self.pedal = sustain.unwrap_or(self.pedal);
            self.open = if ends_notes(message) { 0 } else { self.open };
        }
        stays
    }
}
