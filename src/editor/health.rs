//! The health line: plain while all is well, and what is wrong where it is not.

use egui::Color32;

use super::{
    palette::{ALERT, QUIET},
    view::Health,
};
use crate::music::time::Seconds;

/// Less would be written as nothing, and is no note: the worker has looked at an empty memory.
const LEAST_STEP: Seconds = Seconds(0.000_05);

/// The line and its colour.
pub fn told(health: &Health) -> (String, Color32) {
    let mut parts = vec![health.model.clone()];
    if let Some(step) = health.step.filter(|step| step.0 >= LEAST_STEP.0) {
        parts.push(format!("{:.1} ms a note", step.0 * 1000.0));
    }
    if let Some(worker) = health.worker {
        parts.push(format!("{:.0} % of a core", worker * 100.0));
    }
    if health.late > 0 {
        parts.push(counted(health.late, "note late", "notes late"));
    }
    if health.lost > 0 {
        parts.push(counted(health.lost, "event lost", "events lost"));
    }
    if health.faults > 0 {
        parts.push(counted(health.faults, "fault survived", "faults survived"));
    }
    let is_well = health.late == 0 && health.lost == 0 && health.faults == 0;
    (parts.join("  ·  "), if is_well { QUIET } else { ALERT })
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_plain_while_all_is_well_and_counts_what_is_not() {
        let well = Health {
            model: "antiphon".to_owned(),
            step: Some(Seconds(0.000_41)),
            worker: Some(0.031),
            ..Health::default()
        };
        assert_eq!(told(&well), ("antiphon  ·  0.4 ms a note  ·  3 % of a core".to_owned(), QUIET));
        let late = Health { late: 1, lost: 2, faults: 1, ..well };
        let (sentence, colour) = told(&late);
        assert!(sentence.ends_with("1 note late  ·  2 events lost  ·  1 fault survived"), "{sentence}");
        assert_eq!(colour, ALERT);
    }
}
