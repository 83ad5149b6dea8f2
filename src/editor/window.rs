//! The window that the host opens: it observes the instance, draws every part, and carries out what the
//! player asks for.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use egui::{CentralPanel, Context, Frame as Border, Id, Rect, Ui, Vec2, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::{Frame, NiceEguiApp, baseview::HandlerError};
use parking_lot::Mutex;

use super::{
    binding::{Bindings, PRESSED},
    controls, keyboard,
    notifications::{self, Notifications},
    observer::Observer,
    piano_roll,
    style::{self, BODY, GAP, GROUND},
    tasks::Tasks,
    toolbars, turn,
    view::{Action, Notice, Tone, View},
    widgets::momentary,
};
use crate::{
    improviser::key_predictions,
    instance::Instance,
    music::time::Moment,
    params::presets::PRESETS,
    take::{self, Saved},
    user_model::ModelStatus,
};

/// The size of the window when it opens first, in points; below, the smallest in which nothing is cut off.
pub const USUAL_SIZE: Vec2 = Vec2::new(1120.0, 740.0);
pub const SMALLEST_SIZE: Vec2 = Vec2::new(1020.0, 640.0);

const HEADER_HEIGHT: f32 = 34.0;
const TURN_HEIGHT: f32 = 40.0;
const KEYS_HEIGHT: f32 = 62.0;
const FOOTER_HEIGHT: f32 = 28.0;
const NOTICE_HEIGHT: f32 = 30.0;

/// The width of the buttons beside the turn, in points.
const PRESSED_WIDTH: f32 = 190.0;

/// Time between frames while nothing moves, in seconds.
const IDLE_S: f64 = 0.1;
/// Time between frames while something moves, in seconds: 60 frames a second, with a little time to draw.
const MOVING_S: f64 = 0.015;
/// A frame that comes later than requested by more than this took the whole interval to draw, in seconds.
const LATE_S: f64 = 0.008;
/// Longest time between frames on a slow machine, in seconds.
const SLOWEST_S: f64 = 0.25;
/// Number of frames at a longer interval after slow drawing. Then one is drawn sooner, in case drawing is
/// quick again.
const BETWEEN_TRIALS: u32 = 50;

/// The window's content. It lives as long as the plugin.
pub struct Window {
    instance: Instance,
    observer: Observer,
    tasks: Tasks,
    notifications: Notifications,
    /// The file that was saved last.
    saved: Option<PathBuf>,
    /// The personal models that were there when the menu of models was opened.
    models: Vec<PathBuf>,
    /// The folder of the player's takes.
    takes: Option<String>,
    repaint: RepaintTimer,
    open: Weak<Open>,
}

/// What exists only while the window is open. The framework does not tell when the window closes, so this is
/// stored in the window's own egui context and dropped with it.
struct Open {
    bindings: Mutex<Bindings>,
    /// The worker publishes its key predictions for as long as this lives.
    _foresight: key_predictions::Watch,
}

impl Window {
    pub fn new(instance: Instance) -> Self {
        Self {
            observer: Observer::new(instance.clone()),
            instance,
            tasks: Tasks::new(),
            notifications: Notifications::default(),
            saved: None,
            models: Vec::new(),
            takes: take::folder().ok().map(|folder| folder.display().to_string()),
            repaint: RepaintTimer::new(),
            open: Weak::new(),
        }
    }

    /// Collects what there is to show.
    fn view(&mut self, context: &Context) -> View {
        let wall = context.input(|input| input.time);
        let mut view = self.observer.look(wall);
        let model = self.instance.model_status();
        view.own_model = match &model {
            ModelStatus::Own { name } | ModelStatus::Refused { own: Some(name), .. } => Some(name.clone()),
            ModelStatus::Embedded | ModelStatus::Refused { own: None, .. } => None,
        };
        while let Some(finished) = self.tasks.next_finished() {
            self.saved = finished.path.or(self.saved.take());
            self.notifications.tell(finished.notice, wall);
        }
        view.has_path = self.saved.is_some();
        self.notifications.hear(self.instance.telemetry.echoes.count(), wall);
        view.learning = self.instance.learning();
        let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        view.personal_models = self.models.iter().map(name).collect();
        view.takes.clone_from(&self.takes);
        self.notifications.learn(&view.learning, wall);
        view.notice = self.notifications.notice(&model, wall);
        view
    }

