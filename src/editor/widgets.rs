//! The shapes of a control: a knob for what is turned most, a row (slider, menu or switch) for what is set
//! more seldom, and a button. Each is announced to screen readers.

use std::f32::consts::PI;

use egui::{
    Align2, Color32, CursorIcon, FontId, Painter, Popup, Pos2, Rect, RectAlign, Response, Sense, Shape,
    Stroke, StrokeKind, Ui, WidgetInfo,
    accesskit::{self, Role},
    pos2, vec2,
};

use super::{
    binding::{Bindings, Control},
    control_input::{Travel, adjust, adjust_choice, invite_typing, is_typed, show_field},
    style::{
        BODY, CALL, GAP, GROUND, HOVERED, IDLE, PANEL, QUIET, RAISED, SLIGHTLY_ROUND, SMALL, STRONG_LINE,
        TEXT, write,
    },
};

/// The height of a knob with its ring, name and value, in points.
pub const KNOB_HEIGHT: f32 = RING + NAME_HEIGHT + VALUE_HEIGHT + 2.0;
const RING: f32 = 46.0;
const NAME_HEIGHT: f32 = 16.0;
const VALUE_HEIGHT: f32 = 18.0;
/// The distance of a drag from one end of the range to the other, in points.
const TRAVEL: f32 = 180.0;
/// Where the ring begins, as an angle: it leaves a quarter open at the bottom.
const FIRST_ANGLE: f32 = 0.75 * PI;
const ARC: f32 = 1.5 * PI;

/// The height of a row, in points.
pub const ROW_HEIGHT: f32 = 26.0;
const TRACK_HEIGHT: f32 = 3.0;
const ARROW_WIDTH: f32 = 14.0;
const SWITCH_WIDTH: f32 = 28.0;
const SWITCH_HEIGHT: f32 = 14.0;

/// How long a momentary parameter stays down, in seconds: a press within one block of the host would go
/// unnoticed.
const DOWN_S: f64 = 0.25;

/// Whether a control has an effect under the current settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Effective,
    /// It may be set all the same.
    Idle,
}

/// Shows the parameter as a knob in `area`.
pub fn show_knob(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, hint: &str, used: Use) {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click_and_drag());
    let value = adjust(ui, &response, bindings, id, Travel::Up(TRAVEL));
    let Some(control) = bindings.control(id) else { return };
    tell_slider(ui, &response, control);
    let painter = ui.painter_at(area.expand(3.0));
    let ring = Rect::from_center_size(pos2(area.center().x, area.top() + RING / 2.0), vec2(RING, RING));
    let is_lit = is_lit(&response);
    let bright = match used {
        Use::Effective if is_lit => Color32::WHITE,
        Use::Effective => TEXT,
        Use::Idle => IDLE,
    };
    draw_knob(&painter, ring.center(), value, control.default(), bright, is_lit);
    let name = Rect::from_min_size(pos2(area.left(), ring.bottom()), vec2(area.width(), NAME_HEIGHT));
    write(&painter, name, Align2::CENTER_CENTER, &control.name(), SMALL, QUIET);
    let text = Rect::from_min_size(pos2(area.left(), name.bottom()), vec2(area.width(), VALUE_HEIGHT));
    // The longest values reach into the gap between two knobs.
    let text = text.expand2(vec2(GAP / 2.0, 0.0));
    let shown = control.text_of(value);
    if response.has_focus() {
        painter.rect_stroke(area.expand(1.0), 4.0, Stroke::new(1.0, CALL), StrokeKind::Outside);
    }
    if !is_typed(ui, id) {
        write(
            &painter,
            text,
            Align2::CENTER_CENTER,
            &shown,
            BODY,
            if used == Use::Idle { IDLE } else { TEXT },
        );
    }
    let clicked =
        ui.interact(text, response.id.with("text"), Sense::click()).on_hover_cursor(CursorIcon::Text);
    invite_typing(ui, &response, &clicked, id);
    show_field(ui, text, bindings, id, BODY, Align2::CENTER_CENTER);
    response.on_hover_text(hint);
}

