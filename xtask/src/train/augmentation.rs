//! Data augmentation: changes the key, tempo and velocities of a passage, adds mistakes that the network
//! should survive, and removes some of the input features around the notes.

use rand::RngExt;

use antiphon::{
    model::Rng,
    music::{
        conditions::{Conditions, Who},
        note::{Key, Velocity},
        time::Seconds,
    },
};

use crate::corpus::{self, CELLS_PER_SECOND, GridNote, Placed};

/// Largest transposition in semitones, up or down.
const TRANSPOSITION: i16 = 6;
/// Largest change of the tempo, as a part of it.
const STRETCH: f64 = 0.1;
/// Largest change of the velocities, up or down.
const LOUDNESS: i16 = 10;

/// Probabilities that the beat, the harmony, the style and who plays are input features: the network should
/// play without them as well.
const PULSE_TOLD: f64 = 0.8;
const HARMONY_TOLD: f64 = 0.6;
const STYLE_TOLD: f64 = 0.6;
const WHO_TOLD: f64 = 0.7;

/// Average length of the plugin's and of the player's stretches, in notes.
const STRETCH_NOTES: f64 = 24.0;
/// Probabilities that a note of the plugin has a wrong onset, end, key or velocity.
const ONSET_SLIPS: f64 = 0.2;
const END_SLIPS: f64 = 0.3;
const KEY_SLIPS: f64 = 0.06;
const VELOCITY_SLIPS: f64 = 0.3;
/// Largest error of an onset, in cells.
const ONSET_SLIP: i64 = 3;
/// Half of the wrong ends lie within this many cells of the onset: what a network that hears itself falls
/// into.
const BLIP: u32 = 6;
/// The other wrong durations are multiplied or divided by up to this factor, as a natural logarithm.
const LENGTH_SLIP: f64 = 1.2;
const VELOCITY_SLIP: i16 = 14;

/// How much the passages are changed.
#[derive(Debug, Clone, Copy)]
pub struct Augmentation {
    /// The part of the passages in another key, tempo and loudness, 0..=1.
    pub varied: f64,
    /// The part of the passages in which the plugin has played some of the notes, with mistakes, 0..=1.
    pub slipped: f64,
}

/// The notes that the network should predict, and those that it hears.
#[derive(Debug, Clone)]
pub struct Example {
    /// The notes of the music; the step of each counts from what was heard before.
    pub truth: Vec<GridNote>,
    pub heard: Vec<GridNote>,
}

impl Augmentation {
    #[cfg(test)]
    pub const ALL: Self = Self { varied: 1.0, slipped: 1.0 };
}

impl Example {
    pub const NOTHING: Self = Self { truth: Vec::new(), heard: Vec::new() };
}

/// Changes a passage; all random choices come from `rng`.
pub fn augment(written: &[GridNote], augmentation: &Augmentation, rng: &mut Rng) -> Example {
    let mut notes = match rng.random_bool(augmentation.varied) {
        true => varied(written, rng),
        false => written.to_vec(),
    };
    let told = [PULSE_TOLD, HARMONY_TOLD, STYLE_TOLD].map(|likely| rng.random_bool(likely));
    notes.iter_mut().for_each(|note| note.conditions = without(note.conditions, told));
    let slips = rng.random_bool(augmentation.slipped);
    let who_is_told = rng.random_bool(WHO_TOLD);
    let mut example = match slips {
        true => slipped(&notes, rng),
        false => Example { heard: notes.clone(), truth: notes },
    };
    if !slips || !who_is_told {
        let who = who_is_told.then_some(Who::Player);
        example.heard.iter_mut().for_each(|note| note.conditions.who = who);
    }
    example
}

fn without(conditions: Conditions, [pulse, harmony, style]: [bool; 3]) -> Conditions {
    Conditions {
        pulse: conditions.pulse.filter(|_| pulse),
        harmony: conditions.harmony.filter(|_| harmony),
        style: conditions.style.filter(|_| style),
        who: None,
    }
}

/// Changes key, tempo and loudness. Onsets and ends are scaled together, so that notes that end together
/// still do.
fn varied(notes: &[GridNote], rng: &mut Rng) -> Vec<GridNote> {
    let shift = fitting(notes, rng.random_range(-TRANSPOSITION..=TRANSPOSITION));
    let stretch = rng.random_range(1.0 - STRETCH..=1.0 + STRETCH);
    let louder = rng.random_range(-LOUDNESS..=LOUDNESS);
    let cell = |cells: u32| (f64::from(cells) * stretch).round() as u32;
    let varied = corpus::placed(notes).map(|note| Placed {
        onset: cell(note.onset),
        end: cell(note.end),
        key: Key::saturating(moved(note.key.number(), shift)),
        velocity: Velocity::saturating(moved(note.velocity.value(), louder)),
        conditions: Conditions {
            pulse: note.conditions.pulse.map(|pulse| pulse.stretched(stretch)),
            harmony: note.conditions.harmony.map(|harmony| harmony.transposed(shift)),
            ..note.conditions
        },
    });
    corpus::in_order(varied.collect())
}

fn moved(number: u8, by: i16) -> u8 {
    u8::try_from((i16::from(number) + by).clamp(0, 127)).unwrap_or(0)
}

/// The wanted transposition, or 0 where it leads out of the MIDI keys.
fn fitting(notes: &[GridNote], shift: i16) -> i16 {
    let fits = |note: &GridNote| (0..=127).contains(&(i16::from(note.key.number()) + shift));
    if notes.iter().all(fits) { shift } else { 0 }
}

