//! Tests of mouse and keyboard input on the controls, and of the gestures that the host is told.

use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, vec2};
use egui_kittest::kittest::Queryable;

use super::{Gesture, Rig, busy};
use crate::{
    editor::view::{Action, View},
    learner::LearnerStatus,
    params::presets::PRESETS,
};

fn value(rig: &Rig, id: &str) -> f32 {
    rig.harness.state().bindings.control(id).map_or(f32::NAN, |control| control.value())
}

fn text(rig: &Rig, id: &str) -> String {
    rig.harness.state().bindings.control(id).map_or(String::new(), |control| control.text())
}

fn at(rig: &Rig, name: &str) -> Pos2 {
    rig.find(name).rect().center() - vec2(0.0, 12.0_f32.min(rig.find(name).rect().height() / 2.0 - 2.0))
}

fn button(rig: &mut Rig, pos: Pos2, pressed: bool) {
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    rig.harness.event(Event::PointerButton { pos, button, pressed, modifiers });
    rig.harness.step();
}

fn drag(rig: &mut Rig, from: Pos2, way: egui::Vec2, modifiers: Modifiers) {
    rig.harness.event(Event::ModifiersChanged(modifiers));
    rig.harness.event(Event::PointerMoved(from));
    rig.harness.step();
    button(rig, from, true);
    for part in 1..=4 {
        rig.harness.event(Event::PointerMoved(from + way * part as f32 / 4.0));
        rig.harness.step();
    }
    button(rig, from + way, false);
    rig.harness.event(Event::ModifiersChanged(Modifiers::NONE));
    rig.harness.run_steps(2);
}

fn double_click(rig: &mut Rig, pos: Pos2) {
    rig.harness.event(Event::PointerMoved(pos));
    rig.harness.step();
    for pressed in [true, false, true, false] {
        button(rig, pos, pressed);
    }
    rig.harness.run_steps(2);
}

#[test]
fn a_drag_is_one_gesture_of_the_host() {
    for (name, id, way) in [("Patience", "patience", vec2(0.0, 60.0)), ("Seed", "seed", vec2(60.0, 0.0))] {
        let mut rig = Rig::new(View::empty());
        let from = at(&rig, name);
        let before = value(&rig, id);
        drag(&mut rig, from, way, Modifiers::NONE);
        let told = rig.told(id);
        assert!((value(&rig, id) - before).abs() > 0.1, "{name} moves: {before} to {}", value(&rig, id));
        assert_eq!((told.first(), told.last()), (Some(&Gesture::Begin), Some(&Gesture::End)), "{name}");
        let inner = &told[1..told.len() - 1];
        assert!(
            !inner.is_empty() && inner.iter().all(|gesture| matches!(gesture, Gesture::Set(_))),
            "{told:?}"
        );
    }
}

#[test]
fn a_drag_with_shift_is_ten_times_finer() {
    let moved = |modifiers| {
        let mut rig = Rig::new(View::empty());
        let (from, before) = (at(&rig, "Temperature"), value(&rig, "temperature"));
        drag(&mut rig, from, vec2(0.0, -40.0), modifiers);
        value(&rig, "temperature") - before
    };
    let (coarse, fine) = (moved(Modifiers::NONE), moved(Modifiers::SHIFT));
    assert!(fine > 0.0 && (coarse / fine - 10.0).abs() < 0.5, "{coarse} and {fine}");
}

#[test]
fn a_double_click_resets_in_one_gesture() {
    for (name, id) in [("Patience", "patience"), ("Polyphony", "polyphony")] {
        let mut rig = Rig::new(View::empty());
        let default = value(&rig, id);
        rig.harness.state_mut().bindings.set(id, 0.1);
        rig.told(id);
        rig.harness.run_steps(2);
        let pos = at(&rig, name);
        double_click(&mut rig, pos);
        assert_eq!(value(&rig, id), default, "{name}");
        assert_eq!(rig.told(id), [Gesture::Begin, Gesture::Set(default), Gesture::End], "{name}");
    }
}

