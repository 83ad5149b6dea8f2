//! The window: what was played, what is about to be played, who has the floor, and a control for every parameter.
//!
//! In reading order: what is shown ([`view`]), where and in what colours, the parts from top to bottom, the hands on the
//! controls, and the window that the host opens.

mod view;

mod palette;
mod places;
mod span;

mod face;

mod foot;
mod head;
mod health;
mod keys;
mod notice;
mod roll;
mod turn;
mod welcome;

mod buttons;
mod controls;
mod groups;
mod hints;
mod knob;
mod row;
mod words;

mod board;
mod entry;
mod grip;
mod wish;

mod clock;
mod errands;
mod news;
mod pace;
mod sized;
mod watch;
mod window;

use self::window::Window;
use crate::instance::Instance;

/// The editor as the framework wants it.
pub type Editor = sized::SizedEditor;

/// The editor of one instance. Its window is opened and closed by the host.
pub fn editor(instance: Instance) -> Option<Editor> {
    Editor::new(instance.params.clone(), Window::new(instance))
}

#[cfg(test)]
mod tests;
