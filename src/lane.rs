//! The border between the audio thread and the worker: two wait-free lanes and what travels on them.

use std::sync::atomic::{AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::music::{
    hands::Berth,
    manner::Manner,
    note::{Note, Velocity},
    time::{Moment, Seconds},
    turn::TurnId,
};

/// Room for the notes of the densest music that a stalled worker may miss for some seconds.
const REQUESTS: usize = 1024;
/// A full lane means "ahead enough": some seconds of music, and nothing dear to throw away.
const REPLIES: usize = 32;

/// From the audio thread to the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// A note is over; it is to be remembered.
    Heard(Note),
    /// From now on, this is how an answer is to be.
    Manner(Manner),
    /// Play from a moment on, for so long. `touch` is how loud the player has played lately.
    Answer { turn: TurnId, from: Moment, length: Seconds, seed: u32, touch: Velocity, ending: Ending },
    /// Go on with the answer, as a new turn, in another way: what was to begin from that moment on never sounds.
    Again { turn: TurnId, from: Moment, length: Seconds, seed: u32, touch: Velocity },
    /// The next answer leaves this to the player.
    Avoid(Berth),
    /// This turn is over; what was planned for it never sounded.
    Cancel(TurnId),
    /// Forget everything that was heard.
    Forget,
}

/// From the worker to the audio thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply {
    /// A note of the answer, in the instance's time.
    Play { turn: TurnId, note: Note },
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
}

/// Makes the two lanes of an instance. Allocates.
pub fn lanes() -> (PerformerEnd, ImproviserEnd) {
    let (request_producer, request_consumer) = RingBuffer::new(REQUESTS);
    let (reply_producer, reply_consumer) = RingBuffer::new(REPLIES);
    (
        PerformerEnd { requests: request_producer, replies: reply_consumer },
        ImproviserEnd { requests: request_consumer, replies: reply_producer },
    )
}

/// What happened so far: written by the audio thread, read by any.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Notes of the player.
    pub heard: Counter,
    /// Notes of answers that sounded.
    pub answered: Counter,
    /// Notes of answers that came out later than planned.
    pub late: Counter,
    /// Notes of answers that were given up: too late, or refused by the host.
    pub dropped: Counter,
    /// Events of the player that the host did not take back.
    pub refused: Counter,
    /// Requests that found no room: the worker has stalled or died.
    pub unsent: Counter,
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
