//! The presets that a CLAP library tells of, and loading one.

use std::ffi::{CStr, CString};

use anyhow::{Context, Result, anyhow};
use clack_extensions::preset_discovery::prelude::*;
use clack_host::{entry::EntryDescriptor, prelude::*};

use super::{Clap, entry_of, extension, information};

/// A preset that a library tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    pub name: String,
    /// By which it is loaded.
    pub key: String,
    pub description: String,
    /// The identifiers of the plugins that it is for.
    pub plugins: Vec<String>,
}

/// All presets that lie within a library, as a host finds them without loading a plugin.
///
/// # Errors
/// When the library tells of none, or of other places too.
///
/// # Safety
/// `entry` must point at a valid entry, which CLAP calls `clap_plugin_entry`.
pub unsafe fn in_process(entry: *const EntryDescriptor) -> Result<Vec<Preset>> {
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

impl Clap {
    /// Loads the preset of a key, as a host does whose user has chosen it.
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
}

/// How many places within the library a provider has told of.
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
