//! Tests of the layout: nothing is missing, cut off or overlapped by something else, at any size.

use std::sync::Arc;

use egui::{Rect, Shape, Vec2, epaint::ClippedShape};
use egui_kittest::kittest::{NodeT, Queryable};
use nice_plug::{
    editor::{Editor, dpi::NativeSize},
    params::{Params, internals::ParamPtr},
};

use super::{Rig, busy};
use crate::{
    editor::{
        SizedEditor,
        controls::{hint, placed},
        view::{TurnState, View},
        window::{SMALLEST_SIZE, USUAL_SIZE},
    },
    instance::Instance,
    params::AntiphonParams,
};

/// The buttons that are no parameters.
const BUTTONS: [&str; 6] =
    ["Presets", "Save take", "Save last answer", "Copy path", "Show in folder", "Close"];

/// A text on the window.
struct Text {
    words: String,
    place: Rect,
    clip: Rect,
    is_cut: bool,
}

/// The names of every parameter and every button.
fn names() -> Vec<String> {
    let params = AntiphonParams::with_sound();
    // SAFETY: the parameters live as long as the names are read.
    let name = |pointer: ParamPtr| unsafe { pointer.name() }.to_owned();
    let parameters = params.param_map().into_iter().map(|(_, pointer, _)| name(pointer));
    parameters.chain(BUTTONS.map(str::to_owned)).collect()
}

fn texts(rig: &Rig) -> Vec<Text> {
    let mut texts = Vec::new();
    for ClippedShape { clip_rect, shape, .. } in &rig.harness.output().shapes {
        collect(shape, *clip_rect, &mut texts);
    }
    texts
}

fn collect(shape: &Shape, clip: Rect, texts: &mut Vec<Text>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, texts)),
        Shape::Text(text) if !text.galley.text().trim().is_empty() => texts.push(Text {
            words: text.galley.text().to_owned(),
            place: text.galley.mesh_bounds.translate(text.pos.to_vec2()),
            clip,
            is_cut: text.galley.elided,
        }),
        _ => {}
    }
}

#[test]
fn every_parameter_and_every_button_is_there_once_at_every_size() {
    for (size, rig) in Rig::all_sizes(busy) {
        let window = rig.harness.ctx.content_rect();
        for name in names() {
            let found: Vec<Rect> = rig.harness.query_all_by_label(&name).map(|node| node.rect()).collect();
            assert_eq!(found.len(), 1, "{size}: {name} is found {} times", found.len());
            let place = found[0];
            assert!(
                window.contains_rect(place),
                "{size}: {name} lies at {place:?}, partly outside {window:?}"
            );
            assert!(
                place.width() >= 30.0 && place.height() >= 16.0,
                "{size}: {name} is too small: {place:?}"
            );
        }
    }
}

#[test]
fn no_control_lies_over_another_at_any_size() {
    for (size, rig) in Rig::all_sizes(busy) {
        let names = names();
        let places: Vec<(&String, Rect)> =
            names.iter().map(|name| (name, rig.find(name).rect().shrink(0.5))).collect();
        for (index, (name, place)) in places.iter().enumerate() {
            for (other, elsewhere) in &places[index + 1..] {
                assert!(!place.intersects(*elsewhere), "{size}: {name} {place:?} and {other} {elsewhere:?}");
            }
        }
    }
}

#[test]
fn no_word_is_cut_off_or_written_over_another_at_any_size() {
    // The longest words of the turn, and the longest name of a key.
    let coming_in = || View { turn: TurnState::Cued, key: Some("A# minor".to_owned()), ..busy() };
    for (size, rig) in Rig::all_sizes(busy).chain(Rig::all_sizes(coming_in)) {
        let texts = texts(&rig);
        let window = rig.harness.ctx.content_rect();
        assert!(texts.len() > 80, "{size}: {} texts", texts.len());
        for (index, text) in texts.iter().enumerate() {
            let Text { words, place, clip, is_cut } = text;
            assert!(!is_cut, "{size}: \"{words}\" is cut off");
            let seen = clip.intersect(window).expand(0.5);
            assert!(seen.contains_rect(*place), "{size}: \"{words}\" is only partly seen");
            for other in &texts[index + 1..] {
                let apart = place.shrink(0.5).intersect(other.place.shrink(0.5));
                assert!(!apart.is_positive(), "{size}: \"{words}\" and \"{}\" overlap", other.words);
            }
        }
    }
}

/// Every choice has room for its longest name, and every number for its longest text.
#[test]
fn every_value_of_every_control_has_room() {
    for (size, mut rig) in Rig::all_sizes(busy) {
        let ids: Vec<String> = rig.params.param_map().into_iter().map(|(id, ..)| id).collect();
        for part in 0..=14 {
            for id in &ids {
                rig.harness.state_mut().bindings.set(id, part as f32 / 14.0);
            }
            rig.harness.run_steps(2);
            for Text { words, is_cut, .. } in texts(&rig) {
                assert!(!is_cut, "{size}: \"{words}\" is cut off");
            }
        }
    }
}

