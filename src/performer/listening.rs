//! The performer and the player: what a gesture does to the memory, to the turn and to the instrument.

use super::{
    Arrival, Gesture, Performer, Port,
    input::{Heed, Input, Sender},
    output::ThruGate,
};
use crate::{
    event_log::Event,
    lane::Request,
    music::{
        note::{Note, Velocity},
        note_tracker::{CHANNELS, ChannelKey, ChannelKeys, Outcome, Pedal, Release, Role, Strike},
        time::{SampleTime, Seconds},
    },
};

impl Performer {
    pub(super) fn hear<P: Port>(&mut self, at: SampleTime, arrival: Arrival<P::Event>, port: &mut P) {
        let heed = self.input.heed(arrival.gesture, &self.settings);
        match (heed, arrival.gesture) {
            (Heed::Music, gesture) => {
                self.hear_music(at, arrival, port);
                if gesture.moves_keys() {
                    self.follow_harmony(at);
                }
            }
            (Heed::Cue, gesture) => {
                if let Gesture::KeyDown(place, _) = gesture {
                    self.swallow(place, &arrival);
                }
                self.take_cue(at, port);
            }
            (Heed::Swallowed, _) => {}
        }
        self.tell_floor();
    }

    fn hear_music<P: Port>(&mut self, at: SampleTime, arrival: Arrival<P::Event>, port: &mut P) {
        match arrival.gesture {
            Gesture::KeyDown(place, velocity) if self.is_own(at, place, velocity) => {
                self.telemetry.echoes.raise();
                self.swallow(place, &arrival);
            }
            Gesture::KeyDown(place, velocity) => self.hear_strike(at, place, velocity, arrival, port),
            Gesture::KeysUp(places) => self.hear_release(at, places, Release::Key, arrival, port),
            Gesture::Choke(places) => {
                if places.key.is_none() && arrival.id.is_none() {
                    self.hush(places.channel, port);
                }
                self.hear_release(at, places, Release::Cut, arrival, port);
            }
            Gesture::AllOff { channel } => {
                self.hear_all_off(at, channel, Release::Key, arrival, port);
            }
            Gesture::AllSoundOff { channel } => {
                self.hear_all_off(at, Some(channel), Release::Cut, arrival, port);
            }
            Gesture::Pedal { channel, pedal } => {
                self.input.note_tracker.pedal(channel, pedal);
                if self.settings.open_filter().passes(channel) || pedal == Pedal::Up {
                    self.tell(Event::Pedal { channel, pedal });
                }
                self.end_unpedalled(at);
                self.pass(arrival, port);
            }
            Gesture::ResetControllers { channel } => {
                self.input.note_tracker.reset_controllers(channel);
                self.tell(Event::Pedal { channel, pedal: Pedal::Up });
                self.end_unpedalled(at);
                self.pass(arrival, port);
            }
            Gesture::Bend { .. } | Gesture::Controller { .. } | Gesture::Other => self.pass(arrival, port),
        }
    }

    /// Sends the worker a change of the harmony, and replans the answer if the harmony is a new one.
    fn follow_harmony(&mut self, at: SampleTime) {
        let before = self.input.harmony.now();
        let keys = self.input.chord(&self.settings);
        let Some(change) = self.input.harmony.follow(keys, self.timeline.moment(at)) else { return };
        self.request(Request::Harmony(change));
        self.telemetry.harmony.tell(change.harmony);
        if before != Some(change.harmony) {
            self.replan();
        }
    }

    /// Whether a strike is an echo: one that the plugin has sent and that has come in again.
    fn is_own(&mut self, at: SampleTime, place: ChannelKey, velocity: Velocity) -> bool {
        let Self { input: Input { echo, note_tracker, .. }, timeline, .. } = self;
        let is_held = |key| (0..CHANNELS).any(|channel| note_tracker.holds(ChannelKey { channel, key }));
        echo.returns(place.key, velocity, at, is_held, timeline.rate())
    }

    fn hear_strike<P: Port>(
        &mut self,
        at: SampleTime,
        place: ChannelKey,
        velocity: Velocity,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) {
        self.input.set_channel(place.channel, at);
        let is_heard = self.settings.open_filter().passes(place.channel);
        if is_heard {
            self.telemetry.heard.raise();
            self.silence.feedback.player_resumed(self.timeline.moment(at));
            let consequence = self.turns.key_down(at, &self.timeline, &self.settings.rules);
            self.apply(consequence, port);
            self.make_way(place.key, port);
            self.input.channel = place.channel;
            self.input.hands.strike(place.key, at);
            self.input.touch.strike(velocity);
        }
        let onset = self.timeline.moment(at);
        let note = Note { onset, duration: Seconds::ZERO, key: place.key, velocity };
        let role = if is_heard { Role::Heard(note) } else { Role::Unheard };
        let strike = Strike { place, id: arrival.id, role, passed: false };
        if let Some(note) = self.input.note_tracker.strike(strike, onset) {
            self.remember(note);
        }
        if is_heard {
            self.tell(Event::Struck(place, velocity));
        }
        self.pass_strike(place, velocity, arrival, port);
    }

