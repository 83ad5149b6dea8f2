//! Music at a glance: its piano roll, and below it how its notes are distributed.

use std::{ops::Range, path::Path};

use anyhow::Result;
use plotters::prelude::*;

use super::{
    Canvas, Inks, Theme,
    distribution::{Attribute, Series},
    roll::{Drawn, Frame, Roll, draw_shades},
    text, write,
};
use crate::corpus::Note;

const SIZE: (u32, u32) = (1800, 1200);
const ROLL: Frame = Frame { left: 78, right: 1770, top: 130, bottom: 780 };
/// The histograms, side by side.
const PANELS_TOP: i32 = 900;
const PANELS_BOTTOM: i32 = 1150;
const PANEL_GAP: i32 = 76;
/// From one entry of the legend to the next, in pixels.
const LEGEND: i32 = 290;
/// How strong the tint is behind what is new.
const TINT: f64 = 0.09;

/// What is shown.
pub struct Overview<'a> {
    pub title: &'a str,
    /// A line in small letters.
    pub subtitle: &'a str,
    /// What was there, and then what was made of it; or one alone.
    pub layers: Vec<Layer<'a>>,
    /// The part of time that the roll shows.
    pub seconds: Range<f64>,
    /// From here on it is new.
    pub boundary: Option<f64>,
}

/// Some of the notes.
pub struct Layer<'a> {
    /// Before the number of notes.
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

    /// The second of two layers is new, and so is one that stands alone behind a boundary.
    fn colors(&self, inks: &Inks) -> Vec<RGBColor> {
        match (self.layers.len(), self.boundary) {
            (1, Some(_)) => vec![inks.second],
            _ => vec![inks.first, inks.second],
        }
    }

    /// Cut where the legend begins.
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