/// Whether these words stand on the window.
fn says(rig: &Rig, words: &str) -> bool {
    texts(rig).iter().any(|text| text.words.contains(words))
}

#[test]
fn an_empty_window_says_in_three_steps_what_to_do_until_the_first_answer() {
    for (size, rig) in Rig::all_sizes(View::empty) {
        for step in ["Play a phrase", "Lift your hands", "Antiphon answers"] {
            assert!(says(&rig, step), "{size}: {step}");
        }
        assert!(texts(&rig).iter().all(|text| !text.is_cut), "{size}");
    }
    assert!(!says(&Rig::new(busy()), "Play a phrase"));
}

#[test]
fn who_hears_nothing_is_told_why() {
    let mut rig = Rig::new(View::empty());
    assert!(!says(&rig, "sound"), "its sound is on");
    rig.harness.state_mut().bindings.set("sound", 0.0);
    rig.harness.run_steps(2);
    assert!(says(&rig, "turn Sound on"));
    assert!(says(&Rig::of_note_effect(View::empty()), "put an instrument behind it"));
}

#[test]
fn who_asks_for_bars_where_no_song_runs_is_told_to_press_play() {
    let mut rig = Rig::new(View { song_runs: false, ..busy() });
    assert!(!says(&rig, "press play"), "nothing asks for a beat");
    rig.harness.state_mut().bindings.set_text("mode", "Trade");
    rig.harness.run_steps(2);
    assert!(says(&rig, "press play"));
    rig.harness.state_mut().view.song_runs = true;
    rig.harness.run_steps(2);
    assert!(!says(&rig, "press play"));
}

#[test]
fn every_control_says_in_a_sentence_what_it_does() {
    let params = AntiphonParams::with_sound();
    for (id, ..) in params.param_map() {
        let hint = hint(&id);
        assert!(hint.ends_with('.') && hint.len() > 10, "{id}: \"{hint}\"");
    }
}

#[test]
fn every_parameter_has_a_place_in_a_group_and_no_place_is_empty() {
    let params = AntiphonParams::with_sound();
    let ids: Vec<String> = params.param_map().into_iter().map(|(id, ..)| id).collect();
    let placed: Vec<&str> = placed().collect();
    for id in &ids {
        assert_eq!(placed.iter().filter(|placed| *placed == id).count(), 1, "{id}");
    }
    for place in placed {
        assert!(ids.iter().any(|id| id == place), "{place} is no parameter");
    }
}

#[test]
fn whoever_cannot_see_the_window_hears_the_same_from_it() {
    let rig = Rig::new(busy());
    let value = |name| rig.find(name).accesskit_node().value();
    assert_eq!(value("Patience").as_deref(), Some("75 %"));
    assert_eq!(value("Cue").as_deref(), Some("Silence"));
    assert_eq!(value("Model").as_deref(), Some("antiphon"));
    assert!(rig.harness.query_by_label("Antiphon plays").is_some());
    assert!(rig.harness.query_by_label_contains("Saved /home").is_some());
    assert!(rig.harness.query_by_label_contains("2 notes late").is_some());
}

fn editor() -> (Instance, SizedEditor) {
    let instance = Instance::new(Arc::default());
    let editor = SizedEditor::new(instance.clone());
    (instance, editor.expect("an editor"))
}

fn size(editor: &SizedEditor) -> [u32; 2] {
    let NativeSize { width, height, .. } = editor.size();
    [width, height]
}

fn whole(size: Vec2) -> [u32; 2] {
    [size.x as u32, size.y as u32]
}

#[test]
fn the_window_opens_in_the_size_of_the_project_and_never_too_small() {
    let (instance, editor) = editor();
    assert_eq!(size(&editor), whole(USUAL_SIZE));
    instance.params.window_size.put([1400, 900]);
    assert_eq!(size(&editor), [1400, 900]);
    instance.params.window_size.put([10, 10]);
    assert_eq!(size(&editor), whole(SMALLEST_SIZE));
}

#[test]
fn a_project_saved_without_a_size_opens_in_the_usual_one() {
    let (instance, editor) = editor();
    let mut fields = instance.params.serialize_fields();
    assert!(fields.remove("window-size").is_some());
    instance.params.deserialize_fields(&fields);
    assert_eq!(size(&editor), whole(USUAL_SIZE));
    fields.insert("window-size".to_owned(), "[1300,800]".to_owned());
    instance.params.deserialize_fields(&fields);
    assert_eq!(size(&editor), [1300, 800]);
}
