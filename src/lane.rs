//! The border between the audio thread and the worker: two wait-free lanes and what travels on them.

mod waits;

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
};

use atomic_float::AtomicF64;
use rtrb::{Consumer, Producer, RingBuffer};

pub use self::waits::Waits;
use crate::music::{
    conditions::{Harmony, Who},
    generation::GenerationSettings,
    hands::AccompanimentMask,
    harmony,
    metre::Metre,
    note::{Note, Velocity},
    patience::Patience,
    scale::Diatonic,
    time::{Moment, SampleTime, Seconds},
    turn::TurnId,
};

/// Room for the notes of the densest music that a stalled worker may miss for some seconds.
const REQUESTS: usize = 1024;
/// A full lane means "ahead enough": some seconds of music, and nothing dear to throw away.
const REPLIES: usize = 32;

/// A note that comes later than this is left out: it would only disturb.
pub const LATEST: Seconds = Seconds(0.03);

/// A note that comes later than this may be heard to be late.
pub const AUDIBLE: Seconds = Seconds(0.005);

/// From the audio thread to the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// A note is over; it is to be remembered.
    Heard { note: Note, who: Who },
    /// A note sounds still; the next [`Request::Silence`] or [`Request::Answer`] is to reckon with its duration so far.
    Sounding { note: Note, who: Who },
    /// The player holds no key any more: when is the plugin to take the floor?
    Silence(Silence),
    /// From a moment on, the song goes so. It comes before what is heard from then on.
    Song(Metre),
    /// From a moment on, this is the harmony.
    Harmony(harmony::Change),
    /// From now on, this is how an answer is to be.
    GenerationSettings(GenerationSettings),
    /// Play from a moment on, for so long. `touch` is how loud the player has played lately.
    Answer { turn: TurnId, from: Moment, length: Seconds, seed: u32, touch: Velocity, ending: Ending },
    /// Go on with the answer, as a new turn, in another way: what was to begin from that moment on never sounds. Where less
    /// than that was made, what comes next may begin earlier, but not before `now`.
    Replan { turn: TurnId, now: Moment, from: Moment, length: Seconds, seed: u32, touch: Velocity },
    /// The next answer begins with a note on its very first moment, which is a line of the song.
    OnTheLine,
    /// The next answer leaves this to the player.
    Avoid(AccompanimentMask),
    /// This turn is over. Of what was drawn for it, what was to begin up to and at a moment has sounded, however
    /// early or late; the rest never did.
    Cancel { turn: TurnId, sounded: Moment },
    /// Forget everything that was heard.
    Forget,
}

impl Request {
    /// A note of the player's is over.
    pub fn heard(note: Note) -> Self {
        Self::Heard { note, who: Who::Player }
    }

    /// A note of the player's sounds still.
    pub fn sounding(note: Note) -> Self {
        Self::Sounding { note, who: Who::Player }
    }
}

/// From the worker to the audio thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply {
    /// If this silence lasts, the plugin is to take the floor at this moment; `None` leaves it to the longest silence.
    Expect { silence: SilenceId, hand_over: Option<Moment> },
    /// A note of the answer, in the instance's time; with how likely its key was, 0..=1, where the model tells.
    Play { turn: TurnId, note: Note, likelihood: Option<f32> },
    /// The answer is complete.
    Done(TurnId),
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// When its time is over.
    Full,
    /// Before that, where the model leaves a silence as long as the one between two phrases.
    Phrase,
    /// Before that, where the model says that the piece is over.
    Piece,
}

/// The number of a silence; a later one has another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SilenceId(pub u32);

impl SilenceId {
    /// Realtime-safe.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// No key is held, and nobody knows yet whether the call is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    pub id: SilenceId,
    /// When the last key went up.
    pub since: Moment,
    /// How long it has lasted: something may have ended since that the pedal kept.
    pub lasted: Seconds,
    pub patience: Patience,
}

const _: () = assert!(size_of::<Request>() <= 32 && size_of::<Reply>() <= 32);

