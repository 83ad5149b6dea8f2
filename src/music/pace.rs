//! How fast notes follow each other.

use super::{note::Note, time::Seconds};

/// So many of the newest notes tell the pace, and not fewer than so many.
const NOTES: usize = 64;
const FEWEST: usize = 4;
/// A longer silence is a breath and counts as this, in seconds.
const BREATH_S: f64 = 1.0;
/// Ten notes a second: half of MAESTRO's performances have fewer.
const USUAL_S: f64 = 0.1;
/// Strikes of one chord lie closer together.
const CHORD: Seconds = Seconds(0.05);
/// The player's own pace is that of so many of the newest steps.
const NEWEST_STEPS: usize = 4;

/// The mean step from note to note, chords and all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// In seconds, above 0.
    step: f64,
}

impl Pace {
    /// Of who plays from nothing.
    pub const USUAL: Self = Self { step: USUAL_S };

    /// Of the newest of some notes; `None` where they are too few to tell. Realtime-safe.
    pub fn of(notes: &[Note]) -> Option<Self> {
        let newest = &notes[notes.len().saturating_sub(NOTES)..];
        let step = |pair: &[Note]| (pair[1].onset - pair[0].onset).0.max(0.0);
        let sum: f64 = newest.windows(2).map(|pair| f64::from(step(pair)).min(BREATH_S)).sum();
        (newest.len() >= FEWEST && sum > 0.0).then(|| Self { step: sum / (newest.len() - 1) as f64 })
    }

    /// How far it is ahead of another one, as a logarithm: 0 at the same pace, 0.69 twice as fast.
    pub fn ahead_of(self, other: Self) -> f32 {
        (other.step / self.step).ln() as f32
    }
}

/// The longest of the newest steps from onset to onset, where a chord is one; `None` where there is no step.
/// Realtime-safe.
pub fn longest_step(notes: &[Note]) -> Option<Seconds> {
    let steps = notes.windows(2).rev().map(|pair| pair[1].onset - pair[0].onset);
    steps.filter(|step| *step >= CHORD).take(NEWEST_STEPS).reduce(Seconds::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        note::{Key, Velocity},
        time::Moment,
    };

    fn notes(onsets: impl Iterator<Item = f64>) -> Vec<Note> {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        onsets.map(|onset| Note { onset: Moment(onset), duration: Seconds(0.1), key, velocity }).collect()
    }

    fn every(step: f64) -> Pace {
        Pace::of(&notes((0..20).map(|n| f64::from(n) * step))).expect("enough notes")
    }

    #[test]
    fn twice_the_notes_are_twice_the_pace() {
        assert!((every(0.1).ahead_of(every(0.2)) - 2f32.ln()).abs() < 1e-3);
        assert!(every(0.1).ahead_of(Pace::USUAL).abs() < 1e-3);
    }

    #[test]
    fn a_long_silence_is_a_breath() {
        let with_silence = |silence: f64| {
            Pace::of(&notes((0..20).map(|n| f64::from(n) * 0.1 + if n < 10 { 0.0 } else { silence })))
        };
        assert_eq!(with_silence(5.0), with_silence(50.0));
    }

    #[test]
    fn a_few_notes_or_one_chord_tell_no_pace() {
        assert_eq!(Pace::of(&notes([0.0, 0.1, 0.2].into_iter())), None);
        assert_eq!(Pace::of(&notes([1.0; 9].into_iter())), None);
    }

    #[test]
    fn the_steps_of_a_player_are_those_between_chords() {
        let chords = [0.0, 0.01, 2.0, 2.02, 2.03, 5.0, 5.01].into_iter();
        assert_eq!(longest_step(&notes(chords)).map(|step| (step.0 * 100.0).round()), Some(297.0));
        let faster = (0..8).map(|n| if n < 2 { f64::from(n) * 3.0 } else { 3.0 + f64::from(n) * 0.5 });
        assert_eq!(longest_step(&notes(faster)), Some(Seconds(0.5)));
        assert_eq!(longest_step(&notes([1.0; 3].into_iter())), None);
    }
}
