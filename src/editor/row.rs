//! A row, for what is set more seldom than turned: its name at the left, its value at the right, and under both a track, a
//! menu or a switch.

use egui::{
    Align2, Color32, CursorIcon, Painter, Popup, Rect, RectAlign, Response, Sense, Shape, Stroke as Pen,
    StrokeKind, Ui, pos2, vec2,
};

use super::{
    board::{Board, Control},
    entry,
    grip::{Travel, grip, grip_choice},
    palette::{BODY, CALL, GROUND, HOVERED, IDLE, QUIET, RAISED, SLIGHTLY_ROUND, STRONG_LINE, TEXT},
    words,
};

/// A row is so high, in points.
pub const HEIGHT: f32 = 26.0;
const TRACK_HEIGHT: f32 = 3.0;
const ARROW_WIDTH: f32 = 14.0;
const SWITCH_WIDTH: f32 = 28.0;
const SWITCH_HEIGHT: f32 = 14.0;

/// Whether a control has an effect under the settings of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Effective,
    /// It may be set all the same.
    Idle,
}

/// Shows the parameter as a row in `area`.
pub fn show(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, hint: &str, used: Use) {
    let Some(control) = board.control(id) else { return };
    let response = match (control.is_switch(), control.choices()) {
        (true, _) => switch(ui, area, board, id, used),
        (false, Some(_)) => choice(ui, area, board, id, used),
        (false, None) => slider(ui, area, board, id, used),
    };
    if response.has_focus() {
        ui.painter().rect_stroke(
            area.expand2(vec2(3.0, -1.0)),
            4.0,
            Pen::new(1.0, CALL),
            StrokeKind::Outside,
        );
    }
    response.on_hover_text(hint);
}

fn slider(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click_and_drag());
    let value = grip(ui, &response, board, id, Travel::Across(area.width()));
    let Some(control) = board.control(id) else { return response };
    words::tell_slider(ui, &response, control);
    let painter = ui.painter().clone();
    draw_track(&painter, area, value, is_lit(&response), used);
    let (name, right) = halves(&painter, area, control);
    words::write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    let shown = control.text_of(value);
    let place = if entry::is_open(ui, id) {
        right
    } else {
        words::write(&painter, right, Align2::RIGHT_CENTER, &shown, BODY, value_colour(used))
    };
    let clicked =
        ui.interact(place, response.id.with("text"), Sense::click()).on_hover_cursor(CursorIcon::Text);
    entry::invite(ui, &response, &clicked, id);
    entry::show(ui, right, board, id, BODY, Align2::RIGHT_CENTER);
    response
}

fn draw_track(painter: &Painter, area: Rect, value: f32, is_lit: bool, used: Use) {
    let track = Rect::from_min_max(
        pos2(area.left(), area.bottom() - TRACK_HEIGHT - 1.0),
        pos2(area.right(), area.bottom() - 1.0),
    );
    painter.rect_filled(track, TRACK_HEIGHT / 2.0, RAISED);
    let mut filled = track;
    filled.set_width(track.width() * value);
    let colour = match used {
        Use::Effective if is_lit => Color32::WHITE,
        Use::Effective => QUIET,
        Use::Idle => STRONG_LINE,
    };
    painter.rect_filled(filled, TRACK_HEIGHT / 2.0, colour);
}

fn choice(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click());
    grip_choice(ui, &response, board, id);
    let Some(control) = board.control(id) else { return response };
    words::tell_choice(ui, &response, control);
    let painter = ui.painter().clone();
    if is_lit(&response) {
        painter.rect_filled(area.expand2(vec2(3.0, -1.0)), SLIGHTLY_ROUND, RAISED);
    }
    let (name, right) = halves(&painter, area, control);
    words::write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    let text = right.with_max_x(right.right() - ARROW_WIDTH);
    words::write(&painter, text, Align2::RIGHT_CENTER, &control.text(), BODY, value_colour(used));
    draw_arrow(&painter, pos2(right.right() - 5.0, area.center().y), name_colour(used));
    menu(&response, board, id);
    response
}

/// A menu of the choices, under the value of the widget that opened it.
pub fn menu(response: &Response, board: &mut Board, id: &str) {
    Popup::menu(response).align(RectAlign::BOTTOM_END).show(|ui| {
        let Some(control) = board.control(id) else { return };
        let chosen = control.choice();
        let choices: Vec<(String, f32)> = (0..control.choices().unwrap_or(0))
            .map(|choice| control.value_of(choice))
            .map(|value| (control.text_of(value), value))
            .collect();
        for (index, (text, value)) in choices.into_iter().enumerate() {
            if ui.selectable_label(index == chosen, text).clicked() {
                board.set(id, value);
            }
        }
    });
}

/// The arrow of what opens a menu, around `centre`.
pub fn draw_arrow(painter: &Painter, centre: egui::Pos2, colour: Color32) {
    let points = vec![centre + vec2(-4.0, -2.0), centre + vec2(4.0, -2.0), centre + vec2(0.0, 3.0)];
    painter.add(Shape::convex_polygon(points, colour, Pen::NONE));
}

fn switch(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click());
    grip_choice(ui, &response, board, id);
    let Some(control) = board.control(id) else { return response };
    let is_on = control.value() >= 0.5;
    words::tell_switch(&response, control);
    let painter = ui.painter().clone();
    let (name, _) = halves(&painter, area, control);
    words::write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    draw_switch(&painter, area, is_on, is_lit(&response));
    if response.clicked() {
        board.set(id, if is_on { 0.0 } else { 1.0 });
    }
    response
}

fn draw_switch(painter: &Painter, area: Rect, is_on: bool, is_lit: bool) {
    let rail = Align2::RIGHT_CENTER.align_size_within_rect(vec2(SWITCH_WIDTH, SWITCH_HEIGHT), area);
    let fill = if is_on { TEXT } else { RAISED };
    painter.rect_filled(rail, SWITCH_HEIGHT / 2.0, if is_lit && !is_on { HOVERED } else { fill });
    let x = if is_on { rail.right() - SWITCH_HEIGHT / 2.0 } else { rail.left() + SWITCH_HEIGHT / 2.0 };
    painter.circle_filled(
        pos2(x, rail.center().y),
        SWITCH_HEIGHT / 2.0 - 2.5,
        if is_on { GROUND } else { IDLE },
    );
}

/// The room for the name, which is as wide as it must be, and for the value, which has the rest.
fn halves(painter: &Painter, area: Rect, control: Control<'_>) -> (Rect, Rect) {
    let width = painter.layout_no_wrap(control.name(), BODY, QUIET).size().x;
    let letters = area.with_max_y(area.bottom() - TRACK_HEIGHT);
    let border = (letters.left() + width + 1.0).min(letters.right());
    (letters.with_max_x(border), letters.with_min_x((border + 6.0).min(letters.right())))
}

fn is_lit(response: &Response) -> bool {
    response.hovered() || response.dragged() || response.has_focus()
}

fn name_colour(used: Use) -> Color32 {
    match used {
        Use::Effective => QUIET,
        Use::Idle => IDLE,
    }
}

fn value_colour(used: Use) -> Color32 {
    match used {
        Use::Effective => TEXT,
        Use::Idle => IDLE,
    }
}
