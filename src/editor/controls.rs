//! The groups of controls.

use egui::{Align2, Rect, Ui};

use super::{
    board::Board,
    groups::{GROUPS, Group, in_use, placed},
    hints::hint,
    knob,
    palette::{BODY, PANEL, ROUND, TEXT},
    places, row, words,
};

/// How many rows the longest column has.
pub fn rows(board: &Board) -> usize {
    let longest =
        |group: &Group| group.columns.iter().map(|column| there(board, column).len()).max().unwrap_or(0);
    let last = GROUPS.last().map_or(0, longest) + unplaced(board).len();
    GROUPS.iter().map(longest).max().unwrap_or(0).max(last)
}

/// Draws all groups, each into one of `areas`.
pub fn draw(ui: &mut Ui, areas: &[Rect], board: &mut Board) {
    for (index, (group, area)) in GROUPS.iter().zip(areas).enumerate() {
        ui.painter().rect_filled(*area, ROUND, PANEL);
        let (title, knobs, columns) = places::inside(*area, group);
        words::write(ui.painter(), title, Align2::LEFT_TOP, group.title, BODY, TEXT);
        for (id, place) in group.knobs.iter().zip(knobs) {
            knob::show(ui, place, board, id, hint(id), in_use(board, id));
        }
        for (ids, column) in group.columns.iter().zip(&columns) {
            for (row, id) in there(board, ids).into_iter().enumerate() {
                row::show(ui, places::row_of(*column, row), board, id, hint(id), in_use(board, id));
            }
        }
        if index + 1 == GROUPS.len() {
            draw_unplaced(ui, columns.last().copied(), board, group);
        }
    }
}

/// A parameter to which no group was given yet is found at the end of the last one.
fn draw_unplaced(ui: &mut Ui, column: Option<Rect>, board: &mut Board, group: &Group) {
    let Some(column) = column else { return };
    let first = group.columns.last().map_or(0, |ids| there(board, ids).len());
    for (index, id) in unplaced(board).iter().enumerate() {
        row::show(ui, places::row_of(column, first + index), board, id, hint(id), row::Use::Effective);
    }
}

/// Those that this plugin has: not every one has a sound of its own.
fn there(board: &Board, ids: &[&'static str]) -> Vec<&'static str> {
    ids.iter().filter(|id| board.control(id).is_some()).copied().collect()
}

fn unplaced(board: &Board) -> Vec<String> {
    let ids = board.controls().map(|control| control.id());
    ids.filter(|id| placed().all(|placed| placed != *id)).map(str::to_owned).collect()
}
