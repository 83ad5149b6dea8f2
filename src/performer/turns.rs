//! The performer and the floor: what the player and the transport do to the turn, and what the turn does to the answer; while the
//! player is silent, the worker is asked when that is the end of the call, and how the player bears a take-over is learnt.

use super::{InputFilter, Performer, Port, Settings, partner::send_all};
use crate::{
    lane::{Request, Silence, SilenceId},
    music::{
        patience::Learnt,
        time::{Beats, Moment, SampleTime, Seconds},
        timeline::{Motion, Transport},
        turn::{Change, Consequence, Rules},
    },
};

/// Who plays on so soon after the plugin's first note was not done.
const OVERRIDDEN: Seconds = Seconds(0.5);

/// What was asked about the silence of now.
#[derive(Debug)]
pub(super) struct SilenceWatch {
    /// When the player's last key went up.
    since: SampleTime,
    id: SilenceId,
    /// The worker has not replied yet.
    pub open: bool,
    pub feedback: TakeOverFeedback,
}

/// What the player has taught by how take-overs were borne. It outlives a performer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TakeOverFeedback {
    learnt: Learnt,
    taken: Option<TakeOver>,
}

/// The plugin has taken a silence for the end of a call, and the player has not played since.
#[derive(Debug, Clone, Copy)]
struct TakeOver {
    /// The plugin's first note.
    heard: Option<Moment>,
}

impl SilenceWatch {
    pub fn new(feedback: TakeOverFeedback) -> Self {
        Self { since: SampleTime(0), id: SilenceId::default(), open: false, feedback }
    }
}

impl TakeOverFeedback {
    /// The plugin takes the floor, since the player is silent.
    pub fn takes_over(&mut self) {
        self.taken = Some(TakeOver { heard: None });
    }

    /// A note of the plugin's begins.
    pub fn sounds(&mut self, at: Moment) {
        if let Some(taken) = &mut self.taken {
            taken.heard.get_or_insert(at);
        }
    }

    /// The last take-over is nothing to learn from.
    pub fn forgets(&mut self) {
        self.taken = None;
    }

    /// The player plays on: did the plugin come in too early?
    pub fn ends(&mut self, at: Moment) {
        let Some(TakeOver { heard }) = self.taken.take() else { return };
        let was_overridden = heard.is_none_or(|heard| at - heard < OVERRIDDEN);
        self.learnt = if was_overridden { self.learnt.overridden() } else { self.learnt.let_be() };
    }
}

impl Performer {
    /// Follows the host's transport into the block that begins.
    pub(super) fn follow(&mut self, transport: &Transport, port: &mut impl Port) {
        let now = self.timeline.now();
        let silence = self.turns.silence(&self.timeline, self.timeline.pin(now));
        let motion = self.timeline.begin_block(transport);
        self.tell_metre();
        match motion {
            Motion::Steady => {}
            Motion::Stopped => {
                self.silence.feedback.forgets();
                let ended = self.turns.stop();
                self.fall_silent(ended, port);
            }
            Motion::Started => self.leap(motion, None, silence, port),
            Motion::Looped(by) | Motion::Sought(by) => self.leap(motion, Some(by), silence, port),
        }
        let consequence = self.turns.recount(now, &self.timeline, &self.settings.rules);
        self.bear(consequence, port);
    }

    fn leap(&mut self, motion: Motion, by: Option<Beats>, silence: Option<Beats>, port: &mut impl Port) {
        let consequence = self.turns.jump(motion, &self.timeline, silence, &self.settings.rules);
        if let (Consequence::PlayOn, Some(by)) = (consequence, by) {
            self.jump(by, port);
        }
        self.bear(consequence, port);
    }

