//! Corpora in one compressed file: their notes on the grid with all conditions, for a training on a machine
//! that does not have the corpora themselves.
//!
//! The file is an xz stream. It begins with [`Contents`] as a line of JSON. The notes of each part follow as
//! columns, one for each byte of each number, since bytes of one meaning compress best side by side.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use anyhow::{Context, Result, anyhow, ensure};
use liblzma::{
    bufread::XzDecoder,
    stream::{Check, Filters, LzmaOptions, Stream},
    write::XzEncoder,
};
use serde::{Deserialize, Serialize};

use antiphon::music::{
    conditions::{Conditions, Harmony, PERIOD_UNITS_PER_SECOND, Pulse, Style, TICKS_PER_BEAT},
    note::{CELLS_PER_SECOND, GridNote, Key, Velocity},
    time::Seconds,
};

use crate::corpus::{Convention, GridPiece, Split};

/// The ending of the file's name.
pub const ENDING: &str = "notes";
/// Rises when older programs cannot read the file any more.
const VERSION: u32 = 1;
/// Compression level, 0..=9.
const LEVEL: u32 = 6;
/// How many numbers describe a note.
const NUMBERS: usize = 9;
/// Columns of a number, the lowest byte first.
const BYTES: usize = size_of::<u32>();

/// A corpus, or one split of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub corpus: String,
    pub split: Split,
    pub pieces: Vec<GridPiece>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    convention: Convention,
    parts: Vec<PartContents>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartContents {
    corpus: String,
    split: Split,
    /// The name of each piece and its number of notes.
    pieces: Vec<(String, usize)>,
}

/// Whether a path names a packed file.
pub fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

/// Writes corpora as a packed file. Swing and who played are not kept: no corpus tells them.
pub fn write(file: &mut File, convention: Convention, parts: &[Part]) -> Result<()> {
    let size = |piece: &GridPiece| (piece.path.display().to_string(), piece.notes.len());
    let contents = |part: &Part| PartContents {
        corpus: part.corpus.clone(),
        split: part.split,
        pieces: part.pieces.iter().map(size).collect(),
    };
    let contents = Contents { version: VERSION, convention, parts: parts.iter().map(contents).collect() };
    let mut packed = XzEncoder::new_stream(file, encoder()?);
    serde_json::to_writer(&mut packed, &contents)?;
    packed.write_all(b"\n")?;
    for part in parts {
        let notes: Vec<_> = part.pieces.iter().flat_map(|piece| to_numbers(&piece.notes)).collect();
        for (number, byte) in columns() {
            let column: Vec<u8> = notes.iter().map(|note| note[number].to_le_bytes()[byte]).collect();
            packed.write_all(&column)?;
        }
    }
    packed.finish()?;
    Ok(())
}

/// Reads the corpora of one split from a packed file.
///
/// # Errors
/// When it is no such file, is broken, or holds the other convention; the sentence names it.
pub fn read(path: &Path, split: Split, convention: Convention) -> Result<Vec<Part>> {
    let (contents, mut packed) = open(path)?;
    ensure!(
        contents.convention == convention,
        "{} holds {} durations: give `--convention {}`, or pack the corpora again",
        path.display(),
        contents.convention,
        contents.convention
    );
    let last = contents.parts.iter().rposition(|part| part.split == split).map_or(0, |last| last + 1);
    let mut parts = Vec::new();
    for part in contents.parts.into_iter().take(last) {
        if part.split == split {
            parts.push(read_part(&mut packed, part).with_context(|| broken(path))?);
        } else {
            let bytes = (part.count().with_context(|| broken(path))? * NUMBERS * BYTES) as u64;
            io::copy(&mut packed.by_ref().take(bytes), &mut io::sink()).with_context(|| broken(path))?;
        }
    }
    Ok(parts)
}

/// Whether a packed file holds notes of a split.
pub fn holds(path: &Path, split: Split) -> bool {
    open(path).is_ok_and(|(contents, _)| contents.parts.iter().any(|part| part.split == split))
}

fn open(path: &Path) -> Result<(Contents, impl BufRead)> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut packed = BufReader::new(XzDecoder::new(BufReader::new(file)));
    let mut line = Vec::new();
    packed.read_until(b'\n', &mut line).with_context(|| broken(path))?;
    let contents: Contents = serde_json::from_slice(&line).with_context(|| broken(path))?;
    ensure!(
        contents.version == VERSION,
        "{} was written by another version of this program: pack the corpora again",
        path.display()
    );
    Ok((contents, packed))
}

