//! The piano roll: what was played runs to the left of the now-line, what is planned stands to its right.

use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke as Pen, StrokeKind, Ui, pos2, vec2};

use super::{
    palette::{
        ANSWER, CALL, GROUND, IDLE, LINE, PANEL, QUIET, ROUND, SLIGHTLY_ROUND, SMALL, STRONG_LINE, over_panel,
    },
    span::Span,
    view::{Ghost, LineKind, Side, Stroke, View},
};
use crate::music::{note::Key, time::Moment};

/// How much of the past and of the future is seen, in seconds.
const PAST_S: f64 = 12.0;
const FUTURE_S: f64 = 4.0;
/// So wide at least is a note, however short, in points.
const SHORTEST_NOTE: f32 = 5.0;
/// And so thick, however many keys are seen; where that is more than its key's place, it reaches over both edges.
const THINNEST_NOTE: f32 = 5.0;
/// Left of the roll stand the names of octaves.
const NAMES_WIDTH: f32 = 30.0;
/// Above it stand the numbers of bars.
const NUMBERS_HEIGHT: f32 = 18.0;
/// The least that is seen of a note: a velocity of 1 is seen as this part of a colour.
const FAINTEST: f32 = 0.55;
/// A note that sounds has a bright head at the now-line, of this width in points.
const HEAD: f32 = 3.0;

/// Draws the roll into `area`.
pub fn draw(ui: &Ui, area: Rect, view: &View, span: Span) {
    let painter = ui.painter_at(area);
    painter.rect_filled(area, ROUND, PANEL);
    let inner = Rect::from_min_max(area.min + vec2(NAMES_WIDTH, NUMBERS_HEIGHT), area.max - vec2(1.0, 3.0));
    let paper = Paper { inner, now: view.now, span };
    draw_octaves(&painter, &paper);
    draw_lines(&painter, &paper, view);
    shade_future(&painter, &paper);
    let notes = painter.with_clip_rect(inner.intersect(painter.clip_rect()));
    view.ghosts.iter().for_each(|ghost| draw_ghost(&notes, &paper, ghost));
    for side in [Side::Call, Side::Answer] {
        let played = view.notes.iter().filter(|note| note.side == side);
        played.for_each(|note| draw_note(&notes, &paper, note));
    }
    draw_now(&painter, &paper);
}

/// How much of the past is seen.
pub fn oldest(now: Moment) -> Moment {
    Moment(now.0 - PAST_S)
}

/// How much of the future is seen.
pub fn latest(now: Moment) -> Moment {
    Moment(now.0 + FUTURE_S)
}

/// Where time and keys lie.
struct Paper {
    inner: Rect,
    now: Moment,
    span: Span,
}

impl Paper {
    fn x(&self, at: Moment) -> f32 {
        let part = (at.0 - self.now.0 + PAST_S) / (PAST_S + FUTURE_S);
        self.inner.left() + self.inner.width() * part as f32
    }

    /// The place of a note; keys outside the span lie at its edges.
    fn rect(&self, key: Key, from: Moment, to: Moment) -> Rect {
        let height = self.inner.height() / self.span.keys();
        let left = self.x(from);
        let right = self.x(to).max(left + SHORTEST_NOTE);
        let thickness = (height - 1.0).max(THINNEST_NOTE);
        let middle = self.y(key) + height / 2.0;
        Rect::from_x_y_ranges(left..=right, middle - thickness / 2.0..=middle + thickness / 2.0)
    }

    /// The upper edge of a key.
    fn y(&self, key: Key) -> f32 {
        let height = self.inner.height() / self.span.keys();
        self.inner.bottom() - (self.span.above_lowest(key) + 1.0) * height
    }
}

