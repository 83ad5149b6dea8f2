//! The turn display, large enough to read from across a stage: who has the floor, and how soon it changes
//! hands. Before the first answer it shows the first steps.

use std::cmp::Ordering;

use egui::{Align2, Color32, FontId, Painter, Rect, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    binding::Bindings,
    style::{
        ALERT, ANSWER, BODY, CALL, GAP, GROUND, IDLE, PANEL, QUIET, RAISED, ROUND, SMALL, TEXT, over_panel,
        write,
    },
    view::{Side, TurnState, View},
};
use crate::music::{conditions::Harmony, time::Seconds};

/// The diameter of the light before the words, in points.
const LIGHT: f32 = 16.0;
/// The height of the bar, in points.
const BAR_HEIGHT: f32 = 10.0;
/// The width for the words and the key left of the bar, in points.
const WORDS_WIDTH: f32 = 312.0;
/// The width for the time that is left, right of the bar, in points.
const LEFT_WIDTH: f32 = 56.0;
/// How strongly the whole area takes the colour of the side that has the floor, 0..=1: visible from the
/// corner of an eye.
const TINT: f32 = 0.2;
const LETTERS: FontId = FontId::proportional(22.0);

const STEPS: [&str; 3] = [
    "Play a phrase.",
    "Lift your hands and wait.",
    "Antiphon answers. Play again at any time, and it listens.",
];
const STEP_HEIGHT: f32 = 22.0;
const STEPS_WIDTH: f32 = 460.0;
/// The radius of the light before a step, in points.
const STEP_LIGHT: f32 = 4.0;

/// First steps for a plugin without a sound of its own, and for one whose sound is off.
const NO_SOUND: &str = "It sends notes and has no sound of its own: put an instrument behind it.";
const SOUND_OFF: &str = "Its sound is off: turn Sound on, or lead its MIDI to an instrument.";
/// First steps for settings that need bars while there are none.
const NO_SONG: &str = "Your host stands still, so there is no beat to keep to: press play in your host.";

/// Draws the turn into `area`.
pub fn draw(ui: &Ui, area: Rect, view: &View) {
    let painter = ui.painter_at(area);
    let label = TurnLabel::of(view.turn);
    painter.rect_filled(area, ROUND, if label.is_quiet { PANEL } else { over_panel(label.colour, TINT) });
    let light = pos2(area.left() + GAP + LIGHT / 2.0 + 2.0, area.center().y);
    painter.circle_filled(light, LIGHT / 2.0, label.colour);
    let words = pos2(light.x + LIGHT, light.y);
    painter.text(words, Align2::LEFT_CENTER, label.words, LETTERS, if label.is_quiet { QUIET } else { TEXT });
    let bar = Rect::from_center_size(
        pos2((area.left() + WORDS_WIDTH + area.right() - LEFT_WIDTH) / 2.0, area.center().y),
        vec2((area.width() - WORDS_WIDTH - LEFT_WIDTH).max(0.0), BAR_HEIGHT),
    );
    draw_bar(&painter, bar, &label);
    let harmony = view.harmony.map(Harmony::name).or_else(|| view.key.clone());
    if let Some(name) = &harmony {
        let at = pos2(bar.left() - GAP, bar.center().y);
        painter.text(at, Align2::RIGHT_CENTER, name, BODY, QUIET);
    }
    if let Some(left) = label.left {
        let at = pos2(area.right() - GAP, area.center().y);
        painter.text(at, Align2::RIGHT_CENTER, format!("{:.1} s", left.0), BODY, TEXT);
    }
    ui.ctx().accesskit_node_builder(ui.scope_id().with("turn"), |node| {
        node.set_role(egui::accesskit::Role::Status);
        node.set_label(label.words);
        if let Some(name) = harmony {
            node.set_description(name);
        }
    });
}

