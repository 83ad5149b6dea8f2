//! The parameters that a host may automate: identifiers, ranges, units and texts. Any thread may read them.

mod generation;
mod io;
mod persisted;
pub mod presets;
mod texts;
mod turn;

use nice_plug::prelude::*;

pub use self::{
    generation::GenerationParams,
    io::{Mpe, OutputParams, OwnSound, SoundParams, SwitchParams},
    persisted::{ModelFile, WindowSize},
    turn::{AnswerLength, CueSource, EntryAlignment, Mode, PartChoice, TurnParams},
};
use crate::{
    music::{
        generation::{GenerationSettings, Thousandths},
        memory::{LARGEST_MEMORY, SMALLEST_MEMORY},
        note_tracker::CHANNELS,
        patience::Patience,
        time::Beats,
    },
    performer::Settings,
};

/// Shortest and longest silence before a hand-over, in beats.
const SHORTEST_SILENCE: f32 = 0.25;
const LONGEST_SILENCE: f32 = 8.0;
/// Least and greatest limit on the length of an answer, in beats.
const SHORTEST_LENGTH: f32 = 1.0;
const LONGEST_LENGTH: f32 = 64.0;
/// Highest temperature: above it, keys are noise.
const HOTTEST: f32 = 2.0;
const HIGHEST_SEED: i32 = 9_999;

/// The parameters of one instance. The identifiers never change: projects are saved with them.
#[derive(Params)]
pub struct AntiphonParams {
    /// Which of the embedded networks answers, unless `model_file` names another.
    #[id = "model"]
    pub model: EnumParam<EmbeddedModel>,

    /// How much of the player's own model is added, where it is a difference to another model. At 0 %,
    /// answers do not adapt to what was heard of the player either.
    #[id = "you"]
    pub you: FloatParam,

    /// Number of the newest notes that an answer is based on: this number, but no more than its window, for
    /// a model with a sliding window; up to half as many more where the model's state is carried on.
    #[id = "memory"]
    pub memory: IntParam,

    /// How adventurous the choices are: 0 takes the likeliest, 1 the network's own probabilities.
    #[id = "temperature"]
    pub temperature: FloatParam,

    /// How long a silence counts as a breath, 0..=1, shown in percent: at 0 only the player's own pace holds the
    /// plugin back, at 1 it waits for the longest silence.
    #[id = "patience"]
    pub patience: FloatParam,

    /// The longest silence with no key held, in beats. After it the plugin takes the floor in any case.
    #[id = "silence"]
    pub silence: FloatParam,

    /// The longest answer, in beats, where its length is not set in bars. In mode Together: how long the plugin
    /// plays on after the player's last strike.
    #[id = "length"]
    pub length: FloatParam,

    /// Whether what the player plays is passed on to the instrument.
    #[id = "thru"]
    pub thru: BoolParam,

    /// The seed of the random generator.
    #[id = "seed"]
    pub seed: IntParam,

    /// Whether the seed moves on with each turn.
    #[id = "variation"]
    pub variation: EnumParam<Variation>,

    /// The host's bypass: everything passes, nothing is answered.
    #[id = "bypass"]
    pub bypass: BoolParam,

    #[nested(group = "Manner")]
    pub generation: GenerationParams,

    #[nested(group = "Delivery")]
    pub output: OutputParams,

    #[nested(group = "Switches")]
    pub switches: SwitchParams,

    #[nested(group = "Turn")]
    pub turn: TurnParams,

    /// The plugin's own sound, where it has an audio output.
    #[nested(group = "Sound")]
    pub sound: OwnSound,

    /// A model file that the player chose; empty for none.
    #[persist = "model-file"]
    pub model_file: ModelFile,

    /// The size of the window, in points.
    #[persist = "window-size"]
    pub window_size: WindowSize,
}

impl AntiphonParams {
    /// The parameters of a plugin with an audio output; the default has none.
    pub fn with_sound() -> Self {
        Self { sound: SoundParams::default().into(), ..Self::default() }
    }

    /// *You* in percent, within its range whatever a saved state said. For any thread.
    pub fn you_percent(&self) -> u8 {
        (self.you.value() * 100.0).round().clamp(0.0, 100.0) as u8
    }

