//! The audio thread: hears the player, keeps the turn, collects the answer and plays it.
//!
//! Everything here is realtime-safe once [`Performer::new`] is done, as long as the host keeps real time.

mod again;
mod delivery;
mod floor;
mod input;
mod listening;
mod output;
mod pace;
mod partner;
mod port;
mod sounding;
mod telling;
mod wonder;

use std::sync::Arc;

use self::{
    again::Plan,
    input::Input,
    output::{Instrument, Output},
    pace::Lead,
    telling::Told,
    wonder::Wonder,
};
pub use self::{
    again::Triggers,
    delivery::Delivery,
    input::Ears,
    pace::Pace,
    port::{Arrival, Gesture, Port, Refused, Sound},
};
use crate::{
    chronicle::Chronicle,
    improviser::Improviser,
    lane::{PerformerEnd, Telemetry},
    music::{
        hearing::Zone,
        manner::Manner,
        metre::Metre,
        patience::Patience,
        time::{Moment, SampleRate, SampleTime, Samples},
        timeline::{Timeline, Transport},
        turn::{Rules, TurnId, Turns},
    },
};

/// Sets the seeds of successive turns apart; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;
/// The same for the plans of one turn.
const PLAN_STRIDE: u32 = 0x85EB_CA6B;

/// What the player has set, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rules: Rules,
    /// How sure the worker is to be that a silence is the end of the call.
    pub patience: Patience,
    pub manner: Manner,
    pub delivery: Delivery,
    pub ears: Ears,
    /// Which channels are one MPE instrument.
    pub zone: Zone,
    pub triggers: Triggers,
    pub seed: u32,
    /// Every turn has a seed of its own.
    pub varying: bool,
    pub thru: bool,
    pub bypass: bool,
}

impl Settings {
    /// The seed of a plan, after `plan` others of its turn, for the turn after `ordinal` others of its take.
    /// Realtime-safe.
    pub fn seed(&self, ordinal: u32, plan: u32) -> u32 {
        let moved = if self.varying { ordinal.wrapping_mul(SEED_STRIDE) } else { 0 };
        self.seed.wrapping_add(moved).wrapping_add(plan.wrapping_mul(PLAN_STRIDE))
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
        Self::Worker(Pace::Watched(Lead::default()))
    }
}

/// What outlives a performer.
#[derive(Debug, Default)]
pub struct Past {
    instrument: Instrument,
}

/// Plays one instance. Built when the plugin is activated, for one sample rate.
pub struct Performer {
    timeline: Timeline,
    input: Input,
    turns: Turns,
    output: Output,
    lanes: PerformerEnd,
    partner: Partner,
    telemetry: Arc<Telemetry>,
    settings: Settings,
    /// The manner that the worker knows of.
    told: Option<Manner>,
    /// How the song goes, as far as the worker knows.
    metre: Metre,
    plan: Plan,
    wonder: Wonder,
    /// The turn whose answer is not complete yet.
    awaited: Option<TurnId>,
    /// The newest turn whose answer is complete.
    complete: Option<TurnId>,
    /// Nothing goes out before this: what is sent is sent in the order of time.
    cursor: SampleTime,
    forget_owed: bool,
    chronicle: Chronicle,
    news: Told,
}

impl Performer {
    /// Allocates all it will ever need. `past` is what an earlier performer has left.
    pub fn new(
        rate: SampleRate,
        lanes: PerformerEnd,
        partner: Partner,
        telemetry: Arc<Telemetry>,
        settings: Settings,
        past: Past,
    ) -> Self {
        Self {
            timeline: Timeline::new(rate),
            input: Input::new(),
            turns: Turns::new(),
            output: Output::new(past.instrument),
            lanes,
            partner,
            telemetry,
            settings,
            told: None,
            metre: Metre::none(Moment(0.0)),
            plan: Plan::new(SampleTime(0), settings.manner),
            wonder: Wonder::new(),
            awaited: None,
            complete: None,
            cursor: SampleTime(0),
            forget_owed: false,
            chronicle: Chronicle::UNREAD,
            news: Told::default(),
        }
    }

    /// What is left when the host processes no more: all that sounds is still to be undone on the instrument.
    pub fn leave(mut self) -> Past {
        self.owe_all();
        Past { instrument: self.output.leave() }
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
            pace.begin_block(self.timeline.rate().seconds(length));
        }
        self.begin_block(transport, settings, port);
        while let Some(arrival) = port.next() {
            let at = self.timeline.now() + Samples(u64::from(arrival.offset));
            self.advance(at, port);
            self.hear(at, arrival, port);
        }
        self.advance(self.timeline.now() + length, port);
        self.tell_floor();
        self.timeline.end_block(length);
        self.telemetry.clock.set(self.timeline.now());
        self.tell_reached();
    }

    /// Forgets the take. What still sounds is released in the next block, since nothing can be sent now.
    pub fn reset(&mut self) {
        self.input.clear();
        self.turns.restart();
        self.cursor = self.timeline.now();
        self.owe_all();
        self.begin_take();
        self.forget_owed = true;
        self.pay_forget();
    }

    fn begin_block(&mut self, transport: &Transport, settings: Settings, port: &mut impl Port) {
        self.cursor = self.timeline.now();
        self.pay_forget();
        self.output.begin_block(port);
        let stops = self.is_stopped_by(&settings);
        let before = std::mem::replace(&mut self.settings, settings);
        self.follow(transport, port);
        self.tell_song();
        if stops {
            let ended = self.turns.stop();
            self.fall_silent(ended, port);
        }
        if settings.rules != before.rules {
            self.turns.set(self.cursor, &self.timeline, &self.settings.rules);
        }
        if settings.bypass {
            self.input.forget_cue();
        }
        self.obey(&before, port);
        self.collect();
    }

    /// Does all that falls due before `to`, in the order of time.
    fn advance(&mut self, to: SampleTime, port: &mut impl Port) {
        loop {
            self.collect();
            self.end_complete();
            let change = self.turns.next_change(self.cursor, &self.timeline);
            let due = self.output.schedule.next_due(&self.timeline).filter(|_| !self.output.is_blocked());
            match (change, due) {
                (Some((at, change)), due) if at < to && due.is_none_or(|(due, _)| at <= due) => {
                    self.cursor = self.cursor.max(at);
                    self.change(change);
                    self.tell_floor();
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
}
