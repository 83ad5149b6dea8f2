//! How a player or the plugin plays: pace, notes struck together, durations and velocities.

use super::{
    note::{Note, Velocity},
    time::Seconds,
};

/// Fewest notes that tell a pace.
const FEWEST: usize = 4;
/// Longest silence that counts, in seconds; a longer one is a breath and counts as this.
const BREATH_S: f64 = 1.0;
/// Shortest duration that counts, in seconds; a shorter note counts as one of this.
const LEAST_S: f64 = 0.01;
/// The usual pace: ten notes a second, a third of them struck with the one before. Half of MAESTRO's
/// performances have fewer.
const USUAL: Pace = Pace { step: 0.15, chords: 0.35, duration: 0.4 };
/// Strikes that lie closer together than this belong to one chord.
const CHORD: Seconds = Seconds(0.05);
/// Two notes that begin within this sound as if they were struck together.
const TOGETHER: Seconds = Seconds(0.03);
/// Additive smoothing of the share of chords, in notes: few notes never make it exactly none or all.
const DOUBTFUL_NOTES: f64 = 1.0;
/// Number of newest steps that tell the player's own pace.
const NEWEST_STEPS: usize = 4;

/// How far apart onsets lie, how many notes are struck together, and how long notes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Mean time from onset to onset, in seconds, above 0. A chord counts as one onset.
    step: f64,
    /// The share of the notes that are struck with the one before, 0..1.
    chords: f64,
    /// The geometric mean of the durations, in seconds, above 0.
    duration: f64,
}

/// How far a pace differs from another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stray {
    /// Of its onsets, as a natural logarithm: 0.69 where they are twice as fast.
    pub ahead: f32,
    /// Of its chords, as a difference of log-odds: above 0 where more notes are struck together.
    pub thicker: f32,
    /// Of its durations, as a natural logarithm: 0.69 where they are twice as long.
    pub longer: f32,
}

impl Pace {
    /// The pace of a plugin that plays from nothing.
    pub const USUAL: Self = USUAL;

    /// The pace of `notes` notes, of which `together` were struck with the one before. `step` is the time
    /// between onsets, above 0, and `duration` the mean duration, both in seconds.
    pub fn of_few(notes: usize, together: usize, step: f64, duration: f64) -> Self {
        let (count, together) = (notes.saturating_sub(1) as f64, together as f64);
        let chords = (together + DOUBTFUL_NOTES) / (count + 2.0 * DOUBTFUL_NOTES);
        Self { step, chords, duration: duration.max(LEAST_S) }
    }

    /// The pace of notes in order; `None` where they are too few to tell. Realtime-safe.
    pub fn of<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Option<Self> {
        let (mut count, mut together, mut span, mut durations) = (0usize, 0usize, 0.0, 0.0);
        let mut before = None;
        for note in notes {
            if let Some(before) = before.replace(note.onset) {
                let step = f64::from((note.onset - before).0.max(0.0));
                together += usize::from(step < f64::from(TOGETHER.0));
                span += step.min(BREATH_S);
            }
            count += 1;
            durations += f64::from(note.duration.0).max(LEAST_S).ln();
        }
        let steps = count.saturating_sub(1);
        (count >= FEWEST && span > 0.0 && together < steps).then(|| {
            Self::of_few(count, together, span / (steps - together) as f64, (durations / count as f64).exp())
        })
    }

    /// How far this pace differs from another one. Realtime-safe.
    pub fn stray_from(self, other: Self) -> Stray {
        let odds = |share: f64| share / (1.0 - share);
        Stray {
            ahead: (other.step / self.step).ln() as f32,
            thicker: (odds(self.chords) / odds(other.chords)).ln() as f32,
            longer: (self.duration / other.duration).ln() as f32,
        }
    }
}

impl Stray {
    pub const NONE: Self = Self { ahead: 0.0, thicker: 0.0, longer: 0.0 };
}

/// The longest of the newest steps from onset to onset, where a chord is one; `None` where there is no step.
/// Realtime-safe.
pub fn longest_step(notes: &[Note]) -> Option<Seconds> {
    let steps = notes.windows(2).rev().map(|pair| pair[1].onset - pair[0].onset);
    steps.filter(|step| *step >= CHORD).take(NEWEST_STEPS).reduce(Seconds::max)
}

/// Weight of the newest strike in the running mean: about the last four count, so that a change is followed
/// within a phrase.
const NEWEST_STRIKE: f32 = 0.25;
/// Velocity before the first strike: mezzo-forte.
const UNKNOWN: Velocity = Velocity::saturating(64);

/// A running mean of the newest velocities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Touch(Option<f32>);

impl Touch {
    pub fn strike(&mut self, velocity: Velocity) {
        let newest = f32::from(velocity.value());
        self.0 = Some(self.0.map_or(newest, |mean| mean + NEWEST_STRIKE * (newest - mean)));
    }

    pub fn velocity(self) -> Velocity {
        self.0.map_or(UNKNOWN, |mean| Velocity::saturating(mean.round() as u8))
    }
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
        assert!((every(0.1).stray_from(every(0.2)).ahead - 2f32.ln()).abs() < 1e-3);
        assert!(every(0.15).stray_from(Pace::USUAL).ahead.abs() < 1e-3);
    }

    #[test]
    fn chords_make_a_pace_thicker_and_not_faster() {
        let chords = Pace::of(&notes((0..40).map(|n| f64::from(n / 2) * 0.2))).expect("enough notes");
        let stray = chords.stray_from(every(0.2));
        assert!(stray.ahead.abs() < 0.06 && stray.thicker > 2.0 && stray.longer.abs() < 1e-3);
        assert_eq!(chords.stray_from(chords), Stray::NONE);
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

    #[test]
    fn the_touch_follows_the_player_within_a_phrase() {
        let mut touch = Touch::default();
        touch.strike(Velocity::saturating(100));
        assert_eq!(touch.velocity().value(), 100);
        (0..8).for_each(|_| touch.strike(Velocity::saturating(30)));
        assert!((30..40).contains(&touch.velocity().value()));
    }
}