    /// The current values, within their ranges whatever a saved state said. Realtime-safe.
    pub fn snapshot(&self) -> Settings {
        let memory = self.memory.value().clamp(SMALLEST_MEMORY as i32, LARGEST_MEMORY as i32);
        let others = GenerationSettings {
            temperature: Thousandths::of(self.temperature.value().clamp(0.0, HOTTEST)),
            memory: memory as u8,
            model: self.model.value() as u8,
            ..GenerationSettings::DEFAULT
        };
        let generation = self.generation.snapshot(others).playing(self.turn.part());
        Settings {
            rules: self.turn.rules(
                Beats(self.silence.value().clamp(SHORTEST_SILENCE, LONGEST_SILENCE).into()),
                Beats(self.length.value().clamp(SHORTEST_LENGTH, LONGEST_LENGTH).into()),
            ),
            patience: Patience::saturating(self.patience.value()),
            generation: if self.you_percent() > 0 { generation } else { generation.unadapted() },
            output: self.output.snapshot(),
            input_filter: self.switches.input_filter(),
            harmony: self.switches.harmony(),
            zone: self.switches.zone(),
            triggers: self.switches.triggers(),
            seed: self.seed.value() as u32,
            varying: self.variation.value() == Variation::Varying,
            thru: self.thru.value(),
            bypass: self.bypass.value(),
        }
    }
}

impl Default for AntiphonParams {
    fn default() -> Self {
        Self {
            model: EnumParam::new("Model", EmbeddedModel::Antiphon),
            you: percent("You", 1.0, 0.0, 1.0),
            memory: IntParam::new(
                "Memory",
                LARGEST_MEMORY as i32,
                IntRange::Linear { min: SMALLEST_MEMORY as i32, max: LARGEST_MEMORY as i32 },
            )
            .with_unit(" notes"),
            temperature: temperature("Temperature", 1.0),
            patience: FloatParam::new(
                "Patience",
                Patience::DEFAULT.part(),
                FloatRange::Linear { min: 0.0, max: 1.0 },
            )
            .with_unit(" %")
            .with_step_size(0.01)
            .with_value_to_string(formatters::v2s_f32_percentage(0))
            .with_string_to_value(formatters::s2v_f32_percentage()),
            silence: beats("Silence", 4.0, SHORTEST_SILENCE, LONGEST_SILENCE),
            length: beats("Length", 16.0, SHORTEST_LENGTH, LONGEST_LENGTH),
            thru: BoolParam::new("Thru", true),
            seed: IntParam::new("Seed", 0, IntRange::Linear { min: 0, max: HIGHEST_SEED }),
            variation: EnumParam::new("Variation", Variation::Varying),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            generation: GenerationParams::default(),
            output: OutputParams::default(),
            switches: SwitchParams::default(),
            turn: TurnParams::default(),
            sound: OwnSound::default(),
            model_file: ModelFile::default(),
            window_size: WindowSize::default(),
        }
    }
}

fn beats(name: &str, default: f32, min: f32, max: f32) -> FloatParam {
    let range = FloatRange::Skewed { min, max, factor: FloatRange::skew_factor(-1.0) };
    FloatParam::new(name, default, range)
        .with_unit(" beats")
        .with_step_size(0.05)
        .with_value_to_string(formatters::v2s_f32_rounded(2))
}

fn temperature(name: &str, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: HOTTEST })
        .with_value_to_string(formatters::v2s_f32_rounded(2))
}

fn percent(name: &str, default: f32, min: f32, max: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min, max })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

/// Converts a channel of 1..=16 to 0..16; `None` for 0. Realtime-safe.
fn channel(param: &IntParam) -> Option<u8> {
    u8::try_from(param.value() - 1).ok().filter(|channel| *channel < CHANNELS)
}

/// The networks that are embedded in the binary, in the order of [`crate::model::registry::embedded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EmbeddedModel {
    #[id = "antiphon"]
    #[name = "antiphon"]
    Antiphon,
    #[id = "classic-25"]
    #[name = "classic-25"]
    Classic25,
    #[id = "classic-150"]
    #[name = "classic-150"]
    Classic150,
}

