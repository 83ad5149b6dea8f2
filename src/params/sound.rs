//! The sound of its own, which only a plugin with an audio output has.

use nice_plug::{params::internals::ParamPtr, prelude::*};

/// Bounds of the level, in decibels.
const SOFTEST_DB: f32 = -48.0;
const LOUDEST_DB: f32 = 12.0;

#[derive(Params)]
pub struct SoundParams {
    /// Whether what goes out is heard as well.
    #[id = "sound"]
    pub on: BoolParam,

    /// How loud, in decibels.
    #[id = "sound-level"]
    pub level: FloatParam,
}

impl SoundParams {
    /// What the sound is multiplied by now, 0 where it is off. Realtime-safe.
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

/// These parameters, or none.
#[derive(Default)]
pub struct OwnSound(Option<SoundParams>);

impl OwnSound {
    /// What the sound is multiplied by now; `None` where there is none. Realtime-safe.
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
