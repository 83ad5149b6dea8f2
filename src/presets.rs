//! Named settings, each good for something, for the window and for hosts.
//!
//! A preset sets every parameter but those that say where the plugin is plugged in and which song it is: what its table
//! does not name takes its default, so that it sounds alike whatever was set before.

mod table;
#[cfg(test)]
mod tests;
mod vst3;

use std::collections::BTreeMap;

use nice_plug::{
    params::{Params, internals::ParamPtr},
    plugin::{ParamValue, PluginState},
};

pub use self::table::PRESETS;
use crate::params::AntiphonParams;

/// Parameters that no preset touches, by identifier.
const KEPT: [&str; 17] = [
    "you",
    "thru",
    "seed",
    "bypass",
    "key",
    "output-channel",
    "listen",
    "input-channel",
    "mpe",
    "panic",
    "re-roll",
    "clear-memory",
    "reset-seed",
    "cue-key",
    "cue-controller",
    "sound",
    "sound-level",
];

/// Settings under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    /// What it is good for, in one sentence.
    pub purpose: &'static str,
    /// Parameters by name, and their values as hosts show them.
    values: &'static [(&'static str, &'static str)],
}

impl Preset {
    /// The preset of a name, in either case.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
    }

    /// Every parameter that it sets, with its normalised value: begin, set and end a gesture for each. The pointers live
    /// as long as the parameters.
    pub fn values(&self, params: &AntiphonParams) -> Vec<(ParamPtr, f32)> {
        self.settings(params).into_iter().map(|(_, param, value)| (param, value)).collect()
    }

    /// The same as the state of a project; whatever it does not set stays as it is when a plugin loads it.
    pub fn state(&self) -> PluginState {
        let params = AntiphonParams::default();
        let plain = |(id, param, value): (String, ParamPtr, f32)| {
            // SAFETY: the parameters live until the end of this function.
            let plain = unsafe { param.preview_plain(value) };
            let value = match param {
                ParamPtr::FloatParam(_) => ParamValue::F32(plain),
                ParamPtr::IntParam(_) => ParamValue::I32(plain as i32),
                ParamPtr::BoolParam(_) => ParamValue::Bool(plain > 0.5),
                // By its place among the choices, which the framework understands beside their identifiers.
                ParamPtr::EnumParam(_) => ParamValue::I32(plain as i32),
            };
            (id, value)
        };
        let params: BTreeMap<_, _> = self.settings(&params).into_iter().map(plain).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        PluginState { version, params, fields: BTreeMap::new() }
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
