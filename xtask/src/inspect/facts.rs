//! The facts about a file as a whole.

use std::ops::Range;

use serde::Serialize;

use crate::{
    corpus::{self, Document, LeftOut, Note, Signature},
    table::microseconds,
    tonality::{self, Fit},
};

/// Everything except the notes themselves. Times are in seconds; drums do not count for key and register.
#[derive(Debug, Serialize)]
pub struct Facts {
    pub file: String,
    pub tracks: usize,
    /// `None` for a file in film frames.
    pub ticks_per_quarter: Option<u16>,
    /// The time from the beginning of the file to the end of its last note.
    pub length_s: f64,
    pub notes: usize,
    pub instruments: Vec<InstrumentFacts>,
    pub tempos: Vec<Tempo>,
    pub signatures: Vec<Metre>,
    pub written_keys: Vec<String>,
    /// The best estimate and the next best one; `None` if there is no note.
    pub key: Option<Estimate>,
    pub next_key: Option<Estimate>,
    /// Notes per second, between the first onset and the last end.
    pub density: f64,
    pub busiest_second: usize,
    pub register: Option<Register>,
    pub polyphony_mean: f64,
    pub polyphony_most: usize,
    pub velocity: Option<Velocities>,
    /// The share of the length in which the sustain pedal is down, 0..=1.
    pub pedal_share: f64,
    /// What was left out of the file, since it is no music.
    pub left_out: LeftOut,
}

/// An instrument of the file.
#[derive(Debug, Serialize)]
pub struct InstrumentFacts {
    pub track: usize,
    /// The name of its track in the file.
    pub track_name: Option<String>,
    /// 0 unless a file has more than sixteen channels.
    pub port: u8,
    /// 1..=16
    pub channel: u8,
    /// 1..=128, as General MIDI counts.
    pub program: u8,
    /// Its name in General MIDI.
    pub name: &'static str,
    pub drums: bool,
    pub notes: usize,
}

#[derive(Debug, Serialize)]
pub struct Tempo {
    pub at_s: f64,
    /// Quarter notes per minute.
    pub bpm: f64,
}

#[derive(Debug, Serialize)]
pub struct Metre {
    pub at_s: f64,
    /// Number of the bar, from 1.
    pub bar: u32,
    pub numerator: u8,
    pub denominator: u16,
}

#[derive(Debug, Serialize)]
pub struct Estimate {
    pub name: String,
    pub correlation: f64,
}

/// The register, with keys by name.
#[derive(Debug, Serialize)]
pub struct Register {
    pub lowest: String,
    pub quarter: String,
    pub median: String,
    pub three_quarters: String,
    pub highest: String,
}

#[derive(Debug, Serialize)]
pub struct Velocities {
    pub softest: u8,
    pub median: u8,
    pub loudest: u8,
}

/// How many notes sound at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Polyphony {
    most: usize,
    /// The average while anything sounds.
    mean: f64,
}

impl Facts {
    pub fn of(document: &Document) -> Self {
        let notes = &document.piece.notes;
        let melodic = || document.piece.melodic();
        let end = notes.iter().map(|note| note.end).fold(0.0, f64::max);
        let length = end - notes.first().map_or(0.0, |note| note.onset);
        let polyphony = Polyphony::of(notes);
        let mut keys = tonality::fits(melodic().map(Note::key_and_duration)).into_iter().map(Estimate::of);
        Self {
            file: document.piece.path.display().to_string(),
            tracks: document.tracks.len(),
            ticks_per_quarter: document.tempo_map.ticks_per_quarter(),
            length_s: microseconds(end),
            notes: notes.len(),
            instruments: players(document),
            tempos: tempos(document),
            signatures: metres(document),
            written_keys: document.written_keys.iter().map(|(_, key)| key.to_string()).collect(),
            key: keys.next(),
            next_key: keys.next(),
            density: if length > 0.0 { microseconds(notes.len() as f64 / length) } else { 0.0 },
            busiest_second: busiest_second(notes),
            register: Register::of(melodic().map(|note| note.key.number()).collect()),
            polyphony_mean: microseconds(polyphony.mean),
            polyphony_most: polyphony.most,
            velocity: Velocities::of(notes.iter().map(|note| note.velocity.value()).collect()),
            pedal_share: pedal_share(document, end),
            left_out: document.left_out,
        }
    }
}

fn pedal_share(document: &Document, end: f64) -> f64 {
    let within = |down: f64, span: &Range<f64>| down + span.end.min(end) - span.start.min(end);
    let down = document.pedal.iter().fold(0.0, within);
    if end > 0.0 { microseconds(down / end) } else { 0.0 }
}

