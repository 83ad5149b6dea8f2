//! The beats of a performance, from an annotation file.

use std::{fs, ops::Range, path::Path};

use anyhow::{Context, Result, bail, ensure};

/// Two beats that are closer than this, in seconds, are one beat that was written down twice.
const CLOSEST_S: f64 = 0.05;
/// Number of eighths in a bar of 6/8.
const SIX: u32 = 6;
/// Number of beats in a bar if no file says it.
const COMMON: u32 = 4;

/// The beats of one performance, in seconds, and the bars that they form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beats {
    beats: Vec<Beat>,
    unit: BeatUnit,
}

/// The note value of a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BeatUnit {
    #[default]
    Quarter,
    DottedQuarter,
    Eighth,
}

impl BeatUnit {
    /// Its length in quarter notes.
    pub fn quarters(self) -> f64 {
        match self {
            Self::Quarter => 1.0,
            Self::DottedQuarter => 1.5,
            Self::Eighth => 0.5,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Beat {
    at: f64,
    in_bar: u32,
    beats_per_bar: u32,
    /// Whether time is counted from here to the next beat; in a cadenza it is not.
    is_counted: bool,
}

/// A beat as it is written in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeatMark {
    /// Its time in seconds.
    pub at: f64,
    pub what: BeatKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeatKind {
    Downbeat,
    Beat,
    /// A place in the score without a beat: time is free from the previous beat to the next one.
    Free,
}

/// A moment as a position in the bars of a performance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Beats since the first beat, with the fraction of the way to the next one.
    pub beat: f64,
    /// Number of the beat in its bar: 0 for the downbeat.
    pub in_bar: u32,
    pub beats_per_bar: u32,
    /// Length of this beat, in seconds.
    pub period_s: f64,
}

impl Place {
    /// Fraction of the way from this beat to the next: 0 on the beat, always below 1.
    pub fn phase(self) -> f64 {
        self.beat.fract()
    }
}

impl Beats {
    /// Beats from marks, which are in the order of time.
    pub fn new(marks: &[BeatMark]) -> Self {
        let mut kept: Vec<(f64, bool, bool)> = Vec::new();
        for mark in marks {
            match (mark.what, kept.last_mut()) {
                (BeatKind::Free, Some(before)) => before.2 = false,
                (BeatKind::Free, None) => (),
                (_, Some(before)) if mark.at < before.0 + CLOSEST_S => (),
                (what, _) => kept.push((mark.at, what == BeatKind::Downbeat, true)),
            }
        }
        let bars = bars(&kept.iter().map(|beat| beat.1).collect::<Vec<_>>());
        let beat =
            |(&(at, _, is_counted), (in_bar, beats_per_bar))| Beat { at, in_bar, beats_per_bar, is_counted };
        Self { beats: kept.iter().zip(bars).map(beat).collect(), unit: BeatUnit::Quarter }
    }

    /// The note value of each beat: a quarter note unless the file says otherwise.
    pub fn unit(&self) -> BeatUnit {
        self.unit
    }

    fn in_most_bars(&self, beats: u32) -> bool {
        let bars = self.beats.iter().filter(|beat| beat.in_bar == 0);
        let (so, all) = (bars.clone().filter(|bar| bar.beats_per_bar == beats).count(), bars.count());
        2 * so > all
    }

    /// Reads POP909's format, `time flag downbeat` in each line. Every line is a beat; six beats to the bar
    /// are eighths.
    pub fn pop909(path: &Path) -> Result<Self> {
        let line = |line: &str| {
            let fields: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
            let &[at, _, downbeat] = &fields[..] else { return None };
            Some(BeatMark { at, what: if downbeat > 0.0 { BeatKind::Downbeat } else { BeatKind::Beat } })
        };
        let beats = Self::read(path, line, "time, flag and downbeat flag")?;
        let unit = if beats.in_most_bars(SIX) { BeatUnit::Eighth } else { BeatUnit::Quarter };
        Ok(Self { unit, ..beats })
    }

    /// Reads ASAP's format, `time, time, kind` in each line: `db`, `b`, or `bR` for a rest without a beat.
    /// Where a bar of 6/8 has two beats, they are dotted quarter notes.
    pub fn asap(path: &Path) -> Result<Self> {
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let at = fields.next()?.trim().parse().ok()?;
            let what = match fields.nth(1)?.trim().split(',').next()? {
                "db" => BeatKind::Downbeat,
                "b" => BeatKind::Beat,
                "bR" => BeatKind::Free,
                _ => return None,
            };
            Some(BeatMark { at, what })
        };
        let beats = Self::read(path, line, "time, time and one of b, db and bR")?;
        let is_compound = fs::read_to_string(path)?.contains(&format!(",{SIX}/8"));
        let unit =
            if is_compound && beats.in_most_bars(2) { BeatUnit::DottedQuarter } else { BeatUnit::Quarter };
        Ok(Self { unit, ..beats })
    }

    fn read(path: &Path, mark: impl Fn(&str) -> Option<BeatMark>, form: &str) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        let mut marks: Vec<BeatMark> = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let Some(mark) = mark(line).filter(|mark| mark.at.is_finite()) else {
                bail!("{name}, line {}: a beat has the form {form}", number + 1);
            };
            let in_order = marks.last().is_none_or(|before| before.at <= mark.at);
            ensure!(in_order, "{name}, line {}: it lies before the line above it", number + 1);
            marks.push(mark);
        }
        Ok(Self::new(&marks))
    }

    /// The position of a moment; `None` before the first beat, from the last beat on, and where time is free.
    pub fn at(&self, seconds: f64) -> Option<Place> {
        let next = self.beats.partition_point(|beat| beat.at <= seconds);
        let index = next.checked_sub(1)?;
        let (beat, after) = (self.beats.get(index)?, self.beats.get(next)?);
        let period_s = after.at - beat.at;
        beat.is_counted.then(|| Place {
            // Rounding must not move a moment onto the next beat.
            beat: index as f64 + ((seconds - beat.at) / period_s).min(1.0 - f64::EPSILON),
            in_bar: beat.in_bar,
            beats_per_bar: beat.beats_per_bar,
            period_s,
        })
    }

    /// The time of each beat, in seconds.
    pub fn times(&self) -> impl ExactSizeIterator<Item = f64> {
        self.beats.iter().map(|beat| beat.at)
    }

    /// Runs of bars without a break; each bar is a range of beats, which are counted from the first one. A
    /// bar that is not whole, or in which time is free, ends a run.
    pub fn stretches(&self) -> Vec<Vec<Range<usize>>> {
        let mut stretches = vec![Vec::new()];
        let bars = self.beats.chunk_by(|_, next| next.in_bar > 0);
        let mut first = 0;
        for bar in bars {
            let end = first + bar.len();
            // A bar has an end only if another beat follows.
            let is_whole = bar[0].in_bar == 0 && end < self.beats.len();
            match (is_whole && bar.iter().all(|beat| beat.is_counted), stretches.last_mut()) {
                (true, Some(stretch)) => stretch.push(first..end),
                _ => stretches.push(Vec::new()),
            }
            first = end;
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }
}

