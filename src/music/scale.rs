//! Scales and their roots, and the key that music is in, by its notes.

use super::{
    keys::{Keys, PITCH_CLASSES},
    note::Key,
};

/// Fewest notes that tell a scale; fewer fit many scales.
const FEWEST_NOTES: usize = 12;
/// The degrees of a major scale; a minor one has the same keys as some major one.
const MAJOR: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
/// Semitones from the root of a major scale to that of the minor one with the same keys.
const MINOR: usize = 9;
const FIFTH: usize = 7;

/// A set of pitch classes, whatever the octave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PitchClasses(u16);

impl PitchClasses {
    pub const ALL: Self = Self(0xFFF);

    /// The keys whose pitch class is in the set.
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
    /// All keys. *Key follow* sets how far those of the player's own scale are preferred.
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
    /// In the order in which the player sees them.
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
            Self::Major | Self::Ionian => &MAJOR,
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

/// The diatonic scale that holds most of some notes, and how many it does not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyEstimate {
    /// The pitch class of its major root.
    root: usize,
    /// The share of the notes outside of it, 0..=1.
    outside: f32,
    /// The minor key of the same notes is heard rather than the major one.
    is_minor: bool,
}

impl KeyEstimate {
    /// `None` where there are too few keys to tell. Realtime-safe.
    pub fn of(keys: impl Iterator<Item = Key>) -> Option<Self> {
        let (mut counts, mut all) = ([0_usize; PITCH_CLASSES], 0);
        for key in keys {
            counts[key.index() % PITCH_CLASSES] += 1;
            all += 1;
        }
        let inside = |root: usize| -> usize {
            MAJOR.iter().map(|degree| counts[(root + usize::from(*degree)) % PITCH_CLASSES]).sum()
        };
        // The first degree and its fifth tell which key is heard.
        let weight = |tonic: usize| counts[tonic % PITCH_CLASSES] + counts[(tonic + FIFTH) % PITCH_CLASSES];
        let heard = |root: usize| (inside(root), weight(root).max(weight(root + MINOR)));
        let root = (0..PITCH_CLASSES).max_by_key(|&root| heard(root)).unwrap_or(0);
        let outside = 1.0 - inside(root) as f32 / all.max(1) as f32;
        let is_minor = weight(root + MINOR) > weight(root);
        (all >= FEWEST_NOTES).then_some(Self { root, outside, is_minor })
    }

    /// The name as musicians write it, such as A minor. Allocates.
    pub fn name(&self) -> String {
        let (tonic, mode) = if self.is_minor { (self.root + MINOR, "minor") } else { (self.root, "major") };
        format!("{} {mode}", Root::NAMES[tonic % PITCH_CLASSES])
    }

    /// The scale as a number above 0, without the share of notes outside of it.
    pub fn number(&self) -> u8 {
        1 + self.root as u8 * 2 + u8::from(self.is_minor)
    }

    /// The name of the scale with this [`Self::number`]; `None` for any other number. Allocates.
    pub fn name_of(number: u8) -> Option<String> {
        let number = usize::from(number.checked_sub(1)?);
        let (root, is_minor) = (number / 2, number % 2 == 1);
        (root < PITCH_CLASSES).then(|| Self { root, outside: 0.0, is_minor }.name())
    }

    /// Whether a key belongs to the scale.
    pub fn holds(&self, key: Key) -> bool {
        let degree = (key.index() + PITCH_CLASSES - self.root) % PITCH_CLASSES;
        MAJOR.iter().any(|&one| usize::from(one) == degree)
    }

    /// The share of the notes that it does not hold, 0..=1.
    pub fn outside(&self) -> f32 {
        self.outside
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

    #[test]
    fn a_melody_keeps_to_its_scale_but_for_a_passing_note() {
        let melody = [62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 68, 69, 62, 57];
        let scale = KeyEstimate::of(melody.into_iter().map(Key::saturating)).expect("enough notes");
        assert!(scale.holds(Key::saturating(61)) && !scale.holds(Key::saturating(60)));
        assert!((scale.outside() - 1.0 / 14.0).abs() < 1e-6);
        assert_eq!(scale.name(), "D major");
    }

    #[test]
    fn a_minor_key_is_known_by_its_tonic_and_its_fifth() {
        let melody = [57, 60, 64, 69, 67, 65, 64, 62, 60, 59, 57, 64, 69, 57];
        let scale = KeyEstimate::of(melody.into_iter().map(Key::saturating)).expect("enough notes");
        assert_eq!(scale.name(), "A minor");
        assert_eq!(KeyEstimate::name_of(scale.number()).as_deref(), Some("A minor"));
        assert_eq!([0, 25].map(KeyEstimate::name_of), [None, None]);
    }

    #[test]
    fn a_few_notes_keep_to_no_scale() {
        assert_eq!(KeyEstimate::of([60, 64, 67].into_iter().map(Key::saturating)), None);
    }
}
