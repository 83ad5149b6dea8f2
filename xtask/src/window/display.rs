//! A display to open windows on: the one of the environment, or one of our own that nobody sees.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use stage::screen::DisplayConnection;

/// The screen of our own, in pixels and bits of colour: room for the window at twice its size.
const SCREEN: &str = "2600x1800x24";

/// Names a display in the environment.
pub struct Display {
    /// One of our own ends with its last connection, which is this process: a library that still asks it something when the
    /// program ends would end the program with an error, were it gone before.
    _connection: DisplayConnection,
}

impl Display {
    /// Takes the display of the environment, or starts `Xvfb`.
    ///
    /// # Errors
    /// When there is neither.
    pub fn open() -> Result<Self> {
        if std::env::var_os("DISPLAY").is_some() {
            return Ok(Self { _connection: DisplayConnection::open()? });
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-terminate"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("there is no display: set DISPLAY, or install Xvfb (Debian: xvfb libgl1-mesa-dri libglx-mesa0)")?;
        let mut number = String::new();
        let told = server.stdout.take().context("its output was asked for")?;
        BufReader::new(told).read_line(&mut number).context("Xvfb tells no display")?;
        // SAFETY: this is called before any other thread is started.
        unsafe { std::env::set_var("DISPLAY", format!(":{}", number.trim())) };
        Ok(Self { _connection: DisplayConnection::open()? })
    }
}
