//! How an answer goes out to the instrument.

use nice_plug::prelude::*;

use super::{percent, texts};
use crate::{
    music::{
        quantise::{Grid, Quantise},
        time::Seconds,
    },
    performer::OutputSettings,
};

/// Bounds of the swing: from straight to a dotted note and half of it.
const STRAIGHT: f32 = 0.5;
const DOTTED: f32 = 0.75;
/// Bounds of what velocities are multiplied by.
const SOFTEST: f32 = 0.25;
const LOUDEST: f32 = 2.0;
/// Instruments and the lines to them rarely take longer.
const LONGEST_ADVANCE_MS: f32 = 100.0;
const AS_PLAYED: &str = "as played";

#[derive(Params)]
pub struct OutputParams {
    /// The note value of the grid on which onsets are set, counted in the host's beats.
    #[id = "quantise"]
    pub grid: EnumParam<Grid>,

    /// How far onsets are moved towards the grid.
    #[id = "quantise-strength"]
    pub strength: FloatParam,

    /// Where in its pair every second line of a straight grid lies.
    #[id = "swing"]
    pub swing: FloatParam,

    /// Multiplies the velocities that are sent.
    #[id = "velocity-scale"]
    pub velocity_scale: FloatParam,

    /// How much earlier the answer goes out, in milliseconds.
    #[id = "advance"]
    pub advance: FloatParam,

    /// Where the answer goes: one of 16 channels, or the one of the call.
    #[id = "output-channel"]
    pub channel: IntParam,
}

impl OutputParams {
    /// The values of now. Realtime-safe.
    pub fn snapshot(&self) -> OutputSettings {
        OutputSettings {
            quantise: Quantise {
                grid: self.grid.value(),
                strength: self.strength.value().clamp(0.0, 1.0).into(),
                swing: self.swing.value().clamp(STRAIGHT, DOTTED).into(),
            },
            velocity_scale: self.velocity_scale.value().clamp(SOFTEST, LOUDEST),
            advance: Seconds(self.advance.value().clamp(0.0, LONGEST_ADVANCE_MS) / 1_000.0),
            channel: super::channel(&self.channel),
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
