//! The foot: what is done with a take, and how the plugin does: plain while all is well, and what is wrong where it is not.

use egui::{Align2, Color32, Rect, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    binding::{Bindings, PRESSED_SELDOM},
    controls::hint,
    style::{ALERT, GAP, QUIET, SMALL, write},
    view::{Action, Health, View},
    widgets::{Ready, button, button_width, momentary},
};
use crate::music::time::Seconds;

/// Less would be written as nothing, and is no note: the worker has looked at an empty memory.
const LEAST_STEP: Seconds = Seconds(0.000_05);

/// Draws the foot into `area`; gives what was pressed.
pub fn draw(ui: &Ui, area: Rect, bindings: &mut Bindings, view: &View) -> Option<Action> {
    let ready = |is_ready| if is_ready { Ready::Yes } else { Ready::NotYet };
    let buttons = [
        ("Save take", ready(view.has_take), Action::SaveTake, "Writes all that was played into a MIDI file."),
        (
            "Save last answer",
            ready(view.has_answer),
            Action::SaveAnswer,
            "Writes the newest answer into a MIDI file.",
        ),
        (
            "Copy path",
            ready(view.has_path),
            Action::CopyPath,
            "Copies the path of the file that was saved last.",
        ),
        (
            "Show in folder",
            ready(view.has_path),
            Action::ShowFolder,
            "Shows the folder of the file that was saved last.",
        ),
    ];
    let mut left = area.left();
    let mut action = None;
    for (text, ready, means, hint) in buttons {
        let place =
            Rect::from_min_size(pos2(left, area.top()), vec2(button_width(ui, text, SMALL), area.height()));
        if button(ui, place, text, SMALL, ready, hint).clicked() {
            action = Some(means);
        }
        left = place.right() + GAP;
    }
    left += GAP;
    for id in PRESSED_SELDOM {
        let Some(name) = bindings.control(id).map(|control| control.name()) else { continue };
        let place =
            Rect::from_min_size(pos2(left, area.top()), vec2(button_width(ui, &name, SMALL), area.height()));
        momentary(ui, place, bindings, id, SMALL, hint(id));
        left = place.right() + GAP;
    }
    let (sentence, colour) = health_line(&view.health);
    let place = write(ui.painter(), area.with_min_x(left), Align2::RIGHT_CENTER, &sentence, SMALL, colour);
    let told = ui.interact(place, ui.scope_id().with("health"), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Status, true, &sentence));
    action
}

/// The line and its colour.
fn health_line(health: &Health) -> (String, Color32) {
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
        assert_eq!(health_line(&well), ("antiphon  ·  0.4 ms a note  ·  3 % of a core".to_owned(), QUIET));
        let late = Health { late: 1, lost: 2, faults: 1, ..well };
        let (sentence, colour) = health_line(&late);
        assert!(sentence.ends_with("1 note late  ·  2 events lost  ·  1 fault survived"), "{sentence}");
        assert_eq!(colour, ALERT);
    }
}
