//! The audio thread: hears the player, keeps the turn, collects the answer and plays it.
//!
//! Everything here is realtime-safe once [`Performer::new`] is done, as long as the host keeps real time.

mod desk;
mod pace;
mod partner;
mod passage;
mod sounding;
mod wonder;

use std::{sync::Arc, time::Instant};

pub use self::{
    desk::{Arrival, Gesture, Port, Refused, Sound},
    passage::Passage,
};
use self::{pace::Pace, passage::Way, wonder::Wonder};
use crate::{
    improviser::Improviser,
    lane::{PerformerEnd, Telemetry, Wish},
    music::{
        hearing::{Hearing, Places},
        patience::Patience,
        schedule::Schedule,
        time::{SampleRate, SampleTime, Samples},
        timeline::{Motion, Timeline, Transport},
        turn::{Change, Rules, TurnId, Turns},
    },
};

/// Sets the seeds of successive turns apart; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;

/// What the player has set, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rules: Rules,
    /// How sure the worker is to be that a silence is the end of the call.
    pub patience: Patience,
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

impl Settings {
    /// How the answer after `ordinal` others of its take is to be made. Realtime-safe.
    pub fn wish(&self, ordinal: u32) -> Wish {
        let Self { seed, varying, temperature, memory, model, .. } = *self;
        let moved = if varying { ordinal.wrapping_mul(SEED_STRIDE) } else { 0 };
        Wish { seed: seed.wrapping_add(moved), temperature, memory, model }
    }
}

/// Who makes the answers.
pub enum Partner {
    /// A worker on the other side of the lanes.
    Worker(Pace),
    /// Offline, the audio thread does the worker's steps itself, so that a bounce needs no luck.
    Inline(Box<Improviser>),
}

impl Partner {
    /// A worker, for a host whose pace is not known yet.
    pub fn worker() -> Self {
        Self::Worker(Pace::default())
    }
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
    wonder: Wonder,
    /// The turn whose answer is not complete yet.
    awaited: Option<TurnId>,
    /// The channel of the player's newest strike: the answer goes where the call went.
    channel: u8,
    /// Nothing goes out before this: what is sent is sent in the order of time.
    cursor: SampleTime,
    /// The host refused a note-off; it is sent in the next block.
    blocked: bool,
    forget_owed: bool,
}

impl Performer {
    /// Allocates all it will ever need. `passage` is what an earlier performer left undone.
    pub fn new(
        rate: SampleRate,
        lanes: PerformerEnd,
        partner: Partner,
        telemetry: Arc<Telemetry>,
        settings: Settings,
        passage: Passage,
    ) -> Self {
        Self {
            timeline: Timeline::new(rate),
            hearing: Hearing::new(),
            turns: Turns::new(),
            schedule: Schedule::new(),
            passage,
            lanes,
            partner,
            telemetry,
            settings,
            wonder: Wonder::new(),
            awaited: None,
            channel: 0,
            cursor: SampleTime(0),
            blocked: false,
            forget_owed: false,
        }
    }

    /// What is still to be undone on the instrument when the host processes no more.
    pub fn leave(mut self) -> Passage {
        self.owe_all();
        self.passage
    }

    /// Plays one block of `length` samples.
    pub fn process(
        &mut self,
        transport: &Transport,
        length: Samples,
        settings: Settings,
        port: &mut impl Port,
    ) {
        if let Partner::Worker(pace) = &mut self.partner {
            pace.begin_block(self.timeline.rate().seconds(length), Instant::now());
        }
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
        self.owe_all();
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
        let silence = self.turns.silence(&self.timeline, self.timeline.pin(now));
        match self.timeline.begin_block(transport) {
            Motion::Steady => {}
            Motion::Stopped => {
                let ended = self.turns.stop();
                self.fall_silent(ended, port);
            }
            Motion::Started | Motion::Jumped => {
                let ended = self.turns.jump(&self.timeline, self.timeline.pin(now), silence);
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
                    self.change(change);
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

    fn change(&mut self, change: Change) {
        match change {
            Change::Ask => self.ask(),
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
        let way = if thru || bypass { Way::Open } else { Way::Closed };
        if self.passage.passes(arrival.gesture, way) {
            let sent = port.pass(arrival);
            if sent.is_err() {
                self.telemetry.refused.raise();
            }
            self.passage.settle(arrival.gesture, sent);
        }
    }

    fn listen(&mut self, at: SampleTime, gesture: Gesture, port: &mut impl Port) {
        match gesture {
            Gesture::KeyDown(place, velocity) => {
                self.telemetry.heard.raise();
                let ended = self.turns.key_down(self.timeline.pin(at));
                self.fall_silent(ended, port);
                self.channel = place.channel;
                if let Some(note) = self.hearing.key_down(place, velocity, at) {
                    self.remember(note);
                }
            }
            Gesture::KeysUp(places) => self.lift(at, places),
            Gesture::AllOff { channel } => {
                let ended = self.turns.current().and_then(|_| self.turns.stop());
                self.fall_silent(ended, port);
                self.lift(at, Places { channel: Some(channel), key: None });
            }
            Gesture::Pedal { channel, pedal } => {
                self.hearing.pedal(channel, pedal);
                let mut was_sounding = false;
                while let Some(note) = self.hearing.end_unpedalled(at) {
                    self.remember(note);
                    was_sounding = true;
                }
                if was_sounding {
                    self.wonder(at);
                }
            }
            Gesture::Other => {}
        }
    }

    fn lift(&mut self, at: SampleTime, places: Places) {
        let was_held = self.hearing.any_key_held();
        while let Some(note) = self.hearing.keys_up(places, at) {
            self.remember(note);
        }
        if was_held && !self.hearing.any_key_held() {
            self.last_key_up(at);
        }
    }
}
