//! The piano roll: notes that were played are left of the now-line, planned notes are right of it.

use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    style::{
        ANSWER, CALL, GROUND, IDLE, LINE, PANEL, QUIET, ROUND, SLIGHTLY_ROUND, SMALL, STRONG_LINE, over_panel,
    },
    view::{PlannedRollNote, RollNote, Side, View},
};
use crate::{
    music::{note::Key, time::Moment},
    take::LineKind,
};

/// How much of the past and of the future is seen, in seconds.
const PAST_S: f64 = 12.0;
const FUTURE_S: f64 = 4.0;
/// Least width of a note, however short it is, in points.
const SHORTEST_NOTE: f32 = 5.0;
/// Least thickness of a note, in points, however many keys are seen. A note thicker than its key's row
/// overlaps both edges.
const THINNEST_NOTE: f32 = 5.0;
/// The width for the names of octaves, left of the roll, in points.
const NAMES_WIDTH: f32 = 30.0;
/// The height for the numbers of bars, above the roll, in points.
const NUMBERS_HEIGHT: f32 = 18.0;
/// The part of its colour with which a note of velocity 1 is drawn, the faintest.
const FAINTEST: f32 = 0.55;
/// The width of the bright head that a sounding note has at the now-line, in points.
const HEAD: f32 = 3.0;

const HALF_OCTAVE: u8 = 6;

/// Draws the roll into `area`.
pub fn draw(ui: &Ui, area: Rect, view: &View) {
    let painter = ui.painter_at(area);
    painter.rect_filled(area, ROUND, PANEL);
    let inner = Rect::from_min_max(area.min + vec2(NAMES_WIDTH, NUMBERS_HEIGHT), area.max - vec2(1.0, 3.0));
    let axes = Axes { inner, now: view.now, key_range: KeyRange::of(view) };
    draw_octaves(&painter, &axes);
    draw_lines(&painter, &axes, view);
    shade_future(&painter, &axes);
    let notes = painter.with_clip_rect(inner.intersect(painter.clip_rect()));
    view.planned.iter().for_each(|note| draw_planned(&notes, &axes, note));
    for side in [Side::Call, Side::Answer] {
        let played = view.notes.iter().filter(|note| note.side == side);
        played.for_each(|note| draw_note(&notes, &axes, note));
    }
    draw_now(&painter, &axes);
}

/// The earliest moment that is seen.
pub fn oldest(now: Moment) -> Moment {
    Moment(now.0 - PAST_S)
}

/// The latest moment that is seen.
pub fn latest(now: Moment) -> Moment {
    Moment(now.0 + FUTURE_S)
}

/// The name of a C, such as C4.
pub fn octave_name(key: Key) -> String {
    format!("C{}", i32::from(key.number()) / 12 - 1)
}

/// The colour of a side.
pub fn colour(side: Side) -> Color32 {
    match side {
        Side::Call => CALL,
        Side::Answer => ANSWER,
    }
}

/// The scales of time and of keys within the roll.
struct Axes {
    inner: Rect,
    now: Moment,
    key_range: KeyRange,
}

impl Axes {
    fn x(&self, at: Moment) -> f32 {
        let part = (at.0 - self.now.0 + PAST_S) / (PAST_S + FUTURE_S);
        self.inner.left() + self.inner.width() * part as f32
    }

    /// The place of a note; keys outside the range lie at its edges.
    fn rect(&self, key: Key, from: Moment, to: Moment) -> Rect {
        let height = self.inner.height() / self.key_range.keys();
        let left = self.x(from);
        let right = self.x(to).max(left + SHORTEST_NOTE);
        let thickness = (height - 1.0).max(THINNEST_NOTE);
        let middle = self.y(key) + height / 2.0;
        Rect::from_x_y_ranges(left..=right, middle - thickness / 2.0..=middle + thickness / 2.0)
    }

    /// The upper edge of a key.
    fn y(&self, key: Key) -> f32 {
        let height = self.inner.height() / self.key_range.keys();
        self.inner.bottom() - (self.key_range.above_lowest(key) + 1.0) * height
    }
}

fn draw_octaves(painter: &Painter, axes: &Axes) {
    for key in (0..Key::COUNT as u8).step_by(12).filter_map(Key::new).filter(|key| axes.key_range.shows(*key))
    {
        let lower = axes.y(key) + axes.inner.height() / axes.key_range.keys();
        painter.hline(axes.inner.x_range(), lower, Stroke::new(1.0, LINE));
        let at = pos2(axes.inner.left() - 6.0, lower);
        if lower - 8.0 > axes.inner.top() {
            painter.text(at, Align2::RIGHT_BOTTOM, octave_name(key), SMALL, IDLE);
        }
    }
}