fn broken(path: &Path) -> String {
    format!("{} is broken, or was not made by `cargo xtask pack`: pack the corpora again", path.display())
}

/// An encoder that looks at the byte before as a whole: two bytes of a column have nothing to do with their
/// position.
fn encoder() -> Result<Stream> {
    let mut options = LzmaOptions::new_preset(LEVEL)?;
    options.literal_context_bits(4).literal_position_bits(0).position_bits(0);
    Ok(Stream::new_stream_encoder(Filters::new().lzma2(&options), Check::Crc64)?)
}

/// The columns in their order: the index of the number, and of its byte.
fn columns() -> impl Iterator<Item = (usize, usize)> {
    (0..NUMBERS).flat_map(|number| (0..BYTES).map(move |byte| (number, byte)))
}

impl PartContents {
    /// The number of notes.
    fn count(&self) -> Result<usize> {
        let add = |sum: usize, (_, notes): &(String, usize)| sum.checked_add(*notes);
        let sum =
            self.pieces.iter().try_fold(0, add).filter(|sum| sum.checked_mul(NUMBERS * BYTES).is_some());
        sum.ok_or_else(|| anyhow!("it claims more notes than there can be"))
    }
}

fn read_part(packed: &mut impl Read, contents: PartContents) -> Result<Part> {
    let count = contents.count()?;
    let mut numbers = Vec::new();
    for (number, byte) in columns() {
        let mut column = Vec::new();
        packed.by_ref().take(count as u64).read_to_end(&mut column)?;
        ensure!(column.len() == count, "it ends too early");
        numbers.resize(count, [0; NUMBERS]);
        for (note, &part) in numbers.iter_mut().zip(&column) {
            note[number] |= u32::from(part) << (8 * byte);
        }
    }
    let mut rest = &numbers[..];
    let piece = |(name, count): (String, usize)| {
        let (own, others) = rest.split_at(count);
        rest = others;
        Some(GridPiece { path: name.into(), notes: from_numbers(own)? })
    };
    let pieces = contents.pieces.into_iter().map(piece).collect::<Option<_>>();
    let pieces = pieces.context("some of its notes cannot be")?;
    Ok(Part { corpus: contents.corpus, split: contents.split, pieces })
}

/// The notes of a piece as numbers. A place in the bar is written as its distance from where the note before
/// lets expect it, which is small.
fn to_numbers(notes: &[GridNote]) -> Vec<[u32; NUMBERS]> {
    let mut before = None;
    let numbers = |note: &GridNote| {
        let Conditions { pulse, harmony, style, who: _ } = note.conditions;
        let expected = expected_ticks(std::mem::replace(&mut before, pulse), note.step);
        let [place, bar, period] = pulse.map_or([0; 3], |pulse| {
            let place = (ticks(pulse) as u16).wrapping_sub(expected as u16);
            let bar = (pulse.beats_in_bar() * TICKS_PER_BEAT).round();
            [u32::from(place), bar as u32, (pulse.period() * PERIOD_UNITS_PER_SECOND).round() as u32]
        });
        let harmony = harmony.map_or(0, |harmony| u32::from(harmony.bits()));
        let style = style.map_or(0, |style| 1 + style.index() as u32);
        let (key, velocity) = (u32::from(note.key.number()), u32::from(note.velocity.value()));
        [note.step, key, velocity, note.duration, place, bar, period, harmony, style]
    };
    notes.iter().map(numbers).collect()
}

/// The inverse of [`to_numbers`]; `None` if these are no notes.
fn from_numbers(numbers: &[[u32; NUMBERS]]) -> Option<Vec<GridNote>> {
    let mut before = None;
    let note = |&[step, key, velocity, duration, place, bar, period, harmony, style]: &[u32; NUMBERS]| {
        let expected = expected_ticks(before, step);
        let pulse = if bar == 0 {
            None
        } else {
            let place = u16::try_from(place).ok()?.wrapping_add(expected as u16);
            let (beat, bar) = (f64::from(place) / TICKS_PER_BEAT, f64::from(bar) / TICKS_PER_BEAT);
            Some(Pulse::new(beat, bar, f64::from(period) / PERIOD_UNITS_PER_SECOND)?)
        };
        before = pulse;
        let harmony = match harmony {
            0 => None,
            bits => Some(Harmony::of_bits(u16::try_from(bits).ok()?)?),
        };
        let style = match style {
            0 => None,
            style => Some(*Style::ALL.get(style as usize - 1)?),
        };
        let key = Key::new(u8::try_from(key).ok()?)?;
        let velocity = Velocity::new(u8::try_from(velocity).ok()?)?;
        let conditions = Conditions { pulse, harmony, style, who: None };
        (duration > 0).then_some(GridNote { step, key, velocity, duration, conditions })
    };
    numbers.iter().map(note).collect()
}

