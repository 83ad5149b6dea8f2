//! The curves of a training as a CSV table and as a picture.

use std::{fmt::Write, ops::Range};

use anyhow::{Context, Result};
use plotters::prelude::*;

use super::progress::Row;
use crate::{
    picture::{self, BLUE as TRAIN, Canvas, FAINT_INK, INK, LINE, Theme, VERMILION as VALIDATION, text},
    score::Metric,
};

const WIDTH: u32 = 1800;
const HEADER: u32 = 110;
const PANEL_HEIGHT: u32 = 460;
const COLUMNS: usize = 3;
/// The first 1/[`STEEP`] of the rows do not stretch the axis, since they are far above all others.
const STEEP: usize = 10;
/// Largest number of rows that are drawn with dots; for more, the line is enough.
const DOTS: usize = 100;

/// A small diagram: one for each figure, and one for the learning rate.
struct Panel {
    title: String,
    unit: String,
    lines: Vec<(RGBColor, Vec<f64>)>,
}

/// A CSV table for other programs.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("step,notes,seconds,rate");
    if let Some(row) = rows.first() {
        let columns = |kind, figures: &[Metric]| {
            figures.iter().map(|figure| format!(",{kind}_{}", column(figure))).collect::<String>()
        };
        text += &columns("train", &row.train);
        text += &columns("validation", &row.validation);
    }
    text.push('\n');
    for row in rows {
        let Row { steps, notes, seconds, rate, train, validation } = row;
        let numbers: String =
            train.iter().chain(validation).map(|figure| format!(",{:.5}", figure.value)).collect();
        writeln!(text, "{steps},{notes},{seconds:.1},{rate:.3e}{numbers}").expect("memory takes all");
    }
    text
}

/// The picture as the bytes of a PNG file.
pub fn png(title: &str, rows: &[Row]) -> Result<Vec<u8>> {
    let panels = panels(rows);
    let lines = u32::try_from(panels.len().div_ceil(COLUMNS)).context("there are few panels")?;
    let size = (WIDTH, HEADER + lines * PANEL_HEIGHT);
    picture::png(size, Theme::Light, |canvas| draw(canvas, title, rows, &panels))
}

/// The name of a column, such as `step_error_s`.
fn column(figure: &Metric) -> String {
    format!("{}_{}", figure.name, figure.unit).replace(' ', "_").replace('²', "2")
}

fn draw(canvas: &Canvas, title: &str, rows: &[Row], panels: &[Panel]) -> Result<()> {
    let (header, body) = canvas.split_vertically(HEADER);
    header.draw(&Text::new(title, (40, 18), text(34, INK)))?;
    let legend = [(TRAIN, "train: mean since the point before"), (VALIDATION, "validation: at a glance")];
    for ((color, name), x) in legend.into_iter().zip([44, 500]) {
        header.draw(&Rectangle::new([(x, 76), (x + 40, 80)], color.filled()))?;
        header.draw(&Text::new(name, (x + 52, 66), text(22, INK)))?;
    }
    let (scale, notes_name) = scale(rows);
    let notes: Vec<f64> = rows.iter().map(|row| row.notes as f64 / scale).collect();
    let areas = body.split_evenly((panels.len().div_ceil(COLUMNS), COLUMNS));
    for (panel, area) in panels.iter().zip(areas) {
        panel.draw(&area, &notes, notes_name)?;
    }
    Ok(())
}

fn panels(rows: &[Row]) -> Vec<Panel> {
    let mut panels = Vec::new();
    add(&mut panels, TRAIN, &rows.iter().map(|row| &row.train[..]).collect::<Vec<_>>());
    add(&mut panels, VALIDATION, &rows.iter().map(|row| &row.validation[..]).collect::<Vec<_>>());
    let rates = rows.iter().map(|row| row.rate).collect();
    panels.push(Panel { title: "learning rate".into(), unit: "rate".into(), lines: vec![(INK, rates)] });
    panels
}

/// Adds a line for each figure, to the panel of the same title and unit or to a new one.
fn add(panels: &mut Vec<Panel>, color: RGBColor, rows: &[&[Metric]]) {
    for (n, Metric { name, unit, .. }) in rows.first().copied().unwrap_or_default().iter().enumerate() {
        let line = (color, rows.iter().filter_map(|figures| Some(figures.get(n)?.value)).collect());
        match panels.iter_mut().find(|panel| panel.title == *name && panel.unit == *unit) {
            Some(panel) => panel.lines.push(line),
            None => {
                panels.push(Panel { title: name.to_string(), unit: unit.to_string(), lines: vec![line] });
            }
        }
    }
}

