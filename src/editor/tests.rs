//! Tests of the window without a host, with a stand-in that only takes gestures: mouse, keyboard and screen
//! reader.

mod hands;
mod looks;

use std::sync::Arc;

use egui::{CentralPanel, Frame, Vec2};
use egui_kittest::{Harness, Node, kittest::Queryable};
use nice_plug::{
    context::{
        PluginApi,
        gui::{GuiContext, GuiContextInner},
    },
    params::internals::ParamPtr,
    plugin::PluginState,
};
use parking_lot::Mutex;

use super::{
    binding::Bindings,
    style::{self, GROUND},
    view::{Action, Health, Notice, PlannedRollNote, RollLine, RollNote, Side, Tone, TurnState, View},
    window::{self, SMALLEST_SIZE, USUAL_SIZE},
};
use crate::{
    music::{
        note::{Key, Velocity},
        time::{Moment, Seconds},
    },
    params::AntiphonParams,
    take::LineKind,
};

/// Time from one frame to the next, in seconds.
const FRAME_S: f32 = 1.0 / 60.0;

/// What a host is told during a gesture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gesture {
    Begin,
    Set(f32),
    End,
}

/// What a window shows, and the action that was asked for.
struct WindowState {
    view: View,
    bindings: Bindings,
    actions: Vec<Action>,
}

/// A window in a test.
struct Rig {
    harness: Harness<'static, WindowState>,
    params: Arc<AntiphonParams>,
    told: Arc<GestureLog>,
}

/// The host's side: it takes every gesture at once and keeps it.
#[derive(Default)]
struct GestureLog(Mutex<Vec<(ParamPtr, Gesture)>>);

impl GuiContextInner for GestureLog {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
        self.0.lock().push((param, Gesture::Begin));
    }

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        // SAFETY: the parameters live as long as the rig.
        unsafe { param._internal_set_normalized_value(normalized) };
        self.0.lock().push((param, Gesture::Set(normalized)));
    }

    unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
        self.0.lock().push((param, Gesture::End));
    }

    fn get_state(&self) -> PluginState {
        PluginState { version: String::new(), params: Default::default(), fields: Default::default() }
    }

    fn set_state(&self, _: PluginState) {}

    fn request_restart(&self) {}
}

impl Rig {
    /// A window of the usual size.
    fn new(view: View) -> Self {
        Self::sized(view, USUAL_SIZE, 1.0)
    }

    /// A window of the usual size, for a plugin without a sound of its own.
    fn of_note_effect(view: View) -> Self {
        Self::with(AntiphonParams::default(), view, USUAL_SIZE, 1.0)
    }

    /// A window of a size in points, on a screen with `scale` pixels to a point.
    fn sized(view: View, size: Vec2, scale: f32) -> Self {
        Self::with(AntiphonParams::with_sound(), view, size, scale)
    }

    fn with(params: AntiphonParams, view: View, size: Vec2, scale: f32) -> Self {
        let (params, told) = (Arc::new(params), Arc::<GestureLog>::default());
        let bindings = Bindings::new(params.clone(), GuiContext::new(told.clone()));
        let mut is_dressed = false;
        let mut harness = Harness::builder()
            .with_step_dt(FRAME_S)
            .with_size(size)
            .with_pixels_per_point(scale)
            .build_ui_state(
                move |ui, state: &mut WindowState| {
                    if !std::mem::replace(&mut is_dressed, true) {
                        style::dress(ui.ctx());
                    }
                    let action = CentralPanel::default()
                        .frame(Frame::new().fill(GROUND))
                        .show(ui, |ui| window::draw(ui, &state.view, &mut state.bindings))
                        .inner;
                    state.actions.extend(action);
                },
                WindowState { view, bindings, actions: Vec::new() },
            );
        harness.run_steps(3);
        Self { harness, params, told }
    }

    /// All sizes at which nothing may be missing: 100 %, 150 % and 200 % of the usual one, and of the smallest.
    fn all_sizes(view: impl Fn() -> View) -> impl Iterator<Item = (String, Self)> {
        let sizes = [("usual", USUAL_SIZE), ("smallest", SMALLEST_SIZE)];
        let scales = [1.0, 1.5, 2.0];
        sizes
            .into_iter()
            .flat_map(move |(name, size)| scales.map(|scale| (name, size, scale)))
            .map(move |(name, size, scale)| (format!("{name} at {scale}"), Self::sized(view(), size, scale)))
    }

    /// The one widget of this name.
    fn find<'a>(&'a self, name: &'a str) -> Node<'a> {
        self.harness.get_by_label(name)
    }

    /// The gestures on the parameter with this name since the last call.
    fn told(&self, id: &str) -> Vec<Gesture> {
        use nice_plug::params::Params;
        let map = self.params.param_map();
        let wanted = map.iter().find(|(known, ..)| known == id).map(|(_, pointer, _)| *pointer);
        let mut all = self.told.0.lock();
        let is_wanted = |(pointer, _): &mut (ParamPtr, Gesture)| Some(*pointer) == wanted;
        all.extract_if(.., is_wanted).map(|(_, gesture)| gesture).collect()
    }
}

/// Music in the middle of an answer, with everything that a window may have to show.
fn busy() -> View {
    let note = |side, key: u8, onset: f64, end: Option<f64>| RollNote {
        side,
        key: Key::saturating(key),
        velocity: Velocity::saturating(90),
        onset: Moment(onset),
        end: end.map(Moment),
    };
    let mut view = View::empty();
    view.now = Moment(20.0);
    view.notes = vec![
        note(Side::Call, 60, 10.0, Some(10.5)),
        note(Side::Call, 64, 11.0, Some(12.0)),
        note(Side::Answer, 67, 15.0, Some(16.5)),
        note(Side::Answer, 72, 19.5, None),
    ];
    view.planned = vec![PlannedRollNote {
        key: Key::saturating(76),
        onset: Moment(21.0),
        duration: Seconds(0.5),
        likely: 0.3,
    }];
    let line = |beat: i32| RollLine {
        at: Moment(f64::from(beat) * 0.5),
        kind: if beat % 4 == 0 { LineKind::Bar(beat / 4) } else { LineKind::Beat },
    };
    view.lines = (16..48).map(line).collect();
    view.turn = TurnState::Plugin { left: Some(Seconds(2.0)), of: Some(Seconds(6.0)) };
    view.song_runs = true;
    view.personal_models = vec!["me".to_owned(), "me 2".to_owned()];
    view.key_probabilities[76] = 0.3;
    view.health = Health {
        model: "antiphon".to_owned(),
        step: Some(Seconds(0.000_4)),
        worker: Some(0.03),
        late: 2,
        lost: 1,
        faults: 0,
    };
    let sentence = "Saved /home/someone/Music/Antiphon/take 2026-11-23 20.15.33.mid".to_owned();
    view.notice = Some(Notice { tone: Tone::Done, sentence });
    (view.has_take, view.has_answer, view.has_path) = (true, true, true);
    view
}
