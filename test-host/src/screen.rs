//! An X11 window that holds a plugin's window: it can be captured as a picture, pointed at and clicked.

use anyhow::{Context, Result, ensure};
use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME,
    connection::Connection,
    protocol::{
        xproto::{
            BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, CreateWindowAux, ImageFormat,
            MOTION_NOTIFY_EVENT, WindowClass,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

use crate::clap::Pixels;

/// A connection to the display, without a window. It keeps a display alive that ends with its last connection.
pub struct DisplayConnection {
    _connection: RustConnection,
}

impl DisplayConnection {
    /// Connects to the display that the environment names.
    ///
    /// # Errors
    /// When there is none.
    pub fn open() -> Result<Self> {
        let (connection, _) = connect()?;
        Ok(Self { _connection: connection })
    }
}

/// A window at the screen's upper left corner.
pub struct Screen {
    connection: RustConnection,
    root: u32,
    window: u32,
    size: Pixels,
}

/// The picture of a window: rows from the top, three bytes per pixel, red first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub size: Pixels,
    pub rgb: Vec<u8>,
}

impl Screen {
    /// Opens a window on the display that the environment names.
    ///
    /// # Errors
    /// When there is no display.
    pub fn open(size: Pixels) -> Result<Self> {
        let (connection, screen) = connect()?;
        let root = connection.setup().roots[screen].root;
        let window = connection.generate_id()?;
        let (width, height) = (u16::try_from(size.width)?, u16::try_from(size.height)?);
        connection.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            root,
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            COPY_FROM_PARENT,
            &CreateWindowAux::new(),
        )?;
        connection.map_window(window)?.check()?;
        Ok(Self { connection, root, window, size })
    }

    /// The window's identifier.
    pub fn window(&self) -> u32 {
        self.window
    }

    /// What the window shows now.
    ///
    /// # Errors
    /// When the display gives no picture, or its colour depth is not 24 bits.
    pub fn picture(&self) -> Result<Picture> {
        let Pixels { width, height } = self.size;
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.window, 0, 0, width as u16, height as u16, !0)?
            .reply()
            .context("the window cannot be read")?;
        ensure!(
            image.data.len() == width as usize * height as usize * 4,
            "the display has {} bits of colour; 24 are needed",
            image.depth
        );
        let rgb = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok(Picture { size: self.size, rgb })
    }

    /// Moves the pointer to a pixel of the window.
    ///
    /// # Errors
    /// When the display is gone.
    pub fn point(&self, x: i16, y: i16) -> Result<()> {
        self.fake(MOTION_NOTIFY_EVENT, 0, x, y)
    }

    /// Clicks at a pixel of the window.
    ///
    /// # Errors
    /// When the display is gone.
    pub fn click(&self, x: i16, y: i16) -> Result<()> {
        self.point(x, y)?;
        self.fake(BUTTON_PRESS_EVENT, 1, x, y)?;
        self.fake(BUTTON_RELEASE_EVENT, 1, x, y)
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) -> Result<()> {
        self.connection.xtest_fake_input(kind, detail, CURRENT_TIME, self.root, x, y, 0)?.check()?;
        Ok(())
    }
}

fn connect() -> Result<(RustConnection, usize)> {
    x11rb::connect(None).context("there is no X11 display; start one, or set DISPLAY")
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A display that is gone has taken the window with it.
        let _ = self.connection.destroy_window(self.window);
        let _ = self.connection.flush();
    }
}
