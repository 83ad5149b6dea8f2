//! The performer and the floor: what the player does to the turn, and what the turn does to the answer.

use super::{Gesture, Performer, Port, Settings};
use crate::{
    chronicle::Event,
    music::{
        hearing::{Pedal, Places},
        time::{Beats, SampleTime},
        timeline::{Motion, Transport},
        turn::{Change, Consequence, Rules},
    },
};

impl Performer {
    /// Follows the host's transport into the block that begins.
    pub(super) fn follow(&mut self, transport: &Transport, port: &mut impl Port) {
        let now = self.timeline.now();
        let silence = self.turns.silence(&self.timeline, self.timeline.pin(now));
        let motion = self.timeline.begin_block(transport);
        match motion {
            Motion::Steady => {}
            Motion::Stopped => {
                let ended = self.turns.stop();
                self.fall_silent(ended, port);
            }
            Motion::Started => self.leap(motion, None, silence, port),
            Motion::Looped(by) | Motion::Sought(by) => self.leap(motion, Some(by), silence, port),
        }
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
            Change::HandOver => self.turns.hand_over(&self.settings.rules),
            Change::End => {
                if let Some(ask) = self.turns.current() {
                    self.cancel(ask.turn);
                }
                self.turns.end();
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
        if is_complete && self.schedule.is_empty() {
            self.turns.end();
        }
    }

    pub(super) fn take_cue(&mut self, at: SampleTime, port: &mut impl Port) {
        let consequence = self.turns.cue(self.timeline.pin(at));
        self.bear(consequence, port);
    }

    pub(super) fn listen(&mut self, at: SampleTime, gesture: Gesture, port: &mut impl Port) {
        match gesture {
            Gesture::KeyDown(place, velocity) => {
                self.telemetry.heard.raise();
                self.keyboard.press(place);
                let consequence = self.turns.key_down(at, &self.timeline, &self.settings.rules);
                self.bear(consequence, port);
                self.make_way(place.key, port);
                self.channel = place.channel;
                self.hands.strike(place.key, at);
                self.touch.strike(velocity);
                if let Some(note) = self.hearing.key_down(place, velocity, at) {
                    self.remember(note);
                }
                self.tell(Event::Struck(place, velocity));
            }
            Gesture::KeysUp(places) => self.lift(at, places),
            Gesture::AllOff { channel } => {
                if self.is_meant(channel) {
                    let ended = self.turns.hush();
                    self.fall_silent(ended, port);
                }
                self.lift(at, Places { channel, key: None });
            }
            Gesture::Pedal { channel, pedal } => {
                self.hearing.pedal(channel, pedal);
                if self.settings.open_ears().hear_channel(channel) || pedal == Pedal::Up {
                    self.tell(Event::Pedal { channel, pedal });
                }
                let mut was_sounding = false;
                while let Some(note) = self.hearing.end_unpedalled(at) {
                    self.remember(note);
                    was_sounding = true;
                }
                if was_sounding {
                    self.wonder(at);
                }
            }
            Gesture::Controller { .. } | Gesture::Other => {}
        }
    }

    fn lift(&mut self, at: SampleTime, places: Places) {
        let was_held = self.any_key_held();
        self.keyboard.lift(places);
        if self.hearing.any_key_held() {
            self.tell(Event::Lifted(places));
        }
        while let Some(note) = self.hearing.keys_up(places, at) {
            self.remember(note);
        }
        if was_held && !self.any_key_held() {
            self.last_key_up(at);
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
