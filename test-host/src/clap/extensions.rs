//! CLAP's extensions for the user: parameters, with their ranges and the plugin's own texts; the presets that
//! a library announces; and the plugin's window, inside a window of the host.

use std::ffi::{CStr, CString};

use anyhow::{Context, Result, anyhow, bail};
use clack_extensions::{
    gui::{GuiApiType, GuiConfiguration, GuiSize, HostGuiImpl, PluginGui, Window},
    params::{ParamInfoBuffer, ParamInfoFlags, PluginParams},
    preset_discovery::prelude::*,
};
use clack_host::{entry::EntryDescriptor, prelude::*};

use super::{Clap, Handlers, entry_of, extension, information};
use crate::play::{Host, Parameter};

/// Largest number of values of a parameter that counts as a choice, whose values an error can list.
const MOST_CHOICES: u32 = 16;
/// Room for one text, in bytes.
const LONGEST_TEXT: usize = 256;

/// A parameter with its range of CLAP values.
pub struct Range {
    pub parameter: Parameter,
    /// The default value, 0..=1.
    pub default: f64,
    /// Number of steps from the least to the greatest value; `None` for a continuous parameter.
    pub steps: Option<u32>,
    least: f64,
    most: f64,
}

/// A preset that a library announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    pub name: String,
    /// The key by which it is loaded.
    pub key: String,
    pub description: String,
    /// The identifiers of the plugins that it is for.
    pub plugins: Vec<String>,
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
}

impl Clap {
    /// A parameter's id, and the value, 0..=1, whose text in the plugin is `text`. Upper and lower case of a
    /// choice are the same.
    ///
    /// # Errors
    /// When there is no such parameter, or the text is not one of its texts; the error says which texts it
    /// takes.
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

    /// Sets a parameter by its name to the value whose text in the plugin is `text`.
    ///
    /// # Errors
    /// As [`Clap::value`].
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<()> {
        let (id, value) = self.value(name, text)?;
        self.set(id, value)
    }

