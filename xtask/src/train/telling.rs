//! What a person sees of a training.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::{
    curves::{Row, Tally},
    progress::{Length, Progress, told},
};
use crate::score::Figure;

const BAR_PARTS: u64 = 1000;

/// A bar that moves on a terminal, and lines that stay.
pub struct Telling {
    bar: ProgressBar,
}

impl Telling {
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:20} {percent} % {msg}");
        let bar = ProgressBar::new(BAR_PARTS)
            .with_style(style.expect("the template is well formed"))
            .with_finish(ProgressFinish::AndClear);
        Self { bar }
    }

    pub fn lesson(&self, length: Length, progress: &Progress, tally: &Tally) {
        self.bar.set_position((length.passed(progress) * BAR_PARTS as f64) as u64);
        let left = told(length.minutes_left(progress));
        let loss = Figure::line(&tally.means());
        self.bar.set_message(format!("{left} left, {:.0} notes/s, {loss}", tally.notes_per_second()));
    }

    pub fn row(&self, length: Length, progress: &Progress, row: &Row, notes_per_second: f64) {
        let Row { steps, notes, rate, train, validation, .. } = row;
        let (train, validation) = (Figure::line(train), Figure::line(validation));
        let (passed, left) = (told(progress.minutes()), told(length.minutes_left(progress)));
        self.line(&format!(
            "{passed}, step {steps}, {notes} notes, {notes_per_second:.0} notes/s, rate {rate:.1e}, {left} left\n  \
             train: {train}\n  validation, at a glance: {validation}"
        ));
    }

    pub fn line(&self, text: &str) {
        // Whoever reads along, such as `head`, may have seen enough.
        self.bar.suspend(|| drop(writeln!(io::stdout(), "{text}")));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
