//! How a note is chosen among the likely ones.

use crate::music::{
    call::Call,
    diatonic::Diatonic,
    manner::Manner,
    note::{Key, Velocity},
    pace::Stray,
};

/// How likely each part of a note must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taste {
    /// Of steps and durations.
    pub timing: Sampling,
    pub pitch: Sampling,
    pub velocity: Sampling,
    /// What dynamics are drawn towards.
    pub pull: Option<Pull>,
    /// The scale that is kept to, and how many nats keys outside of it lose.
    pub scale: Option<(Diatonic, f32)>,
    /// What was played, beyond whose keys and dynamics odds fall.
    pub call: Option<Call>,
    /// How much more an onset keeps to the places of the beat than by the network's odds, at least 1.
    pub steadiness: f32,
    /// Whether it leaves the sixteenths between eighths to the player.
    pub spares_between: bool,
    /// How many nats longer steps gain each time that they are e times as long; below 0, shorter ones do. Those within a chord
    /// neither gain nor lose.
    pub lean: f32,
    /// How many nats steps within a chord lose to all longer ones; below 0, they gain them.
    pub thinning: f32,
    /// How many nats longer durations gain each time that they are e times as long; below 0, shorter ones do.
    pub stretch: f32,
}

/// What becomes of the probabilities of one choice before it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Flattens (above 1) or sharpens (below 1) the distribution; 0 always takes the likeliest.
    pub temperature: f32,
    /// How likely a choice must be, as a part of the likeliest one's probability, to be considered; 0 considers all.
    pub focus: f32,
}

/// Draws dynamics towards a velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pull {
    pub towards: Velocity,
    /// Above 0 and up to 1.
    pub strength: f32,
}

/// How many nats keys outside of the scale lose for each time that the answer has e times as many of them as the player.
const STRICTNESS: f32 = 2.0;
/// Beside a player who goes on, everything outside is heard: they lose so much from the first note on.
const STRICT_ALONG: f32 = 3.0;
/// They never lose more.
const STRICTEST: f32 = 5.0;
/// A pace that is farther ahead or behind, as a logarithm, counts as this.
const FARTHEST: f32 = 1.5;
/// How much more strictly chords and durations are followed than the pace: chosen by what comes out of the plugin.
const THINNING: f32 = 5.0;
const STRETCH: f32 = 4.5;
/// What is drawn is heard again and strays from the beat a little further each time: it keeps to it so much more than by the odds. By
/// what comes out of the plugin, too.
const STEADY: f32 = 1.35;
/// Who comes in is heard most: the entry keeps to it so much more.
const STEADY_ENTERING: f32 = 3.0;
/// Who plays along keeps so much more to the beat, ...
const STEADY_ALONG: f32 = 1.6;
/// ... and likes a sixteenth between two eighths so many nats less.
const BETWEEN_EIGHTHS: f32 = 1.5;
/// So many semitones, or velocities, beyond what was played lose half a nat.
const KEYS_BEYOND: f32 = 6.0;
const VELOCITIES_BEYOND: f32 = 4.0;
/// How far off, at full strength, a velocity is made less likely by half a nat.
const REACH: f32 = 8.0;

impl Taste {
    /// The network's own odds.
    pub const PLAIN: Self = Self {
        timing: Sampling::PLAIN,
        pitch: Sampling::PLAIN,
        velocity: Sampling::PLAIN,
        pull: None,
        scale: None,
        call: None,
        steadiness: 1.0,
        spares_between: false,
        lean: 0.0,
        thinning: 0.0,
        stretch: 0.0,
    };

    /// What a manner means, where the player's touch is known. Realtime-safe.
    pub fn of(manner: &Manner, touch: Velocity) -> Self {
        let (temperature, focus) = (manner.temperature.value(), manner.focus.value());
        let scaled = |by: f32| Sampling { temperature: temperature * by, focus };
        let strength = manner.velocity_follow.value();
        Self {
            timing: scaled(manner.timing_temperature.value()),
            pitch: scaled(manner.pitch_temperature.value()),
            velocity: scaled(1.0),
            lean: 0.0,
            steadiness: STEADY,
            spares_between: false,
            thinning: 0.0,
            stretch: 0.0,
            scale: None,
            call: None,
            pull: (strength > 0.0).then_some(Pull { towards: touch, strength }),
        }
    }

    /// The same, keeping to the player's scale as far as an answer strays from it more often than she does, as a logarithm.
    /// Realtime-safe.
    pub fn within(self, scale: Diatonic, strays: f32, manner: &Manner) -> Self {
        let least = if self.spares_between { STRICT_ALONG } else { 0.0 };
        let loss = (manner.key_follow.value() * least.max(STRICTNESS * strays)).clamp(0.0, STRICTEST);
        Self { scale: (loss > 0.0).then_some((scale, loss)), ..self }
    }

