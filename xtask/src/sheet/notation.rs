//! The notation of what a hand plays: note values, ties, beams, tuplet brackets and the spelling of keys.

use antiphon::music::note::Key;

use super::{Chord, DIVISIONS};
use crate::tonality::{Mode, Tonality};

/// Note values without triplets, by their divisions, the longest first.
const STRAIGHT: [(u32, &str, u8, u8); 10] = [
    (96, "whole", 0, 0),
    (72, "half", 1, 0),
    (48, "half", 0, 0),
    (36, "quarter", 1, 0),
    (24, "quarter", 0, 0),
    (18, "eighth", 1, 1),
    (12, "eighth", 0, 1),
    (9, "16th", 1, 2),
    (6, "16th", 0, 2),
    (3, "32nd", 0, 3),
];
const TRIPLET: [(u32, &str, u8); 3] = [(16, "quarter", 0), (8, "eighth", 1), (4, "16th", 2)];
/// The naturals on the line of fifths, and how far each lies above C.
const NATURALS: [(&str, i8); 7] = [("F", 5), ("C", 0), ("G", 7), ("D", 2), ("A", 9), ("E", 4), ("B", 11)];

/// A note value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteValue {
    /// Its name in MusicXML.
    pub name: &'static str,
    pub dots: u8,
    /// Number of flags of the note: 1 for an eighth.
    pub flags: u8,
    /// Whether three of them take the time of two.
    pub is_triplet: bool,
}

/// A written note, chord or rest: a part of a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Divisions from the first bar line.
    pub at: u32,
    pub length: u32,
    pub value: NoteValue,
    /// The chord, or `None` for a rest.
    pub chord: Option<&'a Chord>,
    /// Whether a tie leads to it from the previous symbol.
    pub is_tied_from: bool,
    /// Whether a tie leads from it to the next symbol.
    pub is_tied_to: bool,
}

/// Everything that a hand plays, bar by bar, without gaps; the last bar is filled with rests.
pub fn bars(chords: &[Chord], bar: u32, count: u32) -> Vec<Vec<Symbol<'_>>> {
    let mut stretches = Vec::new();
    let mut now = 0;
    for chord in chords {
        stretches.push((now, chord.at, None));
        now = chord.at + chord.length;
        stretches.push((chord.at, now, Some(chord)));
    }
    stretches.push((now, bar * count, None));
    let triplets = triplet_beats(chords);
    let mut bars = vec![Vec::new(); count as usize];
    for (from, to, chord) in stretches {
        let mut symbols = symbols(from, to, bar, &triplets, chord);
        if chord.is_some() {
            let last = symbols.len() - 1;
            for (n, symbol) in symbols.iter_mut().enumerate() {
                (symbol.is_tied_from, symbol.is_tied_to) = (n > 0, n < last);
            }
        }
        for symbol in symbols {
            bars[(symbol.at / bar) as usize].push(symbol);
        }
    }
    bars
}

/// The beats in which something begins or ends on a third of the beat.
fn triplet_beats(chords: &[Chord]) -> Vec<u32> {
    let edges = chords.iter().flat_map(|chord| [chord.at, chord.at + chord.length]);
    let is_third = |edge: &u32| !(edge % DIVISIONS).is_multiple_of(3);
    let mut beats: Vec<u32> = edges.filter(is_third).map(|edge| edge / DIVISIONS).collect();
    beats.dedup();
    beats
}

fn symbols<'a>(from: u32, to: u32, bar: u32, triplets: &[u32], chord: Option<&'a Chord>) -> Vec<Symbol<'a>> {
    let mut symbols = Vec::new();
    let mut at = from;
    while at < to {
        let (length, value) = next(at, to, bar, triplets);
        symbols.push(Symbol { at, length, value, chord, is_tied_from: false, is_tied_to: false });
        at += length;
    }
    symbols
}