/// Ticks since the bar began, `step` cells after a note before.
fn expected_ticks(before: Option<Pulse>, step: u32) -> u32 {
    let seconds = Seconds((f64::from(step) / CELLS_PER_SECOND) as f32);
    before.map_or(0, |pulse| ticks(pulse.after(seconds)))
}

fn ticks(pulse: Pulse) -> u32 {
    (pulse.beat() * TICKS_PER_BEAT).round() as u32
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::file::tests::Folder;

    fn notes(count: u32) -> Vec<GridNote> {
        let note = |n: u32| GridNote {
            step: n * n % 700,
            key: Key::saturating((n % 128) as u8),
            velocity: Velocity::saturating((n % 127) as u8),
            duration: 1 + 70_000 * (n % 3),
            conditions: Conditions {
                pulse: Pulse::new(f64::from(n) * 0.37, 4.0, 0.4 + f64::from(n % 5) * 0.01)
                    .filter(|_| n % 9 > 2),
                harmony: Harmony::new(n as u16, Some((n % 13) as u8)),
                style: Style::ALL.get(n as usize % 5).copied(),
                who: None,
            },
        };
        (0..count).map(note).collect()
    }

    fn parts() -> Vec<Part> {
        let piece = |name: &str, count| GridPiece { path: name.into(), notes: notes(count) };
        vec![
            Part { corpus: "a".into(), split: Split::Train, pieces: vec![piece("1", 300), piece("2", 1)] },
            Part { corpus: "b".into(), split: Split::Train, pieces: vec![piece("ü", 90)] },
            Part { corpus: "a".into(), split: Split::Validation, pieces: vec![piece("3", 200)] },
        ]
    }

    fn packed(folder: &Folder, parts: &[Part]) -> std::path::PathBuf {
        let path = folder.join("corpora.notes");
        write(&mut File::create(&path).expect("a file"), Convention::Sustained, parts).expect("written");
        path
    }

    #[test]
    fn what_was_packed_is_read_split_by_split() {
        let folder = Folder::new("packed");
        let path = packed(&folder, &parts());
        let read = |split| read(&path, split, Convention::Sustained).expect("a packed file");
        assert_eq!(read(Split::Train), parts()[..2]);
        assert_eq!(read(Split::Validation), parts()[2..]);
        assert_eq!(read(Split::Test), []);
        assert!(is_packed(&path) && holds(&path, Split::Validation) && !holds(&path, Split::Test));
    }

    #[test]
    fn another_convention_is_refused_with_the_remedy() {
        let folder = Folder::new("packed-convention");
        let error = read(&packed(&folder, &parts()), Split::Train, Convention::KeyUp).expect_err("sustained");
        assert!(error.to_string().contains("give `--convention sustained`"), "{error}");
    }

    #[test]
    fn a_broken_file_is_refused_with_its_name() {
        let folder = Folder::new("packed-broken");
        let path = packed(&folder, &parts());
        let whole = fs::read(&path).expect("a file");
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        for broken in [&[], &b"no xz"[..], &whole[..whole.len() / 2], &changed] {
            fs::write(&path, broken).expect("a file");
            let error = read(&path, Split::Train, Convention::Sustained).expect_err("it is broken");
            let told = error.to_string();
            assert!(told.contains("corpora.notes is broken") && told.ends_with("again"), "{told}");
        }
    }

    #[test]
    fn no_piece_of_a_part_may_be_missing_from_its_columns() {
        let folder = Folder::new("packed-short");
        let path = folder.join("short.notes");
        let mut encoder =
            XzEncoder::new_stream(File::create(&path).expect("a file"), encoder().expect("options"));
        let contents = r#"{"version":1,"convention":"Sustained","parts":[{"corpus":"a","split":"Train","pieces":[["1",N]]}]}"#;
        let contents = contents.replace('N', &(1_u64 << 50).to_string());
        encoder.write_all(contents.as_bytes()).expect("written");
        encoder.write_all(b"\nabc").expect("written");
        encoder.finish().expect("written");
        let error = read(&path, Split::Train, Convention::Sustained).expect_err("it is too short");
        assert!(format!("{error:#}").ends_with("it ends too early"), "{error:#}");
    }
}