/// Draws the first steps over the roll in `area`.
pub fn draw_first_steps(ui: &Ui, area: Rect, bindings: &Bindings, view: &View) {
    let sentence = sentence(bindings, view);
    let is_first = !view.has_answer && !matches!(view.turn, TurnState::Bypassed | TurnState::Deaf);
    let steps = if is_first { &STEPS[..] } else { &[] };
    let lines = steps.len() + usize::from(sentence.is_some());
    if lines == 0 {
        return;
    }
    let size = vec2(STEPS_WIDTH, STEP_HEIGHT * lines as f32 + GAP);
    let place = Rect::from_min_size(pos2(area.left() + 40.0, area.bottom() - size.y - 6.0), size);
    ui.painter().rect_filled(place, ROUND, RAISED);
    let line = |index: usize| {
        let top = place.top() + GAP / 2.0 + STEP_HEIGHT * index as f32;
        Rect::from_min_size(pos2(place.left() + GAP, top), vec2(STEPS_WIDTH - 2.0 * GAP, STEP_HEIGHT))
    };
    for (index, step) in steps.iter().enumerate() {
        let (light, ink) = match index.cmp(&reached(view)) {
            Ordering::Less => (IDLE, IDLE),
            Ordering::Equal => (if index == 2 { ANSWER } else { CALL }, TEXT),
            Ordering::Greater => (IDLE, QUIET),
        };
        let line = line(index);
        ui.painter().circle_filled(pos2(line.left() + STEP_LIGHT, line.center().y), STEP_LIGHT, light);
        tell(ui, line.with_min_x(line.left() + 4.0 * STEP_LIGHT), step, ink);
    }
    if let Some(sentence) = sentence {
        tell(ui, line(steps.len()), sentence, QUIET);
    }
}

fn draw_bar(painter: &Painter, bar: Rect, label: &TurnLabel) {
    painter.rect_filled(bar, BAR_HEIGHT / 2.0, if label.is_quiet { RAISED } else { GROUND });
    if let Some(part) = label.part.filter(|part| *part > 0.0) {
        let mut filled = bar;
        filled.set_width((bar.width() * part.clamp(0.0, 1.0)).max(BAR_HEIGHT));
        painter.rect_filled(filled, BAR_HEIGHT / 2.0, label.colour);
    }
}

/// The turn in words and in one bar.
struct TurnLabel {
    words: &'static str,
    colour: Color32,
    /// How full the bar is, 0..=1.
    part: Option<f32>,
    /// How long until the floor changes hands.
    left: Option<Seconds>,
    is_quiet: bool,
}

impl TurnLabel {
    fn of(turn: TurnState) -> Self {
        let plain = |words, colour| Self { words, colour, part: None, left: None, is_quiet: false };
        match turn {
            TurnState::Bypassed => Self { is_quiet: true, ..plain("Bypassed", IDLE) },
            TurnState::Deaf => Self { is_quiet: true, ..plain("Not listening", ALERT) },
            TurnState::Nobody => Self { is_quiet: true, ..plain("Listening", IDLE) },
            TurnState::Player => plain("You play", CALL),
            TurnState::Waiting => Self { is_quiet: true, ..plain("Your turn", CALL) },
            TurnState::Silence { used, left } => {
                Self { part: Some(used), left, ..plain("Your turn ends", CALL) }
            }
            TurnState::Cued => plain("Antiphon comes in", ANSWER),
            TurnState::Plugin { left, of } => {
                let part = left.zip(of).map(|(left, of)| if of.0 > 0.0 { left.0 / of.0 } else { 0.0 });
                Self { part, left, ..plain("Antiphon plays", ANSWER) }
            }
        }
    }
}

/// The number of first steps that are done.
fn reached(view: &View) -> usize {
    let has_played = view.notes.iter().any(|note| note.side == Side::Call);
    match view.turn {
        TurnState::Plugin { .. } => 2,
        _ if has_played => 1,
        _ => 0,
    }
}

fn sentence(bindings: &Bindings, view: &View) -> Option<&'static str> {
    let is = |id, text| bindings.shows(id, text);
    let wants_song = is("mode", "Trade") || !is("alignment", "Off") || !is("quantise", "Off");
    match bindings.control("sound") {
        _ if wants_song && !view.song_runs => Some(NO_SONG),
        None if !view.has_answer => Some(NO_SOUND),
        Some(sound) if !view.has_answer && sound.value() < 0.5 => Some(SOUND_OFF),
        _ => None,
    }
}

fn tell(ui: &Ui, line: Rect, sentence: &'static str, ink: Color32) {
    let font = if ink == QUIET { SMALL } else { BODY };
    write(ui.painter(), line, Align2::LEFT_CENTER, sentence, font, ink);
    let told = ui.interact(line, ui.scope_id().with(sentence), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Label, true, sentence));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_fills_up_in_the_players_colour_and_an_answer_runs_down_in_the_plugins() {
        let silence = TurnLabel::of(TurnState::Silence { used: 0.25, left: Some(Seconds(1.5)) });
        assert_eq!((silence.part, silence.colour), (Some(0.25), CALL));
        let answer = TurnLabel::of(TurnState::Plugin { left: Some(Seconds(1.0)), of: Some(Seconds(4.0)) });
        assert_eq!((answer.part, answer.colour), (Some(0.25), ANSWER));
    }
}
