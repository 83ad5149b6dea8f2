//! When the window is drawn again: with the screen while something moves, seldom while nothing does, and never so often
//! that drawing takes more than half of a core from those who play.

use std::time::Duration;

use egui::Context;

use super::view::View;
use crate::music::time::Moment;

/// While nothing moves, the window looks so often whether something does again.
const IDLE_S: f64 = 0.1;
/// While something moves, so long after one picture comes the next: 60 a second, with a little time to draw.
const MOVING_S: f64 = 0.015;
/// A picture that comes so much later than it was asked for took all that time to draw, in seconds.
const LATE_S: f64 = 0.008;
/// Seldom enough, however slow the machine.
const SLOWEST_S: f64 = 0.25;
/// After so many pictures at a rest that grew because drawing was slow, one is drawn sooner, in case it no longer is.
const BETWEEN_TRIALS: u32 = 50;

/// Knows when something moves, and how long drawing takes.
#[derive(Debug)]
pub struct Pace {
    last: Option<Moment>,
    /// When the picture before was begun, in seconds of the window's time, and the rest that was asked for after it.
    before: Option<(f64, f64)>,
    rest: f64,
    /// So many pictures are drawn before the next trial.
    until_trial: u32,
}

impl Pace {
    pub fn new() -> Self {
        Self { last: None, before: None, rest: MOVING_S, until_trial: 0 }
    }

    /// Asks for the next picture.
    pub fn ask_for_next(&mut self, context: &Context, view: &View) {
        let moves = self.last.replace(view.now) != Some(view.now) && view.has_anything();
        let rest = self.rest_after(context.input(|input| input.time), moves);
        context.request_repaint_after(Duration::from_secs_f64(rest));
    }

    /// How long to rest after a picture that was begun at `wall` seconds.
    fn rest_after(&mut self, wall: f64, moves: bool) -> f64 {
        if let Some((begun, asked)) = self.before {
            let took = wall - begun;
            if took > asked + LATE_S && asked < IDLE_S {
                self.rest = (2.0 * took).min(SLOWEST_S);
                self.until_trial = BETWEEN_TRIALS;
            } else if self.until_trial == 0 {
                self.rest = MOVING_S;
            } else {
                self.until_trial -= 1;
            }
        }
        let rest = if moves { self.rest } else { IDLE_S.max(self.rest) };
        self.before = Some((wall, rest));
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pictures a second are drawn where one takes so long, and the part of the time that drawing takes.
    fn paced(drawing: f64) -> (f64, f64) {
        let (mut pace, mut wall, mut drawn) = (Pace::new(), 0.0, 0);
        while wall < 20.0 {
            wall += pace.rest_after(wall, true).max(drawing);
            drawn += 1;
        }
        (f64::from(drawn) / wall, f64::from(drawn) * drawing / wall)
    }

    #[test]
    fn a_quick_machine_draws_sixty_pictures_a_second() {
        assert!(paced(0.004).0 >= 60.0);
    }

    #[test]
    fn a_slow_machine_draws_fewer_rather_than_take_the_time_of_those_who_play() {
        for drawing in [0.03, 0.06, 0.12] {
            let (pictures, part) = paced(drawing);
            assert!(part < 0.55 && pictures > 2.0, "{drawing}: {pictures} a second, {part} of the time");
        }
    }

    #[test]
    fn a_window_in_which_nothing_moves_is_drawn_ten_times_a_second() {
        assert_eq!(Pace::new().rest_after(0.0, false), IDLE_S);
    }
}
