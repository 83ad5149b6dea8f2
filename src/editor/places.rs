//! Where the parts of the window lie.

use egui::{Rect, Vec2, pos2, vec2};

use super::{
    groups::{GROUPS, Group},
    knob,
    palette::GAP,
    row,
};

/// The window as it opens first, and the smallest one in which nothing is cut off, in points.
pub const USUAL_SIZE: Vec2 = Vec2::new(1120.0, 740.0);
pub const SMALLEST_SIZE: Vec2 = Vec2::new(1020.0, 640.0);

const HEAD: f32 = 34.0;
const TURN: f32 = 40.0;
const KEYS: f32 = 62.0;
const FOOT: f32 = 28.0;
const NOTICE: f32 = 30.0;
/// The height of a group's title, with the space below it.
pub const TITLE: f32 = 24.0;

/// One rectangle for each part.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    pub head: Rect,
    pub turn: Rect,
    /// Right of the turn: what is pressed in the middle of music.
    pub pressed: Rect,
    pub notice: Option<Rect>,
    pub roll: Rect,
    pub keys: Rect,
    pub groups: Vec<Rect>,
    pub foot: Rect,
}

/// The width of the buttons beside the turn, in points.
const PRESSED: f32 = 190.0;

impl Places {
    /// `rows` is the number of rows in the longest column.
    pub fn of(window: Rect, rows: usize, has_notice: bool) -> Self {
        let inside = window.shrink(GAP);
        let (head, rest) = cut_top(inside, HEAD);
        let (turn, rest) = cut_top(rest, TURN);
        let (foot, rest) = cut_bottom(rest, FOOT);
        let (groups, rest) = cut_bottom(rest, groups_height(rows));
        let (keys, rest) = cut_bottom(rest, KEYS);
        let (notice, roll) = match has_notice {
            true => {
                let (notice, roll) = cut_top(rest, NOTICE);
                (Some(notice), roll)
            }
            false => (None, rest),
        };
        Self {
            head,
            turn: turn.with_max_x(turn.right() - PRESSED - GAP),
            pressed: turn.with_min_x(turn.right() - PRESSED),
            notice,
            roll,
            keys,
            groups: columns(groups, &GROUPS.map(|group| group.width), GAP),
            foot,
        }
    }
}

fn groups_height(rows: usize) -> f32 {
    GAP + TITLE + knob::HEIGHT + GAP / 2.0 + rows as f32 * row::HEIGHT + GAP
}

/// What is in a group: the knobs in a row, and below them the columns of rows.
pub fn inside(area: Rect, group: &Group) -> (Rect, Vec<Rect>, Vec<Rect>) {
    let area = area.shrink(GAP);
    let (title, rest) = cut_top_by(area, TITLE - 4.0, 0.0);
    let (knobs, rows) = cut_top_by(rest, knob::HEIGHT, GAP / 2.0);
    let equal = vec![1.0; group.knobs.len()];
    let widths = match group.columns.len() {
        2 => vec![1.0, 1.15],
        columns => vec![1.0; columns],
    };
    (title, columns(knobs, &equal, GAP), columns(rows, &widths, GAP * 2.0))
}

/// The place of one row in its column.
pub fn row_of(column: Rect, index: usize) -> Rect {
    let top = column.top() + index as f32 * row::HEIGHT;
    Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), row::HEIGHT))
}

fn columns(area: Rect, widths: &[f32], gap: f32) -> Vec<Rect> {
    let room = area.width() - gap * (widths.len().max(1) - 1) as f32;
    let all: f32 = widths.iter().sum();
    let mut left = area.left();
    let place = |width: &f32| {
        let column = Rect::from_min_size(pos2(left, area.top()), vec2(room * width / all, area.height()));
        left = column.right() + gap;
        column
    };
    widths.iter().map(place).collect()
}

fn cut_top(area: Rect, height: f32) -> (Rect, Rect) {
    cut_top_by(area, height, GAP)
}

fn cut_top_by(area: Rect, height: f32, gap: f32) -> (Rect, Rect) {
    (area.with_max_y(area.top() + height), area.with_min_y(area.top() + height + gap))
}

fn cut_bottom(area: Rect, height: f32) -> (Rect, Rect) {
    (area.with_min_y(area.bottom() - height), area.with_max_y(area.bottom() - height - GAP))
}
