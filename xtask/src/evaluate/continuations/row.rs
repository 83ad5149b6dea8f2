//! One line of the result, for a person or for a machine.

use serde::Serialize;

use super::likeness::Likeness;
use crate::{corpus::Convention, evaluate::row::columns};

/// Means over all prompts. `None` where there is nothing to compare with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    model: String,
    convention: String,
    pitch_class: Option<f64>,
    register: Option<f64>,
    interval: Option<f64>,
    velocity: Option<f64>,
    density: Option<f64>,
    /// The share of continuations that have one.
    loops: Option<f64>,
    /// Of all continuations, in notes.
    longest_train_run: Option<usize>,
    /// The share of continuations.
    off_density: Option<f64>,
    /// A continuation.
    long_silences: Option<f64>,
    prompts: usize,
    notes: usize,
}

impl Row {
    pub fn mean(model: &str, convention: Convention, all: &[Likeness]) -> Self {
        let mean = |of: &dyn Fn(&Likeness) -> f64| {
            (!all.is_empty()).then(|| all.iter().map(of).sum::<f64>() / all.len() as f64)
        };
        Self {
            model: model.to_owned(),
            convention: convention.to_string(),
            pitch_class: mean(&|one| one.pitch_class),
            register: mean(&|one| one.register),
            interval: mean(&|one| one.interval),
            velocity: mean(&|one| one.velocity),
            density: mean(&|one| one.density),
            loops: mean(&|one| f64::from(one.has_loop)),
            longest_train_run: all.iter().filter_map(|one| one.train_run).max(),
            off_density: mean(&|one| f64::from(one.is_off_density)),
            long_silences: mean(&|one| one.long_silences as f64),
            prompts: all.len(),
            notes: all.iter().map(|one| one.notes).sum(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let number = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
        let mut cells = vec![self.model.clone(), self.convention.clone()];
        cells.extend([self.pitch_class, self.register, self.interval, self.velocity].map(number));
        cells.extend([self.density, self.loops].map(number));
        cells.push(self.longest_train_run.map_or("-".to_owned(), |notes| notes.to_string()));
        cells.extend([self.off_density, self.long_silences].map(number));
        cells.extend([self.prompts, self.notes].map(|count| count.to_string()));
        cells
    }
}

/// The rows in columns.
pub fn table(rows: &[Row]) -> String {
    let head = ["model", "convention", "pitch class", "register", "interval", "velocity", "density", "loops"];
    let head = head.into_iter().chain(["train run", "off density", "long silences", "prompts", "notes"]);
    let head = head.map(str::to_owned).collect();
    columns(&[vec![head], rows.iter().map(Row::cells).collect()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documented::assert_documented;

    fn row(all: &[Likeness]) -> serde_json::Value {
        serde_json::to_value(Row::mean("mine", Convention::Sustained, all)).expect("a row is plain numbers")
    }

    fn likeness(share: f64, has_loop: bool, train_run: Option<usize>) -> Likeness {
        Likeness {
            pitch_class: share,
            register: share,
            interval: share,
            velocity: share,
            density: 2.0 * share,
            is_off_density: false,
            has_loop,
            long_silences: 1,
            train_run,
            notes: 100,
        }
    }

    #[test]
    fn shares_are_means_and_the_longest_run_is_the_longest() {
        let row = row(&[likeness(0.25, false, Some(7)), likeness(0.75, true, Some(3))]);
        for share in ["pitch_class", "register", "interval", "velocity", "loops"] {
            assert_eq!(row[share], 0.5, "{share}");
        }
        assert_eq!((&row["density"], &row["long_silences"]), (&1.0.into(), &1.0.into()));
        assert_eq!((&row["longest_train_run"], &row["off_density"]), (&7.into(), &0.0.into()));
        assert_eq!((&row["prompts"], &row["notes"]), (&2.into(), &200.into()));
    }

    #[test]
    fn programs_are_told_what_they_read() {
        assert_documented("evaluate --continuations", &row(&[likeness(0.5, false, None)]));
    }

    #[test]
    fn what_cannot_be_known_is_null() {
        assert!(row(&[likeness(0.5, false, None)])["longest_train_run"].is_null());
        assert!(row(&[])["pitch_class"].is_null());
    }
}
