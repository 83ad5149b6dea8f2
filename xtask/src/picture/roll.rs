//! A piano roll: keys over seconds.

use std::ops::{Range, RangeInclusive};

use anyhow::Result;
use plotters::prelude::*;

use super::{Canvas, FONT, Inks, text};

/// Number of keys that are shown beyond the lowest and the highest note.
const MARGIN_KEYS: u8 = 3;
/// Opacity of the lines between octaves, on light and on dark paper.
const OCTAVE_LINE: f64 = 0.3;

/// A rectangle in pixels from the top left.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
}

impl Frame {
    pub fn draw(&self, canvas: &Canvas, color: RGBColor) -> Result<()> {
        Ok(canvas.draw(&Rectangle::new([(self.left, self.top), (self.right, self.bottom)], color))?)
    }
}

/// A piano roll: where seconds and keys lie on a picture.
#[derive(Debug, Clone)]
pub struct Roll {
    pub frame: Frame,
    lowest: u8,
    highest: u8,
    seconds: Range<f64>,
}

/// A note as it is drawn. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    pub key: u8,
    pub velocity: u8,
    pub onset: f64,
    pub end: f64,
}

impl Roll {
    /// A roll that is just high enough for these keys, but at least two octaves.
    pub fn new(frame: Frame, keys: impl Iterator<Item = u8> + Clone, seconds: Range<f64>) -> Self {
        let lowest = keys.clone().min().unwrap_or(48).min(60 - MARGIN_KEYS);
        let highest = keys.max().unwrap_or(72).max(lowest + 24);
        Self {
            frame,
            lowest: lowest.saturating_sub(MARGIN_KEYS),
            highest: (highest + MARGIN_KEYS).min(127),
            seconds,
        }
    }

    pub fn keys(&self) -> RangeInclusive<u8> {
        self.lowest..=self.highest
    }

    pub fn x(&self, seconds: f64) -> i32 {
        let share = (seconds - self.seconds.start) / (self.seconds.end - self.seconds.start);
        self.frame.left + (f64::from(self.frame.right - self.frame.left) * share).round() as i32
    }

    /// The top and the bottom of a key's row.
    pub fn row(&self, key: u8) -> (i32, i32) {
        let Frame { top, bottom, .. } = self.frame;
        let height = f64::from(bottom - top) / f64::from(self.highest - self.lowest + 1);
        let line = |above: u8| top + (height * f64::from(above)).round() as i32;
        let above = self.highest.saturating_sub(key);
        (line(above), line(above + 1))
    }

    /// Draws a line and a name for each C.
    pub fn draw_keys(&self, canvas: &Canvas, inks: &Inks) -> Result<()> {
        let Frame { left, right, top, bottom } = self.frame;
        for key in self.keys().filter(|key| key % 12 == 0) {
            // The line is below the row of the C, as on a keyboard the octave begins at the left of the C.
            let (row_top, y) = self.row(key);
            canvas.draw(&PathElement::new([(left, y), (right, y)], inks.ink.mix(OCTAVE_LINE)))?;
            let label = format!("C{}", i32::from(key) / 12 - 1);
            canvas.draw(&Text::new(label, (left - 36, (row_top + y) / 2 - 11), text(20, inks.ink)))?;
        }
        let style = (FONT, 20).into_font().transform(FontTransform::Rotate270).color(&inks.ink);
        canvas.draw(&Text::new("key", (12, (top + bottom) / 2 + 16), style))?;
        Ok(())
    }

    /// Draws ticks with their seconds, and the label of the axis.
    pub fn draw_seconds(&self, canvas: &Canvas, inks: &Inks, label: &str) -> Result<()> {
        let Frame { left, right, bottom, .. } = self.frame;
        let stride = stride(self.seconds.end - self.seconds.start, 18.0);
        let first = (self.seconds.start / f64::from(stride)).ceil() as u32 * stride;
        for second in (first..=self.seconds.end as u32).step_by(stride as usize) {
            let x = self.x(f64::from(second));
            canvas.draw(&PathElement::new([(x, bottom), (x, bottom + 6)], inks.ink))?;
            let number = second.to_string();
            let at = (x - 5 * number.len() as i32, bottom + 9);
            canvas.draw(&Text::new(number, at, text(18, inks.ink)))?;
        }
        let style = text(20, inks.ink);
        let (width, _) = canvas.estimate_text_size(label, &style)?;
        canvas.draw(&Text::new(label, ((left + right - width as i32) / 2, bottom + 34), style))?;
        Ok(())
    }

    /// Draws a note: soft notes are pale, loud ones full.
    pub fn draw_note(&self, canvas: &Canvas, note: &Drawn, color: RGBColor) -> Result<()> {
        let (top, bottom) = self.row(note.key);
        let left = self.x(note.onset);
        let right = self.x(note.end).min(self.frame.right).max(left + 2);
        // In a low roll the rows leave no room for a gap.
        let gap = i32::from(bottom - top > 4);
        let corners = [(left, top + gap), (right, bottom - gap)];
        canvas.draw(&Rectangle::new(corners, shade(color, note.velocity).filled()))?;
        if gap > 0 {
            canvas.draw(&Rectangle::new(corners, color))?;
        }
        Ok(())
    }
}

/// The tint of a velocity.
fn shade(color: RGBColor, velocity: u8) -> RGBAColor {
    color.mix(0.2 + 0.8 * (f64::from(velocity) / 127.0).powf(1.5))
}

/// Draws the shades of a colour from soft to loud, and a label.
pub fn draw_shades(
    canvas: &Canvas,
    (x, y): (i32, i32),
    color: RGBColor,
    label: &str,
    inks: &Inks,
) -> Result<()> {
    for step in 0..4 {
        let at = x + i32::from(step) * 14;
        canvas.draw(&Rectangle::new([(at, y), (at + 14, y + 16)], shade(color, 31 + step * 32).filled()))?;
    }
    Ok(canvas.draw(&Text::new(label.to_owned(), (x + 64, y - 2), text(20, inks.ink)))?)
}

/// The smallest of 1, 2, 5, 10, ... that divides `length` into at most `most` parts.
pub fn stride(length: f64, most: f64) -> u32 {
    let strides = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u32.pow(power)));
    strides.into_iter().find(|&stride| length / f64::from(stride) <= most).unwrap_or(u32::MAX)
}
