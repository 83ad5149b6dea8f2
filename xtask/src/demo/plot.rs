//! `take.png`: the piano roll of a take.

mod paper;
#[cfg(test)]
mod tests;

use std::path::Path;

use antiphon::music::note::Key;
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use stage::Sounded;

use self::paper::Paper;
use super::{shown::Shown, turns::Turns};
use crate::ink::{self, BLUE as CALL, FAINT_INK, FONT, INK, LINE, PURPLE as BOTH, VERMILION as ANSWER};

const SIZE: (u32, u32) = (1800, 900);
const OCTAVE_LINE: RGBColor = RGBColor(0xBB, 0xBB, 0xBB);
/// How strong the tint is behind those who have the floor.
const FLOOR: f64 = 0.08;
/// How strong it is on keys that the answer may not play.
const BARRED: f64 = 0.07;
/// Letters of the settings that stand beside the legend, in a line.
const LINE_LETTERS: usize = 125;
/// Room for the word above a call, in pixels.
const LABEL_WIDTH: i32 = 64;

type Canvas<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

/// Draws calls and answers over seconds and keys.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, turns: &Turns, answers: &[Sounded], shown: &Shown) -> Result<()> {
    ink::prepare()?;
    let canvas = BitMapBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE)?;
    let calls = turns.heard();
    let settings = lines(&shown.settings);
    let paper = Paper::new(turns, calls.iter().chain(answers), settings.len());
    title(&canvas, &paper, shown, &settings)?;
    legend(&canvas, &paper, calls.len(), answers.len())?;
    barred(&canvas, &paper, shown)?;
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

/// The game, and below it the settings.
fn title(canvas: &Canvas, paper: &Paper, shown: &Shown, settings: &[String]) -> Result<()> {
    canvas.draw(&Text::new(shown.title.as_str(), (paper.left, 18), text(34, INK)))?;
    for (line, number) in settings.iter().zip(0..) {
        let y = 58 + number * paper::LINE_HEIGHT;
        canvas.draw(&Text::new(line.as_str(), (paper.left, y), text(20, FAINT_INK)))?;
    }
    Ok(())
}

/// Who is drawn how, clear of the notes.
fn legend(canvas: &Canvas, paper: &Paper, calls: usize, answers: usize) -> Result<()> {
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
    canvas.draw(&Text::new("shade: velocity", (paper.right - 420, 60), text(16, FAINT_INK)))?;
    Ok(())
}

/// Keys that the answer may not play.
fn barred(canvas: &Canvas, paper: &Paper, shown: &Shown) -> Result<()> {
    let keys: Vec<u8> = paper.keys().filter(|key| !shown.keys.contains(Key::saturating(*key))).collect();
    if !keys.is_empty() {
        let hint = "grey rows: not for the answer";
        canvas.draw(&Text::new(hint, (paper.right - 210, 60), text(16, FAINT_INK)))?;
    }
    for key in keys {
        let (top, bottom) = paper.row(key);
        let row = [(paper.left, top), (paper.right, bottom)];
        canvas.draw(&Rectangle::new(row, INK.mix(BARRED).filled()))?;
    }
    Ok(())
}

/// Who has the floor: a strip and a word at the top for each, and a tint behind the notes, of a third colour where both
/// have it.
fn floors(canvas: &Canvas, paper: &Paper, turns: &Turns) -> Result<()> {
    for (turn, number) in turns.all.iter().zip(1..) {
        let call = if turns.all.len() > 1 { format!("call {number}") } else { "call".to_owned() };
        let (start, answer) = (paper.x(turn.start), paper.x(turn.plugin_from));
        let answer_label = answer.max(start + LABEL_WIDTH);
        canvas.draw(&Text::new(call, (start + 2, paper.top - 29), text(18, CALL)))?;
        canvas.draw(&Text::new("answer", (answer_label + 2, paper.top - 29), text(18, ANSWER)))?;
        let (call_end, end) = (paper.x(turn.player_until), paper.x(turn.end));
        for (from, to, color, above) in [(start, call_end, CALL, 5), (answer, end, ANSWER, 1)] {
            let strip = [(from, paper.top - above - 3), (to, paper.top - above)];
            canvas.draw(&Rectangle::new(strip, color.filled()))?;
        }
        let (alone, again) = (call_end.min(answer), call_end.max(answer));
        for (from, to, color) in [(start, alone, CALL), (alone, again, BOTH), (again, end, ANSWER)] {
            let floor = [(from, paper.top), (to, paper.bottom)];
            canvas.draw(&Rectangle::new(floor, color.mix(FLOOR).filled()))?;
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
        let style = text(20, INK);
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
        let style = text(15, FAINT_INK);
        canvas.draw(&Text::new((bar + 1).to_string(), (x + 3, paper.bottom - 17), style))?;
    }
    let stop = paper.x(turns.stop);
    canvas.draw(&PathElement::new([(stop, paper.top), (stop, paper.bottom)], FAINT_INK))?;
    canvas.draw(&Text::new("host stops", (stop + 4, paper.top + 6), text(15, FAINT_INK)))?;
    let stride = paper::stride(turns.seconds(), 18.0);
    for second in (0..=turns.seconds() as u32).step_by(stride as usize) {
        let x = paper.x_seconds(f64::from(second));
        canvas.draw(&PathElement::new([(x, paper.bottom), (x, paper.bottom + 6)], INK))?;
        let label = second.to_string();
        let style = text(18, INK);
        canvas.draw(&Text::new(label.clone(), (x - 5 * label.len() as i32, paper.bottom + 9), style))?;
    }
    let style = text(20, INK);
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

fn text<'a>(size: i32, color: RGBColor) -> TextStyle<'a> {
    (FONT, size).into_font().color(&color)
}

/// Words in lines of at most [`LINE_LETTERS`], broken after commas.
fn lines(words: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() <= LINE_LETTERS => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
