//! The chords of a performance, from an annotation file.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

/// How early before a change of chord a player may already mean the new chord, in seconds.
const EARLY_S: f64 = 0.02;

/// A chord: its root and all its pitch classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    /// A bit for each pitch class; bit 0 is C.
    pub pitch_classes: u16,
    /// 0..=11, from C.
    pub root: u8,
}

/// The chords of one performance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chords {
    /// The beginning of each chord in milliseconds, in order; `None` where no chord is named.
    changes: Vec<(i64, Option<Chord>)>,
}

impl Chords {
    /// Chords from changes in the order of time; each holds from a moment in seconds on.
    pub fn new(changes: impl IntoIterator<Item = (f64, Option<Chord>)>) -> Self {
        let mut kept: Vec<(i64, Option<Chord>)> = Vec::new();
        for (at, chord) in changes {
            if kept.last().is_none_or(|before| before.1 != chord) {
                kept.push(((at * 1e3).round() as i64, chord));
            }
        }
        Self { changes: kept }
    }

    /// Reads POP909's format, `start end name` in each line: `Bb:min7/b3`, or `N` for no chord.
    pub fn pop909(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        let mut changes = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let change = match fields[..] {
                [start, end, chord] => start.parse().ok().zip(end.parse().ok()).zip(harte(chord)),
                _ => None,
            };
            let Some(((start, end), chord)) = change else {
                bail!(
                    "{name}, line {}: a chord has the form start, end and name, such as C:maj7",
                    number + 1
                );
            };
            changes.extend([(start, chord), (end, None::<Chord>)]);
        }
        // The end of a chord is usually the start of the next one.
        let starts: Vec<f64> = changes.iter().step_by(2).map(|change: &(f64, _)| change.0).collect();
        let is_covered = |number: usize, end: f64| {
            number % 2 == 1 && starts.get(number / 2 + 1).is_some_and(|&start| start <= end)
        };
        let changes = changes.iter().enumerate().filter(|&(number, change)| !is_covered(number, change.0));
        Ok(Self::new(changes.map(|(_, change)| *change)))
    }

    /// The chord at a moment; `None` where none is named.
    pub fn at(&self, seconds: f64) -> Option<Chord> {
        let moment = ((seconds + EARLY_S) * 1e3).round() as i64;
        let next = self.changes.partition_point(|change| change.0 <= moment);
        self.changes.get(next.checked_sub(1)?)?.1
    }
}

impl Chord {
    /// A chord from intervals above its root, in semitones, each below 24.
    fn above(root: u8, intervals: impl IntoIterator<Item = u8>) -> Self {
        let pitch_classes =
            intervals.into_iter().fold(1 << root, |all, interval| all | 1 << ((root + interval) % 12));
        Self { pitch_classes, root }
    }

    fn and(self, interval: u8) -> Self {
        Self { pitch_classes: self.pitch_classes | 1 << ((self.root + interval) % 12), ..self }
    }

    fn and_pitch_class(self, class: u8) -> Self {
        Self { pitch_classes: self.pitch_classes | 1 << class, ..self }
    }
}

/// Parses a chord as POP909 writes it. The inner `None` is "no chord", the outer one an unknown name.
fn harte(name: &str) -> Option<Option<Chord>> {
    if name == "N" {
        return Some(None);
    }
    let (root, quality) = name.split_once(':')?;
    let (root, "") = pitch_class(root)? else { return None };
    let (quality, bass) =
        quality.split_once('/').map_or((quality, None), |(quality, bass)| (quality, Some(bass)));
    let intervals: &[u8] = match quality {
        "maj" => &[4, 7],
        "min" => &[3, 7],
        "dim" => &[3, 6],
        "aug" => &[4, 8],
        "sus2" => &[2, 7],
        "sus4" => &[5, 7],
        "sus4(b7)" => &[5, 7, 10],
        "7" => &[4, 7, 10],
        "maj7" => &[4, 7, 11],
        "min7" => &[3, 7, 10],
        "minmaj7" => &[3, 7, 11],
        "dim7" => &[3, 6, 9],
        "hdim7" => &[3, 6, 10],
        "maj6" => &[4, 7, 9],
        "min6" => &[3, 7, 9],
        "9" => &[4, 7, 10, 2],
        "maj9" => &[4, 7, 11, 2],
        "min9" => &[3, 7, 10, 2],
        _ => return None,
    };
    let chord = Chord::above(root, intervals.iter().copied());
    match bass {
        None => Some(Some(chord)),
        Some(bass) => Some(Some(chord.and(degree(bass)?))),
    }
}

/// Semitones of `b3`, `5`, `#4` above the root.
fn degree(name: &str) -> Option<u8> {
    const MAJOR: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
    let number: usize = name.trim_start_matches(['b', '#']).parse().ok()?;
    let natural = *MAJOR.get(number.checked_sub(1)? % 7)?;
    let sharps = name.matches('#').count();
    let flats = name.matches('b').count();
    u8::try_from((usize::from(natural) + sharps + 12).checked_sub(flats)? % 12).ok()
}

