//! One note of the electric piano, by phase modulation: a sine modulated by one of the same frequency (the
//! body), and a sine modulated, for a moment, by one of fourteen times its frequency (the tine).

use crate::music::{
    note::{Key, Velocity},
    note_tracker::{ChannelKey, Pedal},
};

/// The frequency of A4.
const CONCERT_PITCH_HZ: f32 = 440.0;
/// The MIDI key of A4.
const CONCERT_KEY: f32 = 69.0;
/// Amplitude of the loudest note, 1 for full scale: a chord of four of them does not yet distort much.
const LOUDEST: f32 = 0.36;
/// Part of a note that is the tine.
const TINE: f32 = 0.3;
/// Frequency of the tine's modulator, in multiples of the note's. It is left out where it would come near or
/// beyond half the sample rate.
const TINE_RATIO: f32 = 14.0;
/// Deepest modulation of the body, in turns of a sine.
const BODY_BEND: f32 = 0.26;
/// Deepest modulation of the tine, in turns of a sine.
const TINE_BEND: f32 = 0.07;
/// The part of the modulation that is left at the softest velocity.
const SOFTEST_BEND: f32 = 0.25;
/// A note begins within this time, in seconds: at once it would click.
const ATTACK_S: f32 = 0.0015;
/// Time in which the lowest key decays to a thousandth, in seconds.
const DECAY_S: f32 = 20.0;
/// Number of keys further up at which the decay time has halved.
const HALVED_EVERY_KEYS: f32 = 32.0;
const LOWEST_KEY: f32 = 21.0;
/// The same for the modulation of the body, which makes it bright.
const BRIGHTNESS_DECAY_S: f32 = 4.0;
/// The same for the modulation of the tine.
const TINE_DECAY_S: f32 = 0.6;
/// The same for a note whose key is up, on top of its own decay.
const RELEASE_S: f32 = 0.25;
/// The part that is left after such a time.
const LEFT: f32 = 1e-3;
/// A note whose level is below this is over.
const OVER: f32 = 2e-5;
/// How far low keys lie to the left, and high ones to the right: 0 not at all, 1 wholly.
const WIDTH: f32 = 0.35;

/// Factors that depend on the sample rate.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    rate: f32,
    attack: f32,
    release: f32,
    brightness: f32,
    tine: f32,
}

impl Tuning {
    pub fn new(rate: f32) -> Self {
        Self {
            rate,
            attack: 1.0 / (ATTACK_S * rate).max(1.0),
            release: decay(RELEASE_S, rate),
            brightness: decay(BRIGHTNESS_DECAY_S, rate),
            tine: decay(TINE_DECAY_S, rate),
        }
    }
}

/// A note that sounds, or room for one.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    key_state: KeyState,
    place: ChannelKey,
    /// Number of its strike: the smaller, the older; 0 while it is free.
    struck: u64,
    /// Turns of the sine per sample.
    step: f32,
    /// The phase as a part of a turn, 0..1.
    phase: f32,
    /// From 0 to 1 as the note begins.
    attack: f32,
    level: f32,
    decay: f32,
    body_bend: f32,
    tine_bend: f32,
    /// Gains on the left and on the right.
    sides: [f32; 2],
    /// The last sample, before it is panned.
    last: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyState {
    Free,
    Held,
    /// The key is up, and the pedal keeps the note.
    Kept,
    Released,
}

impl Voice {
    pub const FREE: Self = Self {
        key_state: KeyState::Free,
        place: ChannelKey { channel: 0, key: Key::saturating(0) },
        struck: 0,
        step: 0.0,
        phase: 0.0,
        attack: 0.0,
        level: 0.0,
        decay: 0.0,
        body_bend: 0.0,
        tine_bend: 0.0,
        sides: [0.0; 2],
        last: 0.0,
    };

