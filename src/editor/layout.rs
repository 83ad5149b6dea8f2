//! The whole window: every part in its place.

use egui::{Rect, Ui, Vec2, vec2};

use super::{
    binding::{Bindings, PRESSED},
    controls, footer, header, keyboard, notifications, piano_roll,
    style::{BODY, GAP},
    turn,
    view::{Action, View},
    widgets::momentary,
};

/// The window as it opens first, and the smallest one in which nothing is cut off, in points.
pub const USUAL_SIZE: Vec2 = Vec2::new(1120.0, 740.0);
pub const SMALLEST_SIZE: Vec2 = Vec2::new(1020.0, 640.0);

const HEADER_HEIGHT: f32 = 34.0;
const TURN_HEIGHT: f32 = 40.0;
const KEYS_HEIGHT: f32 = 62.0;
const FOOTER_HEIGHT: f32 = 28.0;
const NOTICE_HEIGHT: f32 = 30.0;

/// The width of the buttons beside the turn, in points.
const PRESSED_WIDTH: f32 = 190.0;

/// Draws the window; moves parameters as the hands on it do, and gives what else was asked for.
pub fn draw(ui: &mut Ui, view: &View, bindings: &mut Bindings) -> Option<Action> {
    let layout = WindowLayout::of(ui.max_rect(), controls::height(bindings), view.notice.is_some());
    let chosen = header::draw(ui, layout.header, bindings, view);
    turn::draw(ui, layout.turn, view);
    press(ui, layout.pressed, bindings);
    let read = view
        .notice
        .as_ref()
        .zip(layout.notice)
        .and_then(|(notice, area)| notifications::draw(ui, area, notice));
    piano_roll::draw(ui, layout.roll, view);
    turn::draw_first_steps(ui, layout.roll, bindings, view);
    keyboard::draw(ui, layout.keys, view);
    controls::draw(ui, layout.controls, bindings);
    let pressed = footer::draw(ui, layout.footer, bindings, view);
    chosen.or(read).or(pressed)
}

/// What is pressed in the middle of music stands beside the turn, and is large.
fn press(ui: &Ui, area: Rect, bindings: &mut Bindings) {
    let width = (area.width() - GAP / 2.0) / PRESSED.len() as f32;
    for (index, id) in PRESSED.into_iter().enumerate() {
        let left = area.min + vec2(index as f32 * (width + GAP / 2.0), 0.0);
        let place = Rect::from_min_size(left, vec2(width, area.height()));
        momentary(ui, place, bindings, id, BODY, controls::hint(id));
    }
}

/// One rectangle for each part.
#[derive(Debug, Clone, PartialEq)]
struct WindowLayout {
    header: Rect,
    turn: Rect,
    /// Right of the turn: what is pressed in the middle of music.
    pressed: Rect,
    notice: Option<Rect>,
    roll: Rect,
    keys: Rect,
    controls: Rect,
    footer: Rect,
}

impl WindowLayout {
    fn of(window: Rect, controls_height: f32, has_notice: bool) -> Self {
        let inside = window.shrink(GAP);
        let (header, rest) = cut_top(inside, HEADER_HEIGHT);
        let (turn, rest) = cut_top(rest, TURN_HEIGHT);
        let (footer, rest) = cut_bottom(rest, FOOTER_HEIGHT);
        let (controls, rest) = cut_bottom(rest, controls_height);
        let (keys, rest) = cut_bottom(rest, KEYS_HEIGHT);
        let (notice, roll) = match has_notice {
            true => {
                let (notice, roll) = cut_top(rest, NOTICE_HEIGHT);
                (Some(notice), roll)
            }
            false => (None, rest),
        };
        Self {
            header,
            turn: turn.with_max_x(turn.right() - PRESSED_WIDTH - GAP),
            pressed: turn.with_min_x(turn.right() - PRESSED_WIDTH),
            notice,
            roll,
            keys,
            controls,
            footer,
        }
    }
}

fn cut_top(area: Rect, height: f32) -> (Rect, Rect) {
    (area.with_max_y(area.top() + height), area.with_min_y(area.top() + height + GAP))
}

fn cut_bottom(area: Rect, height: f32) -> (Rect, Rect) {
    (area.with_min_y(area.bottom() - height), area.with_max_y(area.bottom() - height - GAP))
}
