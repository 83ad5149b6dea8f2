//! How often what comes: pitch, step, duration and velocity of notes as histograms.

use anyhow::Result;
use plotters::prelude::*;

use super::{Canvas, Inks, roll::Frame, text};
use crate::corpus::{self, Note};

/// A number of notes, and how they are drawn.
pub struct Series<'a> {
    pub notes: &'a [Note],
    pub color: RGBColor,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    Pitch,
    Step,
    Duration,
    Velocity,
}

/// Octaves below middle C and above it that have a tick.
const C_KEYS: [u8; 8] = [24, 36, 48, 60, 72, 84, 96, 108];
/// From the keyboard's lowest key to its highest.
const PIANO: (f64, f64) = (21.0, 109.0);
const SHORTEST_S: f64 = 0.005;
const LONGEST_S: f64 = 10.0;
/// Of the bars of what is drawn first.
const FILL: f64 = 0.45;

impl Attribute {
    pub const ALL: [Self; 4] = [Self::Pitch, Self::Step, Self::Duration, Self::Velocity];

    fn title(self) -> &'static str {
        match self {
            Self::Pitch => "key",
            Self::Step => "step, from onset to onset, in seconds",
            Self::Duration => "duration, in seconds",
            Self::Velocity => "velocity",
        }
    }

    fn bins(self) -> usize {
        match self {
            Self::Pitch => 44,
            Self::Step | Self::Duration => 44,
            Self::Velocity => 32,
        }
    }

    /// Where on the axis a value lies, 0..=1. What is shorter or longer than shown lies at the end.
    fn place(self, value: f64) -> f64 {
        let linear = |low: f64, high: f64| (value - low) / (high - low);
        let place = match self {
            Self::Pitch => linear(PIANO.0, PIANO.1),
            Self::Velocity => linear(0.0, 128.0),
            Self::Step | Self::Duration => {
                (value.max(SHORTEST_S) / SHORTEST_S).ln() / (LONGEST_S / SHORTEST_S).ln()
            }
        };
        place.clamp(0.0, 1.0)
    }

    fn of(self, note: &Note) -> f64 {
        match self {
            Self::Pitch => note.key.number().into(),
            Self::Step => note.step,
            Self::Duration => note.duration(),
            Self::Velocity => note.velocity.value().into(),
        }
    }

    fn ticks(self) -> Vec<(f64, String)> {
        match self {
            Self::Pitch => C_KEYS.map(|key| (f64::from(key) + 0.5, name(key))).to_vec(),
            Self::Velocity => {
                [1, 32, 64, 96, 127].map(|value| (f64::from(value), value.to_string())).to_vec()
            }
            Self::Step | Self::Duration => {
                let ticks = [(0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10")];
                ticks.map(|(value, label)| (value, label.to_owned())).to_vec()
            }
        }
    }

    /// The share of the notes in each bin; all 0 where there are none.
    fn shares(self, notes: &[Note]) -> Vec<f64> {
        let mut shares = vec![0.0; self.bins()];
        for note in notes {
            let bin = (self.place(self.of(note)) * self.bins() as f64) as usize;
            shares[bin.min(self.bins() - 1)] += 1.0 / notes.len() as f64;
        }
        shares
    }

    /// Draws the histogram of each series: the first one filled, a second one as a line over it.
    pub fn draw(self, canvas: &Canvas, frame: Frame, inks: &Inks, series: &[Series]) -> Result<()> {
        let shares: Vec<_> = series.iter().map(|series| self.shares(series.notes)).collect();
        let highest = shares.iter().flatten().copied().fold(0.0, f64::max).max(0.01) * 1.05;
        self.draw_axes(canvas, frame, inks, highest)?;
        let Frame { left, right, top, bottom } = frame;
        let x = |bin: usize| left + (right - left) * bin as i32 / self.bins() as i32;
        let y = |share: f64| bottom - (f64::from(bottom - top) * share / highest).round() as i32;
        for (n, (series, shares)) in series.iter().zip(&shares).enumerate() {
            if n == 0 {
                for (bin, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                    let bar = [(x(bin), y(share)), (x(bin + 1), bottom)];
                    canvas.draw(&Rectangle::new(bar, series.color.mix(FILL).filled()))?;
                }
            }
            let tops = shares.iter().enumerate();
            let steps = tops.flat_map(|(bin, &share)| [(x(bin), y(share)), (x(bin + 1), y(share))]);
            canvas.draw(&PathElement::new(steps.collect::<Vec<_>>(), series.color.stroke_width(2)))?;
        }
        frame.draw(canvas, inks.faint)
    }

    fn draw_axes(self, canvas: &Canvas, frame: Frame, inks: &Inks, highest: f64) -> Result<()> {
        let Frame { left, right, top, bottom } = frame;
        canvas.draw(&Text::new(self.title(), (left, top - 28), text(20, inks.ink)))?;
        for (value, label) in self.ticks() {
            let x = left + (f64::from(right - left) * self.place(value)).round() as i32;
            canvas.draw(&PathElement::new([(x, top), (x, bottom + 5)], inks.line))?;
            let style = text(16, inks.ink);
            let (width, _) = canvas.estimate_text_size(&label, &style)?;
            canvas.draw(&Text::new(label, (x - width as i32 / 2, bottom + 8), style))?;
        }
        let percent = highest * 100.0;
        let stride = f64::from(super::roll::stride(percent, 4.0));
        for n in 1..=(percent / stride) as i32 {
            let share = f64::from(n) * stride;
            let y = bottom - (f64::from(bottom - top) * share / percent).round() as i32;
            canvas.draw(&PathElement::new([(left, y), (right, y)], inks.line))?;
            let (label, style) = (format!("{share:.0} %"), text(16, inks.ink));
            let (width, _) = canvas.estimate_text_size(&label, &style)?;
            canvas.draw(&Text::new(label, (left - 8 - width as i32, y - 9), style))?;
        }
        Ok(())
    }
}

fn name(key: u8) -> String {
    corpus::key_name(antiphon::music::note::Key::saturating(key))
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;

    fn note(key: u8, step: f64, duration: f64, velocity: u8) -> Note {
        let (key, velocity) = (Key::saturating(key), Velocity::saturating(velocity));
        Note { key, onset: 1.0, end: 1.0 + duration, step, velocity, instrument: 0 }
    }

    #[test]
    fn every_note_is_counted_even_where_it_lies_beyond_the_axis() {
        let notes = [note(0, 0.0, 0.0, 1), note(60, 0.2, 1.0, 64), note(127, 900.0, 900.0, 127)];
        for attribute in Attribute::ALL {
            let shares = attribute.shares(&notes);
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{attribute:?}");
            assert_eq!(shares.iter().filter(|share| **share > 0.0).count(), 3, "{attribute:?}");
        }
        assert_eq!(Attribute::Step.shares(&[]).iter().sum::<f64>(), 0.0);
    }

    #[test]
    fn times_lie_by_their_logarithm() {
        let place = |value| Attribute::Step.place(value);
        assert!((place(0.05) - place(0.005) - (place(0.5) - place(0.05))).abs() < 1e-9);
    }
}