    /// A new note; `struck` is the number of its strike.
    pub fn struck_at(struck: u64, place: ChannelKey, velocity: Velocity, tuning: &Tuning) -> Self {
        let key = f32::from(place.key.number());
        let force = f32::from(velocity.value()) / 127.0;
        let step = CONCERT_PITCH_HZ * ((key - CONCERT_KEY) / 12.0).exp2() / tuning.rate;
        let bent = SOFTEST_BEND + (1.0 - SOFTEST_BEND) * force;
        let has_tine = step * (TINE_RATIO + 1.0) < 0.5;
        let pan = WIDTH * ((key - 64.0) / 44.0).clamp(-1.0, 1.0);
        let seconds = DECAY_S * ((LOWEST_KEY - key) / HALVED_EVERY_KEYS).exp2();
        Self {
            key_state: KeyState::Held,
            place,
            struck,
            step,
            phase: 0.0,
            attack: 0.0,
            level: LOUDEST * force * force.sqrt(),
            decay: decay(seconds, tuning.rate),
            // Without this limit high notes would be shrill.
            body_bend: BODY_BEND * bent * ((60.0 - key) / 40.0).exp2().min(1.0),
            tine_bend: if has_tine { TINE_BEND * bent * force } else { 0.0 },
            sides: [((1.0 - pan) / 2.0).sqrt(), ((1.0 + pan) / 2.0).sqrt()],
            last: 0.0,
        }
    }

    pub fn is_free(&self) -> bool {
        self.key_state == KeyState::Free
    }

    pub fn is_held(&self) -> bool {
        self.key_state == KeyState::Held
    }

    pub fn is_of(&self, place: ChannelKey) -> bool {
        !self.is_free() && self.place == place
    }

    pub fn place(&self) -> ChannelKey {
        self.place
    }

    pub fn struck(&self) -> u64 {
        self.struck
    }

    /// Its last sample, left and right.
    pub fn last(&self) -> [f32; 2] {
        self.sides.map(|side| side * self.last)
    }

    pub fn key_up(&mut self, pedal: Pedal) {
        self.key_state = match pedal {
            Pedal::Down => KeyState::Kept,
            Pedal::Up => KeyState::Released,
        };
    }

    pub fn release(&mut self) {
        self.key_state = KeyState::Released;
    }

    /// Adds its sound to both slices, over their length.
    pub fn add_to(&mut self, left: &mut [f32], right: &mut [f32], bend: f32, tuning: &Tuning) {
        let (step, [to_left, to_right]) = (self.step * bend, self.sides);
        let damping = if self.key_state == KeyState::Released { tuning.release } else { 1.0 };
        for (left, right) in left.iter_mut().zip(right) {
            let body = sine(self.phase + self.body_bend * sine(self.phase));
            let tine = sine(self.phase + self.tine_bend * sine(self.phase * TINE_RATIO));
            let sample = self.level * self.attack * ((1.0 - TINE) * body + TINE * tine);
            *left += to_left * sample;
            *right += to_right * sample;
            self.last = sample;
            self.phase += step;
            self.phase -= self.phase.floor();
            self.attack = (self.attack + tuning.attack).min(1.0);
            self.level *= self.decay * damping;
            self.body_bend *= tuning.brightness;
            self.tine_bend *= tuning.tine;
            if self.level < OVER {
                *self = Self::FREE;
                return;
            }
        }
    }
}

/// The factor per sample that leaves a thousandth after this time.
fn decay(seconds: f32, rate: f32) -> f32 {
    (LEFT.ln() / (seconds * rate)).exp()
}

/// The part of the remaining distance to cover each sample, for a time constant of `seconds`.
pub fn approach(seconds: f32, rate: f32) -> f32 {
    1.0 - (-1.0 / (seconds * rate)).exp()
}

/// The sine of an angle in turns, to a thousandth: a parabola, refined by another one.
fn sine(turns: f32) -> f32 {
    const REFINED: f32 = 0.225;
    let half = (turns - turns.round()) * 2.0;
    let coarse = 4.0 * half * (1.0 - half.abs());
    REFINED * (coarse * coarse.abs() - coarse) + coarse
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    #[test]
    fn the_sine_is_one_to_a_thousandth() {
        for step in -3_000..3_000 {
            let turns = step as f32 / 1_000.0;
            let error = sine(turns) - (turns * 2.0 * PI).sin();
            assert!(error.abs() < 1.2e-3, "{turns}: {error}");
        }
    }
}
