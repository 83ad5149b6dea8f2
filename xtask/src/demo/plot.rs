//! `take.png`: the piano roll of a take.

use std::path::Path;

use antiphon::music::note::Key;
use anyhow::Result;
use plotters::prelude::*;
use test_host::Sounded;

use super::{BEATS_PER_BAR, settings::Caption, turns::Turns};
use crate::picture::{
    self, BLUE as CALL, Canvas, FAINT_INK, INK, LINE, PURPLE as BOTH, Theme, VERMILION as ANSWER,
    roll::{self, Drawn, Frame, Roll},
    text,
};

const SIZE: (u32, u32) = (1800, 900);
/// Distance from one line of the settings to the next, in pixels.
const LINE_HEIGHT: i32 = 24;
/// Height of the header above the roll without the lines of the settings, in pixels.
const HEADER_HEIGHT: i32 = 106;
/// Opacity of the tint that shows who has the floor.
const FLOOR: f64 = 0.08;
/// Opacity of the tint on keys that the answer may not play.
const BARRED: f64 = 0.07;
/// Number of letters of the settings in a line, beside the legend.
const LINE_LETTERS: usize = 125;
/// Opacity of beat lines compared with bar lines.
const BEAT_LINE: f64 = 0.55;
/// Least distance of beat lines that are drawn, in pixels.
const CLOSEST_LINES: i32 = 8;
/// Width of the label above a call, in pixels.
const LABEL_WIDTH: i32 = 64;

/// Draws calls and answers over seconds and keys.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, turns: &Turns, answers: &[Sounded], caption: &Caption) -> Result<()> {
    picture::write(path, SIZE, Theme::Light, |canvas| {
        let (calls, inks) = (turns.heard(), Theme::Light.inks());
        let settings = lines(&caption.settings);
        let roll = paper(turns, calls.iter().chain(answers), settings.len());
        title(canvas, &roll, caption, &settings)?;
        legend(canvas, &roll, calls.len(), answers.len())?;
        barred(canvas, &roll, caption)?;
        floors(canvas, &roll, turns)?;
        roll.draw_keys(canvas, &inks)?;
        bar_lines(canvas, &roll, turns)?;
        roll.draw_seconds(canvas, &inks, "time in seconds; bars are numbered above the axis")?;
        for (notes, color) in [(&calls[..], CALL), (answers, ANSWER)] {
            for note in notes {
                roll.draw_note(canvas, &drawn(note, turns), color)?;
            }
        }
        roll.frame.draw(canvas, FAINT_INK)
    })
}

/// A roll that is just large enough for `notes`, below the lines of the settings.
fn paper<'a>(turns: &Turns, notes: impl Iterator<Item = &'a Sounded> + Clone, settings: usize) -> Roll {
    let top = HEADER_HEIGHT + LINE_HEIGHT * settings as i32;
    let frame = Frame { left: 78, right: SIZE.0 as i32 - 30, top, bottom: SIZE.1 as i32 - 70 };
    Roll::new(frame, notes.map(|note| note.key), 0.0..turns.seconds())
}

fn drawn(note: &Sounded, turns: &Turns) -> Drawn {
    let seconds = |sample: u64| sample as f64 / turns.sample_rate;
    Drawn {
        key: note.key,
        velocity: note.velocity,
        onset: seconds(note.on),
        end: note.off.map_or(turns.seconds(), seconds),
    }
}

/// Draws the mode, and below it the settings.
fn title(canvas: &Canvas, paper: &Roll, caption: &Caption, settings: &[String]) -> Result<()> {
    canvas.draw(&Text::new(caption.title.as_str(), (paper.frame.left, 18), text(34, INK)))?;
    for (line, number) in settings.iter().zip(0..) {
        let y = 58 + number * LINE_HEIGHT;
        canvas.draw(&Text::new(line.as_str(), (paper.frame.left, y), text(20, FAINT_INK)))?;
    }
    Ok(())
}

