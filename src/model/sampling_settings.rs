//! How a note is chosen among the likely ones.

use crate::music::{
    call::Call,
    generation::GenerationSettings,
    note::{Key, Velocity},
    pace::Stray,
    scale::KeyEstimate,
};

/// How likely each part of a note must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingSettings {
    /// Of steps and durations.
    pub timing: Sampling,
    pub pitch: Sampling,
    pub velocity: Sampling,
    /// What dynamics are drawn towards.
    pub pull: Option<VelocityPull>,
    /// The scale that is kept to, and how many nats keys outside of it lose.
    pub scale: Option<(KeyEstimate, f32)>,
    /// What was played, beyond whose keys and dynamics odds fall.
    pub call: Option<Call>,
    /// How much more an onset keeps to the places of the beat than by the network's odds, at least 1.
    pub steadiness: f32,
    /// By how much more still where beats are shorter than so many seconds: by as much as they are shorter.
    pub unhurried: f64,
    /// How far the player keeps to the beat: 0 leaves the odds as they are, 1 does all of that.
    pub closeness: f32,
    /// Whether the likeliest place of the whole beat is kept to, and not only that of a sixteenth.
    pub enters: bool,
    /// Whether the player goes on beside it: then it leaves the sixteenths between eighths to the player.
    pub is_along: bool,
    /// How far it takes up the motives of the call: 0 leaves the odds as they are, 1 does all of that.
    pub motives: f32,
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
pub struct VelocityPull {
    pub towards: Velocity,
    /// Above 0 and up to 1.
    pub strength: f32,
}

/// How many nats keys outside of the scale lose for each time that the answer has e times as many of them as the player.
const STRICTNESS: f32 = 2.0;
/// Beside a player who goes on, everything outside is heard: they lose so much from the first note on.
const STRICT_ALONG: f32 = 1.5;
/// They never lose more.
const STRICTEST: f32 = 5.0;
/// A pace that is farther ahead or behind, as a logarithm, counts as this.
const FARTHEST: f32 = 1.5;
/// How much more strictly chords and durations are followed than the pace: chosen by what comes out of the plugin.
const THINNING: f32 = 5.0;
const STRETCH: f32 = 6.0;
/// Who hears its own chords plays more and more of them: they lose so many nats, by what comes out of the plugin. Who plays along has few.
const OWN_CHORDS: f32 = 0.8;
/// What is drawn is heard again and strays from the beat a little further each time: it keeps to it so much more than by the odds. By
/// what comes out of the plugin, too.
const STEADY: f32 = 1.5;
/// People stray from the beat by times and not by parts of it, and so do the odds. Beats that
/// are shorter than so many seconds are kept to by as much more as they are shorter.
const UNHURRIED: f64 = 1.0;
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

impl SamplingSettings {
    /// The network's own odds.
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

    /// What the settings of the generation mean, where the player's touch is known. Realtime-safe.
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

    /// The same, keeping to the player's scale as far as an answer strays from it more often than she does, as a logarithm.
    /// Realtime-safe.
    pub fn within(self, scale: KeyEstimate, strays: f32, generation: &GenerationSettings) -> Self {
        let least = if self.is_along { STRICT_ALONG } else { 0.0 };
        let loss = (generation.key_follow.value() * least.max(STRICTNESS * strays)).clamp(0.0, STRICTEST);
        Self { scale: (loss > 0.0).then_some((scale, loss)), ..self }
    }

    /// The same beside a call.
    pub fn beside(self, call: Option<Call>) -> Self {
        Self { call, ..self }
    }

    /// The same for who plays along with somebody, who hears every stumble.
    pub fn along(self) -> Self {
        Self { steadiness: STEADY_ALONG, is_along: true, motives: 0.0, ..self }
    }

    /// The same for the first onset of an answer: a late tail of a place that is over is no place to come in.
    pub fn entering(self) -> Self {
        Self { steadiness: STEADY_ENTERING, enters: true, ..self }
    }

    /// Has onsets keep to the beat by the odds of its places; `period` is its length in seconds, where it swings twice its shorter
    /// eighth: a place loses beside a likelier one that is
    /// nearer than another sixteenth. Whether a sixteenth or an eighth is played stays as it is, but for who comes in. Realtime-safe.
    pub fn keep_to_beat<const PLACES: usize>(&self, logits: &mut [f32; PLACES], period: f64) {
        let most = self.steadiness * (self.unhurried / period).max(1.0) as f32;
        let steadiness = 1.0 + self.closeness * (most - 1.0);
        let (quarter, odds) = (PLACES / 4, *logits);
        let near = if self.enters { PLACES / 2 } else { (quarter / 2).saturating_sub(1) };
        for (place, logit) in logits.iter_mut().enumerate() {
            let around = (0..=2 * near).map(|off| odds[(place + PLACES - near + off) % PLACES]);
            let top = around.fold(f32::NEG_INFINITY, f32::max);
            *logit = top + steadiness * (odds[place] - top);
            if self.is_along && is_between_eighths(place, quarter) {
                *logit -= BETWEEN_EIGHTHS;
            }
        }
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
    pub fn against(self, stray: Stray, generation: &GenerationSettings) -> Self {
        let how_far = generation.pace_follow.value();
        let follow = |stray: f32| how_far * stray.clamp(-FARTHEST, FARTHEST);
        let own_chords = if self.is_along { 0.0 } else { OWN_CHORDS * how_far };
        Self {
            lean: follow(stray.ahead),
            thinning: THINNING * follow(stray.thicker) + own_chords,
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

impl VelocityPull {
    /// A bell around the touch (a product of experts).
    fn loss(&self, velocity: f32) -> f32 {
        self.strength * bell((velocity - f32::from(self.towards.value())) / REACH)
    }
}

/// Whether the nearest of the sixteenths, which lie so many places apart, lies between two eighths and is near.
fn is_between_eighths(place: usize, quarter: usize) -> bool {
    let (odd, off) = (place / quarter, place % quarter);
    let nearest = odd + usize::from(2 * off > quarter);
    nearest % 2 == 1 && off.min(quarter - off) * 4 <= quarter
}

/// The nats that a normal distribution loses so many deviations from its middle.
fn bell(off: f32) -> f32 {
    0.5 * off * off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::generation::Thousandths;

    /// On the sixteenths, each worth so much, and a nat less beside them.
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
