//! Presets: named settings, each with a purpose, for the window and for hosts.
//!
//! A preset sets every parameter but those that depend on the set-up, the song or the player. A parameter
//! that its table does not name takes its default, so that a preset sounds alike whatever was set before.

mod factory;

use std::collections::BTreeMap;

use nice_plug::{
    params::{Params, internals::ParamPtr},
    plugin::{ParamValue, PluginState},
};

pub use self::factory::PRESETS;
use super::AntiphonParams;

/// Parameters that no preset touches, by identifier.
const KEPT: [&str; 19] = [
    "you",
    "thru",
    "seed",
    "bypass",
    "key",
    "output-channel",
    "listen",
    "input-channel",
    "mpe",
    "harmony",
    "advance",
    "panic",
    "re-roll",
    "clear-memory",
    "reset-seed",
    "cue-key",
    "cue-controller",
    "sound",
    "sound-level",
];

/// Length of the header of a VST3 preset file: magic, version, class identifier, and the offset of the list
/// of chunks.
const VST3_HEADER_BYTES: i64 = 4 + 4 + 32 + 8;
const VST3_VERSION: i32 = 1;

/// Named settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    /// What it is good for, in one sentence.
    pub purpose: &'static str,
    /// The names of parameters, and their values as hosts show them.
    values: &'static [(&'static str, &'static str)],
}