/// For each beat, its number in the bar and the number of beats in the bar. An upbeat ends where the first
/// whole bar begins. A last bar that is cut short counts as long as the previous one.
fn bars(is_downbeat: &[bool]) -> Vec<(u32, u32)> {
    let count = |beats: usize| u32::try_from(beats).unwrap_or(u32::MAX);
    let starts: Vec<usize> =
        is_downbeat.iter().enumerate().filter(|(_, is_downbeat)| **is_downbeat).map(|(at, _)| at).collect();
    let lengths: Vec<usize> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let first = lengths.first().map_or(COMMON, |&length| count(length));
    let upbeat = starts.first().copied().unwrap_or(0);
    let mut bars: Vec<(u32, u32)> =
        (0..upbeat).map(|at| ((first - count(upbeat - at) % first) % first, first)).collect();
    for &length in &lengths {
        bars.extend((0..length).map(|at| (count(at), count(length))));
    }
    let rest = is_downbeat.len() - bars.len();
    let length = lengths.last().map_or(COMMON, |&length| count(length));
    // Without any downbeat, bars are counted from the first beat.
    let length = if starts.is_empty() { length } else { length.max(count(rest)) };
    bars.extend((0..rest).map(|at| (count(at) % length, length)));
    bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    fn read(name: &str, text: &str, read: fn(&Path) -> Result<Beats>) -> Result<Beats> {
        let folder = Folder::new(name);
        folder.write("beats.txt", text.as_bytes());
        read(&folder.join("beats.txt"))
    }

    fn place(beats: &Beats, seconds: f64) -> Option<(f64, u32, u32, f64)> {
        let round = |value: f64| (value * 1e6).round() / 1e6;
        beats
            .at(seconds)
            .map(|place| (round(place.beat), place.in_bar, place.beats_per_bar, round(place.period_s)))
    }

    #[test]
    fn a_moment_lies_between_two_beats_in_its_bar() {
        let text = "1.0 1.0 1.0\n1.5 0.0 0.0\n2.0 1.0 0.0\n2.5 0.0 1.0\n3.5 1.0 0.0\n4.5 0.0 0.0\n";
        let beats = read("beats-pop", text, Beats::pop909).expect("beats");
        assert_eq!(place(&beats, 0.99), None);
        assert_eq!(place(&beats, 1.0), Some((0.0, 0, 3, 0.5)));
        assert_eq!(place(&beats, 1.875), Some((1.75, 1, 3, 0.5)));
        assert_eq!(place(&beats, 3.0), Some((3.5, 0, 3, 1.0)));
        assert_eq!(place(&beats, 4.5), None, "nobody knows how long the last beat is");
    }

    #[test]
    fn six_eighths_are_told_from_three_quarters() {
        let asap = |signature: &str| {
            let line = |at: u32| {
                let kind = if at.is_multiple_of(2) { "db" } else { "b" };
                format!("{at}\t{at}\t{kind},{signature}\n")
            };
            let text: String = (0..8).map(line).collect();
            read("beats-six", &text, Beats::asap).expect("beats").unit()
        };
        assert_eq!((asap("6/8"), asap("2/4")), (BeatUnit::DottedQuarter, BeatUnit::Quarter));
        let pop = |beats: u32| {
            let line = |at: u32| format!("{at} 0 {}\n", u32::from(at.is_multiple_of(beats)));
            let text: String = (0..36).map(line).collect();
            read("beats-six-pop", &text, Beats::pop909).expect("beats").unit()
        };
        assert_eq!((pop(6), pop(4)), (BeatUnit::Eighth, BeatUnit::Quarter));
    }

    #[test]
    fn an_upbeat_belongs_to_the_end_of_a_bar_and_a_cut_bar_keeps_its_length() {
        let text = "0.5\t0.5\tb,4/4,1\n1\t1\tdb\n1.5\t1.5\tb\n2\t2\tb\n2.5\t2.5\tb\n3\t3\tdb\n3.5\t3.5\tb\n4\t4\tb\n";
        let beats = read("beats-asap", text, Beats::asap).expect("beats");
        assert_eq!(place(&beats, 0.75), Some((0.5, 3, 4, 0.5)));
        assert_eq!(place(&beats, 3.75), Some((6.5, 1, 4, 0.5)));
    }

    #[test]
    fn in_a_rest_without_beats_no_moment_has_a_place() {
        let text = "1\t1\tdb\n2\t2\tb\n4.5\t4.5\tbR\n7\t7\tdb\n8\t8\tb\n";
        let beats = read("beats-rest", text, Beats::asap).expect("beats");
        assert_eq!(place(&beats, 3.0), None);
        assert_eq!(place(&beats, 5.0), None);
        assert_eq!(place(&beats, 7.5), Some((2.5, 0, 2, 1.0)));
    }

    #[test]
    fn bars_follow_each_other_until_one_is_not_whole_or_time_is_free() {
        let kinds = [1, 0, 1, 0, 1, 2, 0, 1, 0, 1];
        let kind = |kind| match kind {
            0 => BeatKind::Beat,
            1 => BeatKind::Downbeat,
            _ => BeatKind::Free,
        };
        let marks: Vec<BeatMark> =
            (0..).zip(kinds).map(|(at, what)| BeatMark { at: f64::from(at), what: kind(what) }).collect();
        let stretches = Beats::new(&marks).stretches();
        let ends = |bars: &Vec<Range<usize>>| bars.iter().map(|bar| (bar.start, bar.end)).collect::<Vec<_>>();
        assert_eq!(stretches.iter().map(ends).collect::<Vec<_>>(), [vec![(0, 2), (2, 4)], vec![(6, 8)]]);
        assert!(Beats::default().stretches().is_empty());
    }

    #[test]
    fn a_beat_that_stands_twice_counts_once() {
        let mark = |at| BeatMark { at, what: BeatKind::Beat };
        let beats = Beats::new(&[mark(1.0), mark(1.01), mark(2.0), mark(3.0)]);
        assert_eq!(beats.times().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_line_that_is_no_beat_is_told_by_its_number() {
        let sentence = |name, text| read(name, text, Beats::asap).expect_err("no beat").to_string();
        assert!(sentence("beats-word", "1\t1\tdb\n2\t2\tx\n").contains("line 2: a beat has the form"));
        assert!(sentence("beats-back", "1\t1\tdb\n\n0.5\t0.5\tb\n").contains("line 3: it lies before"));
    }
}