    fn carry_out(&mut self, action: Action, context: &Context, bindings: &mut Bindings) {
        let instance = self.instance.clone();
        match action {
            Action::SaveTake => self.tasks.save(context, instance, Saved::Take),
            Action::SaveAnswer => self.tasks.save(context, instance, Saved::LastAnswer),
            Action::CopyPath => {
                if let Some(path) = &self.saved {
                    context.copy_text(path.display().to_string());
                }
            }
            Action::ShowFolder => {
                if let Some(folder) = self.saved.as_ref().and_then(|path| path.parent()) {
                    self.tasks.show(context, folder.to_owned());
                }
            }
            Action::LoadModel => self.tasks.choose_model(context, instance),
            Action::Learn => {
                if let Err(error) = instance.learn() {
                    let wall = context.input(|input| input.time);
                    self.notifications
                        .tell(Notice { tone: Tone::Trouble, sentence: error.to_string() }, wall);
                }
            }
            Action::StopLearning => instance.stop_learning(),
            Action::KeepLearnt => self.tasks.keep_learnt(context, instance),
            Action::ListModels => self.models = instance.personal_models(),
            Action::Personal(index) => {
                if let Some(path) = self.models.get(index) {
                    self.tasks.load_model(context, instance, path.clone());
                }
            }
            Action::Embedded(index) => {
                instance.dismiss_model();
                let value = bindings.control("model").map(|control| control.value_of(index));
                bindings.set("model", value.unwrap_or(0.0));
            }
            Action::Preset(index) => {
                if let Some(preset) = PRESETS.get(index) {
                    bindings.apply(&preset.values(&instance.params));
                }
            }
            Action::Dismiss => self.notifications.dismiss(&self.instance.model_status()),
        }
    }
}

impl NiceEguiApp for Window {
    fn build(&mut self, context: Context, host: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        style::dress(&context);
        frame.set_clear_color(GROUND.into());
        let open = Arc::new(Open {
            bindings: Mutex::new(Bindings::new(self.instance.params.clone(), host)),
            _foresight: self.instance.key_predictions.watch(),
        });
        self.open = Arc::downgrade(&open);
        context.data_mut(|data| data.insert_temp(Id::unique("what is open"), open));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let Some(open) = self.open.upgrade() else { return };
        let view = self.view(ui.ctx());
        let mut bindings = open.bindings.lock();
        let action = CentralPanel::default()
            .frame(Border::new().fill(GROUND))
            .show(ui, |ui| draw(ui, &view, &mut bindings))
            .inner;
        if let Some(action) = action {
            self.carry_out(action, ui.ctx(), &mut bindings);
        }
        self.repaint.request_next(ui.ctx(), &view);
    }
}

/// Draws the window, moves parameters by the input on their controls, and returns what else was asked for.
pub fn draw(ui: &mut Ui, view: &View, bindings: &mut Bindings) -> Option<Action> {
    let layout = WindowLayout::of(ui.max_rect(), controls::height(bindings), view.notice.is_some());
    let chosen = toolbars::draw_header(ui, layout.header, bindings, view);
    turn::draw(ui, layout.turn, view);
    press(ui, layout.pressed, bindings);
    let read = view
        .notice
        .as_ref()
        .zip(layout.notice)
        .and_then(|(notice, area)| notifications::draw(ui, area, notice));
    piano_roll::draw(ui, layout.roll, view);
    turn::draw_first_steps(ui, layout.roll, bindings, view);
    keyboard::draw(ui, layout.keys, view);
    controls::draw(ui, layout.controls, bindings);
    let pressed = toolbars::draw_footer(ui, layout.footer, bindings, view);
    chosen.or(read).or(pressed)
}

/// The large buttons beside the turn, for what is pressed while music plays.
fn press(ui: &Ui, area: Rect, bindings: &mut Bindings) {
    let width = (area.width() - GAP / 2.0) / PRESSED.len() as f32;
    for (index, id) in PRESSED.into_iter().enumerate() {
        let left = area.min + vec2(index as f32 * (width + GAP / 2.0), 0.0);
        let place = Rect::from_min_size(left, vec2(width, area.height()));
        momentary(ui, place, bindings, id, BODY, controls::hint(id));
    }
}