    /// The same beside a call.
    pub fn beside(self, call: Option<Call>) -> Self {
        Self { call, ..self }
    }

    /// The same for who plays along with somebody, who hears every stumble.
    pub fn along(self) -> Self {
        Self { steadiness: STEADY_ALONG, spares_between: true, ..self }
    }

    /// The same for the first onset of an answer: a late tail of a place that is over is no place to come in.
    pub fn entering(self) -> Self {
        Self { steadiness: STEADY_ENTERING, ..self }
    }

    /// What an onset at one of so many places of a beat is worth by its odds. Realtime-safe.
    pub fn place(&self, place: usize, places: usize, logit: f32) -> f32 {
        let quarter = places / 4;
        let (odd, off) = (place / quarter, place % quarter);
        let nearest = (odd + usize::from(2 * off > quarter)) % 4;
        let is_between = self.spares_between && nearest % 2 == 1 && off.min(quarter - off) * 4 <= quarter;
        self.steadiness * logit - if is_between { BETWEEN_EIGHTHS } else { 0.0 }
    }

    /// What being a key costs, in nats. Realtime-safe.
    pub fn loss_of_key(&self, key: Key) -> f32 {
        let strays = self.scale.map_or(0.0, |(scale, loss)| if scale.holds(key) { 0.0 } else { loss });
        strays + self.call.map_or(0.0, |call| bell(call.keys_outside(key) / KEYS_BEYOND))
    }

    /// What being so loud costs, in nats: beside the touch, where that is followed, or else beside the call. Realtime-safe.
    pub fn loss_of_velocity(&self, velocity: f32) -> f32 {
        match (self.pull, self.call) {
            (Some(pull), _) => pull.loss(velocity),
            (None, Some(call)) => bell(call.dynamics_outside(velocity) / VELOCITIES_BEYOND),
            (None, None) => 0.0,
        }
    }

    /// The same, leaning against how far an answer's pace is off the wanted one. Realtime-safe.
    pub fn against(self, stray: Stray, manner: &Manner) -> Self {
        let follow = |stray: f32| manner.pace_follow.value() * stray.clamp(-FARTHEST, FARTHEST);
        Self {
            lean: follow(stray.ahead),
            thinning: THINNING * follow(stray.thicker),
            stretch: STRETCH * follow(-stray.longer),
            ..self
        }
    }
}

impl Sampling {
    /// The power to which it raises probabilities; the largest that makes sense where it always takes the likeliest.
    /// Realtime-safe.
    pub fn sharpness(&self) -> f32 {
        const SHARPEST: f32 = 100.0;
        if self.temperature > 1.0 / SHARPEST { 1.0 / self.temperature } else { SHARPEST }
    }

    /// The network's own.
    pub const PLAIN: Self = Self { temperature: 1.0, focus: 0.0 };
}

impl Pull {
    /// A bell around the touch (a product of experts).
    fn loss(&self, velocity: f32) -> f32 {
        self.strength * bell((velocity - f32::from(self.towards.value())) / REACH)
    }
}

/// The nats that a normal distribution loses so many deviations from its middle.
fn bell(off: f32) -> f32 {
    0.5 * off * off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::manner::Thousandths;

    #[test]
    fn who_plays_along_keeps_to_the_beat_and_leaves_the_sixteenths_between() {
        let odds = |taste: Taste, place: usize| taste.place(place, 48, 1.0);
        assert_eq!([0, 12, 24, 30].map(|place| odds(Taste::PLAIN, place)), [1.0; 4]);
        let along = Taste::PLAIN.along();
        let (on, between) = (odds(along, 0), odds(along, 12));
        assert_eq!([24, 1, 47].map(|place| odds(along, place)), [on; 3]);
        assert_eq!([10, 14, 36].map(|place| odds(along, place)), [between; 3]);
        assert!(on > 1.0 && between < on - 1.0);
        assert_eq!([16, 32].map(|triplet| odds(along, triplet)), [on; 2], "it may swing");
    }

    #[test]
    fn the_temperatures_of_pitch_and_timing_multiply_that_of_all() {
        let manner = Manner {
            temperature: Thousandths::of(0.8),
            pitch_temperature: Thousandths::of(0.5),
            timing_temperature: Thousandths::of(1.5),
            ..Manner::DEFAULT
        };
        let taste = Taste::of(&manner, Velocity::saturating(64));
        assert_eq!(
            [taste.pitch, taste.timing, taste.velocity].map(|sampling| sampling.temperature),
            [0.4, 1.2, 0.8]
        );
        assert_eq!(taste.pull, None);
    }
}
