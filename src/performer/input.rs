//! The player's input: which keys are down, which channels are heard, which gestures are cues or echoes.
//!
//! An echo is a strike that went out and comes back in: two instances form a ring, or a cable leads back
//! from the instrument.

use super::{InputFilter, Settings, port::Gesture};
use crate::music::{
    hands::Hands,
    harmony::{self, Source},
    keys::Keys,
    note::{Key, Velocity},
    note_tracker::{CHANNELS, ChannelKey, NoteTracker, Pedal, SUSTAIN, Zone},
    pace::Touch,
    time::{SampleRate, SampleTime, Seconds},
    turn::{Cue, Foot},
};

const SOSTENUTO: u8 = 66;
const SOFT: u8 = 67;
/// A controller counts as a switch, which is on from this value up.
const ON: u8 = 64;
/// Longest time within which a strike that went out comes back as an echo: some blocks, or a cable and a
/// converter.
const ECHO_WINDOW: Seconds = Seconds(0.1);
/// Number of matching strikes in a row that are taken for echoes. No player strikes the same keys with
/// exactly the same velocities.
const CERTAIN_ECHOES: u8 = 2;
/// Number of newest strikes that are kept.
const KNOWN_STRIKES: usize = 32;

/// State of the player's input. Realtime-safe once it is made.
#[derive(Debug)]
pub(super) struct Input {
    pub note_tracker: NoteTracker,
    pub hands: Hands,
    pub touch: Touch,
    pub harmony: harmony::Held,
    pub echo: Echo,
    /// The channel of the newest strike that was heard: the answer goes where the call went.
    pub channel: u8,
    /// Number of the controller that is down as a cue.
    cue: Option<u8>,
    /// When the player last did something on each channel.
    used: [SampleTime; CHANNELS as usize],
}

/// What is to be done with a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heed {
    Music,
    Cue,
    /// Ignored: the release of a cue, or the cue once more while it is down.
    Swallowed,
}

impl Input {
    /// Allocates all it will ever need.
    pub fn new(touch: Touch, channel: u8) -> Self {
        Self {
            note_tracker: NoteTracker::new(),
            hands: Hands::new(),
            touch,
            harmony: harmony::Held::default(),
            echo: Echo::default(),
            channel,
            cue: None,
            used: [SampleTime(0); CHANNELS as usize],
        }
    }

    /// Tells whether a gesture is music, a cue, or the rest of a cue, which is ignored. The caller tracks a key that
    /// gives a cue as swallowed.
    pub fn heed(&mut self, gesture: Gesture, settings: &Settings) -> Heed {
        let input_filter = settings.open_filter();
        let cue = settings.rules.cue().filter(|_| input_filter != InputFilter::Closed);
        match gesture {
            Gesture::KeyDown(place, _)
                if cue == Some(Cue::Key(place.key)) && input_filter.passes(place.channel) =>
            {
                if self.note_tracker.swallows(place) { Heed::Swallowed } else { Heed::Cue }
            }
            Gesture::Pedal { pedal, .. } => self.heed_controller(SUSTAIN, pedal == Pedal::Down, cue),
            Gesture::Controller { number, value } => self.heed_controller(number, value >= ON, cue),
            _ => Heed::Music,
        }
    }

    fn heed_controller(&mut self, number: u8, is_on: bool, cue: Option<Cue>) -> Heed {
        let gives = match cue {
            Some(Cue::Pedal(Foot::Sostenuto)) => number == SOSTENUTO,
            Some(Cue::Pedal(Foot::Soft)) => number == SOFT,
            Some(Cue::Controller(other)) => number == other,
            _ => false,
        };
        match (is_on, self.cue == Some(number)) {
            // Only the release of a swallowed controller is swallowed. Any other release may undo something
            // that sounds.
            (false, true) => {
                self.cue = None;
                Heed::Swallowed
            }
            (true, true) if gives => Heed::Swallowed,
            (true, _) if gives => {
                self.cue = Some(number);
                Heed::Cue
            }
            _ => Heed::Music,
        }
    }

    /// Forgets the controller that is down as a cue; used in bypass, where cues are not followed.
    pub fn forget_cue(&mut self) {
        self.cue = None;
    }

    /// Records that the player does something on a channel.
    pub fn set_channel(&mut self, channel: u8, at: SampleTime) {
        self.used[usize::from(channel % CHANNELS)] = at;
    }