/// One rectangle for each part.
#[derive(Debug, Clone, PartialEq)]
struct WindowLayout {
    header: Rect,
    turn: Rect,
    /// Right of the turn: the buttons that are pressed while music plays.
    pressed: Rect,
    notice: Option<Rect>,
    roll: Rect,
    keys: Rect,
    controls: Rect,
    footer: Rect,
}

impl WindowLayout {
    fn of(window: Rect, controls_height: f32, has_notice: bool) -> Self {
        let inside = window.shrink(GAP);
        let (header, rest) = cut_top(inside, HEADER_HEIGHT);
        let (turn, rest) = cut_top(rest, TURN_HEIGHT);
        let (footer, rest) = cut_bottom(rest, FOOTER_HEIGHT);
        let (controls, rest) = cut_bottom(rest, controls_height);
        let (keys, rest) = cut_bottom(rest, KEYS_HEIGHT);
        let (notice, roll) = match has_notice {
            true => {
                let (notice, roll) = cut_top(rest, NOTICE_HEIGHT);
                (Some(notice), roll)
            }
            false => (None, rest),
        };
        Self {
            header,
            turn: turn.with_max_x(turn.right() - PRESSED_WIDTH - GAP),
            pressed: turn.with_min_x(turn.right() - PRESSED_WIDTH),
            notice,
            roll,
            keys,
            controls,
            footer,
        }
    }
}

fn cut_top(area: Rect, height: f32) -> (Rect, Rect) {
    (area.with_max_y(area.top() + height), area.with_min_y(area.top() + height + GAP))
}

fn cut_bottom(area: Rect, height: f32) -> (Rect, Rect) {
    (area.with_min_y(area.bottom() - height), area.with_max_y(area.bottom() - height - GAP))
}

/// When the window is drawn again: 60 times a second while something moves, seldom while nothing does, and
/// never so often that drawing takes more than about half of a core from the audio.
#[derive(Debug)]
struct RepaintTimer {
    last: Option<Moment>,
    /// When the last frame was begun, in seconds of the window's time, and the rest that was asked for after
    /// it.
    before: Option<(f64, f64)>,
    rest: f64,
    /// Number of frames to draw before the next trial of a shorter rest.
    until_trial: u32,
}

impl RepaintTimer {
    fn new() -> Self {
        Self { last: None, before: None, rest: MOVING_S, until_trial: 0 }
    }

    /// Requests the next frame.
    fn request_next(&mut self, context: &Context, view: &View) {
        let moves = self.last.replace(view.now) != Some(view.now) && view.has_anything();
        let rest = self.rest_after(context.input(|input| input.time), moves);
        context.request_repaint_after(Duration::from_secs_f64(rest));
    }

    /// How long to rest after a frame that was begun at `wall` seconds, in seconds.
    fn rest_after(&mut self, wall: f64, moves: bool) -> f64 {
        if let Some((begun, asked)) = self.before {
            let took = wall - begun;
            if took > asked + LATE_S && asked < IDLE_S {
                self.rest = (2.0 * took).min(SLOWEST_S);
                self.until_trial = BETWEEN_TRIALS;
            } else if self.until_trial == 0 {
                self.rest = MOVING_S;
            } else {
                self.until_trial -= 1;
            }
        }
        let rest = if moves { self.rest } else { IDLE_S.max(self.rest) };
        self.before = Some((wall, rest));
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames a second where drawing one takes `drawing` seconds, and the part of the time that drawing
    /// takes.
    fn paced(drawing: f64) -> (f64, f64) {
        let (mut timer, mut wall, mut drawn) = (RepaintTimer::new(), 0.0, 0);
        while wall < 20.0 {
            wall += timer.rest_after(wall, true).max(drawing);
            drawn += 1;
        }
        (f64::from(drawn) / wall, f64::from(drawn) * drawing / wall)
    }

    #[test]
    fn a_quick_machine_draws_sixty_pictures_a_second() {
        assert!(paced(0.004).0 >= 60.0);
    }

    #[test]
    fn a_slow_machine_draws_fewer_rather_than_take_the_time_of_those_who_play() {
        for drawing in [0.03, 0.06, 0.12] {
            let (pictures, part) = paced(drawing);
            assert!(part < 0.55 && pictures > 2.0, "{drawing}: {pictures} a second, {part} of the time");
        }
    }

    #[test]
    fn a_window_in_which_nothing_moves_is_drawn_ten_times_a_second() {
        assert_eq!(RepaintTimer::new().rest_after(0.0, false), IDLE_S);
    }
}