impl Panel {
    fn draw(&self, area: &Canvas, notes: &[f64], notes_name: &str) -> Result<()> {
        let Range { start: low, end: high } = self.range();
        let count = notes.last().copied().unwrap_or(1.0);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, text(26, INK))
            .margin(14)
            .margin_right(28)
            .x_label_area_size(56)
            .y_label_area_size(92)
            .build_cartesian_2d(0.0..count, low..high)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(LINE)
            .axis_style(FAINT_INK)
            .label_style(text(18, INK))
            .axis_desc_style(text(20, INK))
            .x_desc(notes_name)
            .y_desc(&self.unit)
            .x_label_formatter(&|value| format!("{value:.*}", decimals(count)))
            .y_label_formatter(&|value| format!("{value:.*}", decimals(high - low)))
            .draw()?;
        for (color, values) in &self.lines {
            let points = notes.iter().copied().zip(values.iter().copied());
            let points = points.filter(|(_, value)| (low..=high).contains(value));
            chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
            let dots = points.take(if values.len() > DOTS { 0 } else { DOTS });
            chart.draw_series(dots.map(|point| Circle::new(point, 3, color.filled())))?;
        }
        Ok(())
    }

    /// The range of all values except the first ones, with a small margin.
    fn range(&self) -> Range<f64> {
        let late = self.lines.iter().flat_map(|(_, values)| values.iter().skip(values.len() / STEEP));
        let (low, high) = late.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        let air = if high > low { (high - low) * 0.06 } else { high.abs().max(1e-9) * 0.1 };
        if low.is_finite() && high.is_finite() { low - air..high + air } else { 0.0..1.0 }
    }
}

/// The divisor for numbers of notes, and the label of its axis.
fn scale(rows: &[Row]) -> (f64, &'static str) {
    match rows.last().map_or(0, |row| row.notes) {
        0..10_000 => (1.0, "notes learnt from"),
        10_000..1_000_000 => (1e3, "thousands of notes learnt from"),
        _ => (1e6, "millions of notes learnt from"),
    }
}

/// Number of decimals that are enough to tell the marks of an axis of this length apart.
fn decimals(mut length: f64) -> usize {
    let mut decimals = 0;
    while length < 10.0 && decimals < 9 {
        length *= 10.0;
        decimals += 1;
    }
    decimals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_column_with_its_unit() {
        let train = vec![Metric::new("pitch", "nats", 2.5), Metric::new("step", "s²", 0.25)];
        let validation = vec![Metric::new("step error", "s", 0.125)];
        let row = Row { steps: 3, notes: 40, seconds: 1.25, rate: 2e-3, train, validation };
        assert_eq!(
            csv(&[row]),
            "step,notes,seconds,rate,train_pitch_nats,train_step_s2,validation_step_error_s\n\
             3,40,1.2,2.000e-3,2.50000,0.25000,0.12500\n"
        );
    }

    fn rows(count: usize) -> Vec<Row> {
        let row = |n: usize| {
            let fall = 5.0 / (n + 1) as f64;
            Row {
                steps: n,
                notes: n * 100_000,
                seconds: n as f64,
                rate: 2e-3,
                train: vec![Metric::new("pitch", "nats", 2.5 + fall), Metric::new("step", "s²", fall)],
                validation: vec![Metric::new("pitch", "nats", 2.6 + fall)],
            }
        };
        (1..=count).map(row).collect()
    }

    #[test]
    fn a_figure_of_both_kinds_has_one_panel() {
        let panels: Vec<_> =
            panels(&rows(3)).into_iter().map(|panel| (panel.title, panel.lines.len())).collect();
        assert_eq!(panels, [("pitch".into(), 2), ("step".into(), 1), ("learning rate".into(), 1)]);
    }

    #[test]
    fn any_number_of_rows_makes_a_picture() {
        for count in [1, 2, 30] {
            let bytes = png("mine", &rows(count)).expect("a picture");
            let image = image::load_from_memory(&bytes).expect("a PNG").to_rgb8();
            assert_eq!(image.dimensions(), (WIDTH, HEADER + PANEL_HEIGHT));
            let drawn = |color: RGBColor| image.pixels().any(|pixel| pixel.0 == [color.0, color.1, color.2]);
            assert!(drawn(TRAIN) && drawn(VALIDATION));
        }
    }
}