/// Whether two turns with the same memory differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Variation {
    /// The same memory gives the same answer.
    #[id = "stable"]
    Stable,
    /// Every turn has a seed of its own, the same ones in every take.
    #[id = "varying"]
    Varying,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use nice_plug::params::internals::ParamPtr;

    use super::*;

    /// The identifiers with which projects were saved, in their order.
    const IDS: [&str; 50] = [
        "model",
        "memory",
        "temperature",
        "silence",
        "length",
        "thru",
        "seed",
        "variation",
        "bypass",
        "pitch-temperature",
        "timing-temperature",
        "focus",
        "density",
        "register-low",
        "register-high",
        "key",
        "scale",
        "polyphony",
        "velocity-follow",
        "key-follow",
        "pace-follow",
        "style",
        "tempo-from-playing",
        "quantise",
        "quantise-strength",
        "swing",
        "velocity-scale",
        "advance",
        "output-channel",
        "listen",
        "input-channel",
        "harmony",
        "mpe",
        "panic",
        "re-roll",
        "mode",
        "answer-length",
        "answer-bars",
        "trade-bars",
        "part",
        "cue",
        "cue-key",
        "cue-controller",
        "alignment",
        "patience",
        "clear-memory",
        "reset-seed",
        "sound",
        "sound-level",
        "you",
    ];

    fn with_each(mut check: impl FnMut(&str, ParamPtr)) {
        let params = AntiphonParams::with_sound();
        for (id, param, _) in params.param_map() {
            check(&id, param);
        }
    }

    #[test]
    fn identifiers_stay() {
        let mut found = Vec::new();
        with_each(|id, _| found.push(id.to_owned()));
        let ids: HashSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(ids, HashSet::from(IDS), "a new parameter is written down here, an old one stays");
        assert_eq!(ids.len(), found.len());
    }

    #[test]
    fn a_page_tells_what_every_parameter_does() {
        let page = include_str!("../docs/parameters.md");
        with_each(|id, param| {
            // SAFETY: the parameters live as long as the check.
            let name = unsafe { param.name() };
            let names = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
            let is_told =
                names.flat_map(|names| names.split(", ")).any(|told| told.eq_ignore_ascii_case(name));
            assert!(is_told, "{name} ({id}) has no row");
        });
    }

    #[test]
    fn whatever_a_host_shows_can_be_typed_in() {
        with_each(|id, param| {
            for part in 0..=200 {
                // SAFETY: the parameters live as long as the check.
                unsafe {
                    let shown = param.normalized_value_to_string(part as f32 / 200.0, true);
                    let read = param.string_to_normalized_value(&shown);
                    let read = read.unwrap_or_else(|| panic!("{id} does not understand its own \"{shown}\""));
                    assert_eq!(param.normalized_value_to_string(read, true), shown, "{id}");
                }
            }
        });
    }

    #[test]
    fn defaults_shape_nothing() {
        let settings = AntiphonParams::default().snapshot();
        assert_eq!(
            (settings.generation, settings.output),
            (GenerationSettings::DEFAULT, crate::performer::OutputSettings::PLAIN)
        );
        assert_eq!(settings.input_filter, crate::performer::InputFilter::All);
    }

    #[test]
    fn with_you_at_nothing_the_answer_is_not_shaped_by_what_was_heard_of_the_player() {
        let params = AntiphonParams { you: percent("You", 0.0, 0.0, 1.0), ..AntiphonParams::default() };
        let generation = params.snapshot().generation;
        assert_eq!(generation, GenerationSettings::DEFAULT.unadapted());
        let follows = [generation.velocity_follow, generation.key_follow, generation.pace_follow];
        assert_eq!(
            (follows, generation.tempo_from_player, generation.adapts),
            ([Thousandths::ZERO; 3], false, false)
        );
    }

    #[test]
    fn a_note_effect_has_no_parameters_of_a_sound() {
        let ids: Vec<String> = AntiphonParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        assert!(!ids.iter().any(|id| id.starts_with("sound")), "{ids:?}");
    }
}
