//! The progress of a training, the time that is left, and what is shown on the terminal.

use std::{
    fmt,
    io::{self, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::StepResult;
use crate::score::Metric;

const BAR_PARTS: u64 = 1000;

/// The progress of a training over all its sittings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    pub steps: usize,
    pub notes: usize,
    pub trained: Duration,
    pub rows: Vec<Row>,
}

/// A row of the curves: the progress of a training at one time, and its losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub steps: usize,
    pub notes: usize,
    pub seconds: f64,
    pub rate: f64,
    /// Mean training losses over the notes since the row before.
    pub train: Vec<Metric>,
    /// Scores on some of the validation notes.
    pub validation: Vec<Metric>,
}

impl Progress {
    pub fn minutes(&self) -> f64 {
        self.trained.as_secs_f64() / 60.0
    }
}

/// The length of a training.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    Minutes(f64),
    Steps(usize),
}

impl Length {
    /// The part of the training that is over, from 0 to 1.
    pub fn passed(self, progress: &Progress) -> f64 {
        let passed = match self {
            Self::Minutes(minutes) => progress.minutes() / minutes,
            Self::Steps(steps) => progress.steps as f64 / steps as f64,
        };
        passed.min(1.0)
    }

    /// The minutes that are left at the average pace up to now.
    fn minutes_left(self, progress: &Progress) -> f64 {
        match self {
            Self::Minutes(minutes) => (minutes - progress.minutes()).max(0.0),
            Self::Steps(steps) => {
                let pace = progress.minutes() / progress.steps.max(1) as f64;
                steps.saturating_sub(progress.steps) as f64 * pace
            }
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Minutes(minutes) => write!(f, "{minutes} minutes"),
            Self::Steps(steps) => write!(f, "{steps} steps"),
        }
    }
}

/// A duration as text: `12 s`, `4 min` or `3 h 20 min`.
pub fn told(minutes: f64) -> String {
    let whole = minutes.round();
    match minutes {
        ..1.0 => format!("{:.0} s", minutes * 60.0),
        ..60.0 => format!("{whole:.0} min"),
        _ => format!("{:.0} h {:02.0} min", (whole / 60.0).floor(), whole % 60.0),
    }
}

/// Sums of the training losses over the steps since the last row.
pub struct Tally {
    pub notes: usize,
    /// The learning rate of the last step.
    pub rate: f64,
    begun: Instant,
    sums: Vec<Metric>,
}

impl Tally {
    pub fn new() -> Self {
        Self { notes: 0, rate: 0.0, begun: Instant::now(), sums: Vec::new() }
    }

    pub fn add(&mut self, result: &StepResult, rate: f64) {
        self.notes += result.notes;
        self.rate = rate;
        if self.sums.is_empty() {
            self.sums = result.loss.iter().map(|figure| Metric { value: 0.0, ..figure.clone() }).collect();
        }
        for (sum, mean) in self.sums.iter_mut().zip(&result.loss) {
            sum.value += mean.value * result.notes as f64;
        }
    }

    pub fn means(&self) -> Vec<Metric> {
        let mean = |sum: &Metric| Metric { value: sum.value / self.notes as f64, ..sum.clone() };
        self.sums.iter().map(mean).collect()
    }

    pub fn notes_per_second(&self) -> f64 {
        self.notes as f64 / self.begun.elapsed().as_secs_f64()
    }
}

/// The terminal output: a progress bar that moves, and lines that stay.
pub struct Console {
    bar: ProgressBar,
}

impl Console {
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:20} {percent} % {msg}");
        let bar = ProgressBar::new(BAR_PARTS)
            .with_style(style.expect("the template is well formed"))
            .with_finish(ProgressFinish::AndClear);
        Self { bar }
    }

    pub fn step(&self, length: Length, progress: &Progress, tally: &Tally) {
        self.bar.set_position((length.passed(progress) * BAR_PARTS as f64) as u64);
        let left = told(length.minutes_left(progress));
        let loss = Metric::line(&tally.means());
        self.bar.set_message(format!("{left} left, {:.0} notes/s, {loss}", tally.notes_per_second()));
    }

    pub fn row(&self, length: Length, progress: &Progress, row: &Row, notes_per_second: f64) {
        let Row { steps, notes, rate, train, validation, .. } = row;
        let (train, validation) = (Metric::line(train), Metric::line(validation));
        let (passed, left) = (told(progress.minutes()), told(length.minutes_left(progress)));
        self.line(&format!(
            "{passed}, step {steps}, {notes} notes, {notes_per_second:.0} notes/s, rate {rate:.1e}, {left} left\n  \
             train: {train}\n  validation, at a glance: {validation}"
        ));
    }

    pub fn line(&self, text: &str) {
        // A reader such as `head` may have closed the pipe.
        self.bar.suspend(|| drop(writeln!(io::stdout(), "{text}")));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(steps: usize, minutes: f64) -> Progress {
        Progress { steps, trained: Duration::from_secs_f64(minutes * 60.0), ..Progress::default() }
    }

    #[test]
    fn steps_or_minutes_pass() {
        assert_eq!(Length::Steps(40).passed(&progress(10, 7.0)), 0.25);
        assert_eq!(Length::Minutes(14.0).passed(&progress(10, 7.0)), 0.5);
        assert_eq!(Length::Minutes(2.0).passed(&progress(10, 7.0)), 1.0);
    }

    #[test]
    fn what_is_left_goes_by_the_pace_so_far() {
        assert!((Length::Steps(40).minutes_left(&progress(10, 7.0)) - 21.0).abs() < 1e-9);
        assert_eq!(Length::Minutes(2.0).minutes_left(&progress(10, 7.0)), 0.0);
        assert_eq!([0.5, 12.4, 200.0].map(told), ["30 s", "12 min", "3 h 20 min"]);
    }

    #[test]
    fn a_row_tells_means_over_notes() {
        let mut tally = Tally::new();
        for (notes, pitch) in [(1, 4.0), (3, 2.0)] {
            tally.add(&StepResult { notes, loss: vec![Metric::new("pitch", "nats", pitch)] }, 0.1);
        }
        assert_eq!(tally.means(), [Metric::new("pitch", "nats", 2.5)]);
    }
}
