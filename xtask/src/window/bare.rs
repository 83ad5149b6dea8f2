//! An empty window of the plugin's window library: what it leaves behind is none of ours.

use std::num::NonZeroU32;

use anyhow::{Context, Result, anyhow};
use egui::Ui;
use nice_plug::editor::{ParentWindowHandle, dpi::LogicalSize};
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame, baseview::Window};
use stage::clap::Pixels;

/// A window without content. It is closed when this goes.
pub struct Bare(Option<Window>);

impl Bare {
    /// Opens one inside a window of X11, which must outlive it.
    ///
    /// # Errors
    /// When the library cannot open a window here.
    pub fn open(parent: u32, size: Pixels) -> Result<Self> {
        let parent = NonZeroU32::new(parent).context("a window has a number")?;
        let settings = EguiWindowSettings::new()
            .with_title("Empty")
            .with_size(LogicalSize::new(f64::from(size.width), f64::from(size.height)))
            .with_parent(Some(&ParentWindowHandle::XcbWindow(parent)));
        let window = EguiWindow::create(settings, Empty)
            .map_err(|error| anyhow!("the library opens no window: {error}"))?;
        window.show().map_err(|error| anyhow!("the library shows no window: {error}"))?;
        Ok(Self(Some(window)))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        if let Some(window) = self.0.take() {
            window.close();
        }
    }
}

struct Empty;

impl App for Empty {
    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        ui.ctx().request_repaint();
    }
}
