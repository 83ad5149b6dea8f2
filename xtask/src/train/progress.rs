//! How far a training is, and how far it is to go.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::curves::Row;

/// Of all sittings of a training together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    pub steps: usize,
    pub notes: usize,
    pub trained: Duration,
    pub rows: Vec<Row>,
}

impl Progress {
    pub fn minutes(&self) -> f64 {
        self.trained.as_secs_f64() / 60.0
    }
}

/// When a training is over.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    Minutes(f64),
    Steps(usize),
}

impl Length {
    /// The part of it that is over, from 0 to 1.
    pub fn passed(self, progress: &Progress) -> f64 {
        let passed = match self {
            Self::Minutes(minutes) => progress.minutes() / minutes,
            Self::Steps(steps) => progress.steps as f64 / steps as f64,
        };
        passed.min(1.0)
    }

    /// At the pace so far.
    pub fn minutes_left(self, progress: &Progress) -> f64 {
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

/// For a person who waits: `12 s`, `4 min` or `3 h 20 min`.
pub fn told(minutes: f64) -> String {
    let whole = minutes.round();
    match minutes {
        ..1.0 => format!("{:.0} s", minutes * 60.0),
        ..60.0 => format!("{whole:.0} min"),
        _ => format!("{:.0} h {:02.0} min", (whole / 60.0).floor(), whole % 60.0),
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
}
