//! The lanes between the audio thread and the worker, two wait-free queues, and what travels on them; and the counts that any
//! thread may read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use atomic_float::AtomicF64;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::music::{
    conditions::{Harmony, Who},
    generation::GenerationSettings,
    hands::AccompanimentMask,
    harmony,
    metre::Metre,
    note::{Note, Velocity},
    patience::Patience,
    scale::KeyEstimate,
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

/// So many of the newest waits are kept.
const KEPT: usize = 1024;

/// At each wait so much of the longest one is forgotten.
const FORGOTTEN: u32 = 16;

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
    pub harmony: SharedHarmony,
    /// The scale that the player keeps to.
    pub scale: SharedScale,
    /// The end of the newest block on the instance's clock.
    pub clock: SharedClock,
    /// The same in the time of the answer that was asked for last.
    pub answered_until: SharedMoment,
    pub first_notes: WaitTimes,
}

/// The instance's clock, which goes on through activations and begins anew for a bounce: the audio thread sets it, any thread reads it.
#[derive(Debug, Default)]
pub struct SharedClock(AtomicU64);

impl SharedClock {
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
pub struct SharedHarmony(AtomicU32);

impl SharedHarmony {
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
pub struct SharedScale(AtomicU8);

impl SharedScale {
    /// Realtime-safe.
    pub fn tell(&self, scale: Option<KeyEstimate>) {
        self.0.store(scale.map_or(0, |scale| scale.number()), Ordering::Relaxed);
    }

    /// What musicians call it; `None` where too little was heard. Allocates.
    pub fn name(&self) -> Option<String> {
        KeyEstimate::name_of(self.0.load(Ordering::Relaxed))
    }
}

/// How far an answer has come: the audio thread sets it, the worker reads it.
#[derive(Debug)]
pub struct SharedMoment(AtomicF64);

impl SharedMoment {
    /// Realtime-safe.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::Relaxed);
    }

    /// Realtime-safe.
    pub fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }
}

impl Default for SharedMoment {
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

/// The waits from an answer's asking until its first note lies in the lane. The audio thread begins them, the worker ends
/// them, any thread reads them.
#[derive(Debug)]
pub struct WaitTimes {
    epoch: Instant,
    /// Since the epoch.
    begun_us: AtomicU64,
    /// A ring.
    newest_us: [AtomicU32; KEPT],
    count: AtomicU32,
    /// A wait that is rarely exceeded: the longest of late, which is slowly forgotten.
    rare_us: AtomicU32,
}

impl WaitTimes {
    /// An answer is asked for now. What orders this before [`Self::end`] is the lane that carries the request, so this is
    /// called first. Realtime-safe: it reads a clock.
    pub fn begin(&self) {
        self.begun_us.store(self.now_us(), Ordering::Relaxed);
    }

    /// The first note of the answer that was asked for last lies in the lane. Realtime-safe.
    pub fn end(&self) {
        let waited = self.now_us().saturating_sub(self.begun_us.load(Ordering::Relaxed));
        let waited = u32::try_from(waited).unwrap_or(u32::MAX);
        let rare = self.rare_us.load(Ordering::Relaxed);
        self.rare_us.store(waited.max(rare - rare / FORGOTTEN), Ordering::Relaxed);
        let count = self.count.load(Ordering::Relaxed);
        let place = &self.newest_us[count as usize % KEPT];
        place.store(waited, Ordering::Relaxed);
        // Whoever reads the count reads the waits that it counts.
        self.count.store(count.wrapping_add(1), Ordering::Release);
    }

    /// A wait that the worker rarely exceeds. Realtime-safe.
    pub fn rarely_exceeded(&self) -> Seconds {
        Seconds(Duration::from_micros(self.rare_us.load(Ordering::Relaxed).into()).as_secs_f32())
    }

    /// How many waits have ended.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// The newest waits, to a microsecond, in no order; at most 1,024. Allocates.
    pub fn newest(&self) -> Vec<Duration> {
        let known = (self.count() as usize).min(KEPT);
        let micros = self.newest_us[..known].iter().map(|wait| wait.load(Ordering::Relaxed));
        micros.map(|micros| Duration::from_micros(micros.into())).collect()
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Default for WaitTimes {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            begun_us: AtomicU64::new(0),
            newest_us: [const { AtomicU32::new(0) }; KEPT],
            count: AtomicU32::new(0),
            rare_us: AtomicU32::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_waits_once_and_the_newest_waits_are_kept() {
        let waits = WaitTimes::default();
        assert!(waits.newest().is_empty());
        for _ in 0..KEPT + 3 {
            waits.begin();
            waits.end();
        }
        assert_eq!((waits.count() as usize, waits.newest().len()), (KEPT + 3, KEPT));
        let longest = waits.newest().into_iter().max();
        assert!(longest.is_some_and(|longest| longest <= waits.epoch.elapsed()));
    }
}
