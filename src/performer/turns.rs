//! The performer and the floor: what the player and the transport do to the turn, and the turn to the
//! answer.
//!
//! While the player is silent, the worker is asked when the silence is the end of the call. How long to
//! wait is also learnt, from how the player reacts to take-overs.

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

/// A player who plays on within this time after the plugin's first note had not finished.
const OVERRIDDEN: Seconds = Seconds(0.5);

/// What was asked about the current silence.
#[derive(Debug)]
pub(super) struct SilenceWatch {
    /// When the player's last key went up.
    since: SampleTime,
    id: SilenceId,
    /// The worker has not replied yet.
    pub open: bool,
    pub feedback: TakeOverFeedback,
}

/// What was learnt from the player's reactions to take-overs. It outlives a performer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TakeOverFeedback {
    learnt: Learnt,
    taken: Option<TakeOver>,
}

/// A take-over: the plugin took a silence for the end of a call, and the player has not played since.
#[derive(Debug, Clone, Copy)]
struct TakeOver {
    /// When the plugin's first note sounded; `None` before it.
    heard: Option<Moment>,
}

impl SilenceWatch {
    pub fn new(feedback: TakeOverFeedback) -> Self {
        Self { since: SampleTime(0), id: SilenceId::default(), open: false, feedback }
    }
}

impl TakeOverFeedback {
    /// Records that the plugin takes the floor because the player is silent.
    pub fn took_over(&mut self) {
        self.taken = Some(TakeOver { heard: None });
    }

    /// Records that a note of the plugin begins.
    pub fn note_sounded(&mut self, at: Moment) {
        if let Some(taken) = &mut self.taken {
            taken.heard.get_or_insert(at);
        }
    }

    /// Discards the last take-over, from which nothing can be learnt.
    pub fn clear(&mut self) {
        self.taken = None;
    }

    /// Learns from a player who plays again whether the plugin came in too early.
    pub fn player_resumed(&mut self, at: Moment) {
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
                self.silence.feedback.clear();
                let ended = self.turns.stop();
                self.fall_silent(ended, port);
            }
            Motion::Started => self.follow_jump(motion, None, silence, port),
            Motion::Looped(by) | Motion::Sought(by) => self.follow_jump(motion, Some(by), silence, port),
        }
        let consequence = self.turns.recount(now, &self.timeline, &self.settings.rules);
        self.apply(consequence, port);
    }

    fn follow_jump(
        &mut self,
        motion: Motion,
        by: Option<Beats>,
        silence: Option<Beats>,
        port: &mut impl Port,
    ) {
        let consequence = self.turns.jump(motion, &self.timeline, silence, &self.settings.rules);
        if let (Consequence::PlayOn, Some(by)) = (consequence, by) {
            self.jump(by, port);
        }
        self.apply(consequence, port);
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
                    self.silence.feedback.took_over();
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

    /// Ends an answer that is complete and has died away, even if time was left to it. In *endless*, an
    /// answer to which no key was left waits for the player's next settings instead.
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
        self.apply(consequence, port);
    }

    /// Whether a key is down on a channel that is heard, whenever it was struck.
    pub(super) fn any_key_held(&self) -> bool {
        self.input.any_held(self.settings.open_filter())
    }

    /// Follows a change of the input filter. Keys on channels that are not heard any more do not hold the
    /// answer back; keys on channels that are heard now do.
    pub(super) fn change_input_filter(&mut self, before: InputFilter, port: &mut impl Port) {
        match (self.input.any_held(before), self.any_key_held()) {
            (true, false) => self.last_key_up(self.cursor),
            (false, true) => {
                let consequence = self.turns.key_is_down(&self.settings.rules);
                self.apply(consequence, port);
            }
            (true, true) | (false, false) => {}
        }
    }

    pub(super) fn apply(&mut self, consequence: Consequence, port: &mut impl Port) {
        match consequence {
            Consequence::FallSilent(ended) => self.fall_silent(ended, port),
            Consequence::DropPending(ended) => {
                self.drop_pending();
                if let Some(turn) = ended {
                    self.cancel(turn);
                }
            }
            Consequence::PlayOn => {}
        }
    }

    /// Follows the release of the player's last key.
    pub(super) fn last_key_up(&mut self, at: SampleTime) {
        self.turns.last_key_up(at, &self.timeline, &self.settings.rules);
        self.silence.since = at;
        self.ask_about_silence(at);
    }

    /// Asks the worker when the current silence, if there is one, would be the end of the call. Until the
    /// worker replies, or if it never does, only the longest silence ends the call.
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

    /// Takes the worker's reply about a silence. A reply about an earlier silence is ignored.
    pub(super) fn expect(&mut self, silence: SilenceId, hand_over: Option<Moment>) {
        let since = self.silence.since;
        if silence == self.silence.id {
            let silence = hand_over.map(|moment| moment - self.timeline.moment(since));
            let expected = silence.map(|silence| since + self.timeline.rate().samples(silence));
            self.turns.expect(expected, self.cursor, &self.timeline, &self.settings.rules);
            self.silence.open = false;
        }
    }

    /// Tells the worker of the notes that still sound, with their durations so far. Each is heard as a
    /// whole when it is over.
    pub(super) fn tell_sounding(&mut self, now: SampleTime) {
        self.pay_forget();
        let Self { input, timeline, lanes, telemetry, .. } = self;
        let sounding = input.note_tracker.sounding(timeline.moment(now)).map(Request::sounding);
        send_all(sounding, lanes, telemetry);
    }
}
