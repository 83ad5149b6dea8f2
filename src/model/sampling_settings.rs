//! How each attribute of the next note is drawn: temperatures, and biases of the logits by what the player
//! has played.

use super::Sampling;
use crate::music::{
    call::Call,
    generation::GenerationSettings,
    note::{Key, Velocity},
    pace::Stray,
    scale::KeyEstimate,
};

/// The temperatures and the logit biases of one draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingSettings {
    /// For steps and durations.
    pub timing: Sampling,
    pub pitch: Sampling,
    pub velocity: Sampling,
    /// The velocity towards which velocities are biased.
    pub pull: Option<VelocityPull>,
    /// The scale of the player, and how many nats keys outside of it lose.
    pub scale: Option<(KeyEstimate, f32)>,
    /// The call: keys and velocities outside of its ranges lose probability.
    pub call: Option<Call>,
    /// Factor by which an onset keeps more to the places of the beat than the network's probabilities do, at
    /// least 1.
    pub steadiness: f32,
    /// Length of a beat in seconds below which onsets keep to it even more: by as much as the beat is
    /// shorter.
    pub unhurried: f64,
    /// How far the player keeps to the beat: 0 leaves the probabilities as they are, 1 applies the whole
    /// steadiness.
    pub closeness: f32,
    /// Whether an onset keeps to the likeliest place of the whole beat, and not only to that of its
    /// sixteenth.
    pub enters: bool,
    /// Whether the plugin plays along with a player who goes on. Then the sixteenths between eighths are left
    /// to the player.
    pub is_along: bool,
    /// How far the motives of the call are taken up: 0 leaves the logits as they are, 1 adds the whole gains.
    pub motives: f32,
    /// Nats that longer steps gain each time that they are e times as long; if negative, shorter ones gain.
    /// Steps within a chord neither gain nor lose.
    pub lean: f32,
    /// Nats that steps within a chord lose to all longer ones; if negative, they gain them.
    pub thinning: f32,
    /// Nats that longer durations gain each time that they are e times as long; if negative, shorter ones
    /// gain.
    pub stretch: f32,
}

/// A bias of velocities towards one velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VelocityPull {
    pub towards: Velocity,
    /// The strength of the bias, above 0 and up to 1.
    pub strength: f32,
}

/// Nats that keys outside of the scale lose each time that the answer has e times as many of them as the
/// player.
const STRICTNESS: f32 = 2.0;
/// Nats that they lose at least while the plugin plays along with the player, from the first note on:
/// everything outside is heard then.
const STRICT_ALONG: f32 = 1.5;
/// Nats that they lose at most.
const STRICTEST: f32 = 5.0;
/// Largest deviation of the pace that counts, as a natural logarithm.
const FARTHEST: f32 = 1.5;
/// Factors by which an answer leans back to the steps, the share of chords and the durations of its call.
/// Chosen by what comes out of the plugin.
const PACING: f32 = 3.0;
const THINNING: f32 = 5.0;
const STRETCH: f32 = 6.0;
/// The factor for steps while the plugin plays along with the player: more brings it off a beat that swings.
const PACING_ALONG: f32 = 1.0;
/// Nats that chords lose while an answer goes on. A model that hears its own chords plays more and more of
/// them; one that plays along has few and loses nothing. Chosen by what comes out of the plugin.
const OWN_CHORDS: f32 = 0.8;
/// Factor by which an answer keeps more to the beat than the network's probabilities do. A note that was
/// drawn is heard again, so the answer would stray a little further each time. Chosen by what comes out of
/// the plugin.
const STEADY: f32 = 1.5;
/// Length of a beat in seconds below which the beat is kept to more strictly, by as much as it is shorter.
/// People stray from the beat by times and not by parts of it, and so do the network's probabilities.
const UNHURRIED: f64 = 1.0;
/// The factor for the first onset of an answer, which is heard most.
const STEADY_ENTERING: f32 = 3.0;
/// The factor while the plugin plays along with the player.
const STEADY_ALONG: f32 = 1.6;
/// Nats that a sixteenth between two eighths loses while the plugin plays along with the player.
const BETWEEN_EIGHTHS: f32 = 1.5;
/// Semitones outside of the range of the call that cost half a nat.
const KEYS_BEYOND: f32 = 6.0;
/// Velocities outside of the range of the call that cost half a nat.
const VELOCITIES_BEYOND: f32 = 4.0;
/// Distance of a velocity that costs half a nat at full strength.
const REACH: f32 = 8.0;

