//! Notes as they sound, the pedal included, and measures of the notes of a turn as a whole.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use test_host::{Event, Kind, Sounded};

use crate::corpus::messages::{PEDAL_DOWN, SUSTAIN};

/// Onsets at most this far apart form a chord, in seconds.
pub const CHORD_S: f64 = 0.03;
/// A silence longer than this counts, in seconds.
const SILENCE_S: f64 = 1.0;
/// Number of notes of a motive.
const MOTIVE: usize = 4;

/// A note as a listener hears it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeardNote {
    /// In seconds of the host's clock.
    pub onset: f64,
    pub end: f64,
    pub key: u8,
    pub velocity: u8,
    /// The onset in beats of the song, with swing taken out; `None` where no beats are known.
    pub beat: Option<f64>,
    /// How many seconds the onset lies from the nearest eighth, where the beats are known.
    pub off_eighth: Option<f64>,
}

impl HeardNote {
    pub fn duration(&self) -> f64 {
        self.end - self.onset
    }

    /// The note-on and the release of the note.
    pub fn events(&self, sample_rate: f64) -> [Event; 2] {
        let sample = |second: f64| (second * sample_rate).round() as u64;
        let on = sample(self.onset);
        Event::note(on, sample(self.end).saturating_sub(on).max(1), self.key, self.velocity)
    }
}

/// The notes that a plugin played as they sound until `end`, in seconds. The events are in samples and in
/// order.
pub fn played(events: &[Event], sample_rate: f64, end: f64) -> Vec<HeardNote> {
    let seconds = |at: u64| at as f64 / sample_rate;
    let note = |note: Sounded| HeardNote {
        onset: seconds(note.on),
        end: note.off.map_or(end, seconds),
        key: note.key,
        velocity: note.velocity,
        beat: None,
        off_eighth: None,
    };
    let mut notes: Vec<HeardNote> = test_host::score::notes(events).into_iter().map(note).collect();
    sustain(&mut notes, &pedal(events, sample_rate, end));
    notes
}

/// Lengthens notes, in the order of their onsets, to where they end under the pedal: at its release, or at
/// the next onset of their key.
pub fn sustain(notes: &mut [HeardNote], pedal: &[Range<f64>]) {
    let mut next: HashMap<u8, f64> = HashMap::new();
    for note in notes.iter_mut().rev() {
        let down = pedal.iter().find(|down| down.contains(&note.end));
        let again = next.insert(note.key, note.onset).unwrap_or(f64::INFINITY);
        if let Some(down) = down {
            note.end = note.end.max(down.end.min(again));
        }
    }
}

/// The stretches of time in which the pedal is down, in seconds.
fn pedal(events: &[Event], sample_rate: f64, end: f64) -> Vec<Range<f64>> {
    let (mut pedal, mut since) = (Vec::new(), None);
    for event in events {
        let Kind::Controller { number: SUSTAIN, value, .. } = event.kind else { continue };
        let now = event.at as f64 / sample_rate;
        match (since, value >= PEDAL_DOWN) {
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

/// Notes of one turn, by onset.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub notes: Vec<HeardNote>,
    /// The call that was heard before.
    pub call: Vec<HeardNote>,
    /// From when on the one who plays has the floor, in seconds; below, until when.
    pub from: f64,
    pub until: f64,
}

impl Passage {
    /// The call; `None` where nothing was heard before.
    fn heard(&self) -> Option<&[HeardNote]> {
        (!self.call.is_empty()).then_some(&self.call[..])
    }

    /// Notes per second, from the first onset to the last.
    pub fn density(&self) -> Option<f64> {
        let (first, last) = (self.notes.first()?, self.notes.last()?);
        let seconds = last.onset - first.onset;
        (seconds > 0.0).then(|| (self.notes.len() - 1) as f64 / seconds)
    }

    /// The share of the passage's motives that stand in the call.
    pub fn motives(&self) -> Option<f64> {
        let heard: HashSet<Vec<i16>> = motives(self.heard()?).collect();
        mean(motives(&self.notes).map(|motive| if heard.contains(&motive) { 1.0 } else { 0.0 }))
    }

    /// Long silences per minute between the passage's own notes, while it had the floor.
    pub fn silences(&self) -> Option<f64> {
        let notes: Vec<&HeardNote> = self.notes.iter().filter(|note| note.onset >= self.from).collect();
        let (first, last) = (notes.first()?, notes.last()?);
        let (mut silent_from, mut count) = (first.end, 0.0);
        for note in &notes {
            count += f64::from(u8::from(note.onset - silent_from > SILENCE_S));
            silent_from = silent_from.max(note.end);
        }
        let minutes = (silent_from.max(last.end) - first.onset) / 60.0;
        (minutes > 0.0).then(|| count / minutes)
    }

    /// The distance of the mean key from that of the call, in semitones.
    pub fn drift(&self) -> Option<f64> {
        let register = |notes: &[HeardNote]| mean(notes.iter().map(|note| f64::from(note.key)));
        Some((register(&self.notes)? - register(&self.call)?).abs())
    }

    /// The duration of the longest note of the last chord, divided by the median duration.
    pub fn last_note(&self) -> Option<f64> {
        self.heard()?;
        let last = chords(&self.notes).last()?.iter().map(HeardNote::duration).fold(0.0, f64::max);
        Some(last / median(self.notes.iter().map(HeardNote::duration))?)
    }

    /// Seconds of silence before the next turn.
    pub fn rest(&self) -> Option<f64> {
        self.heard()?;
        let end = self.notes.iter().map(|note| note.end).reduce(f64::max)?;
        Some((self.until - end).max(0.0))
    }
}

/// Groups of notes whose onsets follow each other so closely that they count as struck at once.
pub fn chords(notes: &[HeardNote]) -> impl Iterator<Item = &[HeardNote]> {
    notes.chunk_by(|one, next| next.onset - one.onset <= CHORD_S)
}

/// The motives: the steps in semitones between the upper notes of successive chords.
fn motives(notes: &[HeardNote]) -> impl Iterator<Item = Vec<i16>> {
    let upper = |chord: &[HeardNote]| chord.iter().map(|note| i16::from(note.key)).max().unwrap_or(0);
    let line: Vec<i16> = chords(notes).map(upper).collect();
    let steps: Vec<i16> = line.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.windows(MOTIVE - 1).map(<[i16]>::to_vec).collect::<Vec<_>>().into_iter()
}

/// The mean; `None` of no values.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
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
        test_host::score::sort(&mut events);
        let ends: Vec<_> = played(&events, 10.0, 10.0).iter().map(|note| (note.key, note.end)).collect();
        assert_eq!(ends, [(60, 4.0), (64, 6.0), (60, 6.0), (67, 7.0), (72, 10.0)]);
    }

    #[test]
    fn a_note_without_a_release_sounds_to_the_end() {
        assert_eq!(played(&[Event::note_on(10, 60, 90)], 10.0, 3.0)[0].end, 3.0);
    }
}