fn players(document: &Document) -> Vec<InstrumentFacts> {
    let mut counts = vec![0; document.piece.instruments.len()];
    document.piece.notes.iter().for_each(|note| counts[note.instrument] += 1);
    let player = |(instrument, notes): (&corpus::Instrument, usize)| InstrumentFacts {
        track: instrument.track,
        track_name: document.tracks.get(instrument.track).cloned().flatten(),
        port: instrument.port,
        channel: instrument.channel + 1,
        program: instrument.program + 1,
        name: instrument.name(),
        drums: instrument.is_drums,
        notes,
    };
    document.piece.instruments.iter().zip(counts).map(player).collect()
}

fn tempos(document: &Document) -> Vec<Tempo> {
    let map = &document.tempo_map;
    let tempo = |(tick, microseconds_per_quarter): (u64, f64)| Tempo {
        at_s: microseconds(map.seconds_at(tick as f64)),
        bpm: (60e9 / microseconds_per_quarter).round() / 1e3,
    };
    map.tempos().map(tempo).collect()
}

/// The metres with their bars. A change within a bar begins a new bar.
fn metres(document: &Document) -> Vec<Metre> {
    let map = &document.tempo_map;
    let ticks = map.ticks_per_quarter().map_or(f64::INFINITY, f64::from);
    let mut bars = 0.0;
    let mut before = Signature::COMMON;
    let metre = |signature: &Signature| {
        let passed = (signature.tick - before.tick) as f64 / (before.bar() * ticks);
        bars += (passed - 1e-9).ceil().max(0.0);
        before = *signature;
        Metre {
            at_s: microseconds(map.seconds_at(signature.tick as f64)),
            bar: bars as u32 + 1,
            numerator: signature.numerator,
            denominator: signature.denominator,
        }
    };
    document.signatures.iter().map(metre).collect()
}

/// The most notes that begin within one second. `notes` are in the order of their onsets.
fn busiest_second(notes: &[Note]) -> usize {
    let mut first = 0;
    let within = notes.iter().enumerate().map(|(last, note)| {
        while note.onset - notes[first].onset >= 1.0 {
            first += 1;
        }
        last + 1 - first
    });
    within.max().unwrap_or(0)
}

impl Estimate {
    fn of(fit: Fit) -> Self {
        Self { name: fit.tonality.to_string(), correlation: (fit.correlation * 1e3).round() / 1e3 }
    }
}

impl Register {
    fn of(mut keys: Vec<u8>) -> Option<Self> {
        keys.sort_unstable();
        let last = keys.len().checked_sub(1)?;
        let name = |quarters: usize| {
            corpus::key_name(antiphon::music::note::Key::saturating(keys[last * quarters / 4]))
        };
        Some(Self {
            lowest: name(0),
            quarter: name(1),
            median: name(2),
            three_quarters: name(3),
            highest: name(4),
        })
    }
}

impl Velocities {
    fn of(mut velocities: Vec<u8>) -> Option<Self> {
        velocities.sort_unstable();
        let (&softest, &loudest) = (velocities.first()?, velocities.last()?);
        Some(Self { softest, median: velocities[velocities.len() / 2], loudest })
    }
}

impl Polyphony {
    fn of(notes: &[Note]) -> Self {
        // At the same moment, ends come before beginnings.
        let mut changes: Vec<(f64, bool)> =
            notes.iter().filter(|note| note.end > note.onset).flat_map(edges).collect();
        changes.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let (mut sounding, mut most, mut since) = (0usize, 0, 0.0);
        let (mut filled, mut voices) = (0.0, 0.0);
        for (now, begins) in changes {
            if sounding > 0 {
                filled += now - since;
                voices += (now - since) * sounding as f64;
            }
            sounding = if begins { sounding + 1 } else { sounding - 1 };
            most = most.max(sounding);
            since = now;
        }
        Self { most, mean: if filled > 0.0 { voices / filled } else { 0.0 } }
    }
}

fn edges(note: &Note) -> [(f64, bool); 2] {
    [(note.onset, true), (note.end, false)]
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;

    fn note(onset: f64, end: f64) -> Note {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        Note { key, onset, end, step: 0.0, velocity, instrument: 0 }
    }

    #[test]
    fn polyphony_is_counted_while_anything_sounds() {
        // One voice for a second, two voices for a second, then silence for eight.
        let notes = [note(0.0, 2.0), note(1.0, 2.0), note(10.0, 10.0)];
        assert_eq!(Polyphony::of(&notes), Polyphony { most: 2, mean: 1.5 });
        assert_eq!(Polyphony::of(&[]), Polyphony::default());
    }

    #[test]
    fn a_note_that_ends_where_another_begins_does_not_sound_with_it() {
        assert_eq!(Polyphony::of(&[note(0.0, 1.0), note(1.0, 2.0)]).most, 1);
    }

    #[test]
    fn the_busiest_second_lies_anywhere() {
        let notes = [0.0, 0.5, 1.2, 1.3, 1.4, 2.1, 2.3].map(|onset| note(onset, onset));
        assert_eq!(busiest_second(&notes), 4);
        assert_eq!(busiest_second(&[]), 0);
    }
}
