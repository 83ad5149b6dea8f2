//! CLAP's parameters, whose values have ranges of their own.

use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;

use crate::host::Parameter;

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
