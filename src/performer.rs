//! The audio thread: hears the player, keeps the turn, collects the answer and plays it.
//!
//! Everything here is realtime-safe once [`Performer::new`] is done.

mod desk;
mod partner;
mod sounding;

use std::sync::Arc;

pub use self::desk::{Arrival, Gesture, Port, Refused, Sound};
use self::{desk::Passage, sounding::place};
use crate::{
    improviser::Improviser,
    lane::{PerformerEnd, Telemetry},
    music::{
        hearing::{Hearing, Place},
        schedule::Schedule,
        time::{Moment, SampleRate, SampleTime, Samples},
        timeline::{Motion, Timeline, Transport},
        turn::{Change, Rules, Turns},
    },
};

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
}
