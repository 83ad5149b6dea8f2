//! Buttons: of the take, and those that press a momentary parameter.

use egui::{Align2, Color32, FontId, Rect, Response, Sense, Ui, WidgetInfo, accesskit::Role};

use super::{
    board::Board,
    palette::{HOVERED, IDLE, PANEL, RAISED, SLIGHTLY_ROUND, STRONG_LINE, TEXT},
    words,
};

/// A momentary parameter stays down so long, in seconds: a press within one block of the host goes unnoticed.
const DOWN_S: f64 = 0.25;

/// Whether a button can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Yes,
    /// There is nothing yet that it could do something with.
    NotYet,
}

/// A button in `area`, with a sentence on what it does.
pub fn button(ui: &Ui, area: Rect, text: &str, font: FontId, ready: Ready, hint: &str) -> Response {
    let sense = if ready == Ready::Yes { Sense::click() } else { Sense::hover() };
    let response = ui.interact(area, ui.scope_id().with(("button", text)), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ready == Ready::Yes, text));
    let (fill, ink) = match ready {
        Ready::NotYet => (PANEL, IDLE),
        Ready::Yes if response.is_pointer_button_down_on() => (STRONG_LINE, Color32::WHITE),
        Ready::Yes if response.hovered() || response.has_focus() => (HOVERED, Color32::WHITE),
        Ready::Yes => (RAISED, TEXT),
    };
    ui.painter().rect_filled(area, SLIGHTLY_ROUND, fill);
    words::write(ui.painter(), area.shrink(4.0), Align2::CENTER_CENTER, text, font, ink);
    response.on_hover_text(hint)
}

/// How wide a button must be for its text.
pub fn width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, TEXT).size().x + 20.0
}

/// A button that presses a parameter for a moment.
pub fn momentary(ui: &Ui, area: Rect, board: &mut Board, id: &str, font: FontId, hint: &str) {
    let Some(name) = board.control(id).map(|control| control.name()) else { return };
    let pressed = button(ui, area, &name, font, Ready::Yes, hint).clicked();
    let (slot, now) = (ui.scope_id().with(("down until", id)), ui.input(|input| input.time));
    let until: Option<f64> = ui.data(|data| data.get_temp(slot));
    if pressed {
        board.set(id, 0.0);
        board.set(id, 1.0);
        ui.data_mut(|data| data.insert_temp(slot, now + DOWN_S));
    } else if until.is_some_and(|until| now >= until) {
        board.set(id, 0.0);
        ui.data_mut(|data| data.remove_temp::<f64>(slot));
    } else if until.is_some() {
        ui.ctx().request_repaint();
    }
}