/// Marks stretches of the notes as the plugin's, and adds mistakes to some of these notes. The target stays
/// the music, which goes on in spite of them.
fn slipped(notes: &[GridNote], rng: &mut Rng) -> Example {
    let mut example = Example::NOTHING;
    let (mut who, mut left) = (Who::Plugin, 0);
    let mut before: Option<Placed> = None;
    for note in corpus::placed(notes) {
        if left == 0 {
            who = if who == Who::Plugin { Who::Player } else { Who::Plugin };
            left = 1 + (-STRETCH_NOTES * (1.0 - rng.random::<f64>()).ln()) as usize;
        }
        left -= 1;
        let mut heard = if who == Who::Plugin { slip(note, rng) } else { note };
        heard.conditions.who = Some(who);
        let (truth, heard) = (following(note, before), following(heard, before));
        example.truth.push(relative(truth, before));
        example.heard.push(relative(heard, before));
        before = Some(heard);
    }
    example
}

/// Moves the onset of a note after what was heard: not before it, and in a chord only on a higher key. The
/// end stays.
fn following(mut note: Placed, before: Option<Placed>) -> Placed {
    let Some(before) = before else { return note };
    note.onset = note.onset.max(before.onset);
    if note.onset == before.onset && note.key <= before.key {
        note.onset += 1;
    }
    note.end = note.end.max(note.onset + 1);
    note
}

fn relative(note: Placed, before: Option<Placed>) -> GridNote {
    let Placed { onset, end, key, velocity, conditions } = note;
    let step = onset - before.map_or(0, |before| before.onset);
    GridNote { step, key, velocity, duration: end - onset, conditions }
}

fn slip(mut note: Placed, rng: &mut Rng) -> Placed {
    if rng.random_bool(ONSET_SLIPS) {
        let by = rng.random_range(-ONSET_SLIP..=ONSET_SLIP);
        let onset = u32::try_from((i64::from(note.onset) + by).max(0)).unwrap_or(note.onset);
        note.end += onset.saturating_sub(note.onset);
        note.onset = onset;
        let moved = Seconds((by as f64 / CELLS_PER_SECOND) as f32);
        note.conditions.pulse = note.conditions.pulse.map(|pulse| pulse.after(moved));
    }
    if rng.random_bool(END_SLIPS) {
        let length = f64::from(note.end - note.onset);
        note.end = note.onset
            + match rng.random_bool(0.5) {
                true => rng.random_range(1..=BLIP),
                false => (length * rng.random_range(-LENGTH_SLIP..=LENGTH_SLIP).exp()).max(1.0) as u32,
            };
    }
    if rng.random_bool(KEY_SLIPS) {
        let by = [-12, -2, -1, 1, 2, 12][rng.random_range(0..6)];
        note.key = Key::saturating(moved(note.key.number(), by));
    }
    if rng.random_bool(VELOCITY_SLIPS) {
        let by = rng.random_range(-VELOCITY_SLIP..=VELOCITY_SLIP);
        note.velocity = Velocity::saturating(moved(note.velocity.value(), by));
    }
    note
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use antiphon::music::conditions::{Harmony, Pulse, Style};

    use super::*;

    /// Chords of three notes at every beat of 50 cells.
    fn piece(chords: u32) -> Vec<GridNote> {
        let note = |n: u32| GridNote {
            step: if n.is_multiple_of(3) && n > 0 { 50 } else { 0 },
            key: Key::saturating(60 + 4 * (n % 3) as u8),
            velocity: Velocity::saturating(64),
            duration: 40,
            conditions: Conditions {
                pulse: Pulse::new(f64::from(n / 3), 4.0, 0.5),
                harmony: Harmony::new(0b1001_0001, Some(0)),
                style: Some(Style::Pop),
                who: None,
            },
        };
        (0..3 * chords).map(note).collect()
    }

    #[test]
    fn what_ends_together_still_does_at_another_tempo() {
        let mut piece = piece(14);
        let mut onset = 0;
        for note in &mut piece {
            onset += note.step;
            note.duration = 1000 - onset;
        }
        for seed in 0..20 {
            let varied = varied(&piece, &mut Rng::seed_from_u64(seed));
            let ends: Vec<u32> = corpus::placed(&varied).map(|note| note.end).collect();
            assert!(ends.iter().all(|&end| end == ends[0]));
        }
    }

    #[test]
    fn harmony_and_tempo_move_with_the_notes() {
        for seed in 0..20 {
            let varied = varied(&piece(4), &mut Rng::seed_from_u64(seed));
            let harmony = varied[0].conditions.harmony.expect("it is told");
            assert_eq!(harmony.root(), Some(varied[0].key.index() % 12));
            let period = varied[0].conditions.pulse.expect("it is told").period();
            assert!((period * CELLS_PER_SECOND - f64::from(varied[3].step)).abs() <= 0.6);
        }
    }

    #[test]
    fn after_slips_the_music_goes_on_as_it_would_have() {
        for seed in 0..50 {
            let (piece, mut rng) = (piece(60), Rng::seed_from_u64(seed));
            let example = slipped(&piece, &mut rng);
            let (mut heard, mut slips) = (0, 0);
            let ends: Vec<Placed> = corpus::placed(&piece).collect();
            for ((truth, said), written) in example.truth.iter().zip(&example.heard).zip(&ends) {
                let late = (heard + truth.step) - written.onset;
                assert!(late <= 12 && heard + truth.step + truth.duration >= written.end);
                assert_eq!((truth.key, truth.velocity), (written.key, written.velocity));
                slips += usize::from(said.conditions.who == Some(Who::Plugin) && *said != *truth);
                heard += said.step;
            }
            assert!(slips > 0);
        }
    }
}