fn draw_octaves(painter: &Painter, paper: &Paper) {
    for key in (0..Key::COUNT as u8).step_by(12).filter_map(Key::new).filter(|key| paper.span.shows(*key)) {
        let lower = paper.y(key) + paper.inner.height() / paper.span.keys();
        painter.hline(paper.inner.x_range(), lower, Pen::new(1.0, LINE));
        let name = format!("C{}", i32::from(key.number()) / 12 - 1);
        let at = pos2(paper.inner.left() - 6.0, lower);
        if lower - 8.0 > paper.inner.top() {
            painter.text(at, Align2::RIGHT_BOTTOM, name, SMALL, IDLE);
        }
    }
}

fn draw_lines(painter: &Painter, paper: &Paper, view: &View) {
    let mut free_from = f32::NEG_INFINITY;
    for line in &view.lines {
        let x = painter.round_to_pixel_center(paper.x(line.at));
        if !paper.inner.x_range().contains(x) {
            continue;
        }
        match line.kind {
            LineKind::Beat => {
                painter.vline(x, paper.inner.y_range(), Pen::new(1.0, LINE));
            }
            LineKind::Bar(number) => {
                painter.vline(x, paper.inner.y_range(), Pen::new(1.0, STRONG_LINE));
                let number = painter.layout_no_wrap(number.to_string(), SMALL, IDLE);
                let right = x + 4.0 + number.size().x;
                if x > free_from && right < paper.inner.right() {
                    painter.galley(pos2(x + 4.0, paper.inner.top() - NUMBERS_HEIGHT + 2.0), number, IDLE);
                    free_from = right + 4.0;
                }
            }
        }
    }
}

fn draw_note(painter: &Painter, paper: &Paper, note: &Stroke) {
    let rect = paper.rect(note.key, note.onset, note.shown_end(paper.now));
    if !paper.inner.intersects(rect) {
        return;
    }
    let loudness = f32::from(note.velocity.value()) / 127.0;
    let colour = over_panel(colour(note.side), FAINTEST + (1.0 - FAINTEST) * loudness);
    painter.rect_filled(rect, SLIGHTLY_ROUND, colour);
    if note.end.is_none() {
        painter.rect_filled(rect.with_min_x(rect.right() - HEAD), SLIGHTLY_ROUND, Color32::WHITE);
    }
}

fn draw_ghost(painter: &Painter, paper: &Paper, ghost: &Ghost) {
    let rect = paper.rect(ghost.key, ghost.onset, ghost.onset + ghost.duration);
    if paper.inner.intersects(rect) {
        let part = ghost_part(ghost.likely);
        painter.rect_filled(rect, SLIGHTLY_ROUND, over_panel(ANSWER, part * 0.6));
        let pen = Pen::new(1.0, over_panel(ANSWER, part));
        painter.rect_stroke(rect, SLIGHTLY_ROUND, pen, StrokeKind::Inside);
    }
}

/// How much of its colour a planned note has. The likeliest key of many seldom has more than a third, so the square
/// root spreads what is seen.
fn ghost_part(likely: f32) -> f32 {
    0.35 + 0.65 * likely.clamp(0.0, 1.0).sqrt()
}

fn shade_future(painter: &Painter, paper: &Paper) {
    let ahead = paper.inner.with_min_x(paper.x(paper.now));
    painter.rect_filled(ahead, 0.0, GROUND.gamma_multiply(0.5));
}

fn draw_now(painter: &Painter, paper: &Paper) {
    let x = painter.round_to_pixel_center(paper.x(paper.now));
    painter.vline(x, paper.inner.y_range(), Pen::new(1.5, QUIET));
    let tip: Pos2 = pos2(x, paper.inner.top());
    let mark = vec![tip, tip + vec2(-4.5, -6.0), tip + vec2(4.5, -6.0)];
    painter.add(egui::Shape::convex_polygon(mark, QUIET, Pen::NONE));
}

/// The colour of a side.
pub fn colour(side: Side) -> Color32 {
    match side {
        Side::Call => CALL,
        Side::Answer => ANSWER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_probable_a_planned_note_is_the_fainter_it_is() {
        let parts = [0.0, 0.05, 0.3, 1.0].map(ghost_part);
        assert!(parts.windows(2).all(|pair| pair[0] < pair[1]), "{parts:?}");
    }
}
