//! The two toolbars of the window. The head has the presets, the mode, the model, and whether anything is
//! heard or answered. The foot has the buttons for takes, and a line on the plugin's health: quiet while all
//! is well, else what is wrong.

use egui::{
    Align2, AtomExt as _, Button, Color32, CornerRadius, Popup, Rect, Response, RichText, Sense, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::{
    binding::{Bindings, PRESSED_SELDOM},
    control_input::adjust_choice,
    controls::hint,
    style::{
        ALERT, BODY, CALL, GAP, GROUND, HOVERED, PANEL, QUIET, RAISED, ROUND, SLIGHTLY_ROUND, SMALL, TEXT,
        TITLE, write,
    },
    view::{Action, Health, View},
    widgets::{Ready, Use, button, button_width, draw_arrow, momentary, show_row, tell_choice},
};
use crate::{learner::LearnerStatus, music::time::Seconds, params::presets::PRESETS};

const NAME_WIDTH: f32 = 92.0;
const PRESETS_WIDTH: f32 = 96.0;
const MODE_WIDTH: f32 = 280.0;
const MODEL_WIDTH: f32 = 210.0;
const SOUND_WIDTH: f32 = 78.0;
const LISTEN_WIDTH: f32 = 78.0;
const BYPASS_WIDTH: f32 = 84.0;
/// The width of a menu in which a preset and the sentence on its purpose stand side by side, in points.
const MENU_WIDTH: f32 = 560.0;
const LEARN: &str = "Makes a model your own from your saved takes, the take of now, and MIDI files that you have put beside them. It \
                     learns in the background, and writes a file only when you choose Play like me. Your takes are in";
const PRESET_NAME: Vec2 = vec2(120.0, 18.0);
/// The shortest computing time of a note that is shown. Less would read as zero, and is no note: the memory
/// was empty.
const LEAST_STEP: Seconds = Seconds(0.000_05);

/// Draws the head into `area`; returns what was chosen.
pub fn draw_header(ui: &mut Ui, area: Rect, bindings: &mut Bindings, view: &View) -> Option<Action> {
    let mut left = area.left();
    let mut take = |width: f32| {
        let place = Rect::from_min_size(pos2(left, area.top()), vec2(width, area.height()));
        left += width + GAP;
        place
    };
    let name = take(NAME_WIDTH);
    write(ui.painter(), name, Align2::LEFT_CENTER, "Antiphon", TITLE, TEXT);
    let chosen = choose_preset(ui, take(PRESETS_WIDTH).shrink2(vec2(0.0, 3.0)));
    choose_mode(ui, take(MODE_WIDTH).shrink2(vec2(0.0, 3.0)), bindings);
    let mut right = area.right() + 2.0 * GAP;
    let mut take = |width: f32| {
        right -= width + 2.0 * GAP;
        Rect::from_min_size(pos2(right, area.top()), vec2(width, area.height()))
    };
    for (id, width) in [("bypass", BYPASS_WIDTH), ("listen", LISTEN_WIDTH), ("sound", SOUND_WIDTH)] {
        if bindings.control(id).is_some() {
            show_row(ui, take(width), bindings, id, hint(id), Use::Effective);
        }
    }
    let asked = choose_model(ui, take(MODEL_WIDTH).shrink2(vec2(0.0, 3.0)), bindings, view);
    chosen.or(asked)
}

fn choose_preset(ui: &mut Ui, area: Rect) -> Option<Action> {
    let response = opener(ui, area, "Presets", "Presets", None);
    let mut action = None;
    Popup::menu(&response).show(|ui| {
        ui.set_min_width(MENU_WIDTH);
        for (index, preset) in PRESETS.iter().enumerate() {
            let purpose = RichText::new(preset.purpose).font(SMALL).color(QUIET);
            let name = preset.name.atom_size(PRESET_NAME).atom_align(Align2::LEFT_CENTER);
            let choice = ui.add(Button::new((name, purpose)).right_text(""));
            choice.widget_info(|| WidgetInfo::labeled(Role::Button, true, preset.name));
            if choice.clicked() {
                action = Some(Action::Preset(index));
            }
        }
    });
    response.on_hover_text("Sets all controls for one way of playing together.");
    action
}

/// The modes stand side by side, since the mode is what a player sees first.
fn choose_mode(ui: &Ui, area: Rect, bindings: &mut Bindings) {
    let whole = ui.interact(area, ui.scope_id().with("mode"), Sense::focusable_noninteractive());
    adjust_choice(ui, &whole, bindings, "mode");
    let Some(control) = bindings.control("mode") else { return };
    tell_choice(ui, &whole, control);
    ui.painter().rect_filled(area, ROUND, PANEL);
    let (count, chosen) = (control.choices().unwrap_or(1), control.choice());
    let choices: Vec<(f32, String)> = (0..count)
        .map(|choice| control.value_of(choice))
        .map(|value| (value, control.text_of(value)))
        .collect();
    for (index, (value, text)) in choices.into_iter().enumerate() {
        let width = area.width() / count as f32;
        let place = Rect::from_min_size(
            pos2(area.left() + width * index as f32, area.top()),
            vec2(width, area.height()),
        );
        if segment(ui, place, &text, index == chosen).clicked() {
            bindings.set("mode", value);
        }
    }
    if whole.has_focus() {
        ui.painter().rect_stroke(area.expand(1.0), ROUND, Stroke::new(1.0, CALL), StrokeKind::Outside);
    }
}

fn segment(ui: &Ui, area: Rect, text: &str, is_chosen: bool) -> Response {
    let response = ui.interact(area, ui.scope_id().with(("segment", text)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, text));
    let (fill, ink) = match is_chosen {
        true => (TEXT, GROUND),
        false if response.hovered() || response.has_focus() => (HOVERED, Color32::WHITE),
        false => (PANEL, QUIET),
    };
    ui.painter().rect_filled(area.shrink(2.0), CornerRadius::same(5), fill);
    write(ui.painter(), area, Align2::CENTER_CENTER, text, BODY, ink);
    response.on_hover_text(hint("mode"))
}

fn choose_model(ui: &Ui, area: Rect, bindings: &mut Bindings, view: &View) -> Option<Action> {
    let control = bindings.control("model")?;
    let playing = view.own_model.clone().unwrap_or_else(|| control.text());
    let (count, embedded) = (control.choices().unwrap_or(0), control.choice());
    let names: Vec<String> = (0..count).map(|choice| control.text_of(control.value_of(choice))).collect();
    let response = opener(ui, area, &control.name(), &playing, Some("Model"));
    let mut action = None;
    Popup::menu(&response).show(|ui| {
        ui.set_min_width(area.width() - 2.0 * GAP);
        for (index, name) in names.iter().enumerate() {
            let plays = view.own_model.is_none() && index == embedded;
            if ui.selectable_label(plays, name).clicked() {
                action = Some(Action::Embedded(index));
            }
        }
        ui.separator();
        for (index, name) in view.personal_models.iter().enumerate() {
            if ui.selectable_label(view.own_model.as_ref() == Some(name), name).clicked() {
                action = Some(Action::Personal(index));
            }
        }
        if let Some(own) = view.own_model.as_ref().filter(|own| !view.personal_models.contains(own)) {
            let _ = ui.selectable_label(true, own);
        }
        if ui.button("Load a file...").clicked() {
            action = Some(Action::LoadModel);
        }
        action = offer_learning(ui, view).or(action);
    });
    if response.clicked() {
        action = Some(Action::ListModels);
    }
    if view.own_model.is_none() {
        adjust_choice(ui, &response, bindings, "model");
    }
    response.on_hover_text(hint("model"));
    action
}

/// Offers the actions of a personal model in its present state: make, stop, keep.
fn offer_learning(ui: &mut Ui, view: &View) -> Option<Action> {
    if let LearnerStatus::Running { percent, likelier } = &view.learning {
        ui.label(format!("Learning: {percent} %, notes {likelier} % likelier"));
        return ui.button("Stop learning").clicked().then_some(Action::StopLearning);
    }
    let mut action = None;
    if let LearnerStatus::Finished { likelier } = &view.learning
        && ui.button(format!("Play like me: notes {likelier} % likelier")).clicked()
    {
        action = Some(Action::KeepLearnt);
    }
    let learn = ui.button("Learn from me");
    let learn = learn.on_hover_text(format!("{LEARN} {}.", view.takes.as_deref().unwrap_or("no folder yet")));
    if learn.clicked() { Some(Action::Learn) } else { action }
}

/// A button that opens a menu. It shows what is chosen, after a `lead` in quiet letters that says what it is
/// for.
fn opener(ui: &Ui, area: Rect, label: &str, text: &str, lead: Option<&str>) -> Response {
    let response = ui.interact(area, ui.scope_id().with(("opener", label)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, label));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(text));
    let is_lit = response.hovered() || response.has_focus();
    ui.painter().rect_filled(area, SLIGHTLY_ROUND, if is_lit { HOVERED } else { RAISED });
    let mut inside = area.shrink2(vec2(8.0, 0.0));
    inside.max.x -= 12.0;
    if let Some(lead) = lead {
        let written = write(ui.painter(), inside, Align2::LEFT_CENTER, lead, SMALL, QUIET);
        inside.min.x = written.right() + 6.0;
    }
    write(ui.painter(), inside, Align2::LEFT_CENTER, text, BODY, TEXT);
    draw_arrow(ui.painter(), pos2(area.right() - 12.0, area.center().y), QUIET);
    response
}

