//! The lanes between the audio thread and the worker: a wait-free ring buffer for requests, one for replies.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::{
    music::{
        conditions::Who,
        generation::GenerationSettings,
        hands::AccompanimentMask,
        harmony,
        metre::Metre,
        note::{Note, Velocity},
        patience::Patience,
        time::{Moment, Seconds},
        turn::TurnId,
    },
    telemetry::Telemetry,
};

/// Capacity for requests: the notes of the densest music during some seconds in which the worker is stalled.
const REQUESTS: usize = 1024;
/// Capacity for replies. A full lane means that the worker is some seconds ahead, cheap to throw away.
const REPLIES: usize = 32;

/// A note that comes later than this is left out: it would only disturb.
pub const LATEST: Seconds = Seconds(0.03);

/// A note that comes later than this may be heard to be late.
pub const AUDIBLE: Seconds = Seconds(0.005);

/// A message from the audio thread to the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// A note is over; it is to be remembered.
    Heard { note: Note, who: Who },
    /// A note that is not over yet, for the next [`Request::Silence`] or [`Request::Answer`]. The player's has
    /// the duration that it will have by then; the plugin's, which may only be planned, its whole duration.
    Sounding { note: Note, who: Who },
    /// The player holds no key any more: when is the plugin to take the floor?
    Silence(Silence),
    /// The metre of the song from a moment on. It is sent before the notes that are heard from then on.
    Song(Metre),
    /// The harmony from a moment on.
    Harmony(harmony::Change),
    /// The settings for answers from now on.
    GenerationSettings(GenerationSettings),
    /// Play from a moment on, for `length`. `touch` is how loud the player has played lately.
    Answer { turn: TurnId, from: Moment, length: Seconds, seed: u32, touch: Velocity, ending: Ending },
    /// Continue the answer in another way, as a new turn: notes that were to begin at `from` or later never
    /// sound. If the notes before `from` are not all made yet, the next one may begin earlier, but not before
    /// `now`.
    Replan { turn: TurnId, now: Moment, from: Moment, length: Seconds, seed: u32, touch: Velocity },
    /// The next answer begins with a note on its very first moment, which is a line of the song.
    OnTheLine,
    /// The next answer plays along, and leaves to the player what this mask holds.
    Avoid(AccompanimentMask),
    /// This turn is over. Of its notes, those that were to begin at `sounded` or earlier have sounded,
    /// however early or late; the rest never did.
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

/// A message from the worker to the audio thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply {
    /// If this silence lasts, the plugin is to take the floor at `hand_over`; `None` leaves that to the
    /// longest silence.
    Expect { silence: SilenceId, hand_over: Option<Moment> },
    /// A note of the answer, in the instance's time, and its key's probability, 0..=1, if the model gives
    /// one.
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
    /// How long it has lasted by now: a note that the pedal kept may have ended later than `since`.
    pub lasted: Seconds,
    pub patience: Patience,
}

const _: () = assert!(size_of::<Request>() <= 32 && size_of::<Reply>() <= 32);

/// The audio thread's ends of the lanes.
#[derive(Debug)]
pub struct PerformerEnd {
    pub requests: Producer<Request>,
    pub replies: Consumer<Reply>,
}

/// The worker's ends of the lanes.
#[derive(Debug)]
pub struct ImproviserEnd {
    pub requests: Consumer<Request>,
    pub replies: Producer<Reply>,
    pub telemetry: Arc<Telemetry>,
}

/// Makes the two lanes of an instance whose telemetry nobody reads. Allocates.
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
