//! The input and the output of a plugin: events, and the notes in them.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Something that happens at one sample of the host's clock, which counts from the start of playing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub at: u64,
    pub kind: Kind,
}

/// Kinds of events. Channels are 0..=15; keys, controllers and their values 0..=127; velocities 1..=127.
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
    /// Another channel message in MIDI bytes: pitch bend or pressure. CLAP only.
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

/// The result of playing one score.
#[derive(Debug, Default)]
pub struct Performance {
    /// The events in the order in which the plugin gave them, which is the order of their samples.
    pub events: Vec<Event>,
    /// The duration of each process call.
    pub process: Vec<Duration>,
    /// The loudest sample of the audio outputs, 1 for full scale.
    pub peak: f32,
}

/// A note that sounded. `off` is `None` when its release never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sounded {
    pub channel: u8,
    pub key: u8,
    pub velocity: u8,
    pub on: u64,
    pub off: Option<u64>,
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

impl Performance {
    /// Every note in the order of its onset.
    pub fn notes(&self) -> Vec<Sounded> {
        notes(&self.events)
    }

    /// The notes that were never released.
    pub fn hanging(&self) -> Vec<Sounded> {
        self.notes().into_iter().filter(|note| note.off.is_none()).collect()
    }
}

/// Sorts events by sample; a release comes before an onset of the same sample.
pub fn sort(events: &mut [Event]) {
    events.sort_by_key(|event| (event.at, !matches!(event.kind, Kind::NoteOff { .. })));
}

/// The notes in `events`, in the order of their onsets. Among equal keys the oldest is released first.
pub fn notes(events: &[Event]) -> Vec<Sounded> {
    let mut notes: Vec<Sounded> = Vec::new();
    let mut sounding: HashMap<(u8, u8), VecDeque<usize>> = HashMap::new();
    for event in events {
        match event.kind {
            Kind::NoteOn { channel, key, velocity } => {
                sounding.entry((channel, key)).or_default().push_back(notes.len());
                notes.push(Sounded { channel, key, velocity, on: event.at, off: None });
            }
            Kind::NoteOff { channel, key } => {
                if let Some(oldest) = sounding.get_mut(&(channel, key)).and_then(VecDeque::pop_front) {
                    notes[oldest].off = Some(event.at);
                }
            }
            _ => {}
        }
    }
    notes
}

/// How a plugin is activated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Sample rate in samples per second.
    pub sample_rate: f64,
    /// Largest block in samples.
    pub largest_block: u32,
    pub mode: Mode,
}

/// Whether the plugin plays in real time or is rendered offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Realtime,
    Offline,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_equal_keys_the_oldest_is_released_first() {
        let events = [Event::note_on(0, 60, 90), Event::note_on(5, 60, 80), Event::note_off(9, 60)];
        let offs: Vec<Option<u64>> = notes(&events).iter().map(|note| note.off).collect();
        assert_eq!(offs, [Some(9), None]);
    }
}
