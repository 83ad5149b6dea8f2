//! The whole window: every part in its place.

use egui::{Rect, Ui, vec2};

use super::{
    board::Board,
    buttons::momentary,
    controls, foot, groups, head, hints, keys, notice,
    palette::{BODY, GAP},
    places::Places,
    roll,
    span::Span,
    turn,
    view::View,
    welcome,
    wish::Wish,
};

/// Draws the window; moves parameters as the hands on it do, and gives what else was asked for.
pub fn draw(ui: &mut Ui, view: &View, board: &mut Board) -> Option<Wish> {
    let places = Places::of(ui.max_rect(), controls::rows(board), view.notice.is_some());
    let chosen = head::draw(ui, places.head, board, view);
    turn::draw(ui, places.turn, view);
    press(ui, places.pressed, board);
    let read =
        view.notice.as_ref().zip(places.notice).and_then(|(notice, area)| notice::draw(ui, area, notice));
    roll::draw(ui, places.roll, view, Span::of(view));
    welcome::draw(ui, places.roll, board, view);
    keys::draw(ui, places.keys, view);
    controls::draw(ui, &places.groups, board);
    let pressed = foot::draw(ui, places.foot, board, view);
    chosen.or(read).or(pressed)
}

/// What is pressed in the middle of music stands beside the turn, and is large.
fn press(ui: &Ui, area: Rect, board: &mut Board) {
    let width = (area.width() - GAP / 2.0) / groups::PRESSED.len() as f32;
    for (index, id) in groups::PRESSED.into_iter().enumerate() {
        let left = area.min + vec2(index as f32 * (width + GAP / 2.0), 0.0);
        let place = Rect::from_min_size(left, vec2(width, area.height()));
        momentary(ui, place, board, id, BODY, hints::hint(id));
    }
}
