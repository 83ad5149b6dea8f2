//! The window that the host opens: sixty times a second it looks, draws, and does what was asked for.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
};

use egui::{CentralPanel, Context, Frame as Border, Id, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::{Frame, NiceEguiApp, baseview::HandlerError};
use parking_lot::Mutex;

use super::{
    board::Board,
    errands::Errands,
    face,
    news::News,
    pace::Pace,
    palette::{self, GROUND},
    view::{Notice, Tone, View},
    watch::Watch,
    wish::Wish,
};
use crate::{
    foresight,
    instance::Instance,
    plugin::{Learning, ModelStanding},
    presets::PRESETS,
    take::Saved,
};

/// The window's content. It lives as long as the plugin.
pub struct Window {
    instance: Instance,
    watch: Watch,
    errands: Errands,
    news: News,
    /// The file that was saved last.
    saved: Option<PathBuf>,
    pace: Pace,
    open: Weak<Open>,
}

/// What there is only while the window is open. The framework does not tell when that ends, so this hangs in the
/// window's own context and goes with it.
struct Open {
    board: Mutex<Board>,
    /// The worker says what it expects for as long as this lives.
    _foresight: foresight::Watch,
}

impl Window {
    pub fn new(instance: Instance) -> Self {
        Self {
            watch: Watch::new(instance.clone()),
            instance,
            errands: Errands::new(),
            news: News::default(),
            saved: None,
            pace: Pace::new(),
            open: Weak::new(),
        }
    }

    /// What there is to show.
    fn view(&mut self, context: &Context) -> View {
        let wall = context.input(|input| input.time);
        let mut view = self.watch.look(wall);
        let model = self.instance.model();
        view.own_model = match &model {
            ModelStanding::Own { name } | ModelStanding::Refused { own: Some(name), .. } => {
                Some(name.clone())
            }
            ModelStanding::Embedded | ModelStanding::Refused { own: None, .. } => None,
        };
        while let Some(back) = self.errands.next_return() {
            self.saved = back.path.or(self.saved.take());
            self.news.tell(back.notice, wall);
        }
        view.has_path = self.saved.is_some();
        self.news.hear(self.instance.telemetry.echoes.count(), wall);
        view.learning = self.instance.learning();
        self.news.learn(&view.learning, wall);
        view.notice = self.news.notice(&model, wall);
        view
    }

    fn grant(&mut self, wish: Wish, context: &Context, board: &mut Board) {
        let instance = self.instance.clone();
        match wish {
            Wish::SaveTake => self.errands.save(context, instance, Saved::Take),
            Wish::SaveAnswer => self.errands.save(context, instance, Saved::LastAnswer),
            Wish::CopyPath => {
                if let Some(path) = &self.saved {
                    context.copy_text(path.display().to_string());
                }
            }
            Wish::ShowFolder => {
                if let Some(folder) = self.saved.as_ref().and_then(|path| path.parent()) {
                    self.errands.show(context, folder.to_owned());
                }
            }
            Wish::LoadModel => self.errands.choose_model(context, instance),
            Wish::Learn => {
                if let Err(error) = instance.learn() {
                    let wall = context.input(|input| input.time);
                    self.news.tell(Notice { tone: Tone::Trouble, sentence: error.to_string() }, wall);
                }
            }
            Wish::StopLearning => instance.stop_learning(),
            Wish::LoadLearnt => {
                if let Learning::Learnt { path, .. } = instance.learning() {
                    self.errands.load_model(context, instance, path);
                }
            }
            Wish::Embedded(index) => {
                instance.dismiss_model();
                let value = board.control("model").map(|control| control.value_of(index));
                board.set("model", value.unwrap_or(0.0));
            }
            Wish::Preset(index) => {
                if let Some(preset) = PRESETS.get(index) {
                    board.apply(&preset.values(&instance.params));
                }
            }
            Wish::Dismiss => self.news.dismiss(&self.instance.model()),
        }
    }
}

impl NiceEguiApp for Window {
    fn build(&mut self, context: Context, host: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        palette::dress(&context);
        frame.set_clear_color(GROUND.into());
        let open = Arc::new(Open {
            board: Mutex::new(Board::new(self.instance.params.clone(), host)),
            _foresight: self.instance.foresight.watch(),
        });
        self.open = Arc::downgrade(&open);
        context.data_mut(|data| data.insert_temp(Id::unique("what is open"), open));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let Some(open) = self.open.upgrade() else { return };
        let view = self.view(ui.ctx());
        let mut board = open.board.lock();
        let wish = CentralPanel::default()
            .frame(Border::new().fill(GROUND))
            .show(ui, |ui| face::draw(ui, &view, &mut board))
            .inner;
        if let Some(wish) = wish {
            self.grant(wish, ui.ctx(), &mut board);
        }
        self.pace.ask_for_next(ui.ctx(), &view);
    }
}
