//! A host whose transport does whatever comes to it, and which does not always take every event.

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

/// What a host tells may be wrong by so many beats: some tenths of a millisecond.
pub const JITTER_BEATS: f64 = 4e-4;

/// The plugin takes a shorter jump for an inexact position (`JUMP_BEATS` in `music/timeline.rs`): this host makes none.
const SHORTEST_JUMP_BEATS: f64 = 1.0 / 32.0;

/// The part of the blocks in which it takes two events at most.
const SHORT_OF_ROOM: f64 = 0.02;

/// How many events it takes in a block.
pub fn room(chance: &mut Pcg32) -> usize {
    if chance.random_bool(SHORT_OF_ROOM) { chance.random_range(0..3) } else { usize::MAX }
}

/// Its transport, at the first sample of a block.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    playing: bool,
    beat: f64,
    tempo: f64,
    /// Beats a minute in a second.
    ramp: f64,
    /// A loop, and where it begins.
    cycle: Option<(f64, f64)>,
    signature: (i32, i32),
    /// The length of the block before.
    passed: u64,
    /// It tells its position exactly.
    is_exact: bool,
    /// How wrong the position of this block is.
    jitter: f64,
    /// How far the beat has jumped since the block before.
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

    /// Moves on behind the block before, does something else every few seconds, and tells its transport.
    pub fn begin_block(&mut self, frames: u64, chance: &mut Pcg32) -> Transport {
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
        if chance.random_bool(frames as f64 / RATE / 5.0) {
            self.act(chance);
        }
        if !self.is_exact {
            self.jitter = chance.random_range(-JITTER_BEATS..JITTER_BEATS);
        }
        self.transport()
    }

    pub fn stop(&mut self) -> Transport {
        self.playing = false;
        self.jumped = 0.0;
        self.transport()
    }

    /// Where the song is at the block's first sample and how fast it goes, in beats a sample; none while it stands.
    pub fn song(&self) -> Option<(f64, f64)> {
        self.playing.then_some((self.beat + self.jitter, self.tempo / 60.0 / RATE))
    }

    pub fn tempo(&self) -> f64 {
        self.tempo
    }

    /// In beats, since the block before.
    pub fn jumped(&self) -> f64 {
        self.jumped
    }

    fn act(&mut self, chance: &mut Pcg32) {
        let beat = f64::from(chance.random_range(-32..256)) / 4.0;
        match chance.random_range(0..7) {
            0 => self.playing = !self.playing,
            1 => self.playing = true,
            2 => self.jump_to(beat),
            3 => {
                // Longer than a block at the highest tempo.
                self.cycle = Some((self.beat.floor(), f64::from(chance.random_range(2..64)) / 4.0));
            }
            4 => self.cycle = None,
            5 => {
                (self.ramp, self.tempo) = (chance.random_range(-20.0..20.0), chance.random_range(50.0..200.0))
            }
            _ => self.signature = [(4, 4), (3, 4), (6, 8), (7, 8)][chance.random_range(0..4)],
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

/// The host's events of one block, from and to the plugin.
pub struct Block<'a> {
    pub log: &'a mut Log,
    pub gestures: &'a [(u64, Gesture)],
    pub names: &'a mut Names,
    pub next: usize,
    pub begin: u64,
    /// How many events the host still takes.
    pub room: usize,
}

impl Block<'_> {
    /// Makes room for one more event, where the host takes it.
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
