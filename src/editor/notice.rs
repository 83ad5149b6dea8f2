//! A sentence for the player, above the roll, until it was read.

use egui::{Align2, Rect, Stroke as Pen, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    palette::{ALERT, BODY, CALL, GAP, HOVERED, QUIET, RAISED, SLIGHTLY_ROUND, TEXT},
    view::{Notice, Tone},
    wish::Wish,
    words,
};

const EDGE: f32 = 4.0;

/// Draws the notice into `area`; gives [`Wish::Dismiss`] where it was closed.
pub fn draw(ui: &Ui, area: Rect, notice: &Notice) -> Option<Wish> {
    let painter = ui.painter();
    painter.rect_filled(area, SLIGHTLY_ROUND, RAISED);
    let colour = match notice.tone {
        Tone::Done => CALL,
        Tone::Trouble => ALERT,
    };
    painter.rect_filled(area.with_max_x(area.left() + EDGE), SLIGHTLY_ROUND, colour);
    let close = Rect::from_min_size(
        pos2(area.right() - area.height(), area.top()),
        vec2(area.height(), area.height()),
    );
    let words = Rect::from_min_max(area.min + vec2(EDGE + GAP, 0.0), pos2(close.left() - GAP, area.bottom()));
    words::write(painter, words, Align2::LEFT_CENTER, &notice.sentence, BODY, TEXT);
    let told = ui.interact(words, ui.scope_id().with("notice"), egui::Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &notice.sentence));
    told.on_hover_text(&notice.sentence);
    draw_close(ui, close).then_some(Wish::Dismiss)
}

fn draw_close(ui: &Ui, area: Rect) -> bool {
    let response = ui.interact(area, ui.scope_id().with("close"), egui::Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Close"));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(area.shrink(4.0), SLIGHTLY_ROUND, HOVERED);
    }
    let (centre, pen) = (area.center(), Pen::new(1.5, QUIET));
    ui.painter().line_segment([centre + vec2(-4.0, -4.0), centre + vec2(4.0, 4.0)], pen);
    ui.painter().line_segment([centre + vec2(-4.0, 4.0), centre + vec2(4.0, -4.0)], pen);
    response.clicked()
}
