//! Mouse and keyboard input of a control, the same for every shape of it: drag (finer with shift), mouse
//! wheel, double-click to reset, keys, a typed value. Every change reaches the host as a gesture.

use egui::{
    Align2, EventFilter, FontId, Id, Key, Modifiers, Rect, Response, RichText, TextEdit, Ui,
    accesskit::{Action, ActionData},
};

use super::{
    binding::Bindings,
    style::{IDLE, TEXT},
};

/// Factor on the movement of a control while shift is held.
const FINE: f32 = 0.1;
/// Number of steps that page up and page down move a control.
const PAGE: i32 = 10;
/// Points that count as one line, for a mouse wheel that reports points instead of lines.
const POINTS_A_LINE: f32 = 40.0;

/// The direction of a drag, with the distance in points that moves a control through its whole range.
#[derive(Debug, Clone, Copy)]
pub enum Travel {
    /// To the right.
    Across(f32),
    /// Upwards or to the right.
    Up(f32),
}

/// Moves the parameter by the input on its widget, and returns the value to show, 0..=1. During a drag that
/// is the dragged value, since the host takes it over a block later.
pub fn adjust(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str, travel: Travel) -> f32 {
    if response.double_clicked() {
        reset(bindings, id);
    } else {
        drag(ui, response, bindings, id, travel);
    }
    turn_wheel(ui, response, bindings, id);
    press_keys(ui, response, bindings, id);
    obey_reader(ui, response, bindings, id);
    let held = bindings.is_dragged(id).then(|| ui.data(|data| data.get_temp::<f32>(response.id))).flatten();
    held.or_else(|| bindings.control(id).map(|control| control.value())).unwrap_or(0.0)
}

/// Steps a choice by the mouse wheel and by keys.
pub fn adjust_choice(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str) {
    turn_wheel(ui, response, bindings, id);
    press_keys(ui, response, bindings, id);
    obey_reader(ui, response, bindings, id);
}

/// Opens the text field on a click on `text`, or on Enter or a letter while `control` has the focus.
pub fn invite_typing(ui: &Ui, control: &Response, text: &Response, id: &str) {
    let letters = first_letters(ui, control);
    let is_asked_for =
        text.clicked() || control.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if letters.is_some() || is_asked_for {
        let typed = Typed { id: id.to_owned(), text: letters.unwrap_or_default(), is_new: true };
        ui.data_mut(|data| data.insert_temp(typed_slot(), typed));
    }
}

/// Whether the value of this parameter is being typed.
pub fn is_typed(ui: &Ui, id: &str) -> bool {
    ui.data(|data| data.get_temp::<Typed>(typed_slot())).is_some_and(|typed| typed.id == id)
}

/// Shows the open field in `area`, and sets the parameter when Enter is pressed.
pub fn show_field(ui: &mut Ui, area: Rect, bindings: &mut Bindings, id: &str, font: FontId, align: Align2) {
    let Some(mut typed) = ui.data(|data| data.get_temp::<Typed>(typed_slot())).filter(|typed| typed.id == id)
    else {
        return;
    };
    let Some(control) = bindings.control(id) else { return };
    let (name, now) = (control.name(), control.text());
    let field = TextEdit::singleline(&mut typed.text)
        .id(field_id(id))
        .font(font)
        .text_color(TEXT)
        .hint_text(RichText::new(now).color(IDLE))
        .align(align)
        .margin(egui::Margin::symmetric(3, 1));
    let response = ui.put(area, field).accessible_name(format!("{name}, value"));
    if std::mem::take(&mut typed.is_new) {
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(typed_slot(), typed));
    } else if response.lost_focus() {
        if ui.input(|input| input.key_pressed(Key::Enter)) {
            bindings.set_text(id, &typed.text);
        }
        ui.data_mut(|data| data.remove_temp::<Typed>(typed_slot()));
    } else {
        ui.data_mut(|data| data.insert_temp(typed_slot(), typed));
    }
}

fn reset(bindings: &mut Bindings, id: &str) {
    if let Some(default) = bindings.control(id).map(|control| control.default()) {
        bindings.set(id, default);
    }
}