impl Preset {
    /// The preset of a name, in upper or lower case.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
    }

    /// Every parameter that the preset sets, with its normalised value. The caller begins, sets and ends a
    /// gesture for each. The pointers live as long as the parameters.
    pub fn values(&self, params: &AntiphonParams) -> Vec<(ParamPtr, f32)> {
        self.settings(params).into_iter().map(|(_, param, value)| (param, value)).collect()
    }

    /// The preset as the state of a project. What it does not set stays as it is when a plugin loads it.
    pub fn state(&self) -> PluginState {
        let params = AntiphonParams::default();
        let plain = |(id, param, value): (String, ParamPtr, f32)| {
            // SAFETY: the parameters live until the end of this function.
            let plain = unsafe { param.preview_plain(value) };
            let value = match param {
                ParamPtr::FloatParam(_) => ParamValue::F32(plain),
                ParamPtr::IntParam(_) => ParamValue::I32(plain as i32),
                ParamPtr::BoolParam(_) => ParamValue::Bool(plain > 0.5),
                // By the index of the choice, which the framework understands as well as its identifier.
                ParamPtr::EnumParam(_) => ParamValue::I32(plain as i32),
            };
            (id, value)
        };
        let params: BTreeMap<_, _> = self.settings(&params).into_iter().map(plain).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        PluginState { version, params, fields: BTreeMap::new() }
    }

    /// The bytes of a `.vstpreset` file for the plugin with this class identifier. Hosts offer it from their
    /// folder of presets. What the preset does not set stays as it is when a host loads it.
    ///
    /// The format: *Preset Format* in Steinberg's VST 3 technical documentation. Its one chunk is the component's state.
    pub fn vstpreset(&self, class: [u8; 16]) -> Vec<u8> {
        let state = serde_json::to_vec(&self.state()).expect("numbers and texts are JSON");
        let length = state.len() as i64;
        let class: String = class.iter().map(|byte| format!("{byte:02X}")).collect();
        let list_at = VST3_HEADER_BYTES + length;
        [
            b"VST3",
            &VST3_VERSION.to_le_bytes()[..],
            class.as_bytes(),
            &list_at.to_le_bytes(),
            &state,
            b"List",
            &1i32.to_le_bytes(),
            b"Comp",
            &VST3_HEADER_BYTES.to_le_bytes(),
            &length.to_le_bytes(),
        ]
        .concat()
    }

    fn settings(&self, params: &AntiphonParams) -> Vec<(String, ParamPtr, f32)> {
        let all = params.param_map().into_iter();
        all.filter(|(id, ..)| !KEPT.contains(&id.as_str()))
            .map(|(id, param, _)| (id, param, self.value(param)))
            .collect()
    }

    fn value(&self, param: ParamPtr) -> f32 {
        // SAFETY: the callers hold the parameters while they ask.
        unsafe {
            let text = self.values.iter().find(|(name, _)| *name == param.name()).map(|(_, text)| *text);
            let value = text.and_then(|text| param.string_to_normalized_value(text));
            value.unwrap_or_else(|| param.default_normalized_value())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn with_each(params: &AntiphonParams, mut check: impl FnMut(&str, ParamPtr)) {
        for (id, param, _) in params.param_map() {
            check(&id, param);
        }
    }

    /// The identifier of the parameter of a name.
    fn id_of(params: &AntiphonParams, wanted: &str) -> Option<String> {
        let mut found = None;
        with_each(params, |id, param| {
            // SAFETY: the parameters live as long as the check.
            if unsafe { param.name() } == wanted {
                found = Some(id.to_owned());
            }
        });
        found
    }

    #[test]
    fn every_value_of_a_preset_is_one_that_its_parameter_shows() {
        let params = AntiphonParams::with_sound();
        for preset in PRESETS {
            for (name, text) in preset.values {
                let id = id_of(&params, name).unwrap_or_else(|| panic!("{}: no {name}", preset.name));
                assert!(!KEPT.contains(&id.as_str()), "{}: {name} is the player's", preset.name);
                with_each(&params, |other, param| {
                    if id == other {
                        // SAFETY: the parameters live as long as the check.
                        let (value, shown) = unsafe {
                            let value = param.string_to_normalized_value(text);
                            let value = value.unwrap_or_else(|| panic!("{}: {name} {text}", preset.name));
                            (value, param.normalized_value_to_string(value, true))
                        };
                        // A host may show fewer or more digits, but reads back the same.
                        // SAFETY: the parameters live as long as the check.
                        let again = unsafe { param.string_to_normalized_value(&shown) };
                        assert!(
                            again.is_some_and(|again| (again - value).abs() < 1e-3),
                            "{name} {text}: {shown}"
                        );
                    }
                });
            }
        }
    }

    #[test]
    fn presets_differ_in_name_purpose_and_settings() {
        let params = AntiphonParams::with_sound();
        let values = |preset: &Preset| {
            let values = preset.values(&params).into_iter().map(|(_, value)| value.to_bits());
            values.collect::<Vec<_>>()
        };
        assert_eq!(PRESETS.iter().map(|preset| preset.name).collect::<HashSet<_>>().len(), PRESETS.len());
        assert_eq!(PRESETS.iter().map(|preset| preset.purpose).collect::<HashSet<_>>().len(), PRESETS.len());
        assert_eq!(PRESETS.iter().map(values).collect::<HashSet<_>>().len(), PRESETS.len());
        assert!(PRESETS.iter().all(|preset| preset.purpose.ends_with('.') && preset.purpose.len() < 100));
    }

    #[test]
    fn a_preset_leaves_alone_where_the_plugin_is_plugged_in() {
        let params = AntiphonParams::with_sound();
        let mut kept = HashSet::new();
        with_each(&params, |id, param| {
            let touched = PRESETS[0].values(&params).iter().any(|(other, _)| *other == param);
            assert_eq!(touched, !KEPT.contains(&id), "{id}");
            if !touched {
                kept.insert(id.to_owned());
            }
        });
        assert_eq!(kept.len(), KEPT.len(), "every identifier that is kept is one");
    }

    #[test]
    fn the_state_of_a_preset_holds_what_its_table_says() {
        let preset = Preset::named("trading fours").expect("a preset");
        let state = serde_json::to_value(preset.state()).expect("JSON");
        assert_eq!(state["params"]["mode"], serde_json::json!({ "i32": 1 }));
        assert_eq!(state["params"]["trade-bars"], serde_json::json!({ "i32": 4 }));
        assert_eq!(state["params"]["seed"], serde_json::Value::Null);
    }

    #[test]
    fn a_page_tells_what_every_preset_is_good_for() {
        let page = include_str!("../../docs/parameters.md");
        for Preset { name, purpose, .. } in PRESETS {
            assert!(page.contains(&format!("| {name} | {purpose} |")), "{name}");
        }
    }
}