fn draw_lines(painter: &Painter, axes: &Axes, view: &View) {
    let mut free_from = f32::NEG_INFINITY;
    for line in &view.lines {
        let x = painter.round_to_pixel_center(axes.x(line.at));
        if !axes.inner.x_range().contains(x) {
            continue;
        }
        match line.kind {
            LineKind::Beat => {
                painter.vline(x, axes.inner.y_range(), Stroke::new(1.0, LINE));
            }
            LineKind::Bar(number) => {
                painter.vline(x, axes.inner.y_range(), Stroke::new(1.0, STRONG_LINE));
                let number = painter.layout_no_wrap((i64::from(number) + 1).to_string(), SMALL, IDLE);
                let right = x + 4.0 + number.size().x;
                if x > free_from && right < axes.inner.right() {
                    painter.galley(pos2(x + 4.0, axes.inner.top() - NUMBERS_HEIGHT + 2.0), number, IDLE);
                    free_from = right + 4.0;
                }
            }
        }
    }
}

fn draw_note(painter: &Painter, axes: &Axes, note: &RollNote) {
    let rect = axes.rect(note.key, note.onset, note.shown_end(axes.now));
    if !axes.inner.intersects(rect) {
        return;
    }
    let loudness = f32::from(note.velocity.value()) / 127.0;
    let colour = over_panel(colour(note.side), FAINTEST + (1.0 - FAINTEST) * loudness);
    painter.rect_filled(rect, SLIGHTLY_ROUND, colour);
    if note.end.is_none() {
        painter.rect_filled(rect.with_min_x(rect.right() - HEAD), SLIGHTLY_ROUND, Color32::WHITE);
    }
}

fn draw_planned(painter: &Painter, axes: &Axes, note: &PlannedRollNote) {
    let rect = axes.rect(note.key, note.onset, note.onset + note.duration);
    if axes.inner.intersects(rect) {
        let part = planned_part(note.likely);
        painter.rect_filled(rect, SLIGHTLY_ROUND, over_panel(ANSWER, part * 0.6));
        let stroke = Stroke::new(1.0, over_panel(ANSWER, part));
        painter.rect_stroke(rect, SLIGHTLY_ROUND, stroke, StrokeKind::Inside);
    }
}

/// The part of its colour with which a planned note is drawn. The likeliest of many keys seldom has a
/// probability of more than a third, so the square root spreads the range.
fn planned_part(likely: f32) -> f32 {
    0.35 + 0.65 * likely.clamp(0.0, 1.0).sqrt()
}

fn shade_future(painter: &Painter, axes: &Axes) {
    let ahead = axes.inner.with_min_x(axes.x(axes.now));
    painter.rect_filled(ahead, 0.0, GROUND.gamma_multiply(0.5));
}

fn draw_now(painter: &Painter, axes: &Axes) {
    let x = painter.round_to_pixel_center(axes.x(axes.now));
    painter.vline(x, axes.inner.y_range(), Stroke::new(1.5, QUIET));
    let tip: Pos2 = pos2(x, axes.inner.top());
    let mark = vec![tip, tip + vec2(-4.5, -6.0), tip + vec2(4.5, -6.0)];
    painter.add(egui::Shape::convex_polygon(mark, QUIET, Stroke::NONE));
}

/// The range of keys that is seen, lowest and highest included. It begins at a C or an F sharp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeyRange {
    lowest: u8,
    highest: u8,
}

impl KeyRange {
    /// The range before any note was played: C3 to B5, around the middle of a piano.
    const USUAL: Self = Self { lowest: 48, highest: 83 };

    /// The usual range, with as many more half octaves as the visible notes need.
    fn of(view: &View) -> Self {
        let keys = view.notes.iter().map(|note| note.key).chain(view.planned.iter().map(|note| note.key));
        keys.fold(Self::USUAL, Self::with)
    }

    fn with(self, key: Key) -> Self {
        let lower = key.number() / HALF_OCTAVE * HALF_OCTAVE;
        Self {
            lowest: self.lowest.min(lower),
            highest: self.highest.max((lower + HALF_OCTAVE - 1).min(Key::COUNT as u8 - 1)),
        }
    }

    /// The number of keys in the range.
    fn keys(self) -> f32 {
        f32::from(self.highest - self.lowest + 1)
    }

    fn shows(self, key: Key) -> bool {
        (self.lowest..=self.highest).contains(&key.number())
    }

    /// How many keys lie below this one; those outside count as the nearest inside.
    fn above_lowest(self, key: Key) -> f32 {
        f32::from(key.number().clamp(self.lowest, self.highest) - self.lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_probable_a_planned_note_is_the_fainter_it_is() {
        let parts = [0.0, 0.05, 0.3, 1.0].map(planned_part);
        assert!(parts.windows(2).all(|pair| pair[0] < pair[1]), "{parts:?}");
    }

    #[test]
    fn every_key_is_shown_when_it_is_played() {
        for key in (0..128).filter_map(Key::new) {
            let key_range = KeyRange::USUAL.with(key);
            assert!(key_range.shows(key) && key_range.shows(Key::saturating(60)), "{key:?}");
            assert!(key_range.above_lowest(key) < key_range.keys());
        }
    }
}
