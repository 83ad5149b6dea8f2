//! The plugin's window, inside one of the host's.

use anyhow::{Context, Result, anyhow};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, HostGuiImpl, PluginGui, Window};
use clack_host::prelude::*;

use super::{Clap, Handlers, extension};

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
}

impl Clap {
    /// Makes the plugin's window, not shown yet, for a screen on which a point is so many pixels; gives its size. It is
    /// to be shown in a window of X11, and closed before that goes.
    ///
    /// # Errors
    /// When the plugin has no window, or cannot open one here.
    pub fn make_window(&mut self, scale: f64) -> Result<Pixels> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        gui.create(&handle, GuiConfiguration { api_type: GuiApiType::X11, is_floating: false })
            .map_err(|error| anyhow!("the plugin makes no window: {error}"))?;
        // A plugin that finds out by itself may refuse to be told.
        let _ = gui.set_scale(&handle, scale);
        let GuiSize { width, height } = gui.get_size(&handle).context("the plugin's window has no size")?;
        Ok(Pixels { width, height })
    }

    /// Shows the window that was made inside another.
    ///
    /// # Safety
    /// `parent` must be a window of X11 that stays until [`Clap::close_window`].
    ///
    /// # Errors
    /// When the plugin refuses.
    pub unsafe fn show_window(&mut self, parent: u32) -> Result<()> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        // SAFETY: by the caller's promise.
        unsafe { gui.set_parent(&handle, Window::from_x11_handle(parent.into())) }
            .map_err(|error| anyhow!("the plugin takes no parent window: {error}"))?;
        gui.show(&handle).map_err(|error| anyhow!("the plugin does not show its window: {error}"))
    }

    /// Gives the window another size, as a host does when its own is pulled; gives the one that the plugin takes.
    ///
    /// # Errors
    /// When the plugin refuses.
    pub fn resize_window(&mut self, Pixels { width, height }: Pixels) -> Result<Pixels> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        let asked = GuiSize { width, height };
        let size = gui.adjust_size(&handle, asked).unwrap_or(asked);
        gui.set_size(&handle, size)
            .map_err(|error| anyhow!("the plugin's window keeps its size: {error}"))?;
        Ok(Pixels { width: size.width, height: size.height })
    }

    /// Closes the window.
    ///
    /// # Errors
    /// When the plugin has none.
    pub fn close_window(&mut self) -> Result<()> {
        let handle = self.instance.plugin_handle();
        extension::<PluginGui>(&handle)?.destroy(&handle);
        self.serve();
        Ok(())
    }
}

impl HostGuiImpl for Handlers {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Err(HostError::Message("this host's windows keep their size"))
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}
