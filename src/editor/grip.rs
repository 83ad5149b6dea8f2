//! What a hand does to a control, the same for every shape of it: drags (finer with shift), turns the wheel, double-clicks
//! to reset, presses keys. Everything ends as the host's gestures.

use egui::{
    EventFilter, Key, Modifiers, Response, Ui,
    accesskit::{Action, ActionData},
};

use super::board::Board;

/// With shift, the same way of the hand moves a control so much less.
const FINE: f32 = 0.1;
/// Page up and page down go so many steps.
const PAGE: i32 = 10;
/// A wheel that tells points instead of lines turns one line in so many.
const POINTS_A_LINE: f32 = 40.0;

/// How the way of a hand becomes a value: a control is moved through its whole range by so many points.
#[derive(Debug, Clone, Copy)]
pub enum Travel {
    /// To the right.
    Across(f32),
    /// Upwards or to the right.
    Up(f32),
}

/// Moves the parameter as the hand on its widget asks, and gives the value to show, 0..=1: that of the hand while it
/// drags, since the host takes it over a block later.
pub fn grip(ui: &Ui, response: &Response, board: &mut Board, id: &str, travel: Travel) -> f32 {
    if response.double_clicked() {
        reset(board, id);
    } else {
        drag(ui, response, board, id, travel);
    }
    turn_wheel(ui, response, board, id);
    press_keys(ui, response, board, id);
    obey_reader(ui, response, board, id);
    let held = board.holds(id).then(|| ui.data(|data| data.get_temp::<f32>(response.id))).flatten();
    held.or_else(|| board.control(id).map(|control| control.value())).unwrap_or(0.0)
}

/// Steps a choice by wheel and keys.
pub fn grip_choice(ui: &Ui, response: &Response, board: &mut Board, id: &str) {
    turn_wheel(ui, response, board, id);
    press_keys(ui, response, board, id);
    obey_reader(ui, response, board, id);
}

fn reset(board: &mut Board, id: &str) {
    if let Some(default) = board.control(id).map(|control| control.default()) {
        board.set(id, default);
    }
}

fn drag(ui: &Ui, response: &Response, board: &mut Board, id: &str, travel: Travel) {
    if response.drag_started() {
        let value = board.control(id).map_or(0.0, |control| control.value());
        ui.data_mut(|data| data.insert_temp(response.id, value));
        board.grasp(id);
    }
    if response.dragged() && board.holds(id) {
        let way = match travel {
            Travel::Across(points) => response.drag_delta().x / points,
            Travel::Up(points) => (response.drag_delta().x - response.drag_delta().y) / points,
        };
        let way = if ui.input(|input| input.modifiers.shift) { way * FINE } else { way };
        let before = ui.data(|data| data.get_temp::<f32>(response.id)).unwrap_or(0.0);
        let value = (before + way).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(response.id, value));
        if way != 0.0 {
            board.drag(id, value);
        }
    }
    if response.drag_stopped() {
        board.release();
    }
}

fn turn_wheel(ui: &Ui, response: &Response, board: &mut Board, id: &str) {
    if !response.hovered() {
        return;
    }
    let lines: f32 = ui.input(|input| input.events.iter().filter_map(lines_of).sum());
    let rest = response.id.with("wheel");
    let turned = lines + ui.data(|data| data.get_temp::<f32>(rest)).unwrap_or(0.0);
    ui.data_mut(|data| data.insert_temp(rest, turned.fract()));
    step(board, id, turned.trunc() as i32, ui.input(|input| input.modifiers.shift));
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

fn press_keys(ui: &Ui, response: &Response, board: &mut Board, id: &str) {
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
    step(board, id, by_one + PAGE * (times(Key::PageUp) - times(Key::PageDown)), false);
    step(board, id, finely, true);
    if times(Key::Home) > 0 {
        board.set(id, 0.0);
    }
    if times(Key::End) > 0 {
        board.set(id, 1.0);
    }
    if times(Key::Delete) + times(Key::Backspace) > 0 {
        reset(board, id);
    }
}

/// What a screen reader asks for.
fn obey_reader(ui: &Ui, response: &Response, board: &mut Board, id: &str) {
    let times = |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action)) as i32;
    step(board, id, times(Action::Increment) - times(Action::Decrement), false);
    let wanted = ui.input(|input| {
        let asked = input.accesskit_action_requests(response.id, Action::SetValue);
        asked.filter_map(|request| request.data.as_ref().and_then(number)).last()
    });
    if let Some(value) = wanted {
        board.set(id, value);
    }
}

fn number(data: &ActionData) -> Option<f32> {
    match data {
        ActionData::NumericValue(value) => Some(*value as f32),
        _ => None,
    }
}

fn step(board: &mut Board, id: &str, steps: i32, fine: bool) {
    let stepped = board.control(id).map(|control| control.stepped(steps, fine));
    if let Some(value) = stepped.filter(|_| steps != 0) {
        board.set(id, value);
    }
}