#[test]
fn the_wheel_steps_what_lies_under_the_pointer() {
    let mut rig = Rig::new(View::empty());
    for (name, id, up) in [("Memory", "memory", -1.0), ("Scale", "scale", 1.0), ("Swing", "swing", 1.0)] {
        let (pos, before) = (at(&rig, name), value(&rig, id));
        rig.harness.event(Event::PointerMoved(pos));
        rig.harness.step();
        rig.harness.event(Event::MouseWheel {
            unit: MouseWheelUnit::Line,
            delta: vec2(0.0, up),
            modifiers: Modifiers::NONE,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
        });
        rig.harness.run_steps(2);
        let moved = value(&rig, id) - before;
        assert!(moved * up > 0.0 && moved.abs() < 0.1, "{name} moves by {moved}");
        let told = rig.told(id);
        assert!(matches!(told[..], [Gesture::Begin, Gesture::Set(_), Gesture::End]), "{name}: {told:?}");
    }
}

#[test]
fn a_value_can_be_typed_after_a_click_on_it() {
    let mut rig = Rig::new(View::empty());
    for (name, id, typed, shown) in
        [("Patience", "patience", "40", "40 %"), ("Register low", "register-low", "C3", "C3")]
    {
        let place = rig.find(name).rect();
        let words = match name {
            "Patience" => place.center_bottom() - vec2(0.0, 9.0),
            _ => place.right_center() - vec2(8.0, 2.0),
        };
        drag(&mut rig, words, vec2(0.0, 0.0), Modifiers::NONE);
        let called = format!("{name}, value");
        let field = rig.find(&called);
        assert!(field.is_focused(), "{name}");
        field.type_text(typed);
        rig.harness.run_steps(2);
        rig.harness.key_press(Key::Enter);
        rig.harness.run_steps(3);
        assert_eq!(text(&rig, id), shown);
        assert!(
            rig.harness.query_by_label(&format!("{name}, value")).is_none(),
            "the field of {name} closes"
        );
    }
}

#[test]
fn what_means_nothing_is_not_taken_and_escape_drops_what_was_typed() {
    let mut rig = Rig::new(View::empty());
    for (typed, key) in [("many", Key::Enter), ("10", Key::Escape)] {
        rig.find("Patience").focus();
        rig.harness.run_steps(2);
        rig.harness.key_press(Key::Enter);
        rig.harness.run_steps(2);
        rig.find("Patience, value").type_text(typed);
        rig.harness.run_steps(2);
        rig.harness.key_press(key);
        rig.harness.run_steps(3);
        assert_eq!(text(&rig, "patience"), "75 %");
        assert!(rig.told("patience").is_empty());
    }
}

#[test]
fn typing_on_a_control_that_has_the_focus_begins_its_value() {
    let mut rig = Rig::new(View::empty());
    rig.find("Length").focus();
    rig.harness.run_steps(2);
    for letter in ["1", "2"] {
        rig.harness.event(Event::Text(letter.to_owned()));
        rig.harness.run_steps(2);
    }
    rig.harness.key_press(Key::Enter);
    rig.harness.run_steps(3);
    assert_eq!(text(&rig, "length"), "12.00 beats");
}

#[test]
fn every_control_is_reached_and_worked_by_the_keyboard_alone() {
    let mut rig = Rig::new(View::empty());
    for (name, id) in [("Temperature", "temperature"), ("Seed", "seed"), ("Mode", "mode"), ("Cue", "cue")] {
        rig.find(name).focus();
        rig.harness.run_steps(2);
        let before = value(&rig, id);
        rig.harness.key_press(Key::ArrowUp);
        rig.harness.run_steps(2);
        assert!(value(&rig, id) > before, "{name}");
        assert!(rig.find(name).is_focused(), "arrows stay on {name}");
        rig.harness.key_press(Key::End);
        rig.harness.run_steps(2);
        assert_eq!(value(&rig, id), 1.0, "{name}");
        rig.harness.key_press(Key::Delete);
        rig.harness.run_steps(2);
        assert_eq!(value(&rig, id), before, "{name} is reset");
    }
    rig.find("Thru").focus();
    rig.harness.run_steps(2);
    rig.harness.key_press(Key::Space);
    rig.harness.run_steps(2);
    assert_eq!(text(&rig, "thru"), "Off");
}