impl SamplingSettings {
    /// The network's own probabilities, without any bias.
    pub const PLAIN: Self = Self {
        timing: Sampling::PLAIN,
        pitch: Sampling::PLAIN,
        velocity: Sampling::PLAIN,
        pull: None,
        scale: None,
        call: None,
        steadiness: 1.0,
        unhurried: 0.0,
        closeness: 1.0,
        enters: false,
        is_along: false,
        motives: 0.0,
        lean: 0.0,
        thinning: 0.0,
        stretch: 0.0,
    };

    /// The settings of a draw from those of the generation and the player's touch. Realtime-safe.
    pub fn of(generation: &GenerationSettings, touch: Velocity) -> Self {
        let (temperature, focus) = (generation.temperature.value(), generation.focus.value());
        let scaled = |by: f32| Sampling { temperature: temperature * by, focus };
        let strength = generation.velocity_follow.value();
        Self {
            timing: scaled(generation.timing_temperature.value()),
            pitch: scaled(generation.pitch_temperature.value()),
            velocity: scaled(1.0),
            lean: 0.0,
            steadiness: STEADY,
            unhurried: UNHURRIED,
            closeness: 1.0,
            enters: false,
            is_along: false,
            motives: if generation.adapts { 1.0 } else { 0.0 },
            thinning: 0.0,
            stretch: 0.0,
            scale: None,
            call: None,
            pull: (strength > 0.0).then_some(VelocityPull { towards: touch, strength }),
        }
    }

    /// Adds the bias to the player's scale. `strays` is how much more often an answer leaves the scale than
    /// the player does, as a logarithm. Realtime-safe.
    pub fn within(self, scale: KeyEstimate, strays: f32, generation: &GenerationSettings) -> Self {
        let least = if self.is_along { STRICT_ALONG } else { 0.0 };
        let loss = (generation.key_follow.value() * least.max(STRICTNESS * strays)).clamp(0.0, STRICTEST);
        Self { scale: (loss > 0.0).then_some((scale, loss)), ..self }
    }

    /// Adds the biases to the ranges of a call.
    pub fn beside(self, call: Option<Call>) -> Self {
        Self { call, ..self }
    }

    /// The same settings while the plugin plays along with the player, who hears every stumble.
    pub fn along(self) -> Self {
        Self { steadiness: STEADY_ALONG, is_along: true, motives: 0.0, ..self }
    }

    /// The same settings for the first onset of an answer: the late tail of a place that has passed is no
    /// place to come in.
    pub fn entering(self) -> Self {
        Self { steadiness: STEADY_ENTERING, enters: true, ..self }
    }

    /// Sharpens the logits of the places of the beat, so that onsets keep to it. A place loses beside a
    /// likelier one that is nearer than another sixteenth. So the choice between a sixteenth and an eighth
    /// stays as it is, except for the first onset. `period` is the length of the beat in seconds; of a swung
    /// beat, twice its shorter eighth. Realtime-safe.
    pub fn keep_to_beat<const PLACES: usize>(&self, logits: &mut [f32; PLACES], period: f64) {
        let most = self.steadiness * (self.unhurried / period).max(1.0) as f32;
        let steadiness = 1.0 + self.closeness * (most - 1.0);
        let (quarter, before) = (PLACES / 4, *logits);
        let near = if self.enters { PLACES / 2 } else { (quarter / 2).saturating_sub(1) };
        for (place, logit) in logits.iter_mut().enumerate() {
            let around = (0..=2 * near).map(|off| before[(place + PLACES - near + off) % PLACES]);
            let top = around.fold(f32::NEG_INFINITY, f32::max);
            *logit = top + steadiness * (before[place] - top);
            if self.is_along && is_between_eighths(place, quarter) {
                *logit -= BETWEEN_EIGHTHS;
            }
        }
    }

    /// Nats that a key loses. Realtime-safe.
    pub fn loss_of_key(&self, key: Key) -> f32 {
        let strays = self.scale.map_or(0.0, |(scale, loss)| if scale.holds(key) { 0.0 } else { loss });
        strays + self.call.map_or(0.0, |call| bell(call.keys_outside(key) / KEYS_BEYOND))
    }

    /// Nats that a velocity loses: by its distance from the touch, where that is followed, or else from the
    /// range of the call. Realtime-safe.
    pub fn loss_of_velocity(&self, velocity: f32) -> f32 {
        match (self.pull, self.call) {
            (Some(pull), _) => pull.loss(velocity),
            (None, Some(call)) => bell(call.dynamics_outside(velocity) / VELOCITIES_BEYOND),
            (None, None) => 0.0,
        }
    }