/// Shows the parameter as a row in `area`.
pub fn show_row(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, hint: &str, used: Use) {
    let Some(control) = bindings.control(id) else { return };
    let response = match (control.is_switch(), control.choices()) {
        (true, _) => switch(ui, area, bindings, id, used),
        (false, Some(_)) => choice(ui, area, bindings, id, used),
        (false, None) => slider(ui, area, bindings, id, used),
    };
    if response.has_focus() {
        ui.painter().rect_stroke(
            area.expand2(vec2(3.0, -1.0)),
            4.0,
            Stroke::new(1.0, CALL),
            StrokeKind::Outside,
        );
    }
    response.on_hover_text(hint);
}

/// Whether a button can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Yes,
    /// It cannot: there is nothing yet to act on.
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
    write(ui.painter(), area.shrink(4.0), Align2::CENTER_CENTER, text, font, ink);
    response.on_hover_text(hint)
}

/// How wide a button must be for its text.
pub fn button_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, TEXT).size().x + 20.0
}

/// A button that presses a parameter for a moment.
pub fn momentary(ui: &Ui, area: Rect, bindings: &mut Bindings, id: &str, font: FontId, hint: &str) {
    let Some(name) = bindings.control(id).map(|control| control.name()) else { return };
    let pressed = button(ui, area, &name, font, Ready::Yes, hint).clicked();
    let (slot, now) = (ui.scope_id().with(("down until", id)), ui.input(|input| input.time));
    let until: Option<f64> = ui.data(|data| data.get_temp(slot));
    if pressed {
        bindings.set(id, 0.0);
        bindings.set(id, 1.0);
        ui.data_mut(|data| data.insert_temp(slot, now + DOWN_S));
    } else if until.is_some_and(|until| now >= until) {
        bindings.set(id, 0.0);
        ui.data_mut(|data| data.remove_temp::<f64>(slot));
    } else if until.is_some() {
        ui.ctx().request_repaint();
    }
}

/// Draws the arrow of a widget that opens a menu, around `centre`.
pub fn draw_arrow(painter: &Painter, centre: Pos2, colour: Color32) {
    let points = vec![centre + vec2(-4.0, -2.0), centre + vec2(4.0, -2.0), centre + vec2(0.0, 3.0)];
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// Tells a screen reader of a control that has choices: its name and its text.
pub fn tell_choice(ui: &Ui, response: &Response, control: Control<'_>) {
    let (name, text) = (control.name(), control.text());
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(text));
}

fn draw_knob(painter: &Painter, centre: Pos2, value: f32, default: f32, bright: Color32, is_lit: bool) {
    let radius = RING / 2.0 - 3.0;
    painter.circle_filled(centre, radius - 6.0, if is_lit { HOVERED } else { RAISED });
    arc(painter, centre, radius, 0.0, 1.0, STRONG_LINE);
    arc(painter, centre, radius, 0.0, value, bright);
    let mark = |at: f32, from: f32, to: f32, stroke: Stroke| {
        let direction = vec2(angle(at).cos(), angle(at).sin());
        painter.line_segment([centre + direction * from, centre + direction * to], stroke);
    };
    mark(default, radius + 2.5, radius + 5.0, Stroke::new(1.5, QUIET));
    mark(value, radius * 0.35, radius - 7.0, Stroke::new(2.5, bright));
}

fn arc(painter: &Painter, centre: Pos2, radius: f32, from: f32, to: f32, colour: Color32) {
    let pieces = ((to - from) * 48.0).ceil().max(1.0) as usize;
    let point = |piece: usize| {
        let angle = angle(from + (to - from) * piece as f32 / pieces as f32);
        centre + vec2(angle.cos(), angle.sin()) * radius
    };
    painter.add(Shape::line((0..=pieces).map(point).collect(), Stroke::new(3.0, colour)));
}