/// Draws the foot into `area`; returns what was pressed.
pub fn draw_footer(ui: &Ui, area: Rect, bindings: &mut Bindings, view: &View) -> Option<Action> {
    let ready = |is_ready| if is_ready { Ready::Yes } else { Ready::NotYet };
    let buttons = [
        ("Save take", ready(view.has_take), Action::SaveTake, "Writes all that was played into a MIDI file."),
        (
            "Save last answer",
            ready(view.has_answer),
            Action::SaveAnswer,
            "Writes the newest answer into a MIDI file.",
        ),
        (
            "Copy path",
            ready(view.has_path),
            Action::CopyPath,
            "Copies the path of the file that was saved last.",
        ),
        (
            "Show in folder",
            ready(view.has_path),
            Action::ShowFolder,
            "Shows the folder of the file that was saved last.",
        ),
    ];
    let mut left = area.left();
    let mut action = None;
    for (text, ready, means, hint) in buttons {
        let place =
            Rect::from_min_size(pos2(left, area.top()), vec2(button_width(ui, text, SMALL), area.height()));
        if button(ui, place, text, SMALL, ready, hint).clicked() {
            action = Some(means);
        }
        left = place.right() + GAP;
    }
    left += GAP;
    for id in PRESSED_SELDOM {
        let Some(name) = bindings.control(id).map(|control| control.name()) else { continue };
        let place =
            Rect::from_min_size(pos2(left, area.top()), vec2(button_width(ui, &name, SMALL), area.height()));
        momentary(ui, place, bindings, id, SMALL, hint(id));
        left = place.right() + GAP;
    }
    let (sentence, colour) = health_line(&view.health);
    let place = write(ui.painter(), area.with_min_x(left), Align2::RIGHT_CENTER, &sentence, SMALL, colour);
    let told = ui.interact(place, ui.scope_id().with("health"), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Status, true, &sentence));
    action
}