/// Draws the legend: the colours of calls and answers, with their numbers of notes, clear of the notes.
fn legend(canvas: &Canvas, paper: &Roll, calls: usize, answers: usize) -> Result<()> {
    let entries = [("call", calls, CALL), ("answer", answers, ANSWER)];
    for (index, (name, count, color)) in (0..).zip(entries) {
        let at = (paper.frame.right - 420 + index * 210, 34);
        roll::draw_shades(canvas, at, color, &format!("{name}, {count} notes"), &Theme::Light.inks())?;
    }
    canvas.draw(&Text::new("shade: velocity", (paper.frame.right - 420, 60), text(16, FAINT_INK)))?;
    Ok(())
}

/// Draws the keys that the answer may not play.
fn barred(canvas: &Canvas, paper: &Roll, caption: &Caption) -> Result<()> {
    let keys: Vec<u8> = paper.keys().filter(|key| !caption.keys.contains(Key::saturating(*key))).collect();
    if !keys.is_empty() {
        let hint = "grey rows: not for the answer";
        canvas.draw(&Text::new(hint, (paper.frame.right - 210, 60), text(16, FAINT_INK)))?;
    }
    for key in keys {
        let (top, bottom) = paper.row(key);
        let row = [(paper.frame.left, top), (paper.frame.right, bottom)];
        canvas.draw(&Rectangle::new(row, INK.mix(BARRED).filled()))?;
    }
    Ok(())
}

/// Draws who has the floor: for each a strip and a word at the top, and a tint behind the notes. A third
/// colour shows that both have it.
fn floors(canvas: &Canvas, paper: &Roll, turns: &Turns) -> Result<()> {
    for (turn, number) in turns.all.iter().zip(1..) {
        let call = if turns.all.len() > 1 { format!("call {number}") } else { "call".to_owned() };
        let x = |sample: u64| paper.x(sample as f64 / turns.sample_rate);
        let (start, answer) = (x(turn.start), x(turn.plugin_from));
        let answer_label = answer.max(start + LABEL_WIDTH);
        canvas.draw(&Text::new(call, (start + 2, paper.frame.top - 29), text(18, CALL)))?;
        canvas.draw(&Text::new("answer", (answer_label + 2, paper.frame.top - 29), text(18, ANSWER)))?;
        let (call_end, end) = (x(turn.player_until), x(turn.end));
        for (from, to, color, above) in [(start, call_end, CALL, 5), (answer, end, ANSWER, 1)] {
            let strip = [(from, paper.frame.top - above - 3), (to, paper.frame.top - above)];
            canvas.draw(&Rectangle::new(strip, color.filled()))?;
        }
        let (alone, again) = (call_end.min(answer), call_end.max(answer));
        for (from, to, color) in [(start, alone, CALL), (alone, again, BOTH), (again, end, ANSWER)] {
            let floor = [(from, paper.frame.top), (to, paper.frame.bottom)];
            canvas.draw(&Rectangle::new(floor, color.mix(FLOOR).filled()))?;
        }
    }
    Ok(())
}

/// Draws beat lines, and bar lines with the numbers of the bars.
fn bar_lines(canvas: &Canvas, paper: &Roll, turns: &Turns) -> Result<()> {
    let beat_seconds = 60.0 / turns.tempo;
    let bar_seconds = f64::from(BEATS_PER_BAR) * beat_seconds;
    let bars = (turns.seconds() / bar_seconds).round() as u32;
    if paper.x(beat_seconds) - paper.x(0.0) >= CLOSEST_LINES {
        for beat in 0..bars * BEATS_PER_BAR {
            let x = paper.x(f64::from(beat) * beat_seconds);
            canvas.draw(&PathElement::new(
                [(x, paper.frame.top), (x, paper.frame.bottom)],
                LINE.mix(BEAT_LINE),
            ))?;
        }
    }
    let stride = roll::stride(f64::from(bars), 40.0) as usize;
    for bar in (0..bars).step_by(stride) {
        let x = paper.x(f64::from(bar) * bar_seconds);
        canvas.draw(&PathElement::new([(x, paper.frame.top), (x, paper.frame.bottom)], LINE))?;
        let style = text(15, FAINT_INK);
        canvas.draw(&Text::new((bar + 1).to_string(), (x + 3, paper.frame.bottom - 17), style))?;
    }
    let stop = paper.x(turns.stop as f64 / turns.sample_rate);
    canvas.draw(&PathElement::new([(stop, paper.frame.top), (stop, paper.frame.bottom)], FAINT_INK))?;
    canvas.draw(&Text::new("host stops", (stop + 4, paper.frame.top + 6), text(15, FAINT_INK)))?;
    Ok(())
}

