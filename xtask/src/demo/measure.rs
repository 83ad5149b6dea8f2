//! What a take is worth, seen from outside the plugin.

use std::{collections::HashMap, fmt, time::Duration};

use anyhow::{Result, ensure};
use serde_json::json;
use test_host::{Mode, Performance, Sounded};

use super::turns::{Turn, Turns};

/// The figures that the demo prints.
#[derive(Debug)]
pub struct Measures {
    heard: usize,
    answered: usize,
    /// Answer notes of each turn.
    per_turn: Vec<usize>,
    /// Notes of the reference that came at another sample, otherwise, or never; and notes it does not have.
    late: usize,
    hanging: usize,
    /// From each call's last release to the first onset of its answer, in milliseconds, in order of size; none where
    /// the plugin does not choose the moment.
    handover_ms: Vec<f64>,
    /// Cost of each process call in microseconds, in order of size.
    process_us: Vec<f64>,
}

impl Measures {
    pub fn new(turns: &Turns, take: &Performance, reference: &Performance) -> Self {
        let answers = take.notes();
        let in_turn = |turn: &Turn| {
            let turn = *turn;
            answers.iter().filter(move |note| (turn.start..turn.end).contains(&note.on))
        };
        let delay = |turn| {
            let first = in_turn(turn).find(|note| note.on >= turn.last_release)?;
            Some((first.on - turn.last_release) as f64 / turns.sample_rate * 1e3)
        };
        let micros = |cost: &Duration| cost.as_secs_f64() * 1e6;
        Self {
            heard: turns.heard().len(),
            answered: answers.len(),
            per_turn: turns.all.iter().map(|turn| in_turn(turn).count()).collect(),
            late: late(&answers, &reference.notes()),
            hanging: take.hanging().len(),
            handover_ms: sorted(
                turns.all.iter().filter(|_| turns.game.has_hand_over()).filter_map(delay).collect(),
            ),
            process_us: sorted(take.process.iter().map(micros).collect()),
        }
    }

    /// What a musician would not forgive, in one sentence.
    ///
    /// # Errors
    /// When a turn went unanswered, a note hangs, or the notes of a take that could wait were late.
    pub fn verdict(&self, mode: Mode) -> Result<()> {
        let silent = self.per_turn.iter().filter(|count| **count == 0).count();
        ensure!(silent == 0, "{silent} of {} turns went unanswered", self.per_turn.len());
        ensure!(self.hanging == 0, "{} notes were never released", self.hanging);
        ensure!(mode == Mode::Realtime || self.late == 0, "{} notes were late, offline", self.late);
        Ok(())
    }

    /// The figures as one JSON object in one line.
    pub fn json(&self) -> String {
        json!({
            "heard": self.heard,
            "answered": self.answered,
            "late": self.late,
            "hanging": self.hanging,
            "handover_ms": {"median": figure(&self.handover_ms, 0.5), "p99": figure(&self.handover_ms, 0.99)},
            "process_us": {"median": figure(&self.process_us, 0.5), "worst": figure(&self.process_us, 1.0)},
        })
        .to_string()
    }
}

impl fmt::Display for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: Option<f64>, unit| {
            value.map_or_else(|| "none".to_owned(), |value| format!("{value:.1} {unit}"))
        };
        let per_turn: Vec<String> = self.per_turn.iter().map(usize::to_string).collect();
        let handover = |share| text(quantile(&self.handover_ms, share), "ms");
        writeln!(f, "notes heard     {}", self.heard)?;
        writeln!(f, "notes answered  {} ({} per turn)", self.answered, per_turn.join(", "))?;
        writeln!(f, "hand-over       median {}, p99 {}", handover(0.5), handover(0.99))?;
        writeln!(f, "late notes      {}", self.late)?;
        writeln!(f, "hanging notes   {}", self.hanging)?;
        let median = text(quantile(&self.process_us, 0.5), "µs");
        write!(f, "process call    median {median}, worst {}", text(self.process_us.last().copied(), "µs"))
    }
}

/// How many notes of the take and of the reference have no equal in the other, whichever are more.
pub fn late(take: &[Sounded], reference: &[Sounded]) -> usize {
    let mut counts: HashMap<Sounded, i64> = HashMap::new();
    for note in take {
        *counts.entry(*note).or_default() += 1;
    }
    for note in reference {
        *counts.entry(*note).or_default() -= 1;
    }
    let sum = |sign: i64| counts.values().map(|count| count * sign).filter(|&count| count > 0).sum::<i64>();
    usize::try_from(sum(1).max(sum(-1))).unwrap_or(usize::MAX)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The smallest of the sorted `values` that at least this share of them does not exceed.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

/// A quantile to three decimals.
fn figure(values: &[f64], share: f64) -> Option<f64> {
    quantile(values, share).map(|value| (value * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documented::assert_documented;

    fn note(on: u64) -> Sounded {
        Sounded { channel: 0, key: 60, velocity: 90, on, off: Some(on + 10) }
    }

    #[test]
    fn a_note_is_late_when_the_reference_has_it_elsewhere_or_only_one_has_it() {
        assert_eq!(late(&[note(1), note(2)], &[note(1), note(2)]), 0);
        assert_eq!(late(&[note(1), note(3)], &[note(1), note(2)]), 1);
        assert_eq!(late(&[note(1)], &[note(1), note(2)]), 1);
        assert_eq!(late(&[note(1), note(1)], &[note(1)]), 1);
    }

    #[test]
    fn programs_are_told_what_they_read() {
        let measures = Measures {
            heard: 1,
            answered: 1,
            per_turn: vec![1],
            late: 0,
            hanging: 0,
            handover_ms: vec![1.0],
            process_us: Vec::new(),
        };
        assert_documented("demo", &serde_json::from_str(&measures.json()).expect("an object"));
    }

    #[test]
    fn the_median_of_an_odd_count_is_the_middle() {
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
