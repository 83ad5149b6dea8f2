//! The key that music is in, by its notes.

use super::{keys::PITCH_CLASSES, note::Key, scale::Root};

/// Fewer notes keep to many scales.
const FEWEST_NOTES: usize = 12;
/// The degrees of a major scale; a minor one has the same keys as some major one.
const MAJOR: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];
/// Semitones from the root of a major scale to that of the minor one with the same keys.
const MINOR: usize = 9;
const FIFTH: usize = 7;

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
            MAJOR.iter().map(|degree| counts[(root + degree) % PITCH_CLASSES]).sum()
        };
        // A key is heard by its first degree and its fifth.
        let weight = |tonic: usize| counts[tonic % PITCH_CLASSES] + counts[(tonic + FIFTH) % PITCH_CLASSES];
        let heard = |root: usize| (inside(root), weight(root).max(weight(root + MINOR)));
        let root = (0..PITCH_CLASSES).max_by_key(|&root| heard(root)).unwrap_or(0);
        let outside = 1.0 - inside(root) as f32 / all.max(1) as f32;
        let is_minor = weight(root + MINOR) > weight(root);
        (all >= FEWEST_NOTES).then_some(Self { root, outside, is_minor })
    }

    /// As musicians write it. Allocates.
    pub fn name(&self) -> String {
        let (tonic, mode) = if self.is_minor { (self.root + MINOR, "minor") } else { (self.root, "major") };
        format!("{} {mode}", Root::NAMES[tonic % PITCH_CLASSES])
    }

    /// Which scale it is, in a number above 0. How many notes lie outside is left out.
    pub fn number(&self) -> u8 {
        1 + self.root as u8 * 2 + u8::from(self.is_minor)
    }

    /// The name of a scale that was told as a number; `None` for any other number. Allocates.
    pub fn name_of(number: u8) -> Option<String> {
        let number = usize::from(number.checked_sub(1)?);
        let (root, is_minor) = (number / 2, number % 2 == 1);
        (root < PITCH_CLASSES).then(|| Self { root, outside: 0.0, is_minor }.name())
    }

    /// Whether a key belongs to the scale.
    pub fn holds(&self, key: Key) -> bool {
        MAJOR.contains(&((key.index() + PITCH_CLASSES - self.root) % PITCH_CLASSES))
    }

    /// The share of the notes that it does not hold, 0..=1.
    pub fn outside(&self) -> f32 {
        self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