/// The pitch class at the beginning of a name, and the rest of it.
fn pitch_class(name: &str) -> Option<(u8, &str)> {
    let natural = match name.chars().next()? {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    match &name[1..] {
        rest if rest.starts_with('#') => Some(((natural + 1) % 12, &rest[1..])),
        rest if rest.starts_with('b') => Some(((natural + 11) % 12, &rest[1..])),
        rest => Some((natural, rest)),
    }
}

/// Parses a chord as lead sheets of the Weimar Jazz Database write it: `Bb-7`, `Fj7911#`, `Dm7b5`, `A7/C#`.
/// `None` for `NC` and for anything that is no chord.
pub fn jazz(name: &str) -> Option<Chord> {
    let (name, bass) = name.split_once('/').map_or((name, None), |(name, bass)| (name, Some(bass)));
    let (root, quality) = pitch_class(name)?;
    let (triad, rest) = triad(quality);
    let (seventh, mut tensions) = seventh(quality, rest);
    let mut chord = Chord::above(root, triad.iter().chain(seventh).copied());
    while !tensions.is_empty() {
        let (interval, length) = tension(tensions)?;
        chord = chord.and(interval);
        tensions = &tensions[length..];
    }
    Some(match bass {
        Some(bass) => chord.and_pitch_class(pitch_class(bass)?.0),
        None => chord,
    })
}

/// The intervals above the root without any seventh, and the rest of the name.
fn triad(quality: &str) -> (&'static [u8], &str) {
    const TRIADS: [(&str, &[u8]); 6] = [
        ("m7b5", &[3, 6, 10]),
        ("7alt", &[4, 8, 10, 1, 3]),
        ("sus", &[5, 7]),
        ("-", &[3, 7]),
        ("o", &[3, 6]),
        ("+", &[4, 8]),
    ];
    let triad = TRIADS.iter().find_map(|(name, intervals)| Some((*intervals, quality.strip_prefix(name)?)));
    triad.unwrap_or((&[4, 7], quality))
}

/// The sixth or seventh, and the rest of the name.
fn seventh<'a>(quality: &str, rest: &'a str) -> (&'static [u8], &'a str) {
    // The seventh of a diminished chord is diminished too.
    let plain: &[u8] = if quality.starts_with('o') { &[9] } else { &[10] };
    let sevenths: [(&str, &[u8]); 3] = [("j7", &[11]), ("7", plain), ("6", &[9])];
    let found = sevenths.iter().find_map(|(name, intervals)| Some((*intervals, rest.strip_prefix(name)?)));
    found.unwrap_or((&[], rest))
}

/// The interval of the tension at the beginning of a name, and the number of its letters.
fn tension(name: &str) -> Option<(u8, usize)> {
    const TENSIONS: [(&str, u8); 7] =
        [("9b", 1), ("9#", 3), ("9", 2), ("11#", 6), ("11", 5), ("13b", 8), ("13", 9)];
    TENSIONS
        .iter()
        .find(|(written, _)| name.starts_with(written))
        .map(|&(written, interval)| (interval, written.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    /// The pitch classes of a chord, the root first.
    fn classes(chord: Option<Chord>) -> Vec<u8> {
        let Some(chord) = chord else { return Vec::new() };
        (0..12).map(|n| (chord.root + n) % 12).filter(|class| chord.pitch_classes >> class & 1 == 1).collect()
    }

    fn pop(name: &str, text: &str) -> Result<Chords> {
        let folder = Folder::new(name);
        folder.write("chords.txt", text.as_bytes());
        Chords::pop909(&folder.join("chords.txt"))
    }

    #[test]
    fn a_chord_sounds_from_its_start_and_is_meant_a_little_earlier() {
        let chords = pop("chords-pop", "0.5 1.0 N\n1.0 2.0 C:maj\n2.0 3.0 Bb:min7/b3\n").expect("chords");
        assert_eq!(chords.at(0.2), None);
        assert_eq!(chords.at(0.7), None);
        assert_eq!(classes(chords.at(0.99)), [0, 4, 7]);
        assert_eq!(classes(chords.at(1.97)), [0, 4, 7]);
        assert_eq!(classes(chords.at(2.5)), [10, 1, 5, 8]);
        assert_eq!(chords.at(3.0), None);
    }

    #[test]
    fn a_bass_beside_the_chord_sounds_too() {
        let chords = pop("chords-bass", "0 1 A:min/b7\n1 2 D:maj/2\n").expect("chords");
        assert_eq!(classes(chords.at(0.5)), [9, 0, 4, 7]);
        assert_eq!(classes(chords.at(1.5)), [2, 4, 6, 9]);
    }

    #[test]
    fn a_line_that_is_no_chord_is_told_by_its_number() {
        for (number, text) in ["0 1 H:maj\n", "0 1 C:odd\n", "0 C:maj\n", "x 1 C:maj\n"].iter().enumerate() {
            let sentence = pop(&format!("chords-wrong-{number}"), text).expect_err("no chord").to_string();
            assert!(sentence.contains("line 1: a chord has the form"), "{sentence}");
        }
    }

    #[test]
    fn the_names_of_jazz_give_their_keys() {
        let keys = |name| classes(jazz(name));
        assert_eq!(keys("C"), [0, 4, 7]);
        assert_eq!(keys("Fj7"), [5, 9, 0, 4]);
        assert_eq!(keys("Bb-7"), [10, 1, 5, 8]);
        assert_eq!(keys("D-j7"), [2, 5, 9, 1]);
        assert_eq!(keys("Dm7b5"), [2, 5, 8, 0]);
        assert_eq!(keys("Eo"), [4, 7, 10]);
        assert_eq!(keys("Eo7"), [4, 7, 10, 1]);
        assert_eq!(keys("F+"), [5, 9, 1]);
        assert_eq!(keys("Gsus7"), [7, 0, 2, 5]);
        assert_eq!(keys("C69"), [0, 2, 4, 7, 9]);
        assert_eq!(keys("C79b13b"), [0, 1, 4, 7, 8, 10]);
        assert_eq!(keys("C7911#"), [0, 2, 4, 6, 7, 10]);
        assert_eq!(keys("C7alt"), [0, 1, 3, 4, 8, 10]);
        assert_eq!(keys("A7/C#"), [9, 1, 4, 7]);
        assert_eq!(keys("C/D"), [0, 2, 4, 7]);
        assert_eq!((jazz("NC"), jazz("Cx"), jazz("")), (None, None, None));
    }
}
