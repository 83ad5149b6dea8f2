//! The audio thread: hears the player, keeps the turn, collects the answer and plays it.
//!
//! Everything here is realtime-safe once [`Performer::new`] is done, as long as the host keeps real time.

mod input;
mod listening;
mod output;
mod partner;
mod port;
mod rendering;
mod reports;
mod settings;
mod sounding;
mod turns;

use std::{sync::Arc, time::Instant};

use self::{
    input::Input,
    output::{Instrument, Output},
    reports::Reported,
    sounding::Plan,
    turns::{SilenceWatch, TakeOverFeedback},
};
pub use self::{
    port::{Arrival, Gesture, Port, Refused, Sound},
    rendering::RenderDetector,
    settings::{InputFilter, OutputSettings, Settings, Triggers},
};
use crate::{
    event_log::EventLog,
    improviser::Improviser,
    lane::PerformerEnd,
    music::{
        generation::GenerationSettings,
        metre::Metre,
        pace::Touch,
        time::{Moment, SampleRate, SampleTime, Samples},
        timeline::{Timeline, Transport},
        turn::{TurnId, Turns},
    },
    telemetry::Telemetry,
};

/// What makes the answers.
pub enum Partner {
    /// A worker on the other side of the lanes. It is never waited for.
    Worker,
    /// A worker, in a host that may render offline without saying so. While it renders, there is time to
    /// wait.
    Watched(RenderDetector),
    /// In an offline render, the audio thread does the worker's steps itself, so that a bounce does not
    /// depend on timing.
    Inline(Box<Improviser>),
}

/// State that outlives a performer, so that a new sample rate or block size changes nothing for the player.
#[derive(Debug, Default)]
pub struct Past {
    instrument: Instrument,
    /// State of the live session; `None` while no live performer has left one.
    session: Option<Session>,
}

/// State of a live session, from which the next performer goes on.
#[derive(Debug, Clone, Copy)]
struct Session {
    /// Moment from which the next performer's clock goes on.
    until: Moment,
    turns: u32,
    touch: Touch,
    channel: u8,
    metre: Metre,
    feedback: TakeOverFeedback,
}

impl Past {
    /// The past for a bounce, which begins without a session. It takes over what is owed to the instrument;
    /// the live session stays in `self`.
    pub fn aside(&mut self) -> Self {
        Self { instrument: std::mem::take(&mut self.instrument), session: None }
    }

    /// Takes in what a performer has left. A bounce leaves no session, so the session before it is kept.
    pub fn take_up(&mut self, left: Self) {
        self.instrument = left.instrument;
        self.session = left.session.or(self.session);
    }
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
    /// The newest generation settings that were sent to the worker.
    told: Option<GenerationSettings>,
    /// The newest metre of the song that was sent to the worker.
    metre: Metre,
    plan: Plan,
    silence: SilenceWatch,
    /// The turn whose answer is not complete yet.
    awaited: Option<TurnId>,
    /// The newest turn whose answer is complete.
    complete: Option<TurnId>,
    /// The sample that the performer has reached. Events go out in the order of time, so none is sent for
    /// an earlier one.
    cursor: SampleTime,
    forget_owed: bool,
    /// No block has begun yet.
    is_fresh: bool,
    event_log: EventLog,
    reported: Reported,
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
        let session = past.session;
        let timeline = Timeline::going_on(rate, session.map_or(Moment(0.0), |session| session.until));
        let now = timeline.now();
        let touch = session.map_or(Touch::default(), |session| session.touch);
        Self {
            timeline,
            input: Input::new(touch, session.map_or(0, |session| session.channel)),
            turns: Turns::after(session.map_or(0, |session| session.turns)),
            output: Output::new(past.instrument),
            lanes,
            partner,
            telemetry,
            settings,
            told: None,
            metre: session.map_or(Metre::none(Moment(0.0)), |session| session.metre),
            plan: Plan::new(now, settings.generation),
            silence: SilenceWatch::new(
                session.map_or(TakeOverFeedback::default(), |session| session.feedback),
            ),
            awaited: None,
            complete: None,
            cursor: now,
            forget_owed: false,
            is_fresh: true,
            event_log: EventLog::UNREAD,
            reported: Reported::default(),
        }
    }

    /// Ends the performer when the host processes no more blocks. The past still owes the instrument the
    /// end of all that sounds.
    pub fn leave(mut self) -> Past {
        let ended = self.turns.stop();
        self.owe_all();
        self.remember_sounding();
        if let Some(turn) = ended {
            self.cancel(turn);
        }
        let session = Session {
            until: self.timeline.moment(self.timeline.now()),
            turns: self.turns.count(),
            touch: self.input.touch,
            channel: self.input.channel,
            metre: self.metre,
            feedback: self.silence.feedback,
        };
        let is_live = !matches!(self.partner, Partner::Inline(_));
        Past { instrument: self.output.leave(), session: is_live.then_some(session) }
    }

    /// Plays one block of `length` samples.
    pub fn process(
        &mut self,
        transport: &Transport,
        length: Samples,
        settings: Settings,
        port: &mut impl Port,
    ) {
        self.is_fresh = false;
        if let Partner::Watched(detector) = &mut self.partner {
            detector.begin_block(self.timeline.rate().seconds(length), Instant::now());
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
        if let Partner::Watched(detector) = &mut self.partner {
            detector.end_block(Instant::now());
        }
    }

    /// Forgets the take. What still sounds is released in the next block, since nothing can be sent now. A
    /// host may also call this before the first block; then there is nothing to forget.
    pub fn reset(&mut self) {
        if self.is_fresh {
            return;
        }
        self.input.clear();
        self.turns.restart();
        self.silence.feedback = TakeOverFeedback::default();
        self.cursor = self.timeline.now();
        self.owe_all();
        self.begin_take();
        self.forget_owed = true;
        self.pay_forget();
    }

    fn begin_block(&mut self, transport: &Transport, settings: Settings, port: &mut impl Port) {
        self.cursor = self.timeline.now();
        self.pay_forget();
        if !matches!(self.partner, Partner::Inline(_)) {
            self.turns.warn(self.telemetry.first_notes.rarely_exceeded());
        }
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
        self.apply_settings(&before, port);
        self.collect();
    }

    /// Does all that falls due before `to`, in the order of time.
    fn advance(&mut self, to: SampleTime, port: &mut impl Port) {
        loop {
            self.collect();
            self.end_complete();
            let change = self.turns.next_change(self.cursor, &self.timeline);
            let due = self.output.schedule.next_due(&self.timeline).filter(|_| !self.output.is_blocked());
            // Where the host's beat has skipped both, the change of the turn goes before the note.
            let is_first = |at: SampleTime| due.is_none_or(|(due, _)| at <= due.max(self.cursor));
            match (change, due) {
                (Some((at, change)), _) if at < to && is_first(at) => {
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
