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
mod watch;
mod window;

use nice_plug::editor::{ResizeHint, SizeConstraints, dpi::LogicalSize};
use nice_plug_egui::{EguiEditor, EguiEditorState, EguiNiceSettings, RepaintNotifier, create_egui_editor};

use self::{
    places::{SMALLEST_SIZE, USUAL_SIZE},
    window::Window,
};
use crate::instance::Instance;

/// The editor as the framework wants it.
pub type Editor = EguiEditor<Window>;

/// The editor of one instance. Its window is opened and closed by the host.
pub fn editor(instance: Instance) -> Option<Editor> {
    let state = EguiEditorState::from_size(LogicalSize::new(USUAL_SIZE.x, USUAL_SIZE.y), 1.0);
    let hint = ResizeHint {
        size_constraints: SizeConstraints::Logical {
            min_size: Some(LogicalSize::new(SMALLEST_SIZE.x, SMALLEST_SIZE.y)),
            max_size: None,
        },
        ..ResizeHint::RESIZABLE
    };
    let settings = EguiNiceSettings::new().with_tile("Antiphon").with_resize_hint(hint);
    create_egui_editor(state, RepaintNotifier::new(), settings, Window::new(instance))
}

#[cfg(test)]
mod tests;
