//! What a listener notices, as numbers, and how far answers are from real continuations, as distributions of
//! windows of notes.

use std::{f64::consts::TAU, mem, ops::Range};

use super::{
    excerpt::Excerpt,
    passage::{CHORD_S, HeardNote, Passage, chords, mean, median},
    turns::{Turn, Turns},
};

/// Notes shorter than this are blips, in seconds.
const BLIP_S: f64 = 0.06;
/// Distance from an eighth within which an onset is heard to be on it, in seconds.
const NEAR_S: f64 = 0.04;
/// Number of parts of a beat on which onsets should fall.
const GRID: f64 = 4.0;

/// The measures: the name of each for the JSON output, and its unit or meaning for the table.
pub const MEASURES: [(&str, &str); 13] = [
    ("beat", "onsets on sixteenths, 1 is exact"),
    ("eighths", "share of onsets within 40 ms of an eighth"),
    ("scale", "share of notes in the player's scale"),
    ("median_duration_s", "median duration, s"),
    ("blips", "share of notes under 60 ms"),
    ("chords", "share of onsets within 30 ms of the one before"),
    ("velocity", "mean velocity"),
    ("density", "notes per second, from first onset to last"),
    ("motives", "share of 4-note interval patterns heard in the call"),
    ("silences", "silences over 1 s, per minute"),
    ("drift", "mean key, semitones from that of the call"),
    ("last_note", "duration of the last note over the median"),
    ("rest_s", "silence left at the end, s"),
];

/// Number of notes in a window, and below from one window to the next.
const WINDOW: usize = 16;
const HOP: usize = 8;
/// Number of features of a window.
const FEATURES: usize = 13;
/// Least spread of each feature, in the order of [`features`]: a difference that hardly anyone would hear.
/// Where real music is more even (pop has no blips at all), a single note would otherwise count far too much.
const SMALLEST_UNITS: [f64; FEATURES] = [0.1, 0.1, 0.1, 2.0, 1.0, 1.0, 4.0, 2.0, 0.1, 0.1, 0.1, 0.1, 0.1];

/// One value for each measure; `None` where it cannot be known.
pub type Values = [Option<f64>; MEASURES.len()];

/// The seven keys of an octave that a player's notes fit best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(u16);

/// The passages of a performance and of the plugin's output.
#[derive(Debug)]
pub struct Heard {
    /// All that the player has played in the whole stretch, including what the plugin has not heard.
    player: Passage,
    calls: Vec<Passage>,
    /// What the player has played where the plugin had the floor.
    continuations: Vec<Passage>,
    /// What the plugin has played in each turn; turns without a note are left out.
    pub answers: Vec<Passage>,
    pub turns: usize,
    scale: Scale,
}

/// The figures of one performance.
#[derive(Debug, Clone)]
pub struct Figures {
    pub player: Values,
    pub call: Values,
    pub continuation: Values,
    pub answer: Values,
    pub call_windows: Vec<Window>,
    pub continuation_windows: Vec<Window>,
    pub answer_windows: Vec<Window>,
}

impl Scale {
    const MAJOR: u16 = 0b1010_1011_0101;

    /// The best fit among the twelve transpositions of a piano's white keys.
    pub fn of(notes: &[HeardNote]) -> Self {
        let moved = |by: u32| Self((Self::MAJOR << by | Self::MAJOR >> (12 - by)) & 0xFFF);
        let fit = |scale: &Self| notes.iter().filter(|note| scale.contains(note.key)).count();
        (0..12).map(moved).max_by_key(fit).unwrap_or(Self(Self::MAJOR))
    }

    pub fn contains(self, key: u8) -> bool {
        self.0 >> (key % 12) & 1 == 1
    }
}

