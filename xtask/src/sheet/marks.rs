//! What holds the notes of a beat together: beams, and the signs over triplets.

use super::{DIVISIONS, values::Piece};

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
