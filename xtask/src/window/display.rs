//! A display to open windows on: the one of the environment, or one of our own that nobody sees.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

/// The screen of our own, in pixels and bits of colour: room for the window at twice its size.
const SCREEN: &str = "2600x1800x24";

/// Names a display in the environment for as long as it lives.
pub struct Display {
    server: Option<Child>,
}

impl Display {
    /// Takes the display of the environment, or starts `Xvfb`.
    ///
    /// # Errors
    /// When there is neither.
    pub fn open() -> Result<Self> {
        if std::env::var_os("DISPLAY").is_some() {
            return Ok(Self { server: None });
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("there is no display: set DISPLAY, or install Xvfb (Debian: xvfb libgl1-mesa-dri libglx-mesa0)")?;
        let mut number = String::new();
        let told = server.stdout.take().context("its output was asked for")?;
        BufReader::new(told).read_line(&mut number).context("Xvfb tells no display")?;
        // SAFETY: this is called before any other thread is started.
        unsafe { std::env::set_var("DISPLAY", format!(":{}", number.trim())) };
        Ok(Self { server: Some(server) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // One that has ended by itself needs no ending.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