#[test]
fn tab_goes_through_all_controls() {
    let mut rig = Rig::new(busy());
    let names = ["Mode", "Model", "Re-roll", "Patience", "Cue", "Temperature", "Output channel", "Save take"];
    let mut reached: Vec<&str> = Vec::new();
    for _ in 0..120 {
        rig.harness.key_press(Key::Tab);
        rig.harness.run_steps(2);
        reached.extend(names.iter().filter(|name| rig.find(name).is_focused()));
    }
    for name in names {
        assert!(reached.contains(&name), "{name} is not reached: {reached:?}");
    }
}

#[test]
fn a_menu_sets_what_is_chosen_in_it() {
    let mut rig = Rig::new(View::empty());
    rig.find("Scale").click();
    rig.harness.run_steps(3);
    rig.find("Dorian").click();
    rig.harness.run_steps(3);
    assert_eq!(text(&rig, "scale"), "Dorian");
    assert_eq!(rig.told("scale").len(), 3);
}

#[test]
fn a_press_of_panic_goes_down_and_comes_up_again() {
    let mut rig = Rig::new(View::empty());
    rig.find("Panic").click();
    rig.harness.run_steps(2);
    assert_eq!(value(&rig, "panic"), 1.0);
    rig.harness.run_steps(40);
    assert_eq!(value(&rig, "panic"), 0.0);
}

#[test]
fn what_is_no_parameter_is_asked_of_the_window() {
    let mut rig = Rig::new(busy());
    for (name, action) in [
        ("Save take", Action::SaveTake),
        ("Save last answer", Action::SaveAnswer),
        ("Copy path", Action::CopyPath),
        ("Show in folder", Action::ShowFolder),
        ("Close", Action::Dismiss),
    ] {
        rig.find(name).click();
        rig.harness.run_steps(2);
        assert_eq!(rig.harness.state_mut().actions.pop(), Some(action), "{name}");
    }
    for (menu, choice, action) in [
        ("Presets", PRESETS[1].name, Action::Preset(1)),
        ("Model", "Load a file...", Action::LoadModel),
        ("Model", "classic-150", Action::Embedded(2)),
        ("Model", "Learn from me", Action::Learn),
        ("Model", "me 2", Action::Personal(1)),
    ] {
        rig.find(menu).click();
        rig.harness.run_steps(3);
        rig.find(choice).click();
        rig.harness.run_steps(3);
        assert_eq!(rig.harness.state_mut().actions.pop(), Some(action), "{choice}");
    }
}

#[test]
fn what_learns_can_be_stopped_and_what_was_learnt_can_be_played() {
    let learns = LearnerStatus::Running { percent: 40, likelier: 5 };
    let learnt = LearnerStatus::Finished { likelier: 12 };
    for (learning, choice, action) in [
        (learns, "Stop learning", Action::StopLearning),
        (learnt, "Play like me: notes 12 % likelier", Action::KeepLearnt),
    ] {
        let mut rig = Rig::new(View { learning, ..busy() });
        rig.find("Model").click();
        rig.harness.run_steps(3);
        rig.find(choice).click();
        rig.harness.run_steps(3);
        assert_eq!(rig.harness.state_mut().actions.pop(), Some(action), "{choice}");
    }
}

#[test]
fn nothing_can_be_saved_before_anything_was_played() {
    let mut rig = Rig::new(View::empty());
    for name in ["Save take", "Save last answer", "Copy path", "Show in folder"] {
        rig.find(name).click();
        rig.harness.run_steps(2);
    }
    assert!(rig.harness.state().actions.is_empty());
}

#[test]
fn a_preset_moves_what_it_changes_by_gestures_and_nothing_else() {
    let mut rig = Rig::new(View::empty());
    let before: Vec<(String, f32)> = {
        let bindings = &rig.harness.state().bindings;
        bindings.controls().map(|control| (control.id().to_owned(), control.value())).collect()
    };
    let values = PRESETS[1].values(&rig.params);
    rig.harness.state_mut().bindings.apply(&values);
    for (id, old) in before {
        let (new, told) = (value(&rig, &id), rig.told(&id).len());
        assert_eq!(told, if new == old { 0 } else { 3 }, "{id}");
    }
}
