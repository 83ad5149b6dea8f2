//! A host whose transport changes at random, and which sometimes refuses events.

use antiphon::{
    music::{
        bars::Signature,
        time::{BeatTime, Beats, Tempo},
        timeline::Transport,
    },
    performer::{Arrival, Gesture, Port, Refused, Sound},
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::{RATE, log::Log, player::Names};

/// Largest error of a position that an inexact host reports, in beats: some tenths of a millisecond.
pub const JITTER_BEATS: f64 = 4e-4;

/// This host makes no jump of at most this many beats, which the plugin would take for an inexact position
/// (`JUMP_BEATS` in `music/timeline.rs`).
const SHORTEST_JUMP_BEATS: f64 = 1.0 / 32.0;

/// The share of blocks in which the host takes two events at most.
const SHORT_OF_ROOM: f64 = 0.02;

/// How many events the host takes in a block.
pub fn room(rng: &mut Pcg32) -> usize {
    if rng.random_bool(SHORT_OF_ROOM) { rng.random_range(0..3) } else { usize::MAX }
}

/// The host's transport, at the first sample of a block.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    playing: bool,
    beat: f64,
    tempo: f64,
    /// Change of tempo, in beats per minute per second.
    ramp: f64,
    /// The start and the length of a loop, in beats.
    cycle: Option<(f64, f64)>,
    signature: (i32, i32),
    /// The length of the previous block, in samples.
    passed: u64,
    /// Whether it reports its position exactly.
    is_exact: bool,
    /// The error of the reported position of this block, in beats.
    jitter: f64,
    /// How far the song has jumped since the previous block, in beats.
    jumped: f64,
}

impl Host {
    pub fn new(is_exact: bool) -> Self {
        Self {
            playing: true,
            beat: -4.0,
            tempo: 120.0,
            ramp: 0.0,
            cycle: None,
            signature: (4, 4),
            passed: 0,
            is_exact,
            jitter: 0.0,
            jumped: 0.0,
        }
    }

    /// Advances past the previous block, changes something every 5 seconds on average, and gives its transport.
    pub fn begin_block(&mut self, frames: u64, rng: &mut Pcg32) -> Transport {
        let seconds = self.passed as f64 / RATE;
        self.jumped = 0.0;
        if self.playing {
            self.beat += seconds * self.tempo / 60.0;
            self.tempo = (self.tempo + self.ramp * seconds).clamp(40.0, 240.0);
        }
        if let Some((start, length)) = self.cycle
            && self.playing
            && self.beat >= start + length
        {
            self.jump_to(self.beat - length);
        }
        self.passed = frames;
        if rng.random_bool(frames as f64 / RATE / 5.0) {
            self.act(rng);
        }
        if !self.is_exact {
            self.jitter = rng.random_range(-JITTER_BEATS..JITTER_BEATS);
        }
        self.transport()
    }

    pub fn stop(&mut self) -> Transport {
        self.playing = false;
        self.jumped = 0.0;
        self.transport()
    }

    /// The beat at the block's first sample, and beats per sample; `None` while the song stands still.
    pub fn song(&self) -> Option<(f64, f64)> {
        self.playing.then_some((self.beat + self.jitter, self.tempo / 60.0 / RATE))
    }

    pub fn tempo(&self) -> f64 {
        self.tempo
    }

    /// How far the song has jumped since the previous block, in beats.
    pub fn jumped(&self) -> f64 {
        self.jumped
    }

    fn act(&mut self, rng: &mut Pcg32) {
        let beat = f64::from(rng.random_range(-32..256)) / 4.0;
        match rng.random_range(0..7) {
            0 => self.playing = !self.playing,
            1 => self.playing = true,
            2 => self.jump_to(beat),
            3 => {
                // The shortest loop is longer than a block at the highest tempo.
                self.cycle = Some((self.beat.floor(), f64::from(rng.random_range(2..64)) / 4.0));
            }
            4 => self.cycle = None,
            5 => (self.ramp, self.tempo) = (rng.random_range(-20.0..20.0), rng.random_range(50.0..200.0)),
            _ => self.signature = [(4, 4), (3, 4), (6, 8), (7, 8)][rng.random_range(0..4)],
        }
    }

    fn jump_to(&mut self, beat: f64) {
        if self.playing && (beat - self.beat).abs() <= SHORTEST_JUMP_BEATS {
            return;
        }
        if self.playing {
            self.jumped += beat - self.beat;
        }
        self.beat = beat;
    }

    fn transport(&self) -> Transport {
        Transport {
            playing: self.playing,
            tempo: Tempo::new(self.tempo),
            position: Some(BeatTime(self.beat + self.jitter)),
            signature: Signature::new(self.signature.0, self.signature.1),
            bar: None,
            cycle: self.cycle.map(|(_, length)| Beats(length)),
        }
    }
}

/// The events of one block, to the plugin and from it.
pub struct Block<'a> {
    pub log: &'a mut Log,
    pub gestures: &'a [(u64, Gesture)],
    pub names: &'a mut Names,
    pub next: usize,
    pub begin: u64,
    /// How many more events the host takes.
    pub room: usize,
}

impl Block<'_> {
    /// Uses up room for one event, or refuses it.
    fn take_room(&mut self) -> Result<(), Refused> {
        self.room = self.room.checked_sub(1).ok_or(Refused)?;
        Ok(())
    }
}

impl Port for Block<'_> {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(at, gesture) = self.gestures.get(self.next)?;
        self.next += 1;
        self.log.gesture(at, gesture);
        let id = self.names.of(gesture);
        Some(Arrival { offset: (at - self.begin) as u32, gesture, id, event: () })
    }

    fn pass(&mut self, arrival: Arrival<()>) -> Result<(), Refused> {
        let taken = self.take_room();
        match taken {
            Ok(()) => self.log.passed(arrival.gesture),
            Err(Refused) => self.log.not_passed(arrival.gesture),
        }
        taken
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        let (taken, at) = (self.take_room(), self.begin + u64::from(offset));
        match taken {
            Ok(()) => self.log.sound(at, sound),
            Err(Refused) => self.log.refused(at, sound),
        }
        taken
    }
}
