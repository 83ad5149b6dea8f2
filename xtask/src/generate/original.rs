//! The prompt as a file of its own: all that its file says, up to where the music goes on.

use std::collections::{HashMap, VecDeque};

use anyhow::Result;
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEventKind,
    num::{u7, u15},
};

use crate::{
    corpus::{
        Refusal, TempoMap, WrittenKey,
        messages::{ends_notes, is_sustain},
        midi,
    },
    score_file::{self, Timed},
};

/// Coarser ticks are divided, so that what is played keeps its time to the millisecond.
const FINEST_NEEDED: u16 = 480;
/// The same for film frames, in ticks a second.
const FINEST_NEEDED_PER_SECOND: u16 = 960;

/// What a file says.
pub struct Original<'a> {
    timing: Timing,
    tracks: Vec<Track<'a>>,
}

struct Track<'a> {
    events: Vec<Timed<'a>>,
    end: u64,
}

impl<'a> Original<'a> {
    /// Everything of a file's bytes but what is no music: see [`crate::corpus::LeftOut`].
    pub fn of(bytes: &'a [u8]) -> Result<Self, Refusal> {
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

    /// Leaves out what begins from a second on. What has begun rings out: its releases stay, and the pedal until it comes up.
    /// Tempos and signatures stay, too.
    pub fn cut(&mut self, map: &TempoMap, after: f64) {
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
            // What is never released ends with its track.
            if !cut.is_open(number) {
                track.end = track.events.last().map_or(0, |(tick, _)| *tick);
            }
        }
    }

    /// The bytes of a file of format 1 whose ticks are fine enough for what goes on.
    pub fn bytes(self) -> Result<Vec<u8>> {
        let (timing, factor) = finer(self.timing);
        let mut smf = Smf::new(Header::new(Format::Parallel, timing));
        for Track { events, end } in self.tracks {
            let scaled = |(tick, kind)| (tick * u64::from(factor), kind);
            let events = events.into_iter().map(scaled).collect();
            smf.tracks.push(score_file::track(events, end * u64::from(factor)));
        }
        let mut bytes = Vec::new();
        smf.write_std(&mut bytes)?;
        Ok(bytes)
    }
}

/// Ends are written anew.
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

/// A unit of time, and how many times finer it is.
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

/// Which events stay, asked in the order of time.
struct Cut<'a> {
    map: &'a TempoMap,
    after: f64,
    /// By track, port, channel and key: whether each open strike has stayed, the oldest one first.
    strikes: HashMap<(usize, u8, u8, u7), VecDeque<bool>>,
    /// By port and channel.
    channels: HashMap<(u8, u8), Ringing>,
}

/// What may still sound of what has stayed.
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

    /// Whether a strike of a track has stayed that is never released.
    fn is_open(&self, track: usize) -> bool {
        self.strikes.iter().any(|(source, strikes)| source.0 == track && strikes.contains(&true))
    }
}

impl Ringing {
    /// Whether a message stays: what comes too late does where it ends what still sounds.
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