fn angle(value: f32) -> f32 {
    FIRST_ANGLE + ARC * value
}

fn slider(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click_and_drag());
    let value = adjust(ui, &response, bindings, id, Travel::Across(area.width()));
    let Some(control) = bindings.control(id) else { return response };
    tell_slider(ui, &response, control);
    let painter = ui.painter().clone();
    draw_track(&painter, area, value, is_lit(&response), used);
    let (name, right) = halves(&painter, area, control);
    write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    let shown = control.text_of(value);
    let place = if is_typed(ui, id) {
        right
    } else {
        write(&painter, right, Align2::RIGHT_CENTER, &shown, BODY, value_colour(used))
    };
    let clicked =
        ui.interact(place, response.id.with("text"), Sense::click()).on_hover_cursor(CursorIcon::Text);
    invite_typing(ui, &response, &clicked, id);
    show_field(ui, right, bindings, id, BODY, Align2::RIGHT_CENTER);
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

fn choice(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click());
    adjust_choice(ui, &response, bindings, id);
    let Some(control) = bindings.control(id) else { return response };
    tell_choice(ui, &response, control);
    let painter = ui.painter().clone();
    if is_lit(&response) {
        painter.rect_filled(area.expand2(vec2(3.0, -1.0)), SLIGHTLY_ROUND, RAISED);
    }
    let (name, right) = halves(&painter, area, control);
    write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    let text = right.with_max_x(right.right() - ARROW_WIDTH);
    write(&painter, text, Align2::RIGHT_CENTER, &control.text(), BODY, value_colour(used));
    draw_arrow(&painter, pos2(right.right() - 5.0, area.center().y), name_colour(used));
    menu(&response, bindings, id);
    response
}

/// A menu of the choices, under the value of the widget that opened it.
fn menu(response: &Response, bindings: &mut Bindings, id: &str) {
    Popup::menu(response).align(RectAlign::BOTTOM_END).show(|ui| {
        let Some(control) = bindings.control(id) else { return };
        let chosen = control.choice();
        let choices: Vec<(String, f32)> = (0..control.choices().unwrap_or(0))
            .map(|choice| control.value_of(choice))
            .map(|value| (control.text_of(value), value))
            .collect();
        for (index, (text, value)) in choices.into_iter().enumerate() {
            if ui.selectable_label(index == chosen, text).clicked() {
                bindings.set(id, value);
            }
        }
    });
}

fn switch(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, used: Use) -> Response {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click());
    adjust_choice(ui, &response, bindings, id);
    let Some(control) = bindings.control(id) else { return response };
    let is_on = control.value() >= 0.5;
    tell_switch(&response, control);
    let painter = ui.painter().clone();
    let (name, _) = halves(&painter, area, control);
    write(&painter, name, Align2::LEFT_CENTER, &control.name(), BODY, name_colour(used));
    draw_switch(&painter, area, is_on, is_lit(&response));
    if response.clicked() {
        bindings.set(id, if is_on { 0.0 } else { 1.0 });
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

/// The areas of the name, which is as wide as it must be, and of the value, which has the rest.
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

/// Tells a screen reader of a numeric control: its name, its place in its range, 0..=1, and its text.
fn tell_slider(ui: &Ui, response: &Response, control: Control<'_>) {
    let (name, value, text) = (control.name(), control.value(), control.text());
    response.widget_info(|| WidgetInfo::slider(true, f64::from(value), &name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_value(text);
        node.add_action(accesskit::Action::SetValue);
        node.add_action(accesskit::Action::Increment);
        node.add_action(accesskit::Action::Decrement);
    });
}

/// Tells a screen reader of a switch.
fn tell_switch(response: &Response, control: Control<'_>) {
    let (name, is_on) = (control.name(), control.value() >= 0.5);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, &name));
}
