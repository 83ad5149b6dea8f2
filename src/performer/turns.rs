//! The performer and the floor: what the player does to the turn, and what the turn does to the answer.

use super::{InputFilter, Performer, Port, Settings};
use crate::music::{
    time::{Beats, SampleTime},
    timeline::{Motion, Transport},
    turn::{Change, Consequence, Rules},
};

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

    /// Whether a change of settings stops what is played: bypass, or another game.
    pub(super) fn is_stopped_by(&self, settings: &Settings) -> bool {
        settings.bypass && !self.settings.bypass || settings.rules.is_other_game(&self.settings.rules)
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
}
