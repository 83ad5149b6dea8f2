//! Conversions between the values of parameters and the texts that a host shows: whatever is shown can be
//! typed in.

use std::sync::Arc;

use nice_plug::prelude::Enum;

use crate::music::{
    note::Key,
    quantise::Grid,
    scale::{Root, Scale},
};

/// Converts a value to a text.
pub type Show<T> = Arc<dyn Fn(T) -> String + Send + Sync>;
/// Converts a text to a value; `None` where it means none.
pub type Read<T> = Arc<dyn Fn(&str) -> Option<T> + Send + Sync>;

/// The text of the highest value, which means that there is no limit.
const NO_LIMIT: &str = "no limit";
/// The octave of key 0: middle C, key 60, is C4.
const LOWEST_OCTAVE: i32 = -1;

/// Shows a number with a unit, or [`NO_LIMIT`] from `top` on.
pub fn show_limit(top: f32, unit: &'static str) -> Show<f32> {
    Arc::new(move |number| {
        if number >= top {
            NO_LIMIT.to_owned()
        } else {
            format!("{}{unit}", (number * 100.0).round() / 100.0)
        }
    })
}

pub fn read_limit(top: f32, unit: &'static str) -> Read<f32> {
    Arc::new(move |text| {
        if text.eq_ignore_ascii_case(NO_LIMIT) {
            Some(top)
        } else {
            text.trim_end_matches(unit.trim()).trim().parse().ok()
        }
    })
}

/// Shows a whole number with a unit, or [`NO_LIMIT`] from `top` on.
pub fn show_count(top: i32, unit: &'static str) -> Show<i32> {
    Arc::new(move |count| if count >= top { NO_LIMIT.to_owned() } else { format!("{count}{unit}") })
}

pub fn read_count(top: i32, unit: &'static str) -> Read<i32> {
    let read = read_limit(top as f32, unit);
    Arc::new(move |text| read(text).map(|count| count.round() as i32))
}

/// Shows a key as its name and octave, such as C#4.
pub fn show_key() -> Show<i32> {
    Arc::new(|number| {
        let name = Root::NAMES[number.rem_euclid(12) as usize];
        format!("{name}{}", number.div_euclid(12) + LOWEST_OCTAVE)
    })
}

/// Reads a key by its name in upper or lower case, with sharps or flats, or by its number.
pub fn read_key() -> Read<i32> {
    Arc::new(|text| {
        let in_range = |number: &i32| (0..Key::COUNT as i32).contains(number);
        text.parse().ok().or_else(|| named_key(text)).filter(in_range)
    })
}

fn named_key(text: &str) -> Option<i32> {
    let mut letters = text.chars();
    let natural = match letters.next()?.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let rest = letters.as_str();
    let octave = rest.trim_start_matches(['#', '♯', 'b', '♭']);
    let accidentals = rest[..rest.len() - octave.len()].chars();
    let altered: i32 = accidentals.map(|sign| if matches!(sign, '#' | '♯') { 1 } else { -1 }).sum();
    let octave: i32 = octave.trim().parse().ok()?;
    (-1..=9).contains(&octave).then(|| (octave - LOWEST_OCTAVE) * 12 + natural + altered)
}

/// Shows a channel, 1..=16, or a word for 0.
pub fn show_channel(none: &'static str) -> Show<i32> {
    Arc::new(move |channel| if channel == 0 { none.to_owned() } else { channel.to_string() })
}

pub fn read_channel(none: &'static str) -> Read<i32> {
    Arc::new(move |text| {
        if text.eq_ignore_ascii_case(none) {
            Some(0)
        } else {
            text.parse().ok().filter(|number| (0..=16).contains(number))
        }
    })
}

/// The value of *Harmony* that means the left hand; 1 to 16 mean a channel.
pub const LEFT_HAND: u8 = 17;
const LEFT_HAND_NAME: &str = "left hand";
const NOBODY: &str = "off";

pub fn show_harmony() -> Show<i32> {
    Arc::new(|source| match source {
        0 => NOBODY.to_owned(),
        1..=16 => format!("channel {source}"),
        _ => LEFT_HAND_NAME.to_owned(),
    })
}

pub fn read_harmony() -> Read<i32> {
    Arc::new(|text| {
        let text = text.trim().to_lowercase();
        match text.as_str() {
            NOBODY => Some(0),
            LEFT_HAND_NAME => Some(LEFT_HAND.into()),
            _ => {
                let channel = text.trim_start_matches("channel").trim().parse().ok();
                channel.filter(|number| (1..=16).contains(number))
            }
        }
    })
}

impl Enum for Root {
    fn variants() -> &'static [&'static str] {
        &Root::NAMES
    }

    fn ids() -> Option<&'static [&'static str]> {
        Some(&["c", "c-sharp", "d", "d-sharp", "e", "f", "f-sharp", "g", "g-sharp", "a", "a-sharp", "b"])
    }

    fn to_index(self) -> usize {
        self.semitones().into()
    }

    fn from_index(index: usize) -> Self {
        Self::new(u8::try_from(index).unwrap_or(0))
    }
}

impl Enum for Scale {
    fn variants() -> &'static [&'static str] {
        &[
            "Auto",
            "Major",
            "Natural minor",
            "Harmonic minor",
            "Melodic minor",
            "Ionian",
            "Dorian",
            "Phrygian",
            "Lydian",
            "Mixolydian",
            "Aeolian",
            "Locrian",
            "Major pentatonic",
            "Minor pentatonic",
            "Blues",
        ]
    }

    fn ids() -> Option<&'static [&'static str]> {
        Some(&[
            "chromatic",
            "major",
            "natural-minor",
            "harmonic-minor",
            "melodic-minor",
            "ionian",
            "dorian",
            "phrygian",
            "lydian",
            "mixolydian",
            "aeolian",
            "locrian",
            "major-pentatonic",
            "minor-pentatonic",
            "blues",
        ])
    }

    fn to_index(self) -> usize {
        place(&Self::ALL, self)
    }

    fn from_index(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::Auto)
    }
}

impl Enum for Grid {
    fn variants() -> &'static [&'static str] {
        &["Off", "1/4", "1/8", "1/8T", "1/16", "1/16T", "1/32"]
    }

    fn ids() -> Option<&'static [&'static str]> {
        Some(&["off", "1/4", "1/8", "1/8t", "1/16", "1/16t", "1/32"])
    }

    fn to_index(self) -> usize {
        place(&Self::ALL, self)
    }

    fn from_index(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::Off)
    }
}

fn place<T: PartialEq>(all: &[T], one: T) -> usize {
    all.iter().position(|other| *other == one).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_musicians_write_them() {
        let read = read_key();
        for (text, key) in [
            ("C4", 60),
            ("c#4", 61),
            ("Db4", 61),
            ("B♭3", 58),
            ("Cb4", 59),
            ("C-1", 0),
            ("G9", 127),
            ("60", 60),
        ] {
            assert_eq!(read(text), Some(key), "{text}");
        }
        for text in ["", "H4", "C", "A9", "128", "C#", "Cb-1", "C99999999999", "#4"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_choice_has_a_name_and_an_identifier() {
        fn complete<T: Enum + Copy + PartialEq>(all: &[T]) {
            assert_eq!((T::variants().len(), T::ids().map(<[_]>::len)), (all.len(), Some(all.len())));
            assert!(all.iter().all(|&one| T::from_index(one.to_index()) == one));
        }
        complete(&Scale::ALL);
        complete(&Grid::ALL);
        complete(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(Root::new));
    }
}
