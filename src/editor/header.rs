//! The head of the window: presets, the game, the model, and whether anything is heard or answered at all.

use egui::{
    Align2, AtomExt as _, Button, Color32, CornerRadius, Popup, Rect, Response, RichText, Sense, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::{
    binding::Bindings,
    control_input::adjust_choice,
    controls::hint,
    style::{
        BODY, CALL, GAP, GROUND, HOVERED, PANEL, QUIET, RAISED, ROUND, SLIGHTLY_ROUND, SMALL, TEXT, TITLE,
        write,
    },
    view::{Action, View},
    widgets::{Use, draw_arrow, show_row, tell_choice},
};
use crate::{learner::LearnerStatus, presets::PRESETS};

const NAME_WIDTH: f32 = 92.0;
const PRESETS_WIDTH: f32 = 96.0;
const MODE_WIDTH: f32 = 280.0;
const MODEL_WIDTH: f32 = 210.0;
const SOUND_WIDTH: f32 = 78.0;
const LISTEN_WIDTH: f32 = 78.0;
const BYPASS_WIDTH: f32 = 84.0;
/// A preset and the sentence on what it is good for stand side by side.
const MENU_WIDTH: f32 = 560.0;
const LEARN: &str = "Makes a model your own from your saved takes, the take of now, and MIDI files that you have put beside them. It \
                     learns in the background, and all of it stays in your folder of takes.";
const PRESET_NAME: Vec2 = vec2(120.0, 18.0);

/// Draws the head into `area`; gives what was chosen.
pub fn draw(ui: &mut Ui, area: Rect, bindings: &mut Bindings, view: &View) -> Option<Action> {
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

/// The games stand side by side, since the game is what a player sees first.
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
        if let Some(own) = &view.own_model {
            let _ = ui.selectable_label(true, own);
        }
        if ui.button("Load a file...").clicked() {
            action = Some(Action::LoadModel);
        }
        action = offer_learning(ui, &view.learning).or(action);
    });
    if view.own_model.is_none() {
        adjust_choice(ui, &response, bindings, "model");
    }
    response.on_hover_text(hint("model"));
    action
}

/// What can be asked of a model that learns from the player.
fn offer_learning(ui: &mut Ui, learning: &LearnerStatus) -> Option<Action> {
    if let LearnerStatus::Running { percent, likelier } = learning {
        ui.label(format!("Learning: {percent} %, notes {likelier} % likelier"));
        return ui.button("Stop learning").clicked().then_some(Action::StopLearning);
    }
    let mut action = None;
    if let LearnerStatus::Finished { likelier, .. } = learning
        && ui.button(format!("Play like me: notes {likelier} % likelier")).clicked()
    {
        action = Some(Action::LoadLearnt);
    }
    let learn = ui.button("Learn from me").on_hover_text(LEARN);
    if learn.clicked() { Some(Action::Learn) } else { action }
}

/// A button that opens a menu: what it is for in quiet letters, where that is to be said, and what is chosen.
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