fn drag(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str, travel: Travel) {
    if response.drag_started() {
        let value = bindings.control(id).map_or(0.0, |control| control.value());
        ui.data_mut(|data| data.insert_temp(response.id, value));
        bindings.begin_drag(id);
    }
    if response.dragged() && bindings.is_dragged(id) {
        let way = match travel {
            Travel::Across(points) => response.drag_delta().x / points,
            Travel::Up(points) => (response.drag_delta().x - response.drag_delta().y) / points,
        };
        let way = if ui.input(|input| input.modifiers.shift) { way * FINE } else { way };
        let before = ui.data(|data| data.get_temp::<f32>(response.id)).unwrap_or(0.0);
        let value = (before + way).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(response.id, value));
        if way != 0.0 {
            bindings.drag(id, value);
        }
    }
    if response.drag_stopped() {
        bindings.end_drag();
    }
}

fn turn_wheel(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str) {
    if !response.hovered() {
        return;
    }
    let lines: f32 = ui.input(|input| input.events.iter().filter_map(lines_of).sum());
    let rest = response.id.with("wheel");
    let turned = lines + ui.data(|data| data.get_temp::<f32>(rest)).unwrap_or(0.0);
    ui.data_mut(|data| data.insert_temp(rest, turned.fract()));
    step(bindings, id, turned.trunc() as i32, ui.input(|input| input.modifiers.shift));
}

fn lines_of(event: &egui::Event) -> Option<f32> {
    match event {
        // A mouse with shift held turns its wheel sideways on some systems.
        egui::Event::MouseWheel { unit: egui::MouseWheelUnit::Point, delta, .. } => {
            Some((delta.x + delta.y) / POINTS_A_LINE)
        }
        egui::Event::MouseWheel { delta, .. } => Some(delta.x + delta.y),
        _ => None,
    }
}

fn press_keys(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str) {
    if !response.has_focus() {
        return;
    }
    let kept = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, kept));
    let count = |how, key| ui.input_mut(|input| input.count_and_consume_key(how, key)) as i32;
    let arrows = |how| {
        count(how, Key::ArrowUp) + count(how, Key::ArrowRight)
            - count(how, Key::ArrowDown)
            - count(how, Key::ArrowLeft)
    };
    // Shift first, since a key without it is matched by one with it.
    let (finely, by_one) = (arrows(Modifiers::SHIFT), arrows(Modifiers::NONE));
    let times = |key| count(Modifiers::NONE, key);
    step(bindings, id, by_one + PAGE * (times(Key::PageUp) - times(Key::PageDown)), false);
    step(bindings, id, finely, true);
    if times(Key::Home) > 0 {
        bindings.set(id, 0.0);
    }
    if times(Key::End) > 0 {
        bindings.set(id, 1.0);
    }
    if times(Key::Delete) + times(Key::Backspace) > 0 {
        reset(bindings, id);
    }
}

/// Carries out the actions that a screen reader asks for.
fn obey_reader(ui: &Ui, response: &Response, bindings: &mut Bindings, id: &str) {
    let times = |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action)) as i32;
    step(bindings, id, times(Action::Increment) - times(Action::Decrement), false);
    let wanted = ui.input(|input| {
        let asked = input.accesskit_action_requests(response.id, Action::SetValue);
        asked.filter_map(|request| request.data.as_ref().and_then(number)).last()
    });
    if let Some(value) = wanted {
        bindings.set(id, value);
    }
}

fn number(data: &ActionData) -> Option<f32> {
    match data {
        ActionData::NumericValue(value) => Some(*value as f32),
        _ => None,
    }
}

fn step(bindings: &mut Bindings, id: &str, steps: i32, fine: bool) {
    let stepped = bindings.control(id).map(|control| control.stepped(steps, fine));
    if let Some(value) = stepped.filter(|_| steps != 0) {
        bindings.set(id, value);
    }
}

/// The text field that is open in this window.
#[derive(Clone, Default)]
struct Typed {
    /// The identifier of the parameter.
    id: String,
    text: String,
    /// Whether the field has not had the focus yet.
    is_new: bool,
}

/// The text that was typed on a control that has the focus; `None` where nothing was.
fn first_letters(ui: &Ui, control: &Response) -> Option<String> {
    if !control.has_focus() {
        return None;
    }
    let is_a_value = |text: &&String| text.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    ui.input(|input| {
        let typed = input.events.iter().find_map(|event| match event {
            egui::Event::Text(text) => Some(text).filter(is_a_value),
            _ => None,
        });
        typed.cloned()
    })
}

fn field_id(id: &str) -> Id {
    Id::unique(("the field of", id))
}

fn typed_slot() -> Id {
    Id::unique("the value that is typed")
}
