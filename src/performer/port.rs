//! Where the performer meets a host: what arrives, what is passed on, what is played.

use crate::music::{
    note::Velocity,
    note_tracker::{NoteId, Pedal, Place, Places},
};

/// A host's block of events, in and out.
pub trait Port {
    /// The host's own form of an event.
    type Event: Copy;

    /// The next event of the block, in the order of time.
    fn next(&mut self) -> Option<Arrival<Self::Event>>;

    /// Sends an event on as it came.
    fn pass(&mut self, arrival: Arrival<Self::Event>) -> Result<(), Refused>;

    /// Sends a sound of the plugin's own, `offset` samples into the block.
    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused>;
}

/// An event of the player.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<E> {
    /// Samples from the beginning of the block.
    pub offset: u32,
    pub gesture: Gesture,
    /// The note that a strike begins or a release means, where the host names notes.
    pub id: Option<NoteId>,
    pub event: E,
}

/// What the player did, as far as it matters to the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    KeyDown(Place, Velocity),
    KeysUp(Places),
    /// The host's choke: these keys end at once, whatever the pedal keeps.
    Choke(Places),
    /// CC 120: the same for all keys of a channel.
    AllSoundOff {
        channel: u8,
    },
    /// CC 64.
    Pedal {
        channel: u8,
        pedal: Pedal,
    },
    /// CC 121.
    ResetControllers {
        channel: u8,
    },
    /// The pitch is bent, or comes back to the centre.
    Bend {
        channel: u8,
        is_bent: bool,
    },
    /// Any other controller that has no meaning to the music but may be a cue; its value 0..=127.
    Controller {
        number: u8,
        value: u8,
    },
    /// CC 123 to 127: every key of the channel goes up; `None` stands for all channels.
    AllOff {
        channel: Option<u8>,
    },
    Other,
}

impl Gesture {
    /// Whether keys go down or up.
    pub fn moves_keys(&self) -> bool {
        matches!(
            self,
            Self::KeyDown(..)
                | Self::KeysUp(_)
                | Self::Choke(_)
                | Self::AllOff { .. }
                | Self::AllSoundOff { .. }
        )
    }
}

/// What the plugin plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    NoteOn(Place, Velocity),
    NoteOff(Place),
    /// The sustain pedal of a channel comes up.
    PedalUp {
        channel: u8,
    },
    /// The pitch of a channel comes back to the centre.
    Unbend {
        channel: u8,
    },
}

/// The host takes no more events in this block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;
