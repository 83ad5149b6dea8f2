//! Estimates the key of music, by the profiles of Krumhansl and Kessler.

use std::fmt;

use antiphon::music::{note::Key, scale::Root};

/// How well each pitch class fits a major and a minor key, from its tonic upwards, as listeners rated it: C.
/// L. Krumhansl and E. J. Kessler, "Tracing the dynamic changes in perceived tonal organization in a spatial
/// representation of musical keys", Psychological Review 89 (1982), 334–368. That durations are correlated
/// with them is C. L. Krumhansl, Cognitive Foundations of Musical Pitch (1990), chapter 4.
const MAJOR: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// A tonic and a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tonality {
    pub tonic: Root,
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Major,
    Minor,
}

/// A tonality and how well the notes fit it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    pub tonality: Tonality,
    /// Correlation of the durations of the pitch classes with the profile, -1..=1.
    pub correlation: f64,
}

impl Tonality {
    /// Sharps of its key signature, from -6 to 6, as it is usually written; flats are below 0.
    pub fn sharps(self) -> i8 {
        let major = match self.mode {
            Mode::Major => self.tonic.semitones(),
            Mode::Minor => (self.tonic.semitones() + 3) % 12,
        };
        // Each fifth up adds a sharp.
        let sharps = (7 * i16::from(major)) % 12;
        let flats = if self.mode == Mode::Minor { 6 } else { 5 };
        i8::try_from(if sharps > 11 - flats { sharps - 12 } else { sharps }).unwrap_or(0)
    }
}

impl fmt::Display for Tonality {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const FLAT: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
        let tonic = usize::from(self.tonic.semitones());
        let name = if self.sharps() < 0 { FLAT[tonic] } else { Root::NAMES[tonic] };
        let mode = match self.mode {
            Mode::Major => "major",
            Mode::Minor => "minor",
        };
        write!(f, "{name} {mode}")
    }
}

/// All 24 tonalities, the best first, for keys and their durations; empty if nothing sounds, or if all pitch
/// classes sound equally long.
pub fn fits(notes: impl Iterator<Item = (Key, f64)>) -> Vec<Fit> {
    let mut durations = [0.0; 12];
    notes.for_each(|(key, duration)| durations[key.index() % 12] += duration);
    let tonalities = (0..12)
        .flat_map(|tonic| [Mode::Major, Mode::Minor].map(|mode| Tonality { tonic: Root::new(tonic), mode }));
    let fit = |tonality: Tonality| {
        let profile = if tonality.mode == Mode::Major { &MAJOR } else { &MINOR };
        let tonic = usize::from(tonality.tonic.semitones());
        let above: [f64; 12] = std::array::from_fn(|degree| durations[(tonic + degree) % 12]);
        Some(Fit { tonality, correlation: correlation(&above, profile)? })
    };
    let mut fits: Vec<Fit> = tonalities.filter_map(fit).collect();
    fits.sort_by(|one, other| other.correlation.total_cmp(&one.correlation));
    fits
}

/// Pearson's correlation; `None` if one of the two does not vary.
fn correlation(one: &[f64; 12], other: &[f64; 12]) -> Option<f64> {
    let centred = |numbers: &[f64; 12]| {
        let mean = numbers.iter().sum::<f64>() / 12.0;
        numbers.map(|number| number - mean)
    };
    let (one, other) = (centred(one), centred(other));
    let product = |a: &[f64; 12], b: &[f64; 12]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (product(&one, &one) * product(&other, &other)).sqrt();
    (scale > 0.0).then(|| product(&one, &other) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(keys: &[u8]) -> impl Iterator<Item = (Key, f64)> {
        keys.iter().map(|&key| (Key::saturating(key), 1.0))
    }

    fn best(keys: &[u8]) -> String {
        fits(notes(keys))[0].tonality.to_string()
    }

    #[test]
    fn a_cadence_is_in_its_key_wherever_it_stands() {
        let major = [60, 64, 67, 65, 69, 72, 67, 71, 74, 60, 64, 67, 60];
        let names = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
        for (name, up) in names.into_iter().zip(0..) {
            assert_eq!(best(&major.map(|key| key + up)), format!("{name} major"));
        }
        assert_eq!(best(&[57, 60, 64, 62, 65, 69, 64, 68, 71, 57, 60, 64, 57]), "A minor");
    }

    #[test]
    fn key_signatures_have_as_many_sharps_or_flats_as_they_are_written_with() {
        let sharps = |tonic, mode| Tonality { tonic: Root::new(tonic), mode }.sharps();
        let major: Vec<i8> = (0..12).map(|tonic| sharps(tonic, Mode::Major)).collect();
        assert_eq!(major, [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5]);
        let minor: Vec<i8> = (0..12).map(|tonic| sharps(tonic, Mode::Minor)).collect();
        assert_eq!(minor, [-3, 4, -1, -6, 1, -4, 3, -2, 5, 0, -5, 2]);
    }

    #[test]
    fn where_nothing_sounds_there_is_no_key() {
        assert!(fits(notes(&[])).is_empty());
        assert!(fits(notes(&[60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71])).is_empty());
    }
}