    /// The text that the plugin shows for a value, 0..=1.
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
            // Two values with the same text are the same to a reader.
            if text != self.text(id, default)? {
                changed.push((name, text));
            }
        }
        Ok(changed)
    }

    /// All texts of a parameter with few values; empty for any other parameter.
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

    /// Whether the text means this value. The plugin takes a number outside the range for the end of the range.
    fn is_meant(&mut self, id: u32, value: f64, text: &str) -> Result<bool> {
        if value > 0.0 && value < 1.0 {
            return Ok(true);
        }
        let (asked, shown) = (leading_number(text), leading_number(&self.text(id, value)?));
        let differ = asked.zip(shown).is_some_and(|(asked, shown)| (asked - shown).abs() > 1e-6);
        Ok(!value.is_nan() && !differ)
    }

    /// Loads the preset with this key, as a host does when the user chooses it.
    ///
    /// # Errors
    /// When the plugin refuses it.
    pub fn load_preset(&mut self, key: &str) -> Result<()> {
        let handle = self.instance.plugin_handle();
        let key = CString::new(key)?;
        extension::<PluginPresetLoad>(&handle)?
            .load_from_location(&handle, Location::Plugin, Some(&key))
            .map_err(|error| anyhow!("{error}"))?;
        self.serve();
        Ok(())
    }

    /// Makes the plugin's window without showing it, for a screen with `scale` pixels per point, and gives
    /// its size. It must be shown in an X11 window, and closed before that window is closed.
    ///
    /// # Errors
    /// When the plugin has no window, or cannot open one here.
    pub fn make_window(&mut self, scale: f64) -> Result<Pixels> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        gui.create(&handle, GuiConfiguration { api_type: GuiApiType::X11, is_floating: false })
            .map_err(|error| anyhow!("the plugin makes no window: {error}"))?;
        // A plugin that detects the scale by itself may refuse it.
        let _ = gui.set_scale(&handle, scale);
        let GuiSize { width, height } = gui.get_size(&handle).context("the plugin's window has no size")?;
        Ok(Pixels { width, height })
    }

    /// Shows the window that was made inside another.
    ///
    /// # Safety
    /// `parent` must be a window of X11 that stays until [`Clap::close_window`].
    ///
    /// # Errors
    /// When the plugin refuses.
    pub unsafe fn show_window(&mut self, parent: u32) -> Result<()> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        // SAFETY: by the caller's promise.
        unsafe { gui.set_parent(&handle, Window::from_x11_handle(parent.into())) }
            .map_err(|error| anyhow!("the plugin takes no parent window: {error}"))?;
        gui.show(&handle).map_err(|error| anyhow!("the plugin does not show its window: {error}"))
    }

    /// Resizes the window, as a host does when the user resizes the host's window; gives the size that the
    /// plugin takes.
    ///
    /// # Errors
    /// When the plugin refuses.
    pub fn resize_window(&mut self, Pixels { width, height }: Pixels) -> Result<Pixels> {
        let handle = self.instance.plugin_handle();
        let gui = extension::<PluginGui>(&handle)?;
        let asked = GuiSize { width, height };
        let size = gui.adjust_size(&handle, asked).unwrap_or(asked);
        gui.set_size(&handle, size)
            .map_err(|error| anyhow!("the plugin's window keeps its size: {error}"))?;
        Ok(Pixels { width: size.width, height: size.height })
    }

    /// Closes the window.
    ///
    /// # Errors
    /// When the plugin has none.
    pub fn close_window(&mut self) -> Result<()> {
        let handle = self.instance.plugin_handle();
        extension::<PluginGui>(&handle)?.destroy(&handle);
        self.serve();
        Ok(())
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
pub fn ranges(plugin: &PluginMainThreadHandle) -> Vec<Range> {
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

/// All presets within a library, as a host finds them without loading a plugin.
///
/// # Errors
/// When the library announces none, or announces other places too.
///
/// # Safety
/// `entry` must point at a valid entry, which CLAP calls `clap_plugin_entry`.
pub unsafe fn presets(entry: *const EntryDescriptor) -> Result<Vec<Preset>> {
    // SAFETY: by the caller's promise.
    let entry = unsafe { entry_of(entry) }?;
    let factory: PresetDiscoveryFactory = entry.get_factory().context("the library tells of no presets")?;
    let host = information()?;
    let mut found = Metadata::default();
    for descriptor in factory.provider_descriptors() {
        let id = descriptor.id().context("a provider has an identifier")?;
        let mut provider = Provider::instantiate(Indexer::default(), &entry, id, &host)?;
        for _ in 0..provider.indexer().within {
            provider.get_metadata(Location::Plugin, &mut found);
        }
    }
    Ok(found.0)
}

/// The number with which a text begins.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter));
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// Counts the places within the library that a provider announces.
#[derive(Default)]
struct Indexer {
    within: usize,
}

impl IndexerImpl for Indexer {
    fn declare_filetype(&mut self, _: FileType) -> Result<(), HostError> {
        Ok(())
    }

    fn declare_location(&mut self, place: LocationInfo) -> Result<(), HostError> {
        self.within += usize::from(place.location == Location::Plugin);
        Ok(())
    }

    fn declare_soundpack(&mut self, _: Soundpack) -> Result<(), HostError> {
        Ok(())
    }
}

#[derive(Default)]
struct Metadata(Vec<Preset>);

impl MetadataReceiverImpl for Metadata {
    fn on_error(&mut self, _: i32, _: Option<&CStr>) {}

    fn begin_preset(&mut self, name: Option<&CStr>, key: Option<&CStr>) -> Result<(), HostError> {
        let text = |text: Option<&CStr>| text.map(text_of).unwrap_or_default();
        let (description, plugins) = (String::new(), Vec::new());
        self.0.push(Preset { name: text(name), key: text(key), description, plugins });
        Ok(())
    }

    fn add_plugin_id(&mut self, plugin: UniversalPluginId) {
        if let Some(preset) = self.0.last_mut() {
            preset.plugins.push(text_of(plugin.id));
        }
    }

    fn set_soundpack_id(&mut self, _: &CStr) {}

    fn set_flags(&mut self, _: Flags) {}

    fn add_creator(&mut self, _: &CStr) {}

    fn set_description(&mut self, description: &CStr) {
        if let Some(preset) = self.0.last_mut() {
            preset.description = text_of(description);
        }
    }

    fn set_timestamps(&mut self, _: Option<Timestamp>, _: Option<Timestamp>) {}

    fn add_feature(&mut self, _: &CStr) {}

    fn add_extra_info(&mut self, _: &CStr, _: &CStr) {}
}

fn text_of(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}

impl HostGuiImpl for Handlers {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Err(HostError::Message("this host's windows keep their size"))
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}
