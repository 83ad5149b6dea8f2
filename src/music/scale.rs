//! Scales and their roots.

use super::keys::Keys;

/// A set of pitch classes, whatever the octave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PitchClasses(u16);

impl PitchClasses {
    pub const ALL: Self = Self(0xFFF);

    /// The keys that have one of them.
    pub const fn keys(self) -> Keys {
        Keys::of_pitch_classes(self.0)
    }
}

/// The twelve pitch classes as roots, by their commonest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root(u8);

impl Root {
    pub const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

    /// Counted in semitones from C; higher numbers go round.
    pub const fn new(semitones: u8) -> Self {
        Self(semitones % 12)
    }

    pub const fn semitones(self) -> u8 {
        self.0
    }
}

/// A scale without its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// All keys, and those of the player's own scale rather than others, as far as *Key follow* goes.
    Auto,
    Major,
    NaturalMinor,
    HarmonicMinor,
    MelodicMinor,
    Ionian,
    Dorian,
    Phrygian,
    Lydian,
    Mixolydian,
    Aeolian,
    Locrian,
    MajorPentatonic,
    MinorPentatonic,
    Blues,
}

impl Scale {
    /// In the order in which a player meets them.
    pub const ALL: [Self; 15] = [
        Self::Auto,
        Self::Major,
        Self::NaturalMinor,
        Self::HarmonicMinor,
        Self::MelodicMinor,
        Self::Ionian,
        Self::Dorian,
        Self::Phrygian,
        Self::Lydian,
        Self::Mixolydian,
        Self::Aeolian,
        Self::Locrian,
        Self::MajorPentatonic,
        Self::MinorPentatonic,
        Self::Blues,
    ];

    /// The pitch classes of the scale on a root.
    pub fn on(self, root: Root) -> PitchClasses {
        let bit = |&degree: &u8| 1 << ((degree + root.semitones()) % 12);
        PitchClasses(self.degrees().iter().map(bit).sum())
    }

    /// Semitones above the root.
    const fn degrees(self) -> &'static [u8] {
        match self {
            Self::Auto => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            Self::Major | Self::Ionian => &[0, 2, 4, 5, 7, 9, 11],
            Self::NaturalMinor | Self::Aeolian => &[0, 2, 3, 5, 7, 8, 10],
            Self::HarmonicMinor => &[0, 2, 3, 5, 7, 8, 11],
            Self::MelodicMinor => &[0, 2, 3, 5, 7, 9, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Phrygian => &[0, 1, 3, 5, 7, 8, 10],
            Self::Lydian => &[0, 2, 4, 6, 7, 9, 11],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::Locrian => &[0, 1, 3, 5, 6, 8, 10],
            Self::MajorPentatonic => &[0, 2, 4, 7, 9],
            Self::MinorPentatonic => &[0, 3, 5, 7, 10],
            Self::Blues => &[0, 3, 5, 6, 7, 10],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: PitchClasses = PitchClasses(0b1010_1011_0101);

    #[test]
    fn the_seven_modes_share_the_white_keys() {
        let modes = [
            (Scale::Ionian, 0),
            (Scale::Dorian, 2),
            (Scale::Phrygian, 4),
            (Scale::Lydian, 5),
            (Scale::Mixolydian, 7),
            (Scale::Aeolian, 9),
            (Scale::Locrian, 11),
        ];
        for (mode, root) in modes {
            assert_eq!(mode.on(Root::new(root)), WHITE, "{mode:?}");
        }
    }

    #[test]
    fn every_scale_has_its_root_and_no_degree_twice() {
        for scale in Scale::ALL {
            assert_eq!(scale.degrees()[0], 0);
            assert!(scale.degrees().is_sorted_by(|a, b| a < b), "{scale:?}");
        }
        assert_eq!(Scale::Auto.on(Root::new(5)), PitchClasses::ALL);
    }
}
