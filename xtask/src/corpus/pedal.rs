//! When the foot is down.

use std::ops::Range;

use midly::MidiMessage;

use super::pairing::is_sustain;

/// When the sustain pedals are down.
#[derive(Default)]
pub struct Pedal {
    /// A bit for each channel whose pedal is down.
    down: u16,
    since: f64,
    spans: Vec<Range<f64>>,
}

impl Pedal {
    /// `now` in seconds.
    pub fn hear(&mut self, channel: u8, message: MidiMessage, now: f64) {
        let Some(pressed) = is_sustain(message) else { return };
        let before = self.down;
        let bit = 1 << channel;
        self.down = if pressed { before | bit } else { before & !bit };
        match (before, self.down) {
            (0, 1..) => self.since = now,
            (1.., 0) => self.spans.push(self.since..now),
            _ => {}
        }
    }

    /// The stretches of time; `end` is that of the file.
    pub fn finish(mut self, end: f64) -> Vec<Range<f64>> {
        if self.down != 0 {
            self.spans.push(self.since..end);
        }
        self.spans
    }
}
