//! `take.png`: the piano roll of a take.

mod paper;

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use stage::Sounded;

use self::paper::Paper;
use super::turns::Turns;
use crate::ink::{self, BLUE as CALL, FAINT_INK, FONT, INK, LINE, VERMILION as ANSWER};

const SIZE: (u32, u32) = (1800, 900);
const OCTAVE_LINE: RGBColor = RGBColor(0xBB, 0xBB, 0xBB);

type Canvas<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

/// Draws calls and answers over seconds and keys.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, turns: &Turns, answers: &[Sounded], settings: &str) -> Result<()> {
    ink::prepare()?;
    let canvas = BitMapBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE)?;
    let calls = turns.heard();
    let paper = Paper::new(turns, calls.iter().chain(answers));
    header(&canvas, &paper, settings, calls.len(), answers.len())?;
    floors(&canvas, &paper, turns)?;
    key_axis(&canvas, &paper)?;
    time_axis(&canvas, &paper, turns)?;
    for (notes, color) in [(&calls[..], CALL), (answers, ANSWER)] {
        for note in notes {
            draw_note(&canvas, &paper, note, color)?;
        }
    }
    let frame = [(paper.left, paper.top), (paper.right, paper.bottom)];
    canvas.draw(&Rectangle::new(frame, FAINT_INK))?;
    canvas.present().map_err(|error| anyhow!("cannot write {}: {error}", path.display()))
}

/// The title, and beside it the legend, clear of the notes.
fn header(canvas: &Canvas, paper: &Paper, settings: &str, calls: usize, answers: usize) -> Result<()> {
    let text = |size, color: RGBColor| (FONT, size).into_font().color(&color);
    canvas.draw(&Text::new("Antiphon: call and answer", (paper.left, 18), text(34, INK)))?;
    canvas.draw(&Text::new(settings, (paper.left, 58), text(20, FAINT_INK)))?;
    let entries = [("call", calls, CALL), ("answer", answers, ANSWER)];
    for (index, (name, count, color)) in (0..).zip(entries) {
        let x = paper.right - 420 + index * 210;
        for step in 0..4 {
            let velocity = 31 + step * 32;
            let at = x + i32::from(step) * 14;
            canvas.draw(&Rectangle::new([(at, 34), (at + 14, 50)], shade(color, velocity).filled()))?;
        }
        let label = format!("{name}, {count} notes");
        canvas.draw(&Text::new(label, (x + 64, 32), text(20, INK)))?;
    }
    let hint = "shade: velocity";
    canvas.draw(&Text::new(hint, (paper.right - 420, 60), text(16, FAINT_INK)))?;
    Ok(())
}

/// Whose turn it is, as a tint and a word at the top.
fn floors(canvas: &Canvas, paper: &Paper, turns: &Turns) -> Result<()> {
    for (turn, number) in turns.all.iter().zip(1..) {
        let spans = [
            (turn.start, turn.last_release, CALL, format!("call {number}")),
            (turn.last_release, turn.end, ANSWER, "answer".to_owned()),
        ];
        for (from, to, color, name) in spans {
            let (from, to) = (paper.x(from), paper.x(to));
            canvas
                .draw(&Rectangle::new([(from, paper.top), (to, paper.bottom)], color.mix(0.045).filled()))?;
            canvas.draw(&Rectangle::new([(from, paper.top - 7), (to, paper.top - 1)], color.filled()))?;
            let style = (FONT, 18).into_font().color(&color);
            canvas.draw(&Text::new(name, (from + 2, paper.top - 29), style))?;
        }
    }
    Ok(())
}

fn key_axis(canvas: &Canvas, paper: &Paper) -> Result<()> {
    for key in paper.keys().filter(|key| key % 12 == 0) {
        // The C's own row lies above its line, as the key lies to the right of a gap.
        let y = paper.row(key).1;
        canvas.draw(&PathElement::new([(paper.left, y), (paper.right, y)], OCTAVE_LINE))?;
        let label = format!("C{}", i32::from(key) / 12 - 1);
        let (top, bottom) = paper.row(key);
        let style = (FONT, 20).into_font().color(&INK);
        canvas.draw(&Text::new(label, (paper.left - 36, (top + bottom) / 2 - 11), style))?;
    }
    let style = (FONT, 20).into_font().transform(FontTransform::Rotate270).color(&INK);
    canvas.draw(&Text::new("key", (12, (paper.top + paper.bottom) / 2 + 16), style))?;
    Ok(())
}

/// Bar lines with their numbers inside, seconds below.
fn time_axis(canvas: &Canvas, paper: &Paper, turns: &Turns) -> Result<()> {
    let bar_seconds = f64::from(super::BEATS_PER_BAR) * 60.0 / turns.tempo;
    let bars = (turns.seconds() / bar_seconds).round() as u32;
    let stride = paper::stride(f64::from(bars), 40.0) as usize;
    for bar in (0..bars).step_by(stride) {
        let x = paper.x_seconds(f64::from(bar) * bar_seconds);
        canvas.draw(&PathElement::new([(x, paper.top), (x, paper.bottom)], LINE))?;
        let style = (FONT, 15).into_font().color(&FAINT_INK);
        canvas.draw(&Text::new((bar + 1).to_string(), (x + 3, paper.bottom - 17), style))?;
    }
    let stride = paper::stride(turns.seconds(), 18.0);
    for second in (0..=turns.seconds() as u32).step_by(stride as usize) {
        let x = paper.x_seconds(f64::from(second));
        canvas.draw(&PathElement::new([(x, paper.bottom), (x, paper.bottom + 6)], INK))?;
        let label = second.to_string();
        let style = (FONT, 18).into_font().color(&INK);
        canvas.draw(&Text::new(label.clone(), (x - 5 * label.len() as i32, paper.bottom + 9), style))?;
    }
    let style = (FONT, 20).into_font().color(&INK);
    let label = "time in seconds; bars are numbered above the axis";
    canvas.draw(&Text::new(label, ((paper.left + paper.right) / 2 - 200, paper.bottom + 34), style))?;
    Ok(())
}

fn draw_note(canvas: &Canvas, paper: &Paper, note: &Sounded, color: RGBColor) -> Result<()> {
    let (top, bottom) = paper.row(note.key);
    let left = paper.x(note.on);
    let right = note.off.map_or(paper.right, |off| paper.x(off)).max(left + 2);
    let corners = [(left, top + 1), (right, bottom - 1)];
    canvas.draw(&Rectangle::new(corners, shade(color, note.velocity).filled()))?;
    canvas.draw(&Rectangle::new(corners, color))?;
    Ok(())
}

/// Soft notes are pale, loud ones full.
fn shade(color: RGBColor, velocity: u8) -> RGBAColor {
    color.mix(0.2 + 0.8 * (f64::from(velocity) / 127.0).powf(1.5))
}
