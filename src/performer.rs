//! The audio thread: hears the player, keeps the turn, collects the answer and plays it.
//!
//! Everything here is realtime-safe once [`Performer::new`] is done.

mod desk;

use std::sync::Arc;

use self::desk::Passage;
pub use self::desk::{Arrival, Gesture, Port, Refused, Sound};
use crate::{
    improviser::{Improviser, Progress},
    lane::{PerformerEnd, Reply, Request, Telemetry, Wish},
    music::{
        hearing::{HeardNote, Hearing, Place},
        note::{Key, Note},
        schedule::{Due, PlannedNote, Schedule, Sounding},
        time::{Moment, SampleRate, SampleTime, Samples, Seconds},
        timeline::{Motion, Timeline, Transport},
        turn::{Ask, Change, Rules, TurnId, Turns},
    },
};

/// The answer's channel.
const CHANNEL: u8 = 0;

/// A note that comes later than this is not played at all: it would only disturb.
const LATEST: Seconds = Seconds(0.1);

/// What the player has set, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rules: Rules,
    pub temperature: f32,
    /// In notes, 25..=150.
    pub memory: u8,
    /// The index of the embedded model.
    pub model: u8,
    pub seed: u32,
    /// Every turn has a seed of its own.
    pub varying: bool,
    pub thru: bool,
    pub bypass: bool,
}

/// Who makes the answers.
pub enum Partner {
    /// A worker on the other side of the lanes.
    Worker,
    /// Offline, the audio thread does the worker's steps itself, so that a bounce needs no luck.
    Inline(Box<Improviser>),
}

/// Plays one instance. Built when the plugin is activated, for one sample rate.
pub struct Performer {
    timeline: Timeline,
    hearing: Hearing,
    turns: Turns,
    schedule: Schedule,
    passage: Passage,
    lanes: PerformerEnd,
    partner: Partner,
    telemetry: Arc<Telemetry>,
    settings: Settings,
    /// When the answer of this turn was to begin, as the worker was told.
    promised: Moment,
    /// Nothing goes out before this: what is sent is sent in the order of time.
    cursor: SampleTime,
    /// The host refused a note-off; it is sent in the next block.
    blocked: bool,
    forget_owed: bool,
}

impl Performer {
    /// Allocates all it will ever need.
    pub fn new(
        rate: SampleRate,
        lanes: PerformerEnd,
        partner: Partner,
        telemetry: Arc<Telemetry>,
        settings: Settings,
    ) -> Self {
        Self {
            timeline: Timeline::new(rate),
            hearing: Hearing::new(),
            turns: Turns::new(),
            schedule: Schedule::new(),
            passage: Passage::default(),
            lanes,
            partner,
            telemetry,
            settings,
            promised: Moment(0.0),
            cursor: SampleTime(0),
            blocked: false,
            forget_owed: false,
        }
    }

    /// Takes over note-offs that an earlier performer could not send any more.
    pub fn inherit(&mut self, owed: impl IntoIterator<Item = Place>) {
        owed.into_iter().for_each(|place| self.passage.owe(place));
    }

    /// The note-offs that a host which processes no more will never get from this performer.
    pub fn debts(&self) -> Vec<Place> {
        self.schedule.sounding().map(|note| place(note.key)).collect()
    }

    /// Plays one block of `length` samples.
    pub fn process(
        &mut self,
        transport: &Transport,
        length: Samples,
        settings: Settings,
        port: &mut impl Port,
    ) {
        self.begin_block(transport, settings, port);
        while let Some(arrival) = port.next() {
            let at = self.timeline.now() + Samples(u64::from(arrival.offset));
            self.advance(at, port);
            self.hear(at, arrival, port);
        }
        self.advance(self.timeline.now() + length, port);
        self.timeline.end_block(length);
    }

    /// Forgets the take. What still sounds is released in the next block, since nothing can be sent now.
    pub fn reset(&mut self) {
        self.hearing.clear();
        self.turns.restart();
        self.schedule.release_all(self.timeline.now());
        self.forget_owed = true;
        self.pay_forget();
    }

