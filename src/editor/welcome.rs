//! What a player is told before the first answer, in three steps that are ticked off, and one sentence where something that
//! is asked for is missing.

use egui::{Align2, Rect, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    board::Board,
    palette::{ANSWER, BODY, CALL, GAP, IDLE, QUIET, RAISED, ROUND, SMALL, TEXT},
    view::{Floor, Side, View},
    words,
};

const STEPS: [&str; 3] = [
    "Play a phrase.",
    "Lift your hands, and the pedal, and wait.",
    "Antiphon answers. Play again at any time, and it listens.",
];
const LINE_HEIGHT: f32 = 22.0;
const WIDTH: f32 = 460.0;
/// The radius of the light before a step, in points.
const LIGHT: f32 = 4.0;

/// For a plugin without a sound, and for one whose sound is off.
const NO_SOUND: &str = "It sends notes and has no sound of its own: put an instrument behind it.";
const SOUND_OFF: &str = "Its sound is off: turn Sound on, or lead its MIDI to an instrument.";
/// For settings that ask for bars while there are none.
const NO_SONG: &str = "Your host stands still, so there is no beat to keep to: press play in your host.";

/// Draws what there is to tell over the roll in `area`.
pub fn draw(ui: &Ui, area: Rect, board: &Board, view: &View) {
    let sentence = sentence(board, view);
    let is_first = !view.has_answer && !matches!(view.floor, Floor::Bypassed | Floor::Deaf);
    let steps = if is_first { &STEPS[..] } else { &[] };
    let lines = steps.len() + usize::from(sentence.is_some());
    if lines == 0 {
        return;
    }
    let size = vec2(WIDTH, LINE_HEIGHT * lines as f32 + GAP);
    let place = Rect::from_min_size(pos2(area.left() + 40.0, area.bottom() - size.y - 6.0), size);
    ui.painter().rect_filled(place, ROUND, RAISED);
    let line = |index: usize| {
        let top = place.top() + GAP / 2.0 + LINE_HEIGHT * index as f32;
        Rect::from_min_size(pos2(place.left() + GAP, top), vec2(WIDTH - 2.0 * GAP, LINE_HEIGHT))
    };
    for (index, step) in steps.iter().enumerate() {
        let (light, ink) = match index.cmp(&reached(view)) {
            std::cmp::Ordering::Less => (IDLE, IDLE),
            std::cmp::Ordering::Equal => (if index == 2 { ANSWER } else { CALL }, TEXT),
            std::cmp::Ordering::Greater => (IDLE, QUIET),
        };
        let line = line(index);
        ui.painter().circle_filled(pos2(line.left() + LIGHT, line.center().y), LIGHT, light);
        tell(ui, line.with_min_x(line.left() + 4.0 * LIGHT), step, ink);
    }
    if let Some(sentence) = sentence {
        tell(ui, line(steps.len()), sentence, QUIET);
    }
}

/// How many of the steps are done.
fn reached(view: &View) -> usize {
    let has_played = view.notes.iter().any(|note| note.side == Side::Call);
    match view.floor {
        Floor::Plugin { .. } => 2,
        _ if has_played => 1,
        _ => 0,
    }
}

fn sentence(board: &Board, view: &View) -> Option<&'static str> {
    let is = |id: &str, text: &str| board.control(id).is_some_and(|control| control.text() == text);
    let wants_song = is("mode", "Trade") || !is("alignment", "Off") || !is("quantise", "Off");
    match board.control("sound") {
        _ if wants_song && !view.song_runs => Some(NO_SONG),
        None if !view.has_answer => Some(NO_SOUND),
        Some(sound) if !view.has_answer && sound.value() < 0.5 => Some(SOUND_OFF),
        _ => None,
    }
}

fn tell(ui: &Ui, line: Rect, sentence: &'static str, ink: egui::Color32) {
    let font = if ink == QUIET { SMALL } else { BODY };
    words::write(ui.painter(), line, Align2::LEFT_CENTER, sentence, font, ink);
    let told = ui.interact(line, ui.scope_id().with(sentence), egui::Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Label, true, sentence));
}