impl Heard {
    /// `played` is the plugin's output, by onset.
    pub fn new(excerpt: &Excerpt, turns: &Turns, played: &[HeardNote]) -> Self {
        let within = |notes: &[HeardNote], from: f64, until: f64| -> Vec<HeardNote> {
            notes.iter().copied().filter(|note| (from..until).contains(&note.onset)).collect()
        };
        let real = &excerpt.notes;
        // Until the player's first note the plugin has the floor, and what it plays belongs to the turn before.
        let taken_back = |call: &Range<f64>| {
            let first = real.iter().find(|note| call.contains(&note.onset));
            first.map_or(call.start, |note| note.onset + CHORD_S)
        };
        let ends = turns.all().iter().skip(1).map(|next| taken_back(&next.call)).chain([turns.end()]);
        let mut from = 0.0;
        let (mut calls, mut continuations, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (Turn { call, answer }, until) in turns.all().iter().zip(ends) {
            let heard = within(real, call.start, call.end);
            let passage = |notes, from: f64, until: f64| Passage { notes, call: heard.clone(), from, until };
            calls.push(passage(heard.clone(), call.start, call.end));
            continuations.push(passage(within(real, answer.start, answer.end), answer.start, answer.end));
            // What the plugin plays during the call counts as part of its answer.
            let notes = within(played, mem::replace(&mut from, until), until);
            answers.push(passage(notes, answer.start, answer.end));
        }
        answers.retain(|passage| !passage.notes.is_empty());
        continuations.retain(|passage| !passage.notes.is_empty());
        let player = Passage { notes: real.clone(), call: Vec::new(), from: 0.0, until: excerpt.end() };
        let scale = Scale::of(real);
        Self { player, calls, continuations, answers, turns: turns.all().len(), scale }
    }
}

impl Figures {
    pub fn of(heard: &Heard) -> Self {
        let windows = |passages: &[Passage]| {
            passages.iter().flat_map(|passage| windows(&passage.notes, heard.scale)).collect()
        };
        Self {
            player: values(std::slice::from_ref(&heard.player), heard.scale),
            call: values(&heard.calls, heard.scale),
            continuation: values(&heard.continuations, heard.scale),
            answer: values(&heard.answers, heard.scale),
            call_windows: windows(&heard.calls),
            continuation_windows: windows(&heard.continuations),
            answer_windows: windows(&heard.answers),
        }
    }
}

/// The values of passages, in the order of [`MEASURES`].
fn values(passages: &[Passage], scale: Scale) -> Values {
    let notes: Vec<&HeardNote> = passages.iter().flat_map(|passage| &passage.notes).collect();
    let share = |is_it: &dyn Fn(&HeardNote) -> bool| {
        mean(notes.iter().map(|note| if is_it(note) { 1.0 } else { 0.0 }))
    };
    let each = |measure: fn(&Passage) -> Option<f64>| mean(passages.iter().filter_map(measure));
    let phase = |passage: &Passage| -> Vec<f64> {
        let lone = chords(&passage.notes).filter_map(|chord| chord[0].beat);
        lone.map(|beat| (TAU * GRID * beat).cos()).collect()
    };
    let on_eighths = |passage: &Passage| -> Vec<f64> {
        let lone = chords(&passage.notes).filter_map(|chord| chord[0].off_eighth);
        lone.map(|off| if off <= NEAR_S { 1.0 } else { 0.0 }).collect()
    };
    let follows = |passage: &Passage| -> Vec<f64> {
        let is_close = |pair: &[HeardNote]| pair[1].onset - pair[0].onset <= CHORD_S;
        passage.notes.windows(2).map(|pair| if is_close(pair) { 1.0 } else { 0.0 }).collect()
    };
    [
        mean(passages.iter().flat_map(phase)),
        mean(passages.iter().flat_map(on_eighths)),
        share(&|note| scale.contains(note.key)),
        median(notes.iter().map(|note| note.duration())),
        share(&|note| note.duration() < BLIP_S),
        mean(passages.iter().flat_map(follows)),
        mean(notes.iter().map(|note| f64::from(note.velocity))),
        each(Passage::density),
        each(Passage::motives),
        each(Passage::silences),
        each(Passage::drift),
        each(Passage::last_note),
        each(Passage::rest),
    ]
}

pub type Window = [f64; FEATURES];

/// The windows of a passage, which may be too short for any.
fn windows(passage: &[HeardNote], scale: Scale) -> impl Iterator<Item = Window> {
    passage.windows(WINDOW).step_by(HOP).map(move |notes| features(notes, scale))
}

/// The Fréchet distance, in its squared form, between two sets of windows; 0 for the same. Each feature
/// counts as a normal distribution of its own, in units of its spread in `real`. `None` where a set has fewer
/// than two windows.
pub fn frechet(real: &[Window], other: &[Window]) -> Option<f64> {
    (real.len() > 1 && other.len() > 1).then(|| {
        let squares = (0..FEATURES).map(|feature| {
            let ((mean, spread), (others_mean, others_spread)) =
                (moments(real, feature), moments(other, feature));
            let unit = spread.max(SMALLEST_UNITS[feature]);
            ((mean - others_mean).powi(2) + (spread - others_spread).powi(2)) / (unit * unit)
        });
        squares.sum::<f64>()
    })
}

fn moments(windows: &[Window], feature: usize) -> (f64, f64) {
    let count = windows.len() as f64;
    let mean = windows.iter().map(|window| window[feature]).sum::<f64>() / count;
    let variance = windows.iter().map(|window| (window[feature] - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn features(notes: &[HeardNote], scale: Scale) -> Window {
    let share = |count: usize| count as f64 / notes.len() as f64;
    let steps: Vec<f64> = notes.windows(2).map(|pair| pair[1].onset - pair[0].onset).collect();
    let between: Vec<f64> = steps.iter().copied().filter(|&step| step > CHORD_S).map(f64::ln).collect();
    let mut lengths: Vec<f64> = notes.iter().map(|note| note.duration().max(1e-3).ln()).collect();
    lengths.sort_by(f64::total_cmp);
    let keys: Vec<f64> = notes.iter().map(|note| f64::from(note.key)).collect();
    let velocities: Vec<f64> = notes.iter().map(|note| f64::from(note.velocity)).collect();
    let leaps: Vec<f64> = keys.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let (key, keys_apart) = spread(&keys);
    let (velocity, velocities_apart) = spread(&velocities);
    let (step, steps_apart) = spread(&between);
    [
        step,
        steps_apart,
        share(steps.iter().filter(|&&step| step <= CHORD_S).count()),
        key,
        keys_apart,
        spread(&leaps).0,
        velocity,
        velocities_apart,
        lengths[lengths.len() / 2],
        spread(&lengths).1,
        share(notes.iter().filter(|note| note.duration() < BLIP_S).count()),
        share(notes.iter().filter(|note| scale.contains(note.key)).count()),
        entropy(notes),
    ]
}

/// Mean and standard deviation; both zero of no values.
fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// The entropy of the pitch classes, in nats.
fn entropy(notes: &[HeardNote]) -> f64 {
    let mut counts = [0.0; 12];
    for note in notes {
        counts[usize::from(note.key % 12)] += 1.0 / notes.len() as f64;
    }
    counts.into_iter().filter(|&share| share > 0.0).map(|share: f64| -share * share.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: f64, duration: f64, key: u8) -> HeardNote {
        // At 120 beats a minute.
        let eighths = onset * 4.0;
        let off_eighth = Some((eighths - eighths.round()).abs() / 4.0);
        HeardNote { onset, end: onset + duration, key, velocity: 64, beat: Some(onset * 2.0), off_eighth }
    }

    fn passage(notes: Vec<HeardNote>, call: Vec<HeardNote>) -> Passage {
        Passage { notes, call, from: 0.0, until: 10.0 }
    }

    fn value(name: &str, passage: Passage, scale: Scale) -> Option<f64> {
        let index = MEASURES.iter().position(|measure| measure.0 == name).expect("a measure");
        values(&[passage], scale)[index].map(|value| (value * 1e6).round() / 1e6)
    }

    #[test]
    fn the_scale_is_the_one_that_most_notes_fit() {
        let d_major = [62, 64, 66, 67, 69, 71, 73, 63].map(|key| note(0.0, 0.1, key));
        let scale = Scale::of(&d_major);
        assert_eq!(value("scale", passage(d_major.to_vec(), Vec::new()), scale), Some(0.875));
        assert!(scale.contains(61) && !scale.contains(60));
    }

    #[test]
    fn onsets_on_sixteenths_count_one_between_them_minus_one_and_a_chord_once() {
        let scale = Scale::of(&[]);
        let beat = |onsets: &[f64]| {
            value("beat", passage(onsets.iter().map(|&at| note(at, 0.1, 60)).collect(), Vec::new()), scale)
        };
        assert_eq!(beat(&[0.0, 0.125, 0.5]), Some(1.0));
        assert_eq!(beat(&[0.0625]), Some(-1.0));
        // A roll within a chord is no second onset.
        assert_eq!(beat(&[0.0, 0.02]), Some(1.0));
    }

    #[test]
    fn onsets_near_an_eighth_are_on_it_and_sixteenths_are_not() {
        let notes = [0.0, 0.125, 0.26, 0.5].map(|at| note(at, 0.1, 60)).to_vec();
        assert_eq!(value("eighths", passage(notes, Vec::new()), Scale::of(&[])), Some(0.75));
    }

    #[test]
    fn short_notes_chords_and_lengths_are_counted() {
        let notes = vec![note(0.0, 0.05, 60), note(0.01, 0.4, 64), note(1.0, 0.3, 65), note(2.0, 0.5, 67)];
        let scale = Scale::of(&notes);
        let value = |name| value(name, passage(notes.clone(), vec![note(0.0, 1.0, 60)]), scale);
        assert_eq!(value("blips"), Some(0.25));
        assert_eq!(value("chords"), Some(0.333333));
        assert_eq!(value("median_duration_s"), Some(0.4));
        assert_eq!(value("density"), Some(1.5));
        assert_eq!(value("drift"), Some(4.0));
        assert_eq!(value("last_note"), Some(1.25));
        assert_eq!(value("rest_s"), Some(7.5));
    }

    #[test]
    fn a_motive_is_known_wherever_it_lies() {
        let line = |keys: &[u8], from: f64| -> Vec<HeardNote> {
            keys.iter().enumerate().map(|(n, &key)| note(from + 0.25 * n as f64, 0.2, key)).collect()
        };
        let call = line(&[60, 62, 64, 60], 0.0);
        let scale = Scale::of(&call);
        let share = |keys: &[u8]| value("motives", passage(line(keys, 4.0), call.clone()), scale);
        assert_eq!(share(&[67, 69, 71, 67]), Some(1.0));
        assert_eq!(share(&[67, 69, 71, 67, 60]), Some(0.5));
        assert_eq!(share(&[67, 69]), None);
    }

    #[test]
    fn a_silence_is_one_in_which_nothing_sounds() {
        let scale = Scale::of(&[]);
        let silences = |notes: Vec<HeardNote>| value("silences", passage(notes, Vec::new()), scale);
        // One silence in six seconds, and a held note that bridges it.
        assert_eq!(silences(vec![note(0.0, 1.0, 60), note(4.0, 2.0, 60)]), Some(10.0));
        assert_eq!(silences(vec![note(0.0, 4.0, 48), note(0.5, 1.0, 60), note(4.0, 2.0, 60)]), Some(0.0));
    }

    fn music(step: f64, duration: f64, key: u8) -> Vec<HeardNote> {
        let note = |n: u8| {
            let onset = step * f64::from(n) + 0.01 * f64::from(n % 3);
            let (key, velocity) = (key + n % 7, 60 + n % 9);
            HeardNote { onset, end: onset + duration, key, velocity, beat: None, off_eighth: None }
        };
        (0..64).map(note).collect()
    }

    fn seen(passage: &[HeardNote]) -> Vec<Window> {
        windows(passage, Scale::of(passage)).collect()
    }

    #[test]
    fn the_same_music_is_at_no_distance_and_other_music_is_farther_the_more_it_differs() {
        let real = seen(&music(0.2, 0.3, 60));
        assert_eq!(real.len(), 7);
        assert_eq!(frechet(&real, &real), Some(0.0));
        let near = frechet(&real, &seen(&music(0.21, 0.3, 60))).expect("windows");
        let far = frechet(&real, &seen(&music(0.4, 0.05, 72))).expect("windows");
        assert!(0.0 < near && near < far, "{near} {far}");
    }

    #[test]
    fn of_too_few_notes_nothing_is_said() {
        assert_eq!(frechet(&seen(&music(0.2, 0.3, 60)), &seen(&music(0.2, 0.3, 60)[..20])), None);
    }
}
