//! What the plugin hears of the player's hands, as it should.

use std::collections::VecDeque;

use antiphon::{
    music::{
        note_tracker::{Place, Places},
        turn::Cue,
    },
    performer::{Gesture, InputFilter, Settings},
};

/// The keys that are held, among those that are heard.
#[derive(Default)]
pub struct Hands {
    /// Gestures that are announced: what sounds before them comes after them.
    coming: VecDeque<(u64, Gesture)>,
    held: Vec<Place>,
    /// Of the newest strike.
    channel: u8,
}

/// Whether a strike is heard as music.
pub fn is_music(place: Place, settings: &Settings) -> bool {
    !settings.bypass && hears(settings, place.channel) && settings.rules.cue() != Some(Cue::Key(place.key))
}

/// Who listens to the master channel of a zone listens to all of it.
fn hears(settings: &Settings, channel: u8) -> bool {
    match settings.input_filter {
        InputFilter::Closed => false,
        InputFilter::Channel(heard) => heard == channel || settings.zone.master() == Some(heard),
        InputFilter::AllBut(other) => other != channel,
        InputFilter::All => true,
    }
}

impl Hands {
    /// A block begins: all that was announced has happened, and what is not heard any more counts as let go.
    pub fn begin_block(&mut self, settings: &Settings, panic: bool) {
        self.pass(u64::MAX);
        self.held.retain(|place| hears(settings, place.channel) && !settings.bypass && !panic);
    }

    /// Who begins to listen knows of no key that is held already.
    pub fn forget(&mut self) {
        self.pass(u64::MAX);
        self.held.clear();
    }

    /// A gesture of this block is to come, if it is heard.
    pub fn announce(&mut self, at: u64, gesture: Gesture, settings: &Settings) {
        let is_heard = match gesture {
            Gesture::KeyDown(place, _) => is_music(place, settings),
            _ => !settings.bypass,
        };
        if is_heard {
            self.coming.push_back((at, gesture));
        }
    }

    /// All that is announced up to a sample has happened.
    pub fn pass(&mut self, at: u64) {
        while let Some((_, gesture)) = self.coming.pop_front_if(|(when, _)| *when <= at) {
            match gesture {
                Gesture::KeyDown(place, _) => {
                    self.held.push(place);
                    self.channel = place.channel;
                }
                Gesture::KeysUp(places) => self.lift(places),
                Gesture::AllOff { channel } => self.lift(Places { channel, key: None }),
                Gesture::AllSoundOff { channel } => self.lift(Places { channel: Some(channel), key: None }),
                _ => {}
            }
        }
    }

    pub fn hold(&self, place: Place) -> bool {
        self.held.contains(&place)
    }

    /// Where the answer goes that goes where the call went.
    pub fn channel(&self) -> u8 {
        self.channel
    }

    fn lift(&mut self, places: Places) {
        self.held.retain(|place| !places.contains(*place));
    }
}