/// The line on the plugin's health, and its colour.
fn health_line(health: &Health) -> (String, Color32) {
    let mut parts = vec![health.model.clone()];
    if let Some(step) = health.step.filter(|step| step.0 >= LEAST_STEP.0) {
        parts.push(format!("{:.1} ms a note", step.0 * 1000.0));
    }
    if let Some(worker) = health.worker {
        parts.push(format!("{:.0} % of a core", worker * 100.0));
    }
    if health.late > 0 {
        parts.push(counted(health.late, "note late", "notes late"));
    }
    if health.lost > 0 {
        parts.push(counted(health.lost, "event lost", "events lost"));
    }
    if health.faults > 0 {
        parts.push(counted(health.faults, "fault survived", "faults survived"));
    }
    let is_well = health.late == 0 && health.lost == 0 && health.faults == 0;
    (parts.join("  ·  "), if is_well { QUIET } else { ALERT })
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_plain_while_all_is_well_and_counts_what_is_not() {
        let well = Health {
            model: "antiphon".to_owned(),
            step: Some(Seconds(0.000_41)),
            worker: Some(0.031),
            ..Health::default()
        };
        assert_eq!(health_line(&well), ("antiphon  ·  0.4 ms a note  ·  3 % of a core".to_owned(), QUIET));
        let late = Health { late: 1, lost: 2, faults: 1, ..well };
        let (sentence, colour) = health_line(&late);
        assert!(sentence.ends_with("1 note late  ·  2 events lost  ·  1 fault survived"), "{sentence}");
        assert_eq!(colour, ALERT);
    }
}
