//! What is played into a plugin, and what comes out of it.

use crate::host::Setup;

/// Something that happens at one sample of the host's clock, which counts from the start of playing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub at: u64,
    pub kind: Kind,
}

/// What happens. Channels are 0..=15; keys, controllers and their values 0..=127; velocities 1..=127.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    NoteOn {
        channel: u8,
        key: u8,
        velocity: u8,
    },
    NoteOff {
        channel: u8,
        key: u8,
    },
    Controller {
        channel: u8,
        number: u8,
        value: u8,
    },
    /// Another message to a channel as MIDI writes it: pitch bend or pressure. CLAP only.
    Message([u8; 3]),
    /// The note expression of this name, 0..=1. CLAP only.
    Brightness {
        channel: u8,
        key: u8,
        value: f32,
    },
    /// A new value, 0..=1, of the parameter with this id.
    Parameter {
        id: u32,
        value: f64,
    },
    /// The host resets the plugin between two blocks.
    Reset,
    /// The host deactivates the plugin between two blocks and activates it again with this setup.
    Restart(Setup),
}

impl Event {
    pub const fn note_on(at: u64, key: u8, velocity: u8) -> Self {
        Self { at, kind: Kind::NoteOn { channel: 0, key, velocity } }
    }

    pub const fn note_off(at: u64, key: u8) -> Self {
        Self { at, kind: Kind::NoteOff { channel: 0, key } }
    }

    /// One note as its two events.
    pub const fn note(at: u64, length: u64, key: u8, velocity: u8) -> [Self; 2] {
        [Self::note_on(at, key, velocity), Self::note_off(at + length, key)]
    }
}

/// Brings events into the order of their samples; a release goes before an onset of the same sample.
pub fn sort(events: &mut [Event]) {
    events.sort_by_key(|event| (event.at, !matches!(event.kind, Kind::NoteOff { .. })));
}
