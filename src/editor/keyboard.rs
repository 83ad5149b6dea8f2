//! The keyboard: the keys that the player holds, those that the plugin sounds, and the probability of each to
//! be next.

use egui::{Align2, Color32, CornerRadius, Painter, Rect, Ui, pos2, vec2};

use super::{
    piano_roll::{colour, octave_name},
    style::{ANSWER, GROUND, PANEL, ROUND, STRONG_LINE},
    view::{Side, View},
};
use crate::music::note::{Key, Velocity};

const WHITE: Color32 = Color32::from_rgb(0xC4, 0xCA, 0xD1);
const BLACK: Color32 = Color32::from_rgb(0x1B, 0x20, 0x26);
/// The colours of white and black keys that an answer may not play.
const WHITE_BARRED: Color32 = Color32::from_rgb(0x7C, 0x85, 0x8F);
const BLACK_BARRED: Color32 = Color32::from_rgb(0x4A, 0x52, 0x5C);
/// The lowest and the highest key of a piano: an A and a C.
const PIANO: (u8, u8) = (21, 108);
/// The height of a black key, and below its width, as parts of those of a white one.
const BLACK_HEIGHT: f32 = 0.62;
const BLACK_WIDTH: f32 = 0.62;
/// The height of the strip above the keys that shows the probability of each to be next, in points.
const ODDS_HEIGHT: f32 = 14.0;
/// The probability of a next key that fills the strip.
const FULL_ODDS: f32 = 0.4;
/// The part of the plugin's colour that such a key has at its lower edge: less than a key that sounds.
const WARMEST: f32 = 0.75;

/// Draws the keyboard into `area`: a piano's keys, or all 128 where others sound.
pub fn draw(ui: &Ui, area: Rect, view: &View) {
    let painter = ui.painter_at(area);
    painter.rect_filled(area, ROUND, PANEL);
    let inner = Rect::from_min_max(area.min + vec2(1.0, ODDS_HEIGHT), area.max - vec2(1.0, 3.0));
    let keyboard = Keyboard::new(inner, view);
    for black in [false, true] {
        let of_this_colour = keyboard.keys().filter(|key| is_black(*key) == black);
        of_this_colour.for_each(|key| draw_key(&painter, &keyboard, view, key));
    }
    keyboard.keys().for_each(|key| draw_odds(&painter, &keyboard, view, key));
}

/// The positions of the keys.
struct Keyboard {
    inner: Rect,
    lowest: u8,
    highest: u8,
}

impl Keyboard {
    fn new(inner: Rect, view: &View) -> Self {
        let (lowest, highest) = PIANO;
        let on_a_piano = |key: Key| (lowest..=highest).contains(&key.number());
        if view.notes.iter().all(|note| on_a_piano(note.key)) {
            Self { inner, lowest, highest }
        } else {
            Self { inner, lowest: 0, highest: Key::COUNT as u8 - 1 }
        }
    }

    fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        (self.lowest..=self.highest).filter_map(Key::new)
    }

    fn white_width(&self) -> f32 {
        let whites = self.keys().filter(|key| !is_black(*key)).count();
        self.inner.width() / whites.max(1) as f32
    }

    fn rect(&self, key: Key) -> Rect {
        let width = self.white_width();
        let whites_below =
            (self.lowest..key.number()).filter_map(Key::new).filter(|key| !is_black(*key)).count();
        let left = self.inner.left() + whites_below as f32 * width;
        if is_black(key) {
            let half = width * BLACK_WIDTH / 2.0;
            let size = vec2(2.0 * half, self.inner.height() * BLACK_HEIGHT);
            Rect::from_min_size(pos2(left - half, self.inner.top()), size)
        } else {
            Rect::from_min_size(pos2(left, self.inner.top()), vec2(width, self.inner.height()))
        }
    }
}

