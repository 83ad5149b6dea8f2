//! Parameters of CLAP, whose values have ranges of their own, and their values in the plugin's own words.

use std::ffi::CString;

use anyhow::{Context, Result, bail};
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;

use super::{Clap, extension};
use crate::host::{Host, Parameter};

/// A parameter with at most so many values is a choice, whose values a sentence can list.
const MOST_CHOICES: u32 = 16;
/// Room for one text, in bytes.
const LONGEST_TEXT: usize = 256;

/// A parameter with its range of CLAP values.
pub struct Range {
    pub parameter: Parameter,
    /// What the plugin comes with, 0..=1.
    pub default: f64,
    /// The steps from the least to the most; `None` where all between is possible.
    pub steps: Option<u32>,
    least: f64,
    most: f64,
}

impl Clap {
    /// The value, 0..=1, for which the plugin's own text is `text`; the parameter's id with it. Choices are known in
    /// either case.
    ///
    /// # Errors
    /// When there is no such parameter, or the text is none of its own; the sentence says what it takes.
    pub fn value(&mut self, name: &str, text: &str) -> Result<(u32, f64)> {
        let parameter = self.parameter(name)?;
        let choices = self.choices(parameter.id)?;
        let choice = choices.iter().find(|choice| choice.eq_ignore_ascii_case(text.trim()));
        let value = self.read(&parameter, choice.map_or(text, String::as_str))?;
        let takes = match value {
            Some(value) if self.is_meant(parameter.id, value, text)? => return Ok((parameter.id, value)),
            _ if choices.is_empty() => {
                format!("{} to {}", self.text(parameter.id, 0.0)?, self.text(parameter.id, 1.0)?)
            }
            _ => choices.join(", "),
        };
        bail!("{} cannot be \"{text}\": it takes {takes}", parameter.name)
    }

    /// Sets a parameter by its name to the value for which the plugin's own text is `text`.
    ///
    /// # Errors
    /// As [`Clap::value`].
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<()> {
        let (id, value) = self.value(name, text)?;
        self.set(id, value)
    }

    /// What the plugin shows for a value, 0..=1.
    ///
    /// # Errors
    /// When the plugin has no such parameter, or no text for the value.
    pub fn text(&mut self, id: u32, value: f64) -> Result<String> {
        let range = self.range(id)?;
        let (plain, name) = (range.plain(value), range.parameter.name.clone());
        let handle = self.instance.plugin_handle();
        let mut room = [0; LONGEST_TEXT];
        let text = extension::<PluginParams>(&handle)?
            .value_to_text(&handle, ClapId::new(id), plain, &mut room)
            .with_context(|| format!("{name} has no text for {value}"))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The names and texts of all parameters that are not at their defaults, in the plugin's order.
    ///
    /// # Errors
    /// When the plugin does not tell a value.
    pub fn changed(&mut self) -> Result<Vec<(String, String)>> {
        let defaults: Vec<(Parameter, f64)> =
            self.parameters.iter().map(|range| (range.parameter.clone(), range.default)).collect();
        let mut changed = Vec::new();
        for (Parameter { id, name }, default) in defaults {
            let value = self.get(id)?;
            let text = self.text(id, value)?;
            // Two values that look alike are the same to who reads them.
            if text != self.text(id, default)? {
                changed.push((name, text));
            }
        }
        Ok(changed)
    }

    /// All texts of a parameter with few values; none of another.
    fn choices(&mut self, id: u32) -> Result<Vec<String>> {
        let Some(steps) = self.range(id)?.steps.filter(|steps| (1..MOST_CHOICES).contains(steps)) else {
            return Ok(Vec::new());
        };
        (0..=steps).map(|step| self.text(id, f64::from(step) / f64::from(steps))).collect()
    }

    fn read(&mut self, parameter: &Parameter, text: &str) -> Result<Option<f64>> {
        let plain = CString::new(text)?;
        let handle = self.instance.plugin_handle();
        let read =
            extension::<PluginParams>(&handle)?.text_to_value(&handle, ClapId::new(parameter.id), &plain);
        read.map(|value| Ok(self.range(parameter.id)?.share(value))).transpose()
    }

    /// Whether the text says this value, and not a number outside the range: the plugin takes that for the end of it.
    fn is_meant(&mut self, id: u32, value: f64, text: &str) -> Result<bool> {
        if value > 0.0 && value < 1.0 {
            return Ok(true);
        }
        let (asked, shown) = (leading_number(text), leading_number(&self.text(id, value)?));
        let differ = asked.zip(shown).is_some_and(|(asked, shown)| (asked - shown).abs() > 1e-6);
        Ok(!value.is_nan() && !differ)
    }
}

impl Range {
    /// The CLAP value for a value of 0..=1.
    pub fn plain(&self, value: f64) -> f64 {
        self.least + value * (self.most - self.least)
    }

    /// The value, 0..=1, for a CLAP value.
    pub fn share(&self, plain: f64) -> f64 {
        (plain - self.least) / (self.most - self.least)
    }
}

/// All parameters of a plugin, in its own order.
pub fn all(plugin: &PluginMainThreadHandle) -> Vec<Range> {
    let Some(parameters) = plugin.get_extension::<PluginParams>() else { return Vec::new() };
    let range = |index| {
        let mut buffer = ParamInfoBuffer::new();
        let info = parameters.get_info(plugin, index, &mut buffer)?;
        let name = String::from_utf8_lossy(info.name).into_owned();
        let parameter = Parameter { id: info.id.get(), name };
        let (least, most) = (info.min_value, info.max_value);
        let is_stepped = info.flags.contains(ParamInfoFlags::IS_STEPPED);
        let steps = is_stepped.then(|| (most - least).round() as u32);
        let default = (info.default_value - least) / (most - least);
        Some(Range { parameter, default, steps, least, most })
    };
    (0..parameters.count(plugin)).filter_map(range).collect()
}

/// The number with which a text begins.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter));
    text[..end.unwrap_or(text.len())].parse().ok()
}