    fn begin_block(&mut self, transport: &Transport, settings: Settings, port: &mut impl Port) {
        self.blocked = false;
        self.cursor = self.timeline.now();
        self.pay_forget();
        self.pay_debts(port);
        let now = self.timeline.now();
        let bypassed = settings.bypass && !self.settings.bypass;
        self.settings = settings;
        match self.timeline.begin_block(transport) {
            Motion::Steady => {}
            Motion::Stopped => {
                let ended = self.turns.stop();
                self.fall_silent(ended, port);
            }
            Motion::Started | Motion::Jumped => {
                let ended = self.turns.jump(self.timeline.pin(now));
                self.fall_silent(ended, port);
            }
        }
        if bypassed {
            let ended = self.turns.stop();
            self.hearing.clear();
            self.fall_silent(ended, port);
        }
        self.collect();
    }

    /// Does all that falls due before `to`, in the order of time.
    fn advance(&mut self, to: SampleTime, port: &mut impl Port) {
        loop {
            self.collect();
            let change = self.turns.next_change(&self.timeline, &self.settings.rules);
            let due = self.schedule.next_due(&self.timeline).filter(|_| !self.blocked);
            match (change, due) {
                (Some((at, change)), due) if at < to && due.is_none_or(|(due, _)| at <= due) => {
                    self.cursor = self.cursor.max(at);
                    self.change(at, change);
                }
                (_, Some((at, due))) if at < to => {
                    self.cursor = self.cursor.max(at);
                    self.play(due, port);
                }
                _ => break,
            }
        }
        self.cursor = self.cursor.max(to);
    }

    fn change(&mut self, at: SampleTime, change: Change) {
        match change {
            Change::Ask => self.ask(at),
            Change::HandOver => self.turns.hand_over(),
            Change::End => {
                if let Some(ask) = self.turns.current() {
                    self.cancel(ask.turn);
                }
                self.turns.end();
                self.schedule.drop_pending();
            }
        }
    }

    fn hear<P: Port>(&mut self, at: SampleTime, arrival: Arrival<P::Event>, port: &mut P) {
        let Settings { thru, bypass, .. } = self.settings;
        if !bypass {
            self.listen(at, arrival.gesture, port);
        }
        if self.passage.passes(arrival.gesture, thru || bypass) && port.pass(arrival).is_err() {
            self.telemetry.dropped.raise();
            if let Gesture::KeyUp(place) = arrival.gesture {
                self.passage.owe(place);
            }
        }
    }

    fn listen(&mut self, at: SampleTime, gesture: Gesture, port: &mut impl Port) {
        match gesture {
            Gesture::KeyDown(place, velocity) => {
                self.telemetry.heard.raise();
                let ended = self.turns.key_down(self.timeline.pin(at));
                self.fall_silent(ended, port);
                if let Some(note) = self.hearing.key_down(place, velocity, at) {
                    self.remember(note);
                }
            }
            Gesture::KeyUp(place) => {
                let was_held = self.hearing.any_key_held();
                if let Some(note) = self.hearing.key_up(place, at) {
                    self.remember(note);
                }
                if was_held && !self.hearing.any_key_held() {
                    self.turns.last_key_up(self.timeline.pin(at));
                }
            }
            Gesture::Pedal { channel, down } => {
                self.hearing.pedal(channel, down);
                while let Some(note) = self.hearing.end_unpedalled(at) {
                    self.remember(note);
                }
            }
            Gesture::Other => {}
        }
    }

    fn ask(&mut self, at: SampleTime) {
        // What only the pedal keeps is told with its duration so far, so that the answer knows of it.
        while let Some(note) = self.hearing.end_sustained(at) {
            self.remember(note);
        }
        let Some(ask) = self.turns.ask(&self.timeline, &self.settings.rules) else { return };
        let (from, until) = self.moments(&ask);
        let Settings { seed, varying, temperature, memory, model, .. } = self.settings;
        let seed = if varying { seed.wrapping_add(ask.turn.0.wrapping_mul(SEED_STRIDE)) } else { seed };
        self.promised = from;
        let wish = Wish { seed, temperature, memory, model };
        self.request(Request::Answer { turn: ask.turn, from, length: until - from, wish });
    }