    /// Adds the biases against how far an answer's pace is off the wanted one. Realtime-safe.
    pub fn against(self, stray: Stray, generation: &GenerationSettings) -> Self {
        let how_far = generation.pace_follow.value();
        let follow = |stray: f32| how_far * stray.clamp(-FARTHEST, FARTHEST);
        let (pacing, own_chords) =
            if self.is_along { (PACING_ALONG, 0.0) } else { (PACING, OWN_CHORDS * how_far) };
        Self {
            lean: pacing * follow(stray.ahead),
            thinning: THINNING * follow(stray.thicker) + own_chords,
            stretch: STRETCH * follow(-stray.longer),
            ..self
        }
    }
}

impl VelocityPull {
    /// Nats that a velocity loses, by a bell curve around the touch (a product of experts).
    fn loss(&self, velocity: f32) -> f32 {
        self.strength * bell((velocity - f32::from(self.towards.value())) / REACH)
    }
}

/// Whether a place is near a sixteenth that lies between two eighths; sixteenths lie `quarter` places apart.
fn is_between_eighths(place: usize, quarter: usize) -> bool {
    let (odd, off) = (place / quarter, place % quarter);
    let nearest = odd + usize::from(2 * off > quarter);
    nearest % 2 == 1 && off.min(quarter - off) * 4 <= quarter
}

/// Nats that a normal distribution loses `off` standard deviations from its mean.
fn bell(off: f32) -> f32 {
    0.5 * off * off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::generation::Thousandths;

    /// The logits of the sixteenths after [`SamplingSettings::keep_to_beat`]. Before it they are `on`, and
    /// the places beside a sixteenth have one nat less.
    fn kept(sampling: SamplingSettings, on: [f32; 4], period: f64) -> [f32; 48] {
        let mut odds: [f32; 48] =
            std::array::from_fn(|place| on[(place + 6) / 12 % 4] - if place % 12 == 0 { 0.0 } else { 1.0 });
        sampling.keep_to_beat(&mut odds, period);
        odds
    }

    #[test]
    fn who_keeps_to_the_beat_strays_less_from_each_sixteenth_and_plays_none_of_them_less_often() {
        let on = [3.0, 1.0, 2.0, 0.5];
        let plain = kept(SamplingSettings::PLAIN, on, 0.6);
        let steady = kept(SamplingSettings { steadiness: 2.0, ..SamplingSettings::PLAIN }, on, 0.6);
        assert_eq!([0, 12, 24, 36].map(|place| steady[place]), on);
        let beside = |place: &usize| ![0, 6].contains(&(place % 12));
        assert!((0..48).filter(beside).all(|place| steady[place] < plain[place]));
        let hurried = kept(SamplingSettings { unhurried: 0.6, ..SamplingSettings::PLAIN }, on, 0.3);
        assert_eq!((plain, hurried), (kept(SamplingSettings::PLAIN, on, 0.3), steady));
        let entering = kept(SamplingSettings::PLAIN.entering(), on, 0.6);
        assert_eq!((entering[0], entering[12]), (on[0], on[0] - 3.0 * (on[0] - on[1])));
        let free =
            kept(SamplingSettings { steadiness: 2.0, closeness: 0.0, ..SamplingSettings::PLAIN }, on, 0.6);
        assert_eq!(free, plain, "beside a player who keeps to no beat");
    }

    #[test]
    fn who_plays_along_leaves_the_sixteenths_between_to_the_player() {
        let along = kept(SamplingSettings::PLAIN.along(), [1.0; 4], 0.6);
        assert_eq!([0, 24].map(|place| along[place]), [1.0; 2]);
        assert!([12, 36].into_iter().all(|place| along[place] < 0.0));
        assert_eq!(along[16], along[8], "it may swing");
    }

    #[test]
    fn the_temperatures_of_pitch_and_timing_multiply_that_of_all() {
        let generation = GenerationSettings {
            temperature: Thousandths::of(0.8),
            pitch_temperature: Thousandths::of(0.5),
            timing_temperature: Thousandths::of(1.5),
            ..GenerationSettings::DEFAULT
        };
        let sampling = SamplingSettings::of(&generation, Velocity::saturating(64));
        assert_eq!(
            [sampling.pitch, sampling.timing, sampling.velocity].map(|sampling| sampling.temperature),
            [0.4, 1.2, 0.8]
        );
        assert_eq!(sampling.pull, None);
    }
}
