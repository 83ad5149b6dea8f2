//! The now-line's clock: the host tells its own once a block, which would make the roll stumble; this one runs between.

use crate::music::time::Moment;

/// Further apart than this, the host's clock has begun anew, or stood still for long.
const JUMP_S: f64 = 0.25;
/// So much of what the two clocks are apart is made up for in a second.
const CATCH_UP: f64 = 2.0;

/// Follows the host's clock by that on the wall.
#[derive(Debug, Default)]
pub struct Clock {
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    /// On the wall, in seconds.
    wall: f64,
    /// What the host told, and since when on the wall.
    told: Moment,
    since: f64,
    shown: Moment,
}

impl Clock {
    /// The moment to show, when the host tells `told` at `wall` seconds. It stands still a quarter of a second after
    /// the host's has stopped.
    pub fn read(&mut self, wall: f64, told: Moment) -> Moment {
        let shown = match self.last {
            Some(last) if told.0 >= last.told.0 => follow(&last, wall, told),
            _ => told,
        };
        let since = self.last.filter(|last| last.told == told).map_or(wall, |last| last.since);
        self.last = Some(Reading { wall, told, since, shown });
        shown
    }
}

fn follow(last: &Reading, wall: f64, told: Moment) -> Moment {
    let passed = (wall - last.wall).max(0.0);
    let free = last.shown.0 + passed;
    let stands = told == last.told && wall - last.since > JUMP_S;
    let apart = told.0 - free;
    if stands {
        last.shown
    } else if apart.abs() > JUMP_S {
        told
    } else {
        let made_up = apart * (CATCH_UP * passed).min(1.0);
        // It never runs backwards: a roll that trembles is worse than one that waits.
        Moment((free + made_up).max(last.shown.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_S: f64 = 1.0 / 60.0;

    /// What is shown in so many frames, with a host whose blocks are so long.
    fn shown(frames: usize, block_s: f64) -> Vec<f64> {
        let mut clock = Clock::default();
        (0..frames)
            .map(|frame| frame as f64 * FRAME_S)
            .map(|wall| clock.read(wall, Moment((wall / block_s).floor() * block_s)).0)
            .collect()
    }

    #[test]
    fn the_roll_scrolls_evenly_however_long_the_hosts_blocks_are() {
        for block_s in [0.003, 0.0107, 0.0853] {
            let shown = shown(600, block_s);
            let steps = shown.windows(2).skip(120).map(|pair| pair[1] - pair[0]);
            let (least, most) = steps.fold((f64::MAX, 0.0_f64), |(a, b), step| (a.min(step), b.max(step)));
            assert!(least > 0.7 * FRAME_S && most < 1.3 * FRAME_S, "{block_s}: {least} to {most}");
            assert!((shown[599] - 599.0 * FRAME_S).abs() < block_s + FRAME_S);
        }
    }

    #[test]
    fn a_host_that_begins_anew_is_followed_at_once_and_one_that_stops_stops_the_roll() {
        let mut clock = Clock::default();
        clock.read(0.0, Moment(100.0));
        assert_eq!(clock.read(0.01, Moment(0.0)), Moment(0.0));
        let stopped: Vec<f64> =
            (2..200).map(|frame| clock.read(frame as f64 * FRAME_S, Moment(0.0)).0).collect();
        assert_eq!(stopped[100], stopped[197]);
    }
}