/// The audio thread's ends.
#[derive(Debug)]
pub struct PerformerEnd {
    pub requests: Producer<Request>,
    pub replies: Consumer<Reply>,
}

/// The worker's ends.
#[derive(Debug)]
pub struct ImproviserEnd {
    pub requests: Consumer<Request>,
    pub replies: Producer<Reply>,
    pub telemetry: Arc<Telemetry>,
}

/// Makes the two lanes of an instance that nobody watches. Allocates.
pub fn lanes() -> (PerformerEnd, ImproviserEnd) {
    lanes_of(Arc::default())
}

/// Makes the two lanes of an instance. Allocates.
pub fn lanes_of(telemetry: Arc<Telemetry>) -> (PerformerEnd, ImproviserEnd) {
    let (request_producer, request_consumer) = RingBuffer::new(REQUESTS);
    let (reply_producer, reply_consumer) = RingBuffer::new(REPLIES);
    (
        PerformerEnd { requests: request_producer, replies: reply_consumer },
        ImproviserEnd { requests: request_consumer, replies: reply_producer, telemetry },
    )
}

/// What happened so far: written by the audio thread and the worker, read by any.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Notes of the player.
    pub heard: Counter,
    /// Notes of answers that sounded.
    pub answered: Counter,
    /// Notes of answers that came out later than planned.
    pub late: Counter,
    /// Those of them that came more than 5 ms late: somebody may hear it.
    pub audibly_late: Counter,
    /// Notes of answers that were given up: too late, or refused by the host.
    pub dropped: Counter,
    /// Events of the player that the host did not take back.
    pub refused: Counter,
    /// Strikes that came in and were the plugin's own: its output leads to its input.
    pub echoes: Counter,
    /// Requests that found no room: the worker has stalled or died.
    pub unsent: Counter,
    /// Steps of the worker that panicked: an answer was given up, or what the model knew was worked out anew.
    pub faults: Counter,
    /// Records of the event log that found no room: the take and the window lack them.
    pub untold: Counter,
    /// The harmony that was told last.
    pub harmony: Chord,
    /// The scale that the player keeps to.
    pub scale: Tonality,
    /// The end of the newest block on the instance's clock.
    pub clock: Clock,
    /// The same in the time of the answer that was asked for last.
    pub answered_until: Reached,
    pub first_notes: Waits,
}

/// The instance's clock, which begins anew at each activation: the audio thread sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// Realtime-safe.
    pub fn set(&self, now: SampleTime) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    pub fn now(&self) -> SampleTime {
        SampleTime(self.0.load(Ordering::Relaxed))
    }
}

/// A harmony: the audio thread sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct Chord(AtomicU32);

impl Chord {
    /// Realtime-safe.
    pub fn tell(&self, harmony: Harmony) {
        self.0.store(harmony.bits().into(), Ordering::Relaxed);
    }

    /// `None` where none was told.
    pub fn now(&self) -> Option<Harmony> {
        Harmony::of_bits(self.0.load(Ordering::Relaxed) as u16)
    }
}

/// A scale: the worker sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct Tonality(AtomicU8);

impl Tonality {
    /// Realtime-safe.
    pub fn tell(&self, scale: Option<Diatonic>) {
        self.0.store(scale.map_or(0, |scale| scale.number()), Ordering::Relaxed);
    }

    /// What musicians call it; `None` where too little was heard. Allocates.
    pub fn name(&self) -> Option<String> {
        Diatonic::name_of(self.0.load(Ordering::Relaxed))
    }
}

/// How far an answer has come: the audio thread sets it, the worker reads it.
#[derive(Debug)]
pub struct Reached(AtomicF64);

impl Reached {
    /// Realtime-safe.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::Relaxed);
    }

    /// Realtime-safe.
    pub fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }
}

impl Default for Reached {
    fn default() -> Self {
        Self(AtomicF64::new(Moment::EARLIEST.0))
    }
}

/// A count that one thread raises and any thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU32);

impl Counter {
    /// Realtime-safe.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}
