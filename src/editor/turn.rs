//! The turn, to be read from across a stage: who has the floor, and how soon it changes hands.

use egui::{Align2, Color32, FontId, Painter, Rect, Ui, pos2, vec2};

use super::{
    palette::{ALERT, ANSWER, BODY, CALL, GAP, GROUND, IDLE, PANEL, QUIET, RAISED, ROUND, TEXT, over_panel},
    view::{Floor, View},
};
use crate::music::{conditions::Harmony, time::Seconds};

/// The diameter of the light before the words, in points.
const LIGHT: f32 = 16.0;
/// The bar is so high, in points.
const BAR_HEIGHT: f32 = 10.0;
/// The words stand left of the bar in this width, in points.
const WORDS_WIDTH: f32 = 230.0;
/// And what is left, to the right of it.
const LEFT_WIDTH: f32 = 56.0;
/// So much of its colour the whole place takes on from who has the floor, 0..=1: seen from the corner of an eye.
const TINT: f32 = 0.2;
const LETTERS: FontId = FontId::proportional(22.0);

/// Draws the turn into `area`.
pub fn draw(ui: &Ui, area: Rect, view: &View) {
    let painter = ui.painter_at(area);
    let said = Said::of(view.floor);
    painter.rect_filled(area, ROUND, if said.is_quiet { PANEL } else { over_panel(said.colour, TINT) });
    let light = pos2(area.left() + GAP + LIGHT / 2.0 + 2.0, area.center().y);
    painter.circle_filled(light, LIGHT / 2.0, said.colour);
    let words = pos2(light.x + LIGHT, light.y);
    painter.text(words, Align2::LEFT_CENTER, said.words, LETTERS, if said.is_quiet { QUIET } else { TEXT });
    let bar = Rect::from_center_size(
        pos2((area.left() + WORDS_WIDTH + area.right() - LEFT_WIDTH) / 2.0, area.center().y),
        vec2((area.width() - WORDS_WIDTH - LEFT_WIDTH).max(0.0), BAR_HEIGHT),
    );
    draw_bar(&painter, bar, &said);
    let harmony = view.harmony.map(Harmony::name).or_else(|| view.key.clone());
    if let Some(name) = &harmony {
        let at = pos2(bar.left() - GAP, bar.center().y);
        painter.text(at, Align2::RIGHT_CENTER, name, BODY, QUIET);
    }
    if let Some(left) = said.left {
        let at = pos2(area.right() - GAP, area.center().y);
        painter.text(at, Align2::RIGHT_CENTER, format!("{:.1} s", left.0), BODY, TEXT);
    }
    ui.ctx().accesskit_node_builder(ui.scope_id().with("turn"), |node| {
        node.set_role(egui::accesskit::Role::Status);
        node.set_label(said.words);
        if let Some(name) = harmony {
            node.set_description(name);
        }
    });
}

fn draw_bar(painter: &Painter, bar: Rect, said: &Said) {
    painter.rect_filled(bar, BAR_HEIGHT / 2.0, if said.is_quiet { RAISED } else { GROUND });
    if let Some(part) = said.part.filter(|part| *part > 0.0) {
        let mut filled = bar;
        filled.set_width((bar.width() * part.clamp(0.0, 1.0)).max(BAR_HEIGHT));
        painter.rect_filled(filled, BAR_HEIGHT / 2.0, said.colour);
    }
}

/// The turn in words and in one bar.
struct Said {
    words: &'static str,
    colour: Color32,
    /// How full the bar is, 0..=1.
    part: Option<f32>,
    /// How long until the floor changes hands.
    left: Option<Seconds>,
    is_quiet: bool,
}

impl Said {
    fn of(floor: Floor) -> Self {
        let plain = |words, colour| Self { words, colour, part: None, left: None, is_quiet: false };
        match floor {
            Floor::Bypassed => Self { is_quiet: true, ..plain("Bypassed", IDLE) },
            Floor::Deaf => Self { is_quiet: true, ..plain("Not listening", ALERT) },
            Floor::Nobody => Self { is_quiet: true, ..plain("Listening", IDLE) },
            Floor::Player => plain("You play", CALL),
            Floor::Waiting => Self { is_quiet: true, ..plain("Your turn", CALL) },
            Floor::Silence { used, left } => Self { part: Some(used), left, ..plain("Your turn ends", CALL) },
            Floor::Cued => plain("Antiphon comes in", ANSWER),
            Floor::Plugin { left, of } => {
                let part = left.zip(of).map(|(left, of)| if of.0 > 0.0 { left.0 / of.0 } else { 0.0 });
                Self { part, left, ..plain("Antiphon plays", ANSWER) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_fills_up_in_the_players_colour_and_an_answer_runs_down_in_the_plugins() {
        let silence = Said::of(Floor::Silence { used: 0.25, left: Some(Seconds(1.5)) });
        assert_eq!((silence.part, silence.colour), (Some(0.25), CALL));
        let answer = Said::of(Floor::Plugin { left: Some(Seconds(1.0)), of: Some(Seconds(4.0)) });
        assert_eq!((answer.part, answer.colour), (Some(0.25), ANSWER));
    }
}
