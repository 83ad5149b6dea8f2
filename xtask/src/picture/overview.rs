//! An overview of music: its piano roll, and below it histograms of its notes.

use std::{ops::Range, path::Path};

use anyhow::Result;
use plotters::prelude::*;

use super::{
    Canvas, Inks, Theme,
    roll::{Drawn, Frame, Roll, draw_shades, stride},
    text, write,
};
use crate::corpus::{self, Note};

const SIZE: (u32, u32) = (1800, 1200);
const ROLL: Frame = Frame { left: 78, right: 1770, top: 130, bottom: 780 };
/// The top of the histograms, which are side by side, in pixels.
const PANELS_TOP: i32 = 900;
const PANELS_BOTTOM: i32 = 1150;
const PANEL_GAP: i32 = 76;
/// Distance from one entry of the legend to the next, in pixels.
const LEGEND: i32 = 290;
/// Opacity of the tint behind the new part.
const TINT: f64 = 0.09;
/// The Cs below and above middle C, and middle C itself, that have a tick.
const C_KEYS: [u8; 8] = [24, 36, 48, 60, 72, 84, 96, 108];
/// Range of the key axis: the keys of a piano.
const PIANO: (f64, f64) = (21.0, 109.0);
const SHORTEST_S: f64 = 0.005;
const LONGEST_S: f64 = 10.0;
/// Opacity of the histogram bars of the first series.
const FILL: f64 = 0.45;

/// The contents of an overview.
pub struct Overview<'a> {
    pub title: &'a str,
    /// A line in small letters below the title.
    pub subtitle: &'a str,
    /// The prompt and then the continuation, or only one of them.
    pub layers: Vec<Layer<'a>>,
    /// The range of time that the roll shows.
    pub seconds: Range<f64>,
    /// The second from which on the music is new.
    pub boundary: Option<f64>,
}

/// A group of notes, drawn in one colour.
pub struct Layer<'a> {
    /// Its name in the legend, before the number of notes.
    pub name: &'a str,
    pub notes: &'a [Note],
}

impl Overview<'_> {
    /// # Errors
    /// When the file's name asks for no picture or it cannot be written.
    pub fn draw(&self, path: &Path, theme: Theme) -> Result<()> {
        let inks = theme.inks();
        write(path, SIZE, theme, |canvas| {
            self.title(canvas, &inks)?;
            canvas.draw(&Text::new(self.subtitle, (ROLL.left, 66), text(20, inks.faint)))?;
            self.legend(canvas, &inks)?;
            self.roll(canvas, &inks)?;
            self.distributions(canvas, &inks)
        })
    }

    /// The second of two layers is new; so is a single layer if there is a boundary.
    fn colors(&self, inks: &Inks) -> Vec<RGBColor> {
        match (self.layers.len(), self.boundary) {
            (1, Some(_)) => vec![inks.second],
            _ => vec![inks.first, inks.second],
        }
    }

    /// Draws the title and the subtitle, cut off where the legend begins.
    fn title(&self, canvas: &Canvas, inks: &Inks) -> Result<()> {
        let (style, room) = (text(34, inks.ink), self.legend_left() - ROLL.left - PANEL_GAP);
        let mut title = self.title.to_owned();
        while canvas.estimate_text_size(&title, &style)?.0 as i32 > room && title.chars().count() > 1 {
            title.truncate(title.trim_end_matches('…').char_indices().last().map_or(0, |(last, _)| last));
            title.push('…');
        }
        Ok(canvas.draw(&Text::new(title, (ROLL.left, 18), style))?)
    }

    fn legend_left(&self) -> i32 {
        ROLL.right - LEGEND * self.layers.len() as i32
    }

    fn legend(&self, canvas: &Canvas, inks: &Inks) -> Result<()> {
        let first = self.legend_left();
        for ((layer, color), n) in self.layers.iter().zip(self.colors(inks)).zip(0..) {
            let count = layer.notes.len();
            let label = format!("{}{count} notes", layer.name);
            draw_shades(canvas, (first + n * LEGEND, 34), color, &label, inks)?;
        }
        Ok(canvas.draw(&Text::new("shade: velocity", (first, 60), text(16, inks.faint)))?)
    }

    fn roll(&self, canvas: &Canvas, inks: &Inks) -> Result<()> {
        let shown = |note: &&Note| note.end > self.seconds.start && note.onset < self.seconds.end;
        let notes = || self.layers.iter().flat_map(|layer| layer.notes).filter(shown);
        let roll = Roll::new(ROLL, notes().map(|note| note.key.number()), self.seconds.clone());
        if let Some(boundary) = self.boundary.filter(|boundary| *boundary > self.seconds.start) {
            let new = [(roll.x(boundary), ROLL.top), (ROLL.right, ROLL.bottom)];
            canvas.draw(&Rectangle::new(new, inks.second.mix(TINT).filled()))?;
        }
        roll.draw_keys(canvas, inks)?;
        roll.draw_seconds(canvas, inks, "time in seconds")?;
        for (layer, color) in self.layers.iter().zip(self.colors(inks)) {
            for note in layer.notes.iter().filter(shown) {
                let (key, velocity) = (note.key.number(), note.velocity.value());
                let onset = note.onset.max(self.seconds.start);
                roll.draw_note(canvas, &Drawn { key, velocity, onset, end: note.end }, color)?;
            }
        }
        roll.frame.draw(canvas, inks.faint)
    }

    fn distributions(&self, canvas: &Canvas, inks: &Inks) -> Result<()> {
        let colors = self.colors(inks);
        let series =
            self.layers.iter().zip(colors).map(|(layer, color)| Series { notes: layer.notes, color });
        let series: Vec<_> = series.collect();
        let width = (ROLL.right - ROLL.left - 3 * PANEL_GAP) / 4;
        for (attribute, n) in Attribute::ALL.into_iter().zip(0..) {
            let left = ROLL.left + n * (width + PANEL_GAP);
            let frame = Frame { left, right: left + width, top: PANELS_TOP, bottom: PANELS_BOTTOM };
            attribute.draw(canvas, frame, inks, &series)?;
        }
        Ok(())
    }
}

/// The notes of one histogram, and their colour.
struct Series<'a> {
    notes: &'a [Note],
    color: RGBColor,
}

/// The quantity that a histogram counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Pitch,
    Step,
    Duration,
    Velocity,
}

impl Attribute {
    const ALL: [Self; 4] = [Self::Pitch, Self::Step, Self::Duration, Self::Velocity];

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
            Self::Pitch | Self::Step | Self::Duration => 44,
            Self::Velocity => 32,
        }
    }

    /// The position of a value on the axis, 0..=1. A value beyond the axis lies at its end.
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
    fn draw(self, canvas: &Canvas, frame: Frame, inks: &Inks, series: &[Series]) -> Result<()> {
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
        let stride = f64::from(stride(percent, 4.0));
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
