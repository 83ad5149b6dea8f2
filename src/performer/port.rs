//! The performer's interface to a host: what arrives, what is passed on, what is played.

use crate::music::{
    note::Velocity,
    note_tracker::{ChannelKey, ChannelKeys, NoteId, Pedal},
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
    /// The note id of a strike or a release, where the host gives ids.
    pub id: Option<NoteId>,
    pub event: E,
}

/// What the player did, as far as it matters to the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    KeyDown(ChannelKey, Velocity),
    KeysUp(ChannelKeys),
    /// The host's choke: these keys end at once, whatever the pedal keeps.
    Choke(ChannelKeys),
    /// CC 120, all sound off: all keys of a channel end at once, whatever the pedal keeps.
    AllSoundOff {
        channel: u8,
    },
    /// CC 64, the sustain pedal.
    Pedal {
        channel: u8,
        pedal: Pedal,
    },
    /// CC 121, reset all controllers.
    ResetControllers {
        channel: u8,
    },
    /// The pitch is bent, or comes back to the centre.
    Bend {
        channel: u8,
        is_bent: bool,
    },
    /// Any other controller. It does not affect the music but may be a cue. Its value is 0..=127.
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
    NoteOn(ChannelKey, Velocity),
    NoteOff(ChannelKey),
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
