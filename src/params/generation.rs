//! The parameters that shape and limit the notes of an answer.

use nice_plug::prelude::*;

use super::{HOTTEST, percent, temperature, texts};
use crate::music::{
    conditions::Style,
    generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
    note::Key,
    scale::{Root, Scale},
};

/// Least and greatest density, in notes a second. The greatest means no limit.
const THINNEST: f32 = 0.25;
const DENSEST: f32 = Density::LARGEST_CROWD as f32;
const PER_SECOND: &str = " notes/s";
/// Greatest polyphony, which means no limit.
const MOST_VOICES: i32 = 32;
const VOICES: &str = " voices";
const HIGHEST_KEY: i32 = Key::COUNT as i32 - 1;

#[derive(Params)]
pub struct GenerationParams {
    /// Multiplies the temperature of the keys.
    #[id = "pitch-temperature"]
    pub pitch_temperature: FloatParam,

    /// Multiplies the temperature of steps and durations.
    #[id = "timing-temperature"]
    pub timing_temperature: FloatParam,

    /// How likely a choice must be, as a part of the likeliest one, to be considered (min-p).
    #[id = "focus"]
    pub focus: FloatParam,

    /// The most notes in a second.
    #[id = "density"]
    pub density: FloatParam,

    /// The lowest key. Where it lies above the highest, the two change places.
    #[id = "register-low"]
    pub register_low: IntParam,

    /// The highest key.
    #[id = "register-high"]
    pub register_high: IntParam,

    /// The root of the scale.
    #[id = "key"]
    pub key: EnumParam<Root>,

    /// The scale: no other pitch class is played, except with *Auto*, which only biases. Where no key of the
    /// register is in the scale, nothing is played.
    #[id = "scale"]
    pub scale: EnumParam<Scale>,

    /// The most notes of an answer that sound at once. One more note ends the one that would end first.
    #[id = "polyphony"]
    pub polyphony: IntParam,

    /// How far velocities are drawn towards the player's newest.
    #[id = "velocity-follow"]
    pub velocity_follow: FloatParam,

    /// How far the keys are drawn towards the scale that the player keeps to, where no scale is chosen.
    #[id = "key-follow"]
    pub key_follow: FloatParam,

    /// How far the notes are drawn towards the pace of the call.
    #[id = "pace-follow"]
    pub pace_follow: FloatParam,

    /// The style, one of the model's input features.
    #[id = "style"]
    pub style: EnumParam<StyleChoice>,

    /// Whether the beat is taken from the player's newest notes, where no song runs.
    #[id = "tempo-from-playing"]
    pub tempo_from_playing: BoolParam,
}

/// The style that the player names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StyleChoice {
    /// No style is named: the model goes by what it hears.
    #[id = "open"]
    Open,
    #[id = "classical"]
    Classical,
    #[id = "jazz-piano"]
    #[name = "Jazz piano"]
    JazzPiano,
    #[id = "jazz-line"]
    #[name = "Jazz line"]
    JazzLine,
    #[id = "pop"]
    Pop,
}

impl StyleChoice {
    fn style(self) -> Option<Style> {
        match self {
            Self::Open => None,
            Self::Classical => Some(Style::Classical),
            Self::JazzPiano => Some(Style::JazzPiano),
            Self::JazzLine => Some(Style::JazzLine),
            Self::Pop => Some(Style::Pop),
        }
    }
}

impl GenerationParams {
    /// The current values, added to those of the other parameters. Realtime-safe.
    pub fn snapshot(&self, others: GenerationSettings) -> GenerationSettings {
        let temperature = |param: &FloatParam| Thousandths::of(param.value().clamp(0.0, HOTTEST));
        let share = |param: &FloatParam| Thousandths::of(param.value().clamp(0.0, 1.0));
        let key = |param: &IntParam| Key::saturating(param.value().clamp(0, HIGHEST_KEY) as u8);
        let voices = match self.polyphony.value() {
            voices if voices < MOST_VOICES => Polyphony::voices(voices.max(1) as u8),
            _ => Polyphony::UNLIMITED,
        };
        GenerationSettings {
            pitch_temperature: temperature(&self.pitch_temperature),
            timing_temperature: temperature(&self.timing_temperature),
            focus: share(&self.focus),
            density: Density::per_second(self.density.value()),
            register: Register::between(key(&self.register_low), key(&self.register_high)),
            pitch_classes: self.scale.value().on(self.key.value()),
            polyphony: voices,
            velocity_follow: share(&self.velocity_follow),
            key_follow: self.key_follow(),
            pace_follow: share(&self.pace_follow),
            style: self.style.value().style(),
            tempo_from_player: self.tempo_from_playing.value(),
            ..others
        }
    }

    /// How far keys are drawn to the player's scale; zero where a scale is chosen.
    fn key_follow(&self) -> Thousandths {
        match self.scale.value() {
            Scale::Auto => Thousandths::of(self.key_follow.value().clamp(0.0, 1.0)),
            _ => Thousandths::ZERO,
        }
    }
}

impl Default for GenerationParams {
    fn default() -> Self {
        let usual = GenerationSettings::DEFAULT;
        Self {
            pitch_temperature: temperature("Pitch temperature", usual.pitch_temperature.value()),
            timing_temperature: temperature("Timing temperature", usual.timing_temperature.value()),
            focus: FloatParam::new(
                "Focus",
                usual.focus.value(),
                FloatRange::Skewed { min: 0.0, max: 1.0, factor: FloatRange::skew_factor(-2.0) },
            )
            .with_unit(" %")
            .with_value_to_string(formatters::v2s_f32_percentage(1))
            .with_string_to_value(formatters::s2v_f32_percentage()),
            density: FloatParam::new(
                "Density",
                DENSEST,
                FloatRange::Skewed { min: THINNEST, max: DENSEST, factor: FloatRange::skew_factor(-1.0) },
            )
            .with_value_to_string(texts::show_limit(DENSEST, PER_SECOND))
            .with_string_to_value(texts::read_limit(DENSEST, PER_SECOND)),
            register_low: register("Register low", 0),
            register_high: register("Register high", HIGHEST_KEY),
            key: EnumParam::new("Key", Root::new(0)),
            scale: EnumParam::new("Scale", Scale::Auto),
            polyphony: IntParam::new("Polyphony", MOST_VOICES, IntRange::Linear { min: 1, max: MOST_VOICES })
                .with_value_to_string(texts::show_count(MOST_VOICES, VOICES))
                .with_string_to_value(texts::read_count(MOST_VOICES, VOICES)),
            velocity_follow: percent("Velocity follow", usual.velocity_follow.value(), 0.0, 1.0),
            key_follow: percent("Key follow", usual.key_follow.value(), 0.0, 1.0),
            pace_follow: percent("Pace follow", usual.pace_follow.value(), 0.0, 1.0),
            style: EnumParam::new("Style", StyleChoice::Open),
            tempo_from_playing: BoolParam::new("Tempo from playing", usual.tempo_from_player),
        }
    }
}

fn register(name: &str, default: i32) -> IntParam {
    IntParam::new(name, default, IntRange::Linear { min: 0, max: HIGHEST_KEY })
        .with_value_to_string(texts::show_key())
        .with_string_to_value(texts::read_key())
}
