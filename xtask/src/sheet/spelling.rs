//! How a key is written: as a sharp, a flat or neither.

use antiphon::music::note::Key;

use crate::tonality::{Mode, Tonality};

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

/// The naturals on the line of fifths, and how far each lies above C.
const NATURALS: [(&str, i8); 7] = [("F", 5), ("C", 0), ("G", 7), ("D", 2), ("A", 9), ("E", 4), ("B", 11)];

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
