//! What comes in: whose keys are down, who is heard, and what is a cue.

use super::{InputFilter, Settings, port::Gesture};
use crate::music::{
    hands::Hands,
    harmony::{self, Source},
    keys::Keys,
    note_tracker::{CHANNELS, NoteTracker, Pedal, Place, SUSTAIN, Zone},
    pace::Touch,
    time::SampleTime,
    turn::{Cue, Foot},
};

const SOSTENUTO: u8 = 66;
const SOFT: u8 = 67;
/// A controller is a switch that is on from this value up.
const ON: u8 = 64;

/// The player's side. Realtime-safe once it is made.
#[derive(Debug)]
pub(super) struct Input {
    pub note_tracker: NoteTracker,
    pub hands: Hands,
    pub touch: Touch,
    pub harmony: harmony::Held,
    /// The channel of the newest strike that was heard: the answer goes where the call went.
    pub channel: u8,
    /// The controller that is down as a cue.
    cue: Option<u8>,
    /// When the player last did something on each channel.
    used: [SampleTime; CHANNELS as usize],
}

/// What is to be done with a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heed {
    Music,
    Cue,
    /// The other half of a cue.
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
            channel,
            cue: None,
            used: [SampleTime(0); CHANNELS as usize],
        }
    }

    /// Whether a gesture is a cue, the other half of one, or music. A key that gives a cue is held as what it is.
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
            // Only the release of what was swallowed is swallowed: anything else may sound.
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

    /// No controller is down as a cue: what happens meanwhile is not seen.
    pub fn forget_cue(&mut self) {
        self.cue = None;
    }

    /// The player does something on a channel.
    pub fn uses(&mut self, channel: u8, at: SampleTime) {
        self.used[usize::from(channel % CHANNELS)] = at;
    }

    /// The channel for an answer to the call: in a zone, the member's on which the player has held nothing for longest.
    pub fn channel_of_answer(&self, zone: Zone) -> u8 {
        let is_held = |channel: u8| self.note_tracker.any_held(|other| other == channel);
        let rested = |channel: &u8| (is_held(*channel), self.used[usize::from(*channel)]);
        zone.members().min_by_key(rested).unwrap_or(self.channel)
    }

    /// Whether a key is down on a channel that is heard, whenever it was struck.
    pub fn any_held(&self, input_filter: InputFilter) -> bool {
        self.note_tracker.any_held(|channel| input_filter.passes(channel))
    }

    /// The keys that are down of the chord which says what the harmony is.
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

    /// Whether a key is down here.
    pub fn holds(&self, place: Place) -> bool {
        self.note_tracker.holds(place)
    }

    /// Hands and foot are up, and nothing of them is known.
    pub fn clear(&mut self) {
        self.harmony = harmony::Held::default();
        self.note_tracker.clear();
        self.hands.clear();
    }
}