/// Breaks words into lines of at most [`LINE_LETTERS`] letters, after commas.
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

#[cfg(test)]
mod tests {
    use antiphon::music::scale::{Root, Scale};

    use super::*;
    use crate::{
        demo::{call::PlayMode, turns::Turn},
        file::tests::Folder,
    };

    /// One turn of two seconds at 100 samples a second, in which a C is called in the first and a G answered
    /// in the second.
    fn picture(turn: Turn) -> Result<(image::RgbImage, Roll)> {
        let turns = Turns {
            mode: PlayMode::Trade,
            all: vec![turn],
            score: test_host::Event::note(0, 50, 60, 80).to_vec(),
            sample_rate: 100.0,
            tempo: 120.0,
            call_bars: 1,
            stop: 300,
            end: 400,
        };
        let answer = Sounded { channel: 0, key: 67, velocity: 80, on: 100, off: Some(150) };
        let keys = Scale::Major.on(Root::new(0)).keys();
        let caption = Caption { title: "Antiphon: Trade".to_owned(), settings: "antiphon".to_owned(), keys };
        // Tests run in parallel: the turn makes the names of their folders different.
        let folder = Folder::new(&format!("roll-{}", turn.plugin_from));
        let path = folder.join("take.png");
        draw(&path, &turns, &[answer], &caption)?;
        let paper = paper(&turns, [answer, turns.heard()[0]].iter(), 1);
        Ok((image::open(&path)?.to_rgb8(), paper))
    }

    /// The paper's colour in the row of a key, clear of lines.
    fn color(picture: &image::RgbImage, paper: &Roll, seconds: f64, key: u8) -> [i32; 3] {
        let (top, bottom) = paper.row(key);
        let (x, y) = (paper.x(seconds) as u32, ((top + bottom) / 2) as u32);
        picture.get_pixel(x, y).0.map(i32::from)
    }

    #[test]
    fn the_player_s_bars_are_blue_the_plugin_s_red_and_what_follows_is_white() -> Result<()> {
        let turn = Turn { start: 0, last_release: 50, player_until: 100, plugin_from: 100, end: 200 };
        let (picture, paper) = picture(turn)?;
        let [red, _, blue] = color(&picture, &paper, 0.8, 65);
        assert!(blue > red, "{red} {blue}");
        let [red, _, blue] = color(&picture, &paper, 1.8, 65);
        assert!(red > blue, "{red} {blue}");
        assert_eq!(color(&picture, &paper, 2.3, 65), [255; 3]);
        Ok(())
    }

    #[test]
    fn where_both_have_the_floor_the_tint_is_neither_s() -> Result<()> {
        let turn = Turn { start: 0, last_release: 50, player_until: 100, plugin_from: 0, end: 200 };
        let (picture, paper) = picture(turn)?;
        let [red, green, blue] = color(&picture, &paper, 0.8, 65);
        assert!(red > green && blue > green, "{red} {green} {blue}");
        let [red, _, blue] = color(&picture, &paper, 1.8, 65);
        assert!(red > blue, "{red} {blue}");
        Ok(())
    }

    #[test]
    fn keys_that_the_answer_may_not_play_are_grey() -> Result<()> {
        let turn = Turn { start: 0, last_release: 50, player_until: 101, plugin_from: 101, end: 200 };
        let (picture, paper) = picture(turn)?;
        let [sharp, natural] = [66, 65].map(|key| color(&picture, &paper, 2.3, key));
        assert!(sharp[0] < 250 && sharp[0] == sharp[2], "{sharp:?}");
        assert_eq!(natural, [255; 3]);
        Ok(())
    }

    #[test]
    fn many_settings_take_more_lines_and_none_is_cut() {
        let settings = ["Quantise strength 50 %"; 12].join(", ");
        let lines = lines(&settings);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE_LETTERS));
        assert_eq!(lines.concat(), settings);
    }
}
