//! The parameters of input and output: what the plugin listens to, the momentary switches, how an answer is
//! sent, and the plugin's own sound.

use nice_plug::{params::internals::ParamPtr, prelude::*};

use super::{channel, percent, texts};
use crate::{
    music::{
        harmony::Source,
        note::Key,
        note_tracker::Zone,
        quantise::{Grid, Quantise},
        time::Seconds,
    },
    performer::{InputFilter, OutputSettings, Triggers},
};

const ALL: &str = "all";

/// Bounds of the swing: from straight to a dotted note and one of a third its length.
const STRAIGHT: f32 = 0.5;
const DOTTED: f32 = 0.75;
/// Bounds of the factor on velocities.
const SOFTEST: f32 = 0.25;
const LOUDEST: f32 = 2.0;
/// Greatest advance of the answer: instruments and their connections rarely have a longer latency.
const LONGEST_ADVANCE_MS: f32 = 100.0;
const AS_PLAYED: &str = "as played";

/// Bounds of the level of the sound, in decibels.
const SOFTEST_DB: f32 = -48.0;
const LOUDEST_DB: f32 = 12.0;

#[derive(Params)]
pub struct SwitchParams {
    /// Whether the plugin listens. Off: nothing is heard, and the memory stays as it is.
    #[id = "listen"]
    pub listen: BoolParam,

    /// The channel whose notes are heard: one of 16, or all. Notes of other channels are passed on all the
    /// same.
    #[id = "input-channel"]
    pub input_channel: IntParam,

    /// Where the harmony comes from: nowhere, the keys below middle C, or one of 16 channels, whose notes are
    /// then no music.
    #[id = "harmony"]
    pub harmony: IntParam,

    /// The MPE zone: which channels are one instrument.
    #[id = "mpe"]
    pub mpe: EnumParam<Mpe>,

    /// When switched on: every note that was sent is released, and the turn ends.
    #[id = "panic"]
    pub panic: BoolParam,

    /// When switched on: planned notes are thrown away, and the answer goes on with other ones.
    #[id = "re-roll"]
    pub re_roll: BoolParam,

    /// When switched on: all that was heard is forgotten, and what is being played ends.
    #[id = "clear-memory"]
    pub clear_memory: BoolParam,

    /// When switched on: the random generator begins anew, as at the beginning of a take.
    #[id = "reset-seed"]
    pub reset_seed: BoolParam,
}

/// The zone of an MPE controller; one zone takes all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Mpe {
    /// Every channel is an instrument of its own.
    #[id = "off"]
    Off,
    /// The zone's master channel is channel 1.
    #[id = "lower"]
    #[name = "Lower zone"]
    Lower,
    /// The zone's master channel is channel 16.
    #[id = "upper"]
    #[name = "Upper zone"]
    Upper,
}

impl SwitchParams {
    /// Which notes the plugin hears now. Realtime-safe.
    pub fn input_filter(&self) -> InputFilter {
        match channel(&self.input_channel) {
            _ if !self.listen.value() => InputFilter::Closed,
            Some(channel) => InputFilter::Channel(channel),
            None => InputFilter::All,
        }
    }

    /// Where the harmony comes from now. Realtime-safe.
    pub fn harmony(&self) -> Source {
        match u8::try_from(self.harmony.value()) {
            Ok(texts::LEFT_HAND) => Source::Below(Key::MIDDLE_C),
            Ok(channel @ 1..=16) => Source::Channel(channel - 1),
            _ => Source::Off,
        }
    }

    /// The current MPE zone. Realtime-safe.
    pub fn zone(&self) -> Zone {
        match self.mpe.value() {
            Mpe::Off => Zone::Off,
            Mpe::Lower => Zone::Lower,
            Mpe::Upper => Zone::Upper,
        }
    }

    /// Which of the momentary switches are on now. Realtime-safe.
    pub fn triggers(&self) -> Triggers {
        Triggers {
            panic: self.panic.value(),
            re_roll: self.re_roll.value(),
            clear_memory: self.clear_memory.value(),
            reset_seed: self.reset_seed.value(),
        }
    }
}

impl Default for SwitchParams {
    fn default() -> Self {
        Self {
            listen: BoolParam::new("Listen", true),
            input_channel: IntParam::new("Input channel", 0, IntRange::Linear { min: 0, max: 16 })
                .with_value_to_string(texts::show_channel(ALL))
                .with_string_to_value(texts::read_channel(ALL)),
            harmony: IntParam::new("Harmony", 0, IntRange::Linear { min: 0, max: texts::LEFT_HAND.into() })
                .with_value_to_string(texts::show_harmony())
                .with_string_to_value(texts::read_harmony()),
            mpe: EnumParam::new("MPE", Mpe::Off),
            panic: BoolParam::new("Panic", false),
            re_roll: BoolParam::new("Re-roll", false),
            clear_memory: BoolParam::new("Clear memory", false),
            reset_seed: BoolParam::new("Reset seed", false),
        }
    }
}