fn draw_key(painter: &Painter, keyboard: &Keyboard, view: &View, key: Key) {
    let rect = keyboard.rect(key);
    let rest = match (is_black(key), view.allowed.contains(key)) {
        (false, true) => WHITE,
        (false, false) => WHITE_BARRED,
        (true, true) => BLACK,
        (true, false) => BLACK_BARRED,
    };
    let round = CornerRadius { sw: 2, se: 2, ..CornerRadius::ZERO };
    let face = rect.shrink2(vec2(0.5, 0.0));
    painter.rect_filled(face, round, GROUND);
    painter.rect_filled(Rect::from_min_max(face.min, face.max - vec2(0.0, 1.0)), round, rest);
    match view.sounding(key) {
        Some((side, velocity)) => draw_pressed(painter, face, side, velocity),
        None => draw_glow(painter, face, rest, view.key_probabilities[key.index()]),
    }
    if key.number().is_multiple_of(12) && !is_black(key) && rect.width() > 14.0 {
        let at = rect.center_bottom() - vec2(0.0, 3.0);
        painter.text(
            at,
            Align2::CENTER_BOTTOM,
            octave_name(key),
            egui::FontId::proportional(9.0),
            STRONG_LINE,
        );
    }
}

fn draw_pressed(painter: &Painter, face: Rect, side: Side, velocity: Velocity) {
    let loudness = f32::from(velocity.value()) / 127.0;
    let colour = BLACK.lerp_to_gamma(colour(side), 0.7 + 0.3 * loudness);
    painter.rect_filled(face, CornerRadius { sw: 2, se: 2, ..CornerRadius::ZERO }, colour);
}

/// Colours the lower part of a key by its probability to be next.
fn draw_glow(painter: &Painter, face: Rect, rest: Color32, probability: f32) {
    let part = glow(probability);
    if part > 0.02 {
        let mut mesh = egui::Mesh::default();
        let (top, bottom) = (rest, rest.lerp_to_gamma(ANSWER, WARMEST * part));
        for (at, colour) in [
            (face.left_top(), top),
            (face.right_top(), top),
            (face.right_bottom() - vec2(0.0, 1.0), bottom),
            (face.left_bottom() - vec2(0.0, 1.0), bottom),
        ] {
            mesh.colored_vertex(at, colour);
        }
        mesh.add_triangle(0, 1, 2);
        mesh.add_triangle(0, 2, 3);
        painter.add(mesh);
    }
}

/// Draws the same probability as a height in the strip above the key.
fn draw_odds(painter: &Painter, keyboard: &Keyboard, view: &View, key: Key) {
    let part = glow(view.key_probabilities[key.index()]);
    if part > 0.1 {
        let rect = keyboard.rect(key);
        let width = (keyboard.white_width() * 0.45).max(2.0);
        let height = part * (ODDS_HEIGHT - 3.0);
        let foot = pos2(rect.center().x, keyboard.inner.top() - 1.0);
        let bar = Rect::from_min_max(foot - vec2(width / 2.0, height), foot + vec2(width / 2.0, 0.0));
        painter.rect_filled(bar, 1.0, ANSWER);
    }
}

/// How strongly a key is coloured, 0..=1, by its probability to be next. A square root, since the likeliest
/// of 128 keys seldom has more than a third.
fn glow(probability: f32) -> f32 {
    (probability / FULL_ODDS).clamp(0.0, 1.0).sqrt()
}

fn is_black(key: Key) -> bool {
    matches!(key.number() % 12, 1 | 3 | 6 | 8 | 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_white_keys_overlap_and_a_black_one_lies_on_the_gap_between_two() {
        let inner = Rect::from_min_size(pos2(0.0, 0.0), vec2(520.0, 40.0));
        let keyboard = Keyboard::new(inner, &View::empty());
        let whites: Vec<Rect> =
            keyboard.keys().filter(|key| !is_black(*key)).map(|key| keyboard.rect(key)).collect();
        assert_eq!(whites.len(), 52);
        assert!(whites.windows(2).all(|pair| (pair[0].right() - pair[1].left()).abs() < 1e-3));
        let c_sharp = keyboard.rect(Key::saturating(61));
        assert!((c_sharp.center().x - keyboard.rect(Key::saturating(62)).left()).abs() < 1e-3);
    }

    #[test]
    fn the_likelier_a_key_is_the_warmer_it_is() {
        assert!(glow(0.0) == 0.0 && glow(0.05) < glow(0.2) && glow(0.2) < glow(0.4));
    }
}
