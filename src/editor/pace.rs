//! When the window is drawn again: with the screen while something moves, and seldom while nothing does.

use std::time::Duration;

use egui::Context;

use super::view::View;
use crate::music::time::Moment;

/// While nothing moves, the window looks so often whether something does again.
const IDLE: Duration = Duration::from_millis(100);
/// While something moves, so long after one picture comes the next: 60 a second, with a little time to draw.
const MOVING: Duration = Duration::from_millis(15);

/// Knows when something moves.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<Moment>,
}

impl Pace {
    /// Asks for the next picture.
    pub fn ask_for_next(&mut self, context: &Context, view: &View) {
        let moves = self.last.replace(view.now) != Some(view.now) && view.has_anything();
        context.request_repaint_after(if moves { MOVING } else { IDLE });
    }
}
