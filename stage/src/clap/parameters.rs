//! CLAP's parameters, whose values have ranges of their own.

use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_host::prelude::*;

use crate::host::Parameter;

/// A parameter with its range of CLAP values.
pub struct Range {
    pub parameter: Parameter,
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
        Some(Range { parameter, least: info.min_value, most: info.max_value })
    };
    (0..parameters.count(plugin)).filter_map(range).collect()
}
