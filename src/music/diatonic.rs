//! The scale that notes keep to.

use super::{keys::PITCH_CLASSES, note::Key};

/// Fewer notes keep to many scales.
const FEWEST_NOTES: usize = 12;
/// The degrees of a major scale; a minor one has the same keys as some major one.
const MAJOR: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];

/// The diatonic scale that holds most of some notes, and how many it does not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diatonic {
    /// The pitch class of its major root.
    root: usize,
    /// The share of the notes outside of it, 0..=1.
    outside: f32,
}

impl Diatonic {
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
        let root = (0..PITCH_CLASSES).max_by_key(|&root| inside(root)).unwrap_or(0);
        let outside = 1.0 - inside(root) as f32 / all.max(1) as f32;
        (all >= FEWEST_NOTES).then_some(Self { root, outside })
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
        let scale = Diatonic::of(melody.into_iter().map(Key::saturating)).expect("enough notes");
        assert!(scale.holds(Key::saturating(61)) && !scale.holds(Key::saturating(60)));
        assert!((scale.outside() - 1.0 / 14.0).abs() < 1e-6);
    }

    #[test]
    fn a_few_notes_keep_to_no_scale() {
        assert_eq!(Diatonic::of([60, 64, 67].into_iter().map(Key::saturating)), None);
    }
}
