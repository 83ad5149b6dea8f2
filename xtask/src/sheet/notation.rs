//! What a hand plays as it is written: note values, ties, beams, tuplet brackets and the spelling of keys.

use antiphon::music::note::Key;

use super::{Chord, DIVISIONS};
use crate::tonality::{Mode, Tonality};

/// Straight values by their divisions, the longest first.
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
pub struct Value {
    /// As MusicXML calls it.
    pub name: &'static str,
    pub dots: u8,
    /// Flags of the note: 1 for an eighth.
    pub flags: u8,
    /// Three in the time of two.
    pub is_triplet: bool,
}

/// A part of a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Divisions from the first bar line.
    pub at: u32,
    pub length: u32,
    pub value: Value,
    /// `None` is a rest.
    pub chord: Option<&'a Chord>,
    /// The chord goes on from the piece before; into the next one.
    pub is_tied_from: bool,
    pub is_tied_to: bool,
}

/// All that a hand does, bar by bar, without a gap; the last bar is filled with rests.
pub fn bars(chords: &[Chord], bar: u32, count: u32) -> Vec<Vec<Piece<'_>>> {
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
        let mut pieces = pieces(from, to, bar, &triplets, chord);
        if chord.is_some() {
            let last = pieces.len() - 1;
            for (n, piece) in pieces.iter_mut().enumerate() {
                (piece.is_tied_from, piece.is_tied_to) = (n > 0, n < last);
            }
        }
        for piece in pieces {
            bars[(piece.at / bar) as usize].push(piece);
        }
    }
    bars
}

/// The beats in which something begins or ends on a third.
fn triplet_beats(chords: &[Chord]) -> Vec<u32> {
    let edges = chords.iter().flat_map(|chord| [chord.at, chord.at + chord.length]);
    let is_third = |edge: &u32| !(edge % DIVISIONS).is_multiple_of(3);
    let mut beats: Vec<u32> = edges.filter(is_third).map(|edge| edge / DIVISIONS).collect();
    beats.dedup();
    beats
}

fn pieces<'a>(from: u32, to: u32, bar: u32, triplets: &[u32], chord: Option<&'a Chord>) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut at = from;
    while at < to {
        let (length, value) = next(at, to, bar, triplets);
        pieces.push(Piece { at, length, value, chord, is_tied_from: false, is_tied_to: false });
        at += length;
    }
    pieces
}

/// The longest value that may stand here.
fn next(at: u32, to: u32, bar: u32, triplets: &[u32]) -> (u32, Value) {
    let (beat, within) = (at / DIVISIONS, at % DIVISIONS);
    let beat_left = DIVISIONS - within;
    let is_triplet = triplets.binary_search(&beat).is_ok();
    if is_triplet && (within > 0 || to - at < DIVISIONS) {
        let room = beat_left.min(to - at);
        let (length, name, flags) =
            TRIPLET.into_iter().find(|(length, ..)| *length <= room).unwrap_or(TRIPLET[2]);
        return (length.min(room), Value { name, dots: 0, flags, is_triplet });
    }
    // Up to the bar line, and up to the next beat with thirds; from within a beat, up to its end.
    let bar_left = bar - at % bar;
    let next_triplet =
        triplets.iter().find(|&&triplet| triplet > beat).map_or(u32::MAX, |beat| beat * DIVISIONS);
    let straight_left = if is_triplet { DIVISIONS } else { next_triplet - at };
    let room = (to - at).min(bar_left).min(straight_left);
    let room = if within > 0 { room.min(beat_left) } else { room };
    let (length, name, dots, flags) =
        STRAIGHT.into_iter().find(|(length, ..)| *length <= room).unwrap_or(STRAIGHT[9]);
    (length.min(room), Value { name, dots, flags, is_triplet: false })
}

/// Whether the sign over a triplet starts or stops here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    pub starts: bool,
    pub stops: bool,
}

impl Bracket {
    pub const NONE: Self = Self { starts: false, stops: false };

    /// A triplet fills a beat.
    pub fn of(pieces: &[Piece], n: usize) -> Self {
        let piece = &pieces[n];
        if !piece.value.is_triplet {
            return Self::NONE;
        }
        let is_same = |other: Option<&Piece>| {
            other.is_some_and(|other| other.value.is_triplet && other.at / DIVISIONS == piece.at / DIVISIONS)
        };
        let before = n.checked_sub(1).and_then(|n| pieces.get(n));
        Self { starts: !is_same(before), stops: !is_same(pieces.get(n + 1)) }
    }
}

/// A beam at a note, from the outermost level on.
pub struct Beam<'a> {
    pub piece: &'a Piece<'a>,
    pub level: u8,
    /// As MusicXML calls it.
    pub kind: &'static str,
}

/// Within a beat, neighbours with flags are beamed.
pub fn beams<'a>(pieces: &'a [Piece<'a>]) -> Vec<Beam<'a>> {
    let mut beams = Vec::new();
    let same = |one: &Piece, other: &Piece| one.at / DIVISIONS == other.at / DIVISIONS;
    for beat in pieces.chunk_by(same) {
        let flags = |n: Option<usize>| {
            let piece = n.and_then(|n| beat.get(n)).filter(|piece| piece.chord.is_some());
            piece.map_or(0, |piece| piece.value.flags)
        };
        for (n, piece) in beat.iter().enumerate() {
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
                beams.push(Beam { piece, level, kind });
            }
        }
    }
    beams
}

/// A note on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// A to G.
    pub step: &'static str,
    /// Semitones up from the step; flats are below 0.
    pub alter: i8,
    /// That of middle C is 4.
    pub octave: i8,
}

/// Spells keys as near to a tonality as the line of fifths allows: from its flat sixth to its sharp fourth, and in minor to its
/// leading note too.
#[derive(Debug, Clone, Copy)]
pub struct Speller {
    /// The first of twelve neighbours on the line of fifths, C being 0.
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
