//! How loud the player plays.

use super::note::Velocity;

/// How much the newest strike counts: about the last four, so that a change is followed within a phrase.
const NEWEST: f32 = 0.25;
/// Before the first strike: mezzo-forte.
const UNKNOWN: Velocity = Velocity::saturating(64);

/// A running mean of the newest velocities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Touch(Option<f32>);

impl Touch {
    pub fn strike(&mut self, velocity: Velocity) {
        let newest = f32::from(velocity.value());
        self.0 = Some(self.0.map_or(newest, |mean| mean + NEWEST * (newest - mean)));
    }

    pub fn velocity(self) -> Velocity {
        self.0.map_or(UNKNOWN, |mean| Velocity::saturating(mean.round() as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_touch_follows_the_player_within_a_phrase() {
        let mut touch = Touch::default();
        touch.strike(Velocity::saturating(100));
        assert_eq!(touch.velocity().value(), 100);
        (0..8).for_each(|_| touch.strike(Velocity::saturating(30)));
        assert!((30..40).contains(&touch.velocity().value()));
    }
}