    /// The channel for an answer to the call. In an MPE zone, it is the member channel on which the player
    /// has held no key for longest.
    pub fn channel_of_answer(&self, zone: Zone) -> u8 {
        let is_held = |channel: u8| self.note_tracker.any_held(|other| other == channel);
        let rested = |channel: &u8| (is_held(*channel), self.used[usize::from(*channel)]);
        zone.members().min_by_key(rested).unwrap_or(self.channel)
    }

    /// Whether a key is down on a channel that is heard, whenever it was struck.
    pub fn any_held(&self, input_filter: InputFilter) -> bool {
        self.note_tracker.any_held(|channel| input_filter.passes(channel))
    }

    /// The keys that are down of the chord that sets the harmony.
    pub fn chord(&self, settings: &Settings) -> Keys {
        let input_filter = settings.open_filter();
        match settings.harmony {
            Source::Off => Keys::NONE,
            Source::Below(split) => {
                self.note_tracker.keys_down(|channel| input_filter.passes(channel)).without(Keys::from(split))
            }
            Source::Channel(chords) => self.note_tracker.keys_down(|channel| channel == chords),
        }
    }

    /// Whether this key of this channel is down.
    pub fn holds(&self, place: ChannelKey) -> bool {
        self.note_tracker.holds(place)
    }

    /// Counts all keys and pedals as up, and forgets the harmony and the hands.
    pub fn clear(&mut self) {
        self.harmony = harmony::Held::default();
        self.note_tracker.clear();
        self.hands.clear();
    }
}

/// The newest strikes that have gone out, and whether they come back. Realtime-safe.
#[derive(Debug, Default)]
pub(super) struct Echo {
    sent: [Option<Sent>; KNOWN_STRIKES],
    next: usize,
    suspicion: u8,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    key: Key,
    velocity: Velocity,
    at: SampleTime,
    by: Sender,
}

/// Whose strike went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Player,
    Answer,
}

impl Echo {
    pub fn sent(&mut self, key: Key, velocity: Velocity, at: SampleTime, by: Sender) {
        self.sent[self.next] = Some(Sent { key, velocity, at, by });
        self.next = (self.next + 1) % KNOWN_STRIKES;
    }

    /// Whether an incoming strike is an echo of one that went out and is to be ignored. A strike of the
    /// player can only come back while its key is down, since a key is not struck twice before its release.
    pub fn returns(
        &mut self,
        key: Key,
        velocity: Velocity,
        at: SampleTime,
        is_held: impl Fn(Key) -> bool,
        rate: SampleRate,
    ) -> bool {
        let same = |sent: &Sent| {
            let is_recent = at - sent.at <= rate.samples(ECHO_WINDOW);
            let fits = sent.by == Sender::Answer || is_held(key);
            (sent.key, sent.velocity) == (key, velocity) && is_recent && fits
        };
        let found = self.sent.iter_mut().find(|sent| sent.as_ref().is_some_and(same));
        match found {
            // Each strike comes back only once.
            Some(sent) => {
                *sent = None;
                self.suspicion = (self.suspicion + 1).min(CERTAIN_ECHOES * 2);
                self.suspicion >= CERTAIN_ECHOES
            }
            None => {
                self.suspicion = self.suspicion.saturating_sub(1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(1_000.0);

    fn strike(echo: &mut Echo, key: u8, velocity: u8, at: u64) -> bool {
        let key = Key::saturating(key);
        echo.returns(key, Velocity::saturating(velocity), SampleTime(at), |_| false, RATE)
    }

    fn send(echo: &mut Echo, key: u8, at: u64) {
        echo.sent(Key::saturating(key), Velocity::saturating(80), SampleTime(at), Sender::Answer);
    }

    #[test]
    fn one_strike_alike_is_chance_and_the_second_is_not() {
        let mut echo = Echo::default();
        send(&mut echo, 60, 0);
        send(&mut echo, 64, 50);
        assert!(!strike(&mut echo, 60, 80, 10));
        assert!(strike(&mut echo, 64, 80, 60));
    }

    #[test]
    fn another_velocity_or_another_time_is_the_players_own() {
        let mut echo = Echo::default();
        for at in 0..8 {
            send(&mut echo, 60, at * 500);
            assert!(!strike(&mut echo, 60, 81, at * 500 + 10));
            assert!(!strike(&mut echo, 60, 80, at * 500 + 101));
        }
    }

    #[test]
    fn a_player_who_repeats_a_key_is_no_echo() {
        let mut echo = Echo::default();
        for at in (0..2_000).step_by(60) {
            assert!(!strike(&mut echo, 60, 80, at));
            echo.sent(Key::saturating(60), Velocity::saturating(80), SampleTime(at), Sender::Player);
        }
    }
}
