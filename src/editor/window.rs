//! The window that the host opens: sixty times a second it looks, draws, and does what was asked for.

use std::sync::Arc;

use egui::{CentralPanel, Context, Frame as Border, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::{Frame, NiceEguiApp, baseview::HandlerError};

use super::{
    board::Board,
    face, groups,
    pace::Pace,
    palette::{self, GROUND},
    watch::Watch,
    wish::Wish,
};
use crate::params::AntiphonParams;

/// The window's content. It lives as long as the plugin; what is open only now and then is in `board`.
pub struct Window {
    params: Arc<AntiphonParams>,
    watch: Watch,
    /// While the window is open.
    board: Option<Board>,
    pace: Pace,
}

impl Window {
    pub fn new(params: Arc<AntiphonParams>, watch: Watch) -> Self {
        Self { params, watch, board: None, pace: Pace::default() }
    }

    fn grant(&mut self, wish: Wish) {
        let Some(board) = &mut self.board else { return };
        match wish {
            Wish::Embedded(index) => {
                let value = board.control("model").map(|control| control.value_of(index));
                board.set("model", value.unwrap_or(0.0));
            }
            _ => {}
        }
    }
}

impl NiceEguiApp for Window {
    fn build(&mut self, context: Context, host: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        palette::dress(&context);
        frame.set_clear_color(GROUND.into());
        let mut board = Board::new(self.params.clone(), host);
        // A window that was closed within a press has left the parameter down.
        for id in groups::PRESSED {
            if board.control(id).is_some_and(|control| control.value() > 0.5) {
                board.set(id, 0.0);
            }
        }
        self.board = Some(board);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let view = self.watch.look();
        let Some(board) = &mut self.board else { return };
        let wish = CentralPanel::default()
            .frame(Border::new().fill(GROUND))
            .show(ui, |ui| face::draw(ui, &view, board, &[]))
            .inner;
        if let Some(wish) = wish {
            self.grant(wish);
        }
        self.pace.ask_for_next(ui.ctx(), &view);
    }
}
