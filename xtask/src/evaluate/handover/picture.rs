//! The trade-off as a picture: how often a rule takes the floor wrongly against how long it keeps a player waiting.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::{
    coord::{combinators::LogCoord, types::RangedCoordf64},
    prelude::*,
};

use super::worth::{Fixed, Patient, Worth};
use crate::ink::{self, BLUE as MODEL, FAINT_INK, FONT, INK, LINE, VERMILION as FIXED};

const SIZE: (u32, u32) = (1200, 800);
/// From hardly ever to every other second.
const FALSE_PER_MINUTE: std::ops::Range<f64> = 0.1..30.0;
const LONGEST_DELAY_MS: f64 = 2000.0;

/// Milliseconds of waiting, and wrong take-overs a minute.
type Point = (f64, f64);
type Chart<'a, 'b> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, LogCoord<f64>>>;

/// Draws the curve over all patiences and the fixed rules beside it.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, title: &str, curve: &[Patient], default: f32, fixed: &[Fixed]) -> Result<()> {
    ink::prepare()?;
    let canvas = BitMapBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE)?;
    let text = |size| (FONT, size).into_font().color(&INK);
    let mut chart = ChartBuilder::on(&canvas)
        .caption(title, text(30))
        .margin(20)
        .margin_right(40)
        .x_label_area_size(64)
        .y_label_area_size(84)
        .build_cartesian_2d(0.0..LONGEST_DELAY_MS, FALSE_PER_MINUTE.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(LINE)
        .axis_style(FAINT_INK)
        .label_style(text(18))
        .axis_desc_style(text(22))
        .x_desc("from the last release to the take-over, median, ms")
        .y_desc("wrong take-overs a minute")
        .x_label_formatter(&|delay| format!("{delay:.0}"))
        .draw()?;
    draw_curve(&mut chart, curve, default)?;
    draw_rules(&mut chart, fixed)?;
    chart.configure_series_labels().label_font(text(20)).background_style(WHITE).border_style(LINE).draw()?;
    canvas.present().map_err(|error| anyhow!("cannot write {}: {error}", path.display()))
}

/// A line with a dot for each patience, and the default one by name.
fn draw_curve(chart: &mut Chart, curve: &[Patient], default: f32) -> Result<()> {
    let points: Vec<_> = curve.iter().filter_map(|one| Some((one.patience, at(&one.worth)?))).collect();
    let line = points.iter().map(|&(_, point)| point);
    chart
        .draw_series(LineSeries::new(line, MODEL.stroke_width(2)))?
        .label("Patience")
        .legend(|(x, y)| Rectangle::new([(x, y - 2), (x + 24, y + 2)], MODEL.filled()));
    chart.draw_series(points.iter().map(|&(patience, point)| {
        Circle::new(point, if patience == default { 7 } else { 3 }, MODEL.filled())
    }))?;
    let named = points.iter().filter(|(patience, _)| *patience == default);
    chart.draw_series(
        named.map(|&(patience, point)| beside(point, format!("patience {:.0} %", patience * 100.0))),
    )?;
    Ok(())
}

/// A dot and a name for each fixed rule.
fn draw_rules(chart: &mut Chart, fixed: &[Fixed]) -> Result<()> {
    let rules = fixed.iter().filter_map(|rule| Some((rule.silence, at(&rule.worth)?)));
    let rules: Vec<_> = rules.collect();
    chart
        .draw_series(rules.iter().map(|&(_, point)| Circle::new(point, 6, FIXED.filled())))?
        .label("a fixed silence since the last onset")
        .legend(|(x, y)| Circle::new((x + 12, y), 6, FIXED.filled()));
    chart.draw_series(rules.iter().map(|&(silence, point)| beside(point, silence.to_string())))?;
    Ok(())
}

fn beside((x, y): Point, name: String) -> Text<'static, Point, String> {
    Text::new(name, (x + 24.0, y), (FONT, 20).into_font().color(&INK))
}

/// Where it lies on the picture, if it has a delay.
fn at(worth: &Worth) -> Option<Point> {
    let delay = worth.median_delay_ms.filter(|delay| *delay <= LONGEST_DELAY_MS)?;
    Some((delay, worth.false_per_minute.clamp(FALSE_PER_MINUTE.start, FALSE_PER_MINUTE.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::handover::worth::Silence;
    use crate::scratch::Folder;

    #[test]
    fn the_rule_and_the_fixed_rules_are_both_seen() {
        let worth = |false_per_minute, delay| Worth { false_per_minute, median_delay_ms: Some(delay) };
        let patient = |patience, worth| Patient { patience, worth };
        let curve = [
            patient(0.0, worth(9.0, 120.0)),
            patient(0.5, worth(0.8, 400.0)),
            patient(1.0, worth(0.6, 1500.0)),
        ];
        let fixed = [Fixed { silence: Silence::Seconds(1.0), worth: worth(2.3, 0.0) }];
        let folder = Folder::new("handover-picture");
        let path = folder.join("curve.png");
        draw(&path, "mine", &curve, 0.5, &fixed).expect("a picture");
        let image = image::open(&path).expect("a PNG").to_rgb8();
        let drawn = |color: RGBColor| image.pixels().any(|pixel| pixel.0 == [color.0, color.1, color.2]);
        assert!(image.dimensions() == SIZE && drawn(MODEL) && drawn(FIXED));
    }
}
