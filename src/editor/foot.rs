//! The foot: what is done with a take, and how the plugin does.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    board::Board,
    buttons::{Ready, button, momentary, width},
    groups::PRESSED_SELDOM,
    health,
    hints::hint,
    palette::{GAP, SMALL},
    view::View,
    wish::Wish,
    words,
};

/// Draws the foot into `area`; gives what was pressed.
pub fn draw(ui: &Ui, area: Rect, board: &mut Board, view: &View) -> Option<Wish> {
    let ready = |is_ready| if is_ready { Ready::Yes } else { Ready::NotYet };
    let buttons = [
        ("Save take", ready(view.has_take), Wish::SaveTake, "Writes all that was played into a MIDI file."),
        (
            "Save last answer",
            ready(view.has_answer),
            Wish::SaveAnswer,
            "Writes the newest answer into a MIDI file.",
        ),
        (
            "Copy path",
            ready(view.has_path),
            Wish::CopyPath,
            "Copies the path of the file that was saved last.",
        ),
        (
            "Show in folder",
            ready(view.has_path),
            Wish::ShowFolder,
            "Shows the folder of the file that was saved last.",
        ),
    ];
    let mut left = area.left();
    let mut wish = None;
    for (text, ready, means, hint) in buttons {
        let place = Rect::from_min_size(pos2(left, area.top()), vec2(width(ui, text, SMALL), area.height()));
        if button(ui, place, text, SMALL, ready, hint).clicked() {
            wish = Some(means);
        }
        left = place.right() + GAP;
    }
    left += GAP;
    for id in PRESSED_SELDOM {
        let Some(name) = board.control(id).map(|control| control.name()) else { continue };
        let place = Rect::from_min_size(pos2(left, area.top()), vec2(width(ui, &name, SMALL), area.height()));
        momentary(ui, place, board, id, SMALL, hint(id));
        left = place.right() + GAP;
    }
    let (sentence, colour) = health::told(&view.health);
    let place =
        words::write(ui.painter(), area.with_min_x(left), Align2::RIGHT_CENTER, &sentence, SMALL, colour);
    let told = ui.interact(place, ui.scope_id().with("health"), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Status, true, &sentence));
    wish
}
