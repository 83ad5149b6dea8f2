//! A knob, for what is turned most: its ring tells the value, its name stands below, and the value below that.

use std::f32::consts::PI;

use egui::{Align2, Color32, CursorIcon, Painter, Pos2, Rect, Sense, Shape, Stroke as Pen, Ui, pos2, vec2};

use super::{
    board::Board,
    entry,
    grip::{Travel, grip},
    palette::{BODY, CALL, GAP, HOVERED, IDLE, QUIET, RAISED, SMALL, STRONG_LINE, TEXT},
    row::Use,
    words,
};

/// The knob's place is so high, in points: ring, name, value.
pub const HEIGHT: f32 = RING + NAME_HEIGHT + VALUE_HEIGHT + 2.0;
const RING: f32 = 46.0;
const NAME_HEIGHT: f32 = 16.0;
const VALUE_HEIGHT: f32 = 18.0;
/// The hand goes so far from end to end, in points.
const TRAVEL: f32 = 180.0;
/// The ring leaves a quarter open at the bottom.
const FIRST_ANGLE: f32 = 0.75 * PI;
const ARC: f32 = 1.5 * PI;

/// Shows the parameter as a knob in `area`.
pub fn show(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, hint: &str, used: Use) {
    let response = ui.interact(area, ui.scope_id().with(id), Sense::click_and_drag());
    let value = grip(ui, &response, board, id, Travel::Up(TRAVEL));
    let Some(control) = board.control(id) else { return };
    words::tell_slider(ui, &response, control);
    let painter = ui.painter_at(area.expand(3.0));
    let ring = Rect::from_center_size(pos2(area.center().x, area.top() + RING / 2.0), vec2(RING, RING));
    let is_lit = response.hovered() || response.dragged() || response.has_focus();
    let bright = match used {
        Use::Effective if is_lit => Color32::WHITE,
        Use::Effective => TEXT,
        Use::Idle => IDLE,
    };
    draw(&painter, ring.center(), value, control.default(), bright, is_lit);
    let name = Rect::from_min_size(pos2(area.left(), ring.bottom()), vec2(area.width(), NAME_HEIGHT));
    words::write(&painter, name, Align2::CENTER_CENTER, &control.name(), SMALL, QUIET);
    let text = Rect::from_min_size(pos2(area.left(), name.bottom()), vec2(area.width(), VALUE_HEIGHT));
    // The longest values reach into the gap between two knobs.
    let text = text.expand2(vec2(GAP / 2.0, 0.0));
    let shown = control.text_of(value);
    if response.has_focus() {
        painter.rect_stroke(area.expand(1.0), 4.0, Pen::new(1.0, CALL), egui::StrokeKind::Outside);
    }
    if !entry::is_open(ui, id) {
        words::write(
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
    entry::invite(ui, &response, &clicked, id);
    entry::show(ui, text, board, id, BODY, Align2::CENTER_CENTER);
    response.on_hover_text(hint);
}

fn draw(painter: &Painter, centre: Pos2, value: f32, default: f32, bright: Color32, is_lit: bool) {
    let radius = RING / 2.0 - 3.0;
    painter.circle_filled(centre, radius - 6.0, if is_lit { HOVERED } else { RAISED });
    arc(painter, centre, radius, 0.0, 1.0, STRONG_LINE);
    arc(painter, centre, radius, 0.0, value, bright);
    let mark = |at: f32, from: f32, to: f32, pen: Pen| {
        let direction = vec2(angle(at).cos(), angle(at).sin());
        painter.line_segment([centre + direction * from, centre + direction * to], pen);
    };
    mark(default, radius + 2.5, radius + 5.0, Pen::new(1.5, QUIET));
    mark(value, radius * 0.35, radius - 7.0, Pen::new(2.5, bright));
}

fn arc(painter: &Painter, centre: Pos2, radius: f32, from: f32, to: f32, colour: Color32) {
    let pieces = ((to - from) * 48.0).ceil().max(1.0) as usize;
    let point = |piece: usize| {
        let angle = angle(from + (to - from) * piece as f32 / pieces as f32);
        centre + vec2(angle.cos(), angle.sin()) * radius
    };
    painter.add(Shape::line((0..=pieces).map(point).collect(), Pen::new(3.0, colour)));
}

fn angle(value: f32) -> f32 {
    FIRST_ANGLE + ARC * value
}
