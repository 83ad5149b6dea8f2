//! What came out of a plugin.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::score::{Event, Kind};

/// All that one playing gave.
#[derive(Debug, Default)]
pub struct Performance {
    /// In the order in which the plugin gave them, which is the order of their samples.
    pub events: Vec<Event>,
    /// What each process call cost.
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
