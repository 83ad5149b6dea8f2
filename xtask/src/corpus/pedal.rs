//! When the foot is down.

use std::ops::Range;

use midly::MidiMessage;

use super::messages::is_sustain;

/// When the sustain pedals are down.
#[derive(Default)]
pub struct Pedal {
    /// The numbers of channels, in order.
    down: Vec<usize>,
    since: f64,
    spans: Vec<Range<f64>>,
}

impl Pedal {
    /// `now` in seconds.
    pub fn hear(&mut self, channel: usize, message: MidiMessage, now: f64) {
        let Some(pressed) = is_sustain(message) else { return };
        let was_up = self.down.is_empty();
        match (self.down.binary_search(&channel), pressed) {
            (Err(place), true) => self.down.insert(place, channel),
            (Ok(place), false) => drop(self.down.remove(place)),
            _ => return,
        }
        match (was_up, self.down.is_empty()) {
            (true, _) => self.since = now,
            (_, true) => self.spans.push(self.since..now),
            _ => {}
        }
    }

    /// The stretches of time; `end` is that of the file.
    pub fn finish(mut self, end: f64) -> Vec<Range<f64>> {
        if !self.down.is_empty() {
            self.spans.push(self.since..end);
        }
        self.spans
    }
}