/// The longest note value that may be written here.
fn next(at: u32, to: u32, bar: u32, triplets: &[u32]) -> (u32, NoteValue) {
    let (beat, within) = (at / DIVISIONS, at % DIVISIONS);
    let beat_left = DIVISIONS - within;
    let is_triplet = triplets.binary_search(&beat).is_ok();
    if is_triplet && (within > 0 || to - at < DIVISIONS) {
        let room = beat_left.min(to - at);
        let (length, name, flags) =
            TRIPLET.into_iter().find(|(length, ..)| *length <= room).unwrap_or(TRIPLET[2]);
        return (length.min(room), NoteValue { name, dots: 0, flags, is_triplet });
    }
    // It may reach the bar line and the next beat with thirds; if it begins within a beat, only the end of
    // that beat.
    let bar_left = bar - at % bar;
    let next_triplet =
        triplets.iter().find(|&&triplet| triplet > beat).map_or(u32::MAX, |beat| beat * DIVISIONS);
    let straight_left = if is_triplet { DIVISIONS } else { next_triplet - at };
    let room = (to - at).min(bar_left).min(straight_left);
    let room = if within > 0 { room.min(beat_left) } else { room };
    let (length, name, dots, flags) =
        STRAIGHT.into_iter().find(|(length, ..)| *length <= room).unwrap_or(STRAIGHT[9]);
    (length.min(room), NoteValue { name, dots, flags, is_triplet: false })
}

/// Whether the bracket over a triplet starts or stops here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    pub starts: bool,
    pub stops: bool,
}

impl Bracket {
    pub const NONE: Self = Self { starts: false, stops: false };

    /// The bracket at a symbol: a triplet fills a beat.
    pub fn of(symbols: &[Symbol], n: usize) -> Self {
        let symbol = &symbols[n];
        if !symbol.value.is_triplet {
            return Self::NONE;
        }
        let is_same = |other: Option<&Symbol>| {
            other.is_some_and(|other| other.value.is_triplet && other.at / DIVISIONS == symbol.at / DIVISIONS)
        };
        let before = n.checked_sub(1).and_then(|n| symbols.get(n));
        Self { starts: !is_same(before), stops: !is_same(symbols.get(n + 1)) }
    }
}

/// A beam at a note; beams are listed from the outermost level on.
pub struct Beam<'a> {
    pub symbol: &'a Symbol<'a>,
    pub level: u8,
    /// Its name in MusicXML.
    pub kind: &'static str,
}

/// The beams at each note: neighbours with flags within the same beat are beamed.
pub fn beams<'a>(symbols: &'a [Symbol<'a>]) -> Vec<Beam<'a>> {
    let mut beams = Vec::new();
    let same = |one: &Symbol, other: &Symbol| one.at / DIVISIONS == other.at / DIVISIONS;
    for beat in symbols.chunk_by(same) {
        let flags = |n: Option<usize>| {
            let symbol = n.and_then(|n| beat.get(n)).filter(|symbol| symbol.chord.is_some());
            symbol.map_or(0, |symbol| symbol.value.flags)
        };
        for (n, symbol) in beat.iter().enumerate() {
            let (before, own, after) = (flags(n.checked_sub(1)), flags(Some(n)), flags(Some(n + 1)));
            for level in 1..=own {
                let kind = match (before >= level, after >= level) {
                    (true, true) => "continue",
                    (false, true) => "begin",
                    (true, false) => "end",
                    (false, false) if before > 0 => "backward hook",
                    (false, false) if after > 0 => "forward hook",
                    (false, false) => continue,
                };
                beams.push(Beam { symbol, level, kind });
            }
        }
    }
    beams
}

/// The spelling of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// Its letter, A to G.
    pub step: &'static str,
    /// Semitones above the natural of that letter; flats are below 0.
    pub alter: i8,
    /// Its octave; that of middle C is 4.
    pub octave: i8,
}

/// Spells keys as close to a tonality as possible on the line of fifths: from its flat sixth to its sharp
/// fourth, and in minor to its leading note too.
#[derive(Debug, Clone, Copy)]
pub struct Speller {
    /// The first of twelve neighbours on the line of fifths, on which C is 0.
    first: i16,
}

impl Speller {
    pub fn of(tonality: Option<Tonality>) -> Self {
        let sharps = tonality.map_or(0, |tonality| i16::from(tonality.sharps()));
        let is_minor = tonality.is_some_and(|tonality| tonality.mode == Mode::Minor);
        Self { first: sharps - if is_minor { 3 } else { 4 } }
    }

    pub fn spell(self, key: Key) -> Spelling {
        let pitch_class = i16::from(key.number() % 12);
        // A fifth up is seven semitones, and seven is its own inverse.
        let fifths = self.first + (7 * pitch_class - self.first).rem_euclid(12);
        let place = (fifths + 1).rem_euclid(7);
        let alter = ((fifths + 1).div_euclid(7)) as i8;
        let (step, above_c) = NATURALS[place as usize];
        let natural = i16::from(key.number()) - i16::from(alter) - i16::from(above_c);
        Spelling { step, alter, octave: (natural.div_euclid(12) - 1) as i8 }
    }
}