    /// Passes a strike on to the instrument, where the player then owns the key.
    fn pass_strike<P: Port>(
        &mut self,
        place: ChannelKey,
        velocity: Velocity,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) {
        if self.thru_gate() == ThruGate::Closed {
            return;
        }
        if self.output.answers_on(place) {
            self.make_way(place.key, port);
        }
        match self.output.pass_strike(place, arrival, port) {
            Ok(()) => {
                self.input.note_tracker.has_passed(place);
                self.input.echo.sent(place.key, velocity, self.cursor, Sender::Player);
            }
            Err(_) => self.telemetry.refused.raise(),
        }
    }

    /// Tracks a strike that means nothing, so that its release means nothing either.
    fn swallow<E>(&mut self, place: ChannelKey, arrival: &Arrival<E>) {
        let strike = Strike { place, id: arrival.id, role: Role::Swallowed, passed: false };
        self.input.note_tracker.strike(strike, self.timeline.moment(self.cursor));
    }

    fn hear_release<P: Port>(
        &mut self,
        at: SampleTime,
        places: ChannelKeys,
        release: Release,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) {
        let was_held = self.any_key_held();
        let (single, mut as_it_came) = (places.single(), places.single());
        self.input.note_tracker.release(places, arrival.id, release);
        let mut is_known = false;
        while let Some((place, passed)) = self.next_released(at) {
            is_known = true;
            match as_it_came.take_if(|_| passed) {
                Some(_) => self.refusal(|output| output.pass_release(place, arrival, port)),
                None if passed => self.output.release(place, arrival.offset, port),
                None => {}
            }
        }
        // A release with the id of another note than the one held here is ignored.
        if let Some(place) = single.filter(|place| !is_known && !self.input.holds(*place)) {
            let thru_gate = self.thru_gate();
            self.refusal(|output| output.pass_stray_release(place, thru_gate, arrival, port));
        }
        if was_held && !self.any_key_held() {
            self.last_key_up(at);
        }
    }

    fn hear_all_off<P: Port>(
        &mut self,
        at: SampleTime,
        channel: Option<u8>,
        release: Release,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) {
        self.hush(channel, port);
        let was_held = self.any_key_held();
        let is_master = channel.is_some() && channel == self.settings.zone.master();
        let channel = channel.filter(|_| !is_master);
        self.input.note_tracker.release(ChannelKeys { channel, key: None }, None, release);
        while self.next_released(at).is_some() {}
        self.pass(arrival, port);
        if was_held && !self.any_key_held() {
            self.last_key_up(at);
        }
    }

    /// Silences the plugin, where an all-notes-off on a channel is meant for it too.
    fn hush(&mut self, channel: Option<u8>, port: &mut impl Port) {
        if self.is_meant(channel) {
            let ended = self.turns.hush();
            self.fall_silent(ended, port);
        }
    }

    /// The key of the next strike that a release has ended, and whether the strike was passed on.
    fn next_released(&mut self, at: SampleTime) -> Option<(ChannelKey, bool)> {
        let released = self.input.note_tracker.next_released(self.timeline.moment(at))?;
        self.input.set_channel(released.place.channel, at);
        match released.outcome {
            Outcome::Over(note) => {
                self.tell(Event::Lifted(released.place.into()));
                self.remember(note);
            }
            Outcome::Kept => self.tell(Event::Lifted(released.place.into())),
            Outcome::Nothing => {}
        }
        Some((released.place, released.passed))
    }

    /// Ends the notes that no pedal keeps any more.
    pub(super) fn end_unpedalled(&mut self, at: SampleTime) {
        let mut was_sounding = false;
        while let Some(note) = self.input.note_tracker.end_unpedalled(self.timeline.moment(at)) {
            self.remember(note);
            was_sounding = true;
        }
        if was_sounding {
            self.ask_about_silence(at);
        }
    }

    fn pass<P: Port>(&mut self, arrival: Arrival<P::Event>, port: &mut P) {
        let (thru_gate, zone) = (self.thru_gate(), self.settings.zone);
        self.refusal(|output| output.pass(arrival, thru_gate, zone, port));
    }

    fn refusal(&mut self, send: impl FnOnce(&mut super::output::Output) -> Result<(), super::Refused>) {
        if send(&mut self.output).is_err() {
            self.telemetry.refused.raise();
        }
    }

    fn thru_gate(&self) -> ThruGate {
        if self.settings.thru || self.settings.bypass { ThruGate::Open } else { ThruGate::Closed }
    }
}
