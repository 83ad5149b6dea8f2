//! The event log: records on a wait-free ring buffer, from the audio thread to the take recorder.
//!
//! There are no replies, and nothing waits for the reader: where the lane is full, records are lost and
//! counted.

use rtrb::{Consumer, Producer, RingBuffer};

use crate::music::{
    bars::{SAME_BEATS, Signature},
    note::{Key, Velocity},
    note_tracker::{ChannelKey, ChannelKeys, Pedal},
    time::{BeatTime, Beats, SampleRate, SampleTime, Samples, Tempo},
    turn::Standing,
};

/// Capacity: ten seconds of the densest music, 160 KiB. A reader that rests milliseconds never lets it fill.
const RECORDS: usize = 4096;

/// Something that happened on the instance's clock. Records come in the order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    pub at: SampleTime,
    pub event: Event,
}

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A new take begins, on a clock of this rate: nothing is held, planned or sounding.
    Began(SampleRate),
    /// The player strikes a key that is heard.
    Struck(ChannelKey, Velocity),
    /// The player releases keys; some may not have been struck.
    Lifted(ChannelKeys),
    /// The player's sustain pedal moves.
    Pedal { channel: u8, pedal: Pedal },
    /// All keys and pedals of the player count as up.
    LetGo,
    /// A note of the answer is planned.
    Planned(Planned),
    /// The first planned note of this key sounds, as it was sent to the instrument.
    Sounded(ChannelKey, Velocity),
    /// The first planned note of this key is not played after all.
    Skipped(Key),
    /// Whatever was planned for `from` or later is not played after all.
    Dropped { from: SampleTime },
    /// A note of the answer ends.
    Released(ChannelKey),
    /// The floor changes hands, or is now to do so at another time.
    Floor(Standing),
    /// The transport starts, stops, jumps or changes its tempo.
    Song(Song),
    /// Bars are counted in another way than before.
    Bars(Measure),
    /// Records were lost before this one, since nobody had read the lane for long.
    Gap,
}

/// A note that is planned and does not sound yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    /// Onset and end hold at the tempo of the planning.
    pub onset: SampleTime,
    pub end: SampleTime,
    pub key: Key,
    /// The velocity before *Velocity scale* is applied.
    pub velocity: Velocity,
    /// The probability that the model gave this key here, 0..=1; `None` from a model that gives none.
    pub likelihood: Option<f32>,
}

/// Where the song is, from the record on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Song {
    /// `None` while the transport stands still.
    pub beat: Option<BeatTime>,
    /// The host's tempo, or the last one that it reported.
    pub tempo: Tempo,
}

/// How bars are counted, from the record on. The song's first bar has the number 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Where the bar of the record begins.
    pub line: BeatTime,
    pub number: i32,
    pub signature: Signature,
}

const _: () = assert!(size_of::<Record>() <= 40);

/// The audio thread's end.
#[derive(Debug, Default)]
pub struct EventLog {
    /// `None` where nobody reads.
    lane: Option<Producer<Record>>,
    is_broken: bool,
}

/// A record that found no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// Makes the lane of a performer. Allocates.
pub fn event_log() -> (EventLog, Consumer<Record>) {
    let (lane, reader) = RingBuffer::new(RECORDS);
    (EventLog { lane: Some(lane), is_broken: false }, reader)
}

impl EventLog {
    /// An event log that nobody reads.
    pub const UNREAD: Self = Self { lane: None, is_broken: false };

    /// Whether anybody reads it.
    pub fn is_read(&self) -> bool {
        self.lane.is_some()
    }

    /// Records what happened at `at`; after a loss, records [`Event::Gap`] first. Realtime-safe.
    ///
    /// # Errors
    /// Where there is no room.
    pub fn tell(&mut self, at: SampleTime, event: Event) -> Result<(), Lost> {
        let Some(lane) = &mut self.lane else { return Ok(()) };
        if self.is_broken {
            self.is_broken = lane.push(Record { at, event: Event::Gap }).is_err();
        }
        self.is_broken = self.is_broken || lane.push(Record { at, event }).is_err();
        if self.is_broken { Err(Lost) } else { Ok(()) }
    }
}

impl Song {
    /// The beat `length` samples after the record; `None` while the transport stands still.
    pub fn beat_after(&self, length: Samples, rate: SampleRate) -> Option<BeatTime> {
        self.beat.map(|beat| beat + Beats::from_samples(length, self.tempo, rate))
    }
}

impl Measure {
    /// Whether counting on from this bar gives the other one.
    pub fn counts(&self, other: Self) -> bool {
        let bars = (other.line - self.line).0 / self.signature.bar().0;
        let apart = (bars - bars.round()).abs() * self.signature.bar().0;
        let number = f64::from(self.number) + bars.round();
        self.signature == other.signature && apart < SAME_BEATS && number == f64::from(other.number)
    }
}
