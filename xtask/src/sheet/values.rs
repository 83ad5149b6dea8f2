//! Stretches of time as note values: what is longer than one value, or crosses a line that a reader needs, is tied.

use super::{Chord, DIVISIONS};

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