    /// Takes what the worker has made, as far as there is room for it.
    fn collect(&mut self) {
        self.work_inline();
        while self.schedule.has_room() {
            let Ok(Reply::Play { turn, note }) = self.lanes.replies.pop() else { break };
            // A reply of an old turn cannot sound.
            if let Some(ask) = self.turns.current().filter(|ask| ask.turn == turn) {
                self.plan(&ask, note);
            }
            self.work_inline();
        }
    }

    fn plan(&mut self, ask: &Ask, note: Note) {
        let timeline = &self.timeline;
        let mut onset = timeline.after_seconds(ask.hand_over, note.onset - self.promised);
        let sample = timeline.sample(onset);
        if sample < self.cursor {
            self.telemetry.late.raise();
            if self.cursor - sample > timeline.rate().samples(LATEST) {
                self.telemetry.dropped.raise();
                return;
            }
            onset = timeline.pin(self.cursor);
        }
        let end = timeline.after_seconds(onset, note.duration);
        let planned = PlannedNote { onset, end, key: note.key, velocity: note.velocity };
        if self.schedule.plan(planned, timeline).is_err() {
            self.telemetry.dropped.raise();
        }
    }

    fn play(&mut self, due: Due, port: &mut impl Port) {
        match due {
            Due::NoteOff(sounding) => self.release(sounding, port),
            Due::NoteOn(note) => {
                if let Some(sounding) = self.schedule.sounding_on(note.key) {
                    self.release(sounding, port);
                }
                let sound = Sound::NoteOn(place(note.key), note.velocity);
                if !self.blocked && port.play(self.offset(), sound).is_ok() {
                    self.telemetry.answered.raise();
                    self.schedule.start_first(self.cursor);
                } else {
                    self.telemetry.dropped.raise();
                    self.schedule.skip_first();
                }
            }
        }
    }

    /// A note-off is never dropped: one that the host refuses stays due.
    fn release(&mut self, note: Sounding, port: &mut impl Port) {
        if port.play(self.offset(), Sound::NoteOff(place(note.key))).is_err() {
            self.blocked = true;
            return;
        }
        self.schedule.end(note.key);
        let Sounding { key, velocity, onset, .. } = note;
        self.remember(HeardNote { key, velocity, onset, end: self.cursor });
    }

    /// Releases all that sounds, drops all that is planned, and tells the worker.
    fn fall_silent(&mut self, ended: Option<TurnId>, port: &mut impl Port) {
        self.schedule.release_all(self.cursor);
        while !self.blocked {
            let Some(note) = self.schedule.sounding().next() else { break };
            self.release(note, port);
        }
        if let Some(turn) = ended {
            self.cancel(turn);
        }
    }

    fn cancel(&mut self, turn: TurnId) {
        self.request(Request::Cancel(turn));
    }

    fn remember(&mut self, note: HeardNote) {
        let onset = self.timeline.moment(note.onset);
        let duration = self.timeline.moment(note.end) - onset;
        self.request(Request::Heard(Note { onset, duration, key: note.key, velocity: note.velocity }));
    }

    fn request(&mut self, request: Request) {
        if self.lanes.requests.push(request).is_err() {
            self.telemetry.unsent.raise();
        }
        self.work_inline();
    }

    fn pay_debts(&mut self, port: &mut impl Port) {
        while let Some(place) = self.passage.first_owed() {
            if port.play(0, Sound::NoteOff(place)).is_err() {
                self.blocked = true;
                return;
            }
            self.passage.paid(place);
        }
    }

    fn pay_forget(&mut self) {
        if self.forget_owed && self.lanes.requests.push(Request::Forget).is_ok() {
            self.forget_owed = false;
        }
    }

    fn work_inline(&mut self) {
        if let Partner::Inline(improviser) = &mut self.partner {
            while improviser.step() == Progress::Worked {}
        }
    }

    /// An answer's bounds in the instance's time, as they look at the tempo of now.
    fn moments(&self, ask: &Ask) -> (Moment, Moment) {
        let moment = |position| self.timeline.moment(self.timeline.sample(position));
        (moment(ask.hand_over), moment(ask.until))
    }

    fn offset(&self) -> u32 {
        u32::try_from((self.cursor - self.timeline.now()).0).unwrap_or(u32::MAX)
    }
}

fn place(key: Key) -> Place {
    Place { channel: CHANNEL, key }
}

/// Sets the seeds of successive turns apart; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;