    /// Whether a change of settings stops what is played: bypass, or another mode.
    pub(super) fn is_stopped_by(&self, settings: &Settings) -> bool {
        settings.bypass && !self.settings.bypass || settings.rules.is_other_mode(&self.settings.rules)
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Ask => self.ask(),
            Change::HandOver => {
                if self.turns.silence(&self.timeline, self.timeline.pin(self.cursor)).is_some() {
                    self.silence.feedback.takes_over();
                }
                self.turns.hand_over(&self.timeline, &self.settings.rules);
            }
            Change::End => {
                if let Some(ask) = self.turns.current() {
                    self.cancel(ask.turn);
                }
                self.turns.end(&self.timeline, &self.settings.rules);
                self.drop_pending();
            }
        }
    }

    /// An answer that is complete and has died away is over, whatever time was left to it; but one without an end, to
    /// which no key was left, waits for what the player sets next.
    pub(super) fn end_complete(&mut self) {
        if matches!(self.settings.rules, Rules::Endless { .. }) {
            return;
        }
        let is_complete = self.turns.answering().is_some_and(|ask| self.complete == Some(ask.turn));
        if is_complete && self.output.schedule.is_empty() {
            self.turns.end(&self.timeline, &self.settings.rules);
        }
    }

    pub(super) fn take_cue(&mut self, at: SampleTime, port: &mut impl Port) {
        let consequence = self.turns.cue(at, &self.timeline, &self.settings.rules);
        self.bear(consequence, port);
    }

    /// Whether a key is down on a channel that is heard, whenever it was struck.
    pub(super) fn any_key_held(&self) -> bool {
        self.input.any_held(self.settings.open_filter())
    }

    /// The input filter may have changed: keys of channels that are not heard any more hold no answer back, and those of channels that
    /// are heard now do.
    pub(super) fn turn_to(&mut self, before: InputFilter, port: &mut impl Port) {
        match (self.input.any_held(before), self.any_key_held()) {
            (true, false) => self.last_key_up(self.cursor),
            (false, true) => {
                let consequence = self.turns.key_is_down(&self.settings.rules);
                self.bear(consequence, port);
            }
            (true, true) | (false, false) => {}
        }
    }

    pub(super) fn bear(&mut self, consequence: Consequence, port: &mut impl Port) {
        match consequence {
            Consequence::FallSilent(ended) => self.fall_silent(ended, port),
            Consequence::PlanAnew(ended) => {
                self.drop_pending();
                if let Some(turn) = ended {
                    self.cancel(turn);
                }
            }
            Consequence::PlayOn => {}
        }
    }

    /// The player's last key went up.
    pub(super) fn last_key_up(&mut self, at: SampleTime) {
        self.turns.last_key_up(at, &self.timeline, &self.settings.rules);
        self.silence.since = at;
        self.ask_about_silence(at);
    }

    /// Asks when the silence of now would be the end of the call, if there is one. Until that is known, or where it never
    /// is, the longest silence is.
    pub(super) fn ask_about_silence(&mut self, now: SampleTime) {
        if !self.turns.is_silent() {
            return;
        }
        self.turns.expect(None, now, &self.timeline, &self.settings.rules);
        self.tell_sounding(now);
        let (id, since) = (self.silence.id.next(), self.timeline.moment(self.silence.since));
        let lasted = self.timeline.moment(now) - since;
        self.silence.id = id;
        let patience = self.silence.feedback.learnt.applied(self.settings.patience);
        self.silence.open = self.request(Request::Silence(Silence { id, since, lasted, patience }));
    }

    /// The worker's reply; what it expected of an old silence means nothing.
    pub(super) fn expect(&mut self, silence: SilenceId, hand_over: Option<Moment>) {
        let since = self.silence.since;
        if silence == self.silence.id {
            let silence = hand_over.map(|moment| moment - self.timeline.moment(since));
            let expected = silence.map(|silence| since + self.timeline.rate().samples(silence));
            self.turns.expect(expected, self.cursor, &self.timeline, &self.settings.rules);
            self.silence.open = false;
        }
    }

    /// What the pedal keeps is told with its duration so far; it is heard as a whole when it is over.
    pub(super) fn tell_sounding(&mut self, now: SampleTime) {
        self.pay_forget();
        let Self { input, timeline, lanes, telemetry, .. } = self;
        let sounding = input.note_tracker.sounding(timeline.moment(now)).map(Request::sounding);
        send_all(sounding, lanes, telemetry);
    }
}
