//! Notes as they sound, the pedal included.

use std::{collections::HashMap, ops::Range};

use stage::{Event, Kind, Sounded as Struck};

const SUSTAIN: u8 = 64;
/// From this value on the pedal is down.
const DOWN: u8 = 64;

/// A note as a listener hears it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounded {
    /// Seconds of the host's clock.
    pub onset: f64,
    pub end: f64,
    pub key: u8,
    pub velocity: u8,
    /// Where in the song's beats the onset falls, swing taken out; `None` where no beats are known.
    pub beat: Option<f64>,
    /// How many seconds the onset lies from the nearest eighth, where the beats are known.
    pub off_eighth: Option<f64>,
}

impl Sounded {
    pub fn duration(&self) -> f64 {
        self.end - self.onset
    }
}

/// What a plugin played, in samples and in order, as it sounds until `end`, in seconds.
pub fn played(events: &[Event], sample_rate: f64, end: f64) -> Vec<Sounded> {
    let seconds = |at: u64| at as f64 / sample_rate;
    let note = |note: Struck| Sounded {
        onset: seconds(note.on),
        end: note.off.map_or(end, seconds),
        key: note.key,
        velocity: note.velocity,
        beat: None,
        off_eighth: None,
    };
    let mut notes: Vec<Sounded> = stage::score::notes(events).into_iter().map(note).collect();
    sustain(&mut notes, &pedal(events, sample_rate, end));
    notes
}

/// Lengthens notes, in the order of their onsets, to where the pedal lets them go: its release, or the next onset of their key.
pub fn sustain(notes: &mut [Sounded], pedal: &[Range<f64>]) {
    let mut next: HashMap<u8, f64> = HashMap::new();
    for note in notes.iter_mut().rev() {
        let down = pedal.iter().find(|down| down.contains(&note.end));
        let again = next.insert(note.key, note.onset).unwrap_or(f64::INFINITY);
        if let Some(down) = down {
            note.end = note.end.max(down.end.min(again));
        }
    }
}

/// When the pedal is down.
fn pedal(events: &[Event], sample_rate: f64, end: f64) -> Vec<Range<f64>> {
    let (mut pedal, mut since) = (Vec::new(), None);
    for event in events {
        let Kind::Controller { number: SUSTAIN, value, .. } = event.kind else { continue };
        let now = event.at as f64 / sample_rate;
        match (since, value >= DOWN) {
            (None, true) => since = Some(now),
            (Some(start), false) => {
                pedal.push(start..now);
                since = None;
            }
            _ => (),
        }
    }
    pedal.extend(since.map(|start| start..end));
    pedal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pedal(at: u64, value: u8) -> Event {
        Event { at, kind: Kind::Controller { channel: 0, number: SUSTAIN, value } }
    }

    #[test]
    fn a_note_sounds_until_the_pedal_or_its_key_ends_it() {
        let mut events = vec![pedal(5, 127), pedal(60, 0), pedal(80, 90)];
        for (on, length, key) in [(0, 10, 60), (20, 10, 64), (40, 10, 60), (50, 20, 67), (70, 20, 72)] {
            events.extend(Event::note(on, length, key, 90));
        }
        stage::score::sort(&mut events);
        let ends: Vec<_> = played(&events, 10.0, 10.0).iter().map(|note| (note.key, note.end)).collect();
        assert_eq!(ends, [(60, 4.0), (64, 6.0), (60, 6.0), (67, 7.0), (72, 10.0)]);
    }

    #[test]
    fn a_note_without_a_release_sounds_to_the_end() {
        assert_eq!(played(&[Event::note_on(10, 60, 90)], 10.0, 3.0)[0].end, 3.0);
    }
}