#[derive(Params)]
pub struct OutputParams {
    /// The note value of the grid on which onsets are set, counted in the host's beats.
    #[id = "quantise"]
    pub grid: EnumParam<Grid>,

    /// How far onsets are moved towards the grid.
    #[id = "quantise-strength"]
    pub strength: FloatParam,

    /// Where within a pair of lines of a straight grid the second one lies.
    #[id = "swing"]
    pub swing: FloatParam,

    /// Multiplies the velocities that are sent.
    #[id = "velocity-scale"]
    pub velocity_scale: FloatParam,

    /// How much earlier the answer goes out, in milliseconds.
    #[id = "advance"]
    pub advance: FloatParam,

    /// The channel of the answer: one of 16, or that of the call.
    #[id = "output-channel"]
    pub channel: IntParam,
}

impl OutputParams {
    /// The current values. Realtime-safe.
    pub fn snapshot(&self) -> OutputSettings {
        OutputSettings {
            quantise: Quantise {
                grid: self.grid.value(),
                strength: self.strength.value().clamp(0.0, 1.0).into(),
                swing: self.swing.value().clamp(STRAIGHT, DOTTED).into(),
            },
            velocity_scale: self.velocity_scale.value().clamp(SOFTEST, LOUDEST),
            advance: Seconds(self.advance.value().clamp(0.0, LONGEST_ADVANCE_MS) / 1_000.0),
            channel: channel(&self.channel),
        }
    }
}

impl Default for OutputParams {
    fn default() -> Self {
        Self {
            grid: EnumParam::new("Quantise", Grid::Off),
            strength: percent("Quantise strength", 1.0, 0.0, 1.0),
            swing: percent("Swing", STRAIGHT, STRAIGHT, DOTTED),
            velocity_scale: percent("Velocity scale", 1.0, SOFTEST, LOUDEST),
            advance: FloatParam::new(
                "Advance",
                0.0,
                FloatRange::Linear { min: 0.0, max: LONGEST_ADVANCE_MS },
            )
            .with_unit(" ms")
            .with_step_size(0.1)
            .with_value_to_string(formatters::v2s_f32_rounded(1)),
            channel: IntParam::new("Output channel", 0, IntRange::Linear { min: 0, max: 16 })
                .with_value_to_string(texts::show_channel(AS_PLAYED))
                .with_string_to_value(texts::read_channel(AS_PLAYED)),
        }
    }
}

#[derive(Params)]
pub struct SoundParams {
    /// Whether the plugin's own sound plays the notes that are sent.
    #[id = "sound"]
    pub on: BoolParam,

    /// The level of the sound, in decibels.
    #[id = "sound-level"]
    pub level: FloatParam,
}

impl SoundParams {
    /// The current gain of the sound, as a factor; 0 where it is off. Realtime-safe.
    pub fn volume(&self) -> f32 {
        if self.on.value() {
            util::db_to_gain_fast(self.level.value().clamp(SOFTEST_DB, LOUDEST_DB))
        } else {
            0.0
        }
    }
}

impl Default for SoundParams {
    fn default() -> Self {
        let range = FloatRange::Linear { min: SOFTEST_DB, max: LOUDEST_DB };
        Self {
            on: BoolParam::new("Sound", true),
            level: FloatParam::new("Sound level", 0.0, range)
                .with_unit(" dB")
                .with_step_size(0.5)
                .with_value_to_string(formatters::v2s_f32_rounded(1)),
        }
    }
}

/// The parameters of the plugin's own sound, or none where it has no audio output.
#[derive(Default)]
pub struct OwnSound(Option<SoundParams>);

impl OwnSound {
    /// The current gain of the sound, as a factor; `None` where the plugin has no sound. Realtime-safe.
    pub fn volume(&self) -> Option<f32> {
        self.0.as_ref().map(SoundParams::volume)
    }
}

impl From<SoundParams> for OwnSound {
    fn from(params: SoundParams) -> Self {
        Self(Some(params))
    }
}

// SAFETY: the pointers are those of the parameters within, which live and move with this.
unsafe impl Params for OwnSound {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        self.0.as_ref().map_or_else(Vec::new, SoundParams::param_map)
    }
}
